"""Example businesses: a real grocer laid out as three source systems, and a generator of restaurant chains.

Here belongs what makes *source systems* (a CRM database, receipt files, an online-order API). What
reads them does not: the pipeline knows these businesses by configuration only (``grocer.toml``,
``restaurant.toml``). ``docs/example-business.md`` says column by column what is real and what is invented.
"""
