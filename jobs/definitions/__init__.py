"""What every table, column, feature, segment and rule of scoring means; the one place for it.

Belongs here: declarations, as plain frozen dataclasses and SQL text. Does not belong here: anything
third-party (importing this package loads neither Spark nor Airflow), anything that reads or writes.
Arrow and Spark schemas, structural suites, column order and the data dictionary are made from here.
"""
