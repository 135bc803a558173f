"""Orders that come too late to be believed: new, and dated before the horizon of the night that took them in."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def is_late(first: str, horizon_days: int) -> str:
    """SQL that is true for a row dated before the horizon of its own night.

    Args:
        first: business date of the first night of all, whose rows are history and never late.
        horizon_days: how far back a night reaches.
    """
    return f"(_landed > DATE'{first}' AND business_date < date_sub(_landed, {horizon_days}))"


def divided(late: DataFrame, earlier: DataFrame, key: Sequence[str]) -> tuple[DataFrame, DataFrame]:
    """Late rows of keys that were known when they came (corrections, to be taken in), and of new ones (to be held).

    Args:
        late: rows with ``_landed``.
        earlier: rows that are not late, with ``_landed``: those known, or in a full rebuild those of all nights.
        key: columns that name a row.
    """
    since = earlier.groupBy(*key).agg(F.min("_landed").alias("_since"))
    known = since.select(*(F.col(name).alias(f"_known_{name}") for name in key), "_since")
    before = F.expr(" AND ".join([*(f"{name} = _known_{name}" for name in key), "_since < _landed"]))
    return late.join(known, before, "left_semi"), late.join(known, before, "left_anti")
