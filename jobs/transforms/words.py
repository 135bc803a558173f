"""Numbers in sentences: engines write a DOUBLE in different ways, and some as 8.05E-4."""

from __future__ import annotations

import re
from collections.abc import Collection

from pyspark.sql import DataFrame

from jobs.definitions.model import is_share


def doubles_of(frame: DataFrame) -> list[str]:
    """The columns of a frame that are DOUBLE."""
    return [name for name, type_ in frame.dtypes if type_ == "double"]


def in_words(sql: str, doubles: Collection[str]) -> str:
    """An SQL expression for a text with the columns ``doubles`` written as people do.

    A share is ``12.5%``, one decimal at most; any other number has six at most. None ends in a zero after the point.
    """
    named = "|".join(map(re.escape, doubles)) or r"(?!)"
    return re.sub(rf"'[^']*'|\b({named})\b", lambda found: _written(found[1]) if found[1] else found[0], sql)


def _written(number: str) -> str:
    exact = f"CAST({number} AS DECIMAL(28,6))"
    if is_share(number):
        return f"concat({_plain(f'CAST({exact} * 100 AS DECIMAL(28,1))')}, '%')"
    return _plain(exact)


def _plain(decimal: str) -> str:
    return rf"regexp_replace(CAST({decimal} AS STRING), '\\.?0+$', '')"
