"""The referee: what good means, and the gates a night has to pass.

Belongs here: suites (``suites/`` made from the definitions, ``business/`` written by hand), judging
tables by them with Great Expectations, splitting good rows from bad by the same conditions. Does not
belong here: changing rows, or deciding when a gate is asked.
"""
