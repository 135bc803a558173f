"""Source rows to canonical rows: the mapping applied, text read as the declared types.

Nothing is lost and nothing guessed: text that cannot be read as its type becomes null and its flag
false, by which the referee sets the row aside.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.definitions.canonical import COPIES, PROVENANCE, has, needed, reads, typed
from jobs.definitions.model import Column, Entity

#: behind a time only: the end of a bare date looks like an offset
_ZONE_STATED = r"(Z|[T ].*[+-]\d{2}(:?\d{2})?)$"


def conform(
    raw: DataFrame,
    entity: Entity,
    mapping: Mapping[str, str],
    *,
    source: str,
    feed: str,
    time_zone: str,
    currency: str,
) -> DataFrame:
    """Canonical rows of one feed, one per raw row.

    Args:
        raw: a feed's raw rows, all text, with ``_landed``, the business date of the night that took them in.
        entity: what they become.
        mapping: canonical column -> Spark SQL expression over the raw columns.
        source: name of the source.
        feed: name of the feed.
        time_zone: zone of times that state none.
        currency: that of orders which state none.

    Returns:
        the entity's clean columns typed, provenance, ``_copies`` = 1, and the flags ``_reads_<column>`` and
        ``_has_<column>`` by which rows are judged.
    """
    constants = {"source": _quoted(source), **({} if "currency" in mapping else {"currency": _quoted(currency)})}
    texts = raw.select(
        *(_text(column, {**constants, **mapping}.get(column.name)).alias(column.name) for column in entity.columns),
        F.lit(f"{source}.{feed}").alias("_feed"),
        "_file",
        "_row",
        F.to_date("_landed").alias("_landed"),
        "_person_hash",
    )
    readings = {column.name: read(column, time_zone) for column in entity.columns}
    readable = [(F.col(c.name).isNull() | readings[c.name].isNotNull()).alias(reads(c)) for c in typed(entity)]
    present = [F.col(c.name).isNotNull().alias(has(c)) for c in needed(entity)]
    clean = {column.name: kept.name for column, kept in zip(entity.columns, entity.clean_columns, strict=True)}
    return texts.select(
        *(
            F.coalesce(readings[c.name], _default(c)).cast(c.type).alias(clean[c.name])
            if c.default
            else readings[c.name].alias(clean[c.name])
            for c in entity.columns
        ),
        *(F.col(column.name) for column in PROVENANCE),
        F.lit(1).cast("bigint").alias(COPIES.name),
        *readable,
        *present,
    )


def fold_headers(orders: DataFrame) -> DataFrame:
    """Order rows that come from lines, folded: equal headers become one row that counts its copies.

    Shape: one row per distinct header of a file; ``_row`` is its first line.
    """
    # the file is part of the key and the line a number, so that Spark can aggregate by hash and not by sorting
    header = [name for name in orders.columns if name not in ("_row", COPIES.name)]
    counts = F.min("_row").alias("_row"), F.sum(COPIES.name).alias(COPIES.name)
    return orders.groupBy(*header).agg(*counts).select(*orders.columns)


def _text(column: Column, expression: str | None) -> SparkColumn:
    """A mapped value as trimmed text; empty text says nothing."""
    if expression is None:
        return F.lit(None).cast("string")
    return F.expr(f"nullif(trim(CAST(({expression}) AS STRING)), '')")


def read(column: Column, time_zone: str) -> SparkColumn:
    """Text read as a column's type; null where it cannot be (never an error, never a float for money)."""
    name = f"`{column.name}`"
    if column.type == "STRING":
        return F.col(column.name)
    if column.type == "TIMESTAMP":
        stated = f"try_cast({name} AS TIMESTAMP)"
        local = f"to_utc_timestamp(try_cast({name} AS TIMESTAMP), '{time_zone}')"
        return F.expr(f"CASE WHEN {name} RLIKE '{_escaped(_ZONE_STATED)}' THEN {stated} ELSE {local} END")
    if column.type in ("INT", "BIGINT"):
        number = f"try_cast({name} AS DECIMAL(38,6))"
        return F.expr(f"CASE WHEN {number} = floor({number}) THEN try_cast({number} AS {column.type}) END")
    return F.expr(f"try_cast({name} AS {column.type})")


def _default(column: Column) -> SparkColumn:
    return F.expr(f"CASE WHEN `{column.name}` IS NULL THEN {column.default} END")


def _escaped(pattern: str) -> str:
    return pattern.replace("\\", "\\\\")


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
