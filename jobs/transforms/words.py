"""Numbers in sentences: engines write a DOUBLE in different ways, and some as 8.05E-4."""

from __future__ import annotations

import re
from collections.abc import Collection

from pyspark.sql import DataFrame


def doubles_of(frame: DataFrame) -> list[str]:
    """The columns of a frame that are DOUBLE."""
    return [name for name, type_ in frame.dtypes if type_ == "double"]


def in_words(sql: str, doubles: Collection[str]) -> str:
    """An SQL expression for a text with the columns ``doubles`` written as people do: ``0.5``, six decimals at most."""
    named = "|".join(map(re.escape, doubles)) or r"(?!)"
    return re.sub(rf"'[^']*'|\b({named})\b", lambda found: _written(found[1]) if found[1] else found[0], sql)


def _written(number: str) -> str:
    return rf"regexp_replace(CAST(CAST({number} AS DECIMAL(28,6)) AS STRING), '\\.?0+$', '')"
