"""Pure DataFrame to DataFrame: what rows become.

Belongs here: SQL expressions over data frames that were handed in. Does not belong here: reading and
writing (``storage``), settings, the clock, and whether a row is good (``expectations``).
"""
