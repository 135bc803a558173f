"""Source systems in, Arrow out: one module per kind of source.

Belongs here: reading a source in bounded memory, and replacing contact data by keyed hashes on
the way. Does not belong here: where rows are written (``storage``), what they mean
(``definitions``), whether they are good (``expectations``).

One rule for every kind of source: **raw columns are strings**. Nothing is inferred; casting happens
later, with a reason when it fails. A number keeps the text it came with, a decimal is plain, a
boolean is ``true`` or ``false``, an instant is ``YYYY-MM-DDTHH:MM:SS.ffffffZ`` (without the ``Z`` where
the source states no zone), bytes are UTF-8 with replacement characters, a nested value is compact
JSON, and an empty string is null.
"""
