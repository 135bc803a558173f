"""Defects for a generated chain: each kind declared once, and what a night has to make of it.

``kind`` holds the words, ``receipts``, ``crm`` and ``online`` the kinds of each source, ``spoil`` and the ``*_rows``
modules put them into files and databases and write ``truth/dirt.csv``. Nothing here knows the pipeline: the rules that
a row has to fail are named, by hand, and tests measure whether it did.
"""
