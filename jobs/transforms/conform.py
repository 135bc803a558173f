"""Source rows to canonical rows: the mapping applied, text read as the declared types.

Nothing is lost and nothing guessed: text that cannot be read as its type becomes null and its flag
false, by which the referee sets the row aside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.definitions.canonical import COPIES, FROM_ADDRESS, NOTES, PROVENANCE, has, needed, reads, typed
from jobs.definitions.model import MONEY, Column, Entity
from jobs.transforms.reading import Reading, Spelling, looked_up, quoted, read

#: column of conformed orders: what their lines come to
LINES_TOTAL = "_lines_total"


def conform(
    raw: DataFrame,
    entity: Entity,
    mapping: Mapping[str, str],
    *,
    source: str,
    feed: str,
    spelling: Spelling,
    currency: str,
    city_tiers: Mapping[str, str] | None = None,
    folds: bool = False,
) -> DataFrame:
    """Canonical rows of one feed, one per raw row, or one per distinct row of a file where it ``folds``.

    Args:
        raw: a feed's raw rows, all text, with ``_landed``, the business date of the night that took them in.
        entity: what they become.
        mapping: canonical column -> Spark SQL expression over the raw columns.
        source: name of the source.
        feed: name of the feed.
        spelling: how the source writes times and numbers.
        currency: that of orders which state none.
        city_tiers: city -> its tier, for rows that state none.
        folds: the raw rows are lines that repeat what they say of their order: equal ones of a file become one that
            counts them and stands where the first one does.

    Returns:
        the entity's clean columns typed, provenance, ``_copies``, and the flags ``_reads_<column>`` and
        ``_has_<column>`` by which rows are judged.
    """
    told = _told_by_address(mapping, raw.columns)
    constants = {"source": quoted(source), **({} if "currency" in mapping else {"currency": quoted(currency)})}
    texts = raw.select(
        *(
            _text(column, {**constants, **told, **mapping}.get(column.name)).alias(column.name)
            for column in entity.columns
        ),
        F.lit(f"{source}.{feed}").alias("_feed"),
        "_file",
        "_row",
        F.to_date("_landed").alias("_landed"),
        "_person_hash",
        F.lit(1).cast("bigint").alias(COPIES.name),
    )
    texts = _folded(texts) if folds else texts
    readings = {column.name: read(column, spelling) for column in entity.columns}
    readings |= {name: Reading(readings[name].value, {"from_address": f"`{name}` IS NOT NULL"}) for name in told}
    if city_tiers and {"city", "city_tier"} <= readings.keys():
        readings["city_tier"] = looked_up("city_tier", "city", city_tiers)
    values = {name: F.expr(reading.value) for name, reading in readings.items()}
    readable = [(F.col(c.name).isNull() | values[c.name].isNotNull()).alias(reads(c)) for c in typed(entity)]
    present = [F.col(c.name).isNotNull().alias(has(c)) for c in needed(entity)]
    clean = {column.name: kept.name for column, kept in zip(entity.columns, entity.clean_columns, strict=True)}
    return texts.select(
        *(
            F.coalesce(values[c.name], _default(c)).cast(c.type).alias(clean[c.name])
            if c.default
            else values[c.name].alias(clean[c.name])
            for c in entity.columns
        ),
        *(F.col(column.name) for column in PROVENANCE if column is not NOTES),
        _notes(readings).alias(NOTES.name),
        COPIES.name,
        *readable,
        *present,
    )


def _folded(texts: DataFrame) -> DataFrame:
    """Equal rows of a file as one; folded as texts, so that an order's header is read once and not with each line."""
    # the file is part of the key and the line a number, so that Spark can aggregate by hash and not by sorting
    header = [name for name in texts.columns if name not in ("_row", COPIES.name)]
    counts = F.min("_row").alias("_row"), F.sum(COPIES.name).alias(COPIES.name)
    return texts.groupBy(*header).agg(*counts)


def with_lines_total(orders: DataFrame, lines: DataFrame) -> DataFrame:
    """Add ``_lines_total`` to orders: gross minus deductions of their lines, a line that came twice counted once."""
    net = F.col("gross") - F.col("discount") - F.col("coupon_discount")
    once = lines.groupBy("source", "order_id", "line_id").agg(F.max(net).alias("net"))
    sums = once.groupBy("source", "order_id").agg(F.sum("net").cast(MONEY).alias(LINES_TOTAL))
    return orders.join(sums, ["source", "order_id"], "left").select(*orders.columns, LINES_TOTAL)


def _told_by_address(mapping: Mapping[str, str], present: Sequence[str]) -> dict[str, str]:
    """Canonical columns that a mapping leaves to the address -> the raw columns that hold them, if this night's do."""
    if "address" not in mapping:
        return {}
    return {name: raw for name, raw in FROM_ADDRESS.items() if name not in mapping and raw in present}


def _text(column: Column, expression: str | None) -> SparkColumn:
    """A mapped value as trimmed text; empty text says nothing."""
    if expression is None:
        return F.lit(None).cast("string")
    return as_text(expression)


def as_text(expression: str) -> SparkColumn:
    """What an SQL expression comes to, as trimmed text; null where that is empty."""
    return F.expr(f"nullif(trim(CAST(({expression}) AS STRING)), '')")


def _notes(readings: Mapping[str, Reading]) -> SparkColumn:
    """What was noted in reading a row, as ``<column>.<note>``; null for a row that was plain."""
    said = [
        F.expr(f"CASE WHEN {condition} THEN '{name}.{note}' END")
        for name, reading in readings.items()
        for note, condition in reading.notes.items()
    ]
    return F.nullif(F.concat_ws(",", *said), F.lit("")) if said else F.lit(None).cast("string")


def _default(column: Column) -> SparkColumn:
    return F.expr(f"CASE WHEN `{column.name}` IS NULL THEN {column.default} END")
