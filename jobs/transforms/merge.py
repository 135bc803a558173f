"""Tonight's accepted rows into the clean tables: one survivor per key, newest wins, every row accounted for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from jobs.definitions.canonical import COPIES, NOTES
from jobs.definitions.clean import IS_IMPUTED, IS_OUTLIER
from jobs.definitions.model import Entity

CONTENT = "_content"
CHANGE = "_change"
INSERTED, SUPERSEDING, UNCHANGED, DUPLICATE = "inserted", "superseding", "unchanged", "duplicate"

#: columns that say where a row came from and not what it says
_NOT_CONTENT = (
    "updated_at", "_feed", "_file", "_row", "_landed", COPIES.name, NOTES.name, IS_IMPUTED.name, IS_OUTLIER.name,
)  # fmt: skip


def with_content(rows: DataFrame) -> DataFrame:
    """Add ``_content``, a 64-bit hash of what a row says: equal rows, equal hash, wherever they came from."""
    said = [name for name in rows.columns if name not in _NOT_CONTENT]
    return rows.withColumn(CONTENT, F.xxhash64(*said))


def ranked(rows: DataFrame, entity: Entity) -> DataFrame:
    """Add ``_place`` among rows of one key: 1 is the newest, then by content, so in any order the same one survives."""
    order = [_age().desc(), F.col("_landed").desc(), F.col(CONTENT).desc(), F.col("_file"), F.col("_row")]
    return rows.withColumn("_place", F.row_number().over(Window.partitionBy(*entity.key).orderBy(*order)))


def _age(column: str = "updated_at") -> SparkColumn:
    """When the source changed a row; rows of sources that do not say are as old as can be."""
    return F.coalesce(F.col(column), F.timestamp_seconds(F.lit(0)))


def classified(rows: DataFrame, known: DataFrame, entity: Entity) -> DataFrame:
    """Say of each of tonight's rows what it does to what is known.

    Args:
        rows: tonight's accepted rows with ``_content``.
        known: the clean table so far, at least its key, ``_content`` and ``updated_at``.
        entity: whose rows they are.

    Returns:
        the rows with ``_change``: inserted, superseding, unchanged or duplicate (of another of tonight's rows, or
        older than what is known).
    """
    # history is long and a night is short: only what tonight's keys meet goes into the outer join
    met = known.join(rows.select(*entity.key), [*entity.key], "left_semi")
    before = met.select(
        *entity.key, F.col(CONTENT).alias("_known_content"), F.col("updated_at").alias("_known_updated_at")
    )
    change = (
        F.when(F.col("_place") > 1, F.lit(DUPLICATE))
        .when(F.col("_known_content").isNull(), F.lit(INSERTED))
        # said anew later, a row is as young as that, or what is dated in between could win over it
        .when((F.col("_known_content") == F.col(CONTENT)) & (_age() <= _age("_known_updated_at")), F.lit(UNCHANGED))
        .when(_age() < _age("_known_updated_at"), F.lit(DUPLICATE))
        .otherwise(F.lit(SUPERSEDING))
    )
    joined = ranked(rows, entity).join(before, [*entity.key], "left")
    return joined.withColumn(CHANGE, change).drop("_place", "_known_content", "_known_updated_at")


def changed_only(rows: DataFrame) -> DataFrame:
    """The rows that a clean table takes in, without what only the merge needed."""
    return changing(rows).drop(CHANGE, COPIES.name)


def changing(rows: DataFrame) -> DataFrame:
    """The rows that a clean table takes in; one of a key at most."""
    return rows.where(F.col(CHANGE).isin(INSERTED, SUPERSEDING))


def has_doubles(rows: DataFrame, entity: Entity) -> bool:
    """Whether any key stands on more than one row."""
    return bool(rows.groupBy(*entity.key).count().where("count > 1").limit(1).collect())


def counts(rows: DataFrame) -> DataFrame:
    """Rows by feed, change and, for dated entities, business date: ``rows`` raw ones, ``told`` after folding."""
    by = ["business_date"] if "business_date" in rows.columns else []
    return rows.groupBy("_feed", CHANGE, *by).agg(F.sum(COPIES.name).alias("rows"), F.count("*").alias("told"))


def agreement(rows: DataFrame, entity: Entity, by_lines: Sequence[str]) -> DataFrame:
    """How many keys rows have, and of how many of them one file said different things in one night.

    A row that its source dates later than another one changes it and does not contradict it; but lines of an order
    were written together, whenever each of them says that was.

    Args:
        rows: tonight's accepted rows with ``_content``.
        entity: whose rows they are.
        by_lines: feeds whose rows are not of this entity, but repeat what they say of it on each of its lines.

    Returns:
        one row: ``checked``, ``found``.
    """
    version = F.when(~F.col("_feed").isin(*by_lines), F.col("updated_at")) if by_lines else F.col("updated_at")
    differs = (F.min(CONTENT) != F.max(CONTENT)).alias("_differs")
    told = rows.groupBy(*entity.key, "_feed", "_file", "_landed", version.alias("_version")).agg(differs)
    keys = told.groupBy(*entity.key).agg(F.expr("bool_or(_differs)").alias("_differs"))
    return keys.agg(F.count("*").alias("checked"), F.expr("coalesce(sum(int(_differs)), 0)").alias("found"))


def merged(known: DataFrame, changed: DataFrame, entity: Entity) -> DataFrame:
    """The clean table after tonight: what is known and was not superseded, and what changed."""
    kept = known.join(changed.select(*entity.key), [*entity.key], "left_anti")
    return kept.select(*changed.columns).unionByName(changed)


def redated(lines: DataFrame, moved: DataFrame) -> DataFrame:
    """Lines on the business date that their order has now; ``ds`` still says where they stood.

    Args:
        lines: clean order lines with ``ds``.
        moved: source, order_id, ``_date`` of orders whose date changed.
    """
    now = F.coalesce(F.to_date("_date"), "business_date")
    return lines.join(F.broadcast(moved), ["source", "order_id"], "left").withColumn("business_date", now).drop("_date")


@dataclass(frozen=True)
class BusinessDay:
    """How an instant becomes a business date."""

    time_zone: str  #: of stores that state none
    cut_off_minutes: int  #: local minutes after midnight at which a business day begins


def dated(orders: DataFrame, stores: DataFrame, day: BusinessDay) -> DataFrame:
    """Add the store-local side of an order: ``business_date`` and ``local_minutes`` since midnight."""
    zones = stores.select("store_id", F.coalesce("time_zone", F.lit(day.time_zone)).alias("_zone"))
    local = "from_utc_timestamp(ordered_at, coalesce(_zone, '" + day.time_zone + "'))"
    return (
        orders.join(F.broadcast(zones), "store_id", "left")
        .withColumn("_local", F.expr(local))
        .withColumn("business_date", F.expr(f"to_date(_local - make_dt_interval(0, 0, {day.cut_off_minutes}))"))
        .withColumn("local_minutes", F.expr("hour(_local) * 60 + minute(_local)"))
        .drop("_zone", "_local")
    )
