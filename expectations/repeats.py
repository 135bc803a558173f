"""Rows that are set aside again: a source that is read whole lands the same bad row every night until it is mended.

It is set aside every night, so that quarantine holds all that a replay may need, and told apart from what is new.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.definitions.model import Entity

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

#: business date of the first night that set an equal row aside; a row's own ``_landed`` where none did before
FIRST_LANDED = "_first_landed"
_MARK = "_mark"


def with_first_landed(rejected: DataFrame, before: DataFrame | None, entity: Entity) -> DataFrame:
    """Add ``_first_landed`` to rejected rows.

    Equal are rows of one feed that say the same, date of change and all, and fail the same rules; of contact data the
    hashes are compared. A row that lacks a part of its key is equal to none of another file or table: till lines
    that lost their receipt's number look alike on any night.

    Args:
        rejected: rows with ``_failed``, tonight's and those that were judged again.
        before: rows that earlier nights set aside and that were not judged again, if there are any.
        entity: whose rows they are.
    """
    from pyspark.sql import functions as F

    marked = rejected.withColumn(_MARK, _mark(rejected, entity))
    seen = marked.select(_MARK, "_landed")
    if before is not None:
        seen = seen.unionByName(before.select(_mark(before, entity).alias(_MARK), "_landed"))
    first = seen.groupBy(_MARK).agg(F.min("_landed").alias(FIRST_LANDED))
    return marked.join(first, _MARK).drop(_MARK)


def _mark(rows: DataFrame, entity: Entity) -> Column:
    """A 64-bit hash that equal rows share; a column that rows of an older version do not have says nothing."""
    from pyspark.sql import functions as F

    # no text of a canonical row is empty, so that empty can stand for null, which the hash would pass over
    said = [
        F.coalesce(F.col(column.name).cast("string"), F.lit("")) if column.name in rows.columns else F.lit("")
        for column in entity.clean_columns
    ]
    rules = F.concat_ws(",", F.array_sort("_failed"))
    lacks_key = F.expr(" OR ".join(f"`{name}` IS NULL" for name in entity.key))
    return F.xxhash64("_feed", *said, rules, F.when(lacks_key, F.col("_file")).otherwise(F.lit("")))
