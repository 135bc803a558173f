"""Records -> links -> people: exact links, probabilistic ones, who that makes one person, and ids that last.

Everything here works on tables in the process that runs the step, with DuckDB, Splink and SciPy; nothing reads a file
or a setting. Contact data stays in the tables of a connection and never reaches an error, a log or a return value.
"""
