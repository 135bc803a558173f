"""Raw rows -> canonical rows, typed, for the raw gate to judge."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.definitions import canonical
from jobs.definitions.model import MONEY, Entity
from jobs.errors import ContractError
from jobs.extract.contacts import exact_columns, plain_column
from jobs.steps import replay
from jobs.steps.context import Context
from jobs.storage.parquet import read_raw
from jobs.transforms.conform import LINES_TOTAL, conform, with_lines_total
from jobs.transforms.reading import Spelling

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def conformed(context: Context) -> dict[str, DataFrame]:
    """The canonical rows of every entity that had raw rows, as plans: nothing is computed before they are judged.

    In a replay these are tonight's rows and those of earlier nights that are judged again. Records, by entity and
    feed, the raw rows that the feed's own condition keeps out.

    Raises:
        ContractError: a mapping cannot be computed, for one because the source lost a column.
    """
    if context.replay:
        replay.take_up(context, mapped)
    plans, excluded = {}, {}
    for entity in canonical.ENTITIES:
        raw = {feed: _raw(context, entity, feed) for feed in context.feeds_of(entity.name)}
        parts = [_conformed(context, entity, feed, rows) for feed, each in raw.items() for rows in each]
        excluded[entity.name] = {
            ".".join(feed): sum(_excluded(context, feed, rows) for rows in each) for feed, each in raw.items() if each
        }
        if parts:
            plans[entity.name] = reduce(lambda one, other: one.unionByName(other), parts)
    context.night.record("conform", excluded)
    return _with_lines_total(context, plans)


def _with_lines_total(context: Context, plans: dict[str, DataFrame]) -> dict[str, DataFrame]:
    """Orders with what their lines come to beside them, where a source states totals to hold against it."""
    if "orders" not in plans:
        return plans
    feeds = [context.settings.sources[source].feeds[feed] for source, feed in context.feeds_of("orders")]
    if "order_lines" in plans and any("total" in feed.maps["orders"] for feed in feeds):
        return plans | {"orders": with_lines_total(plans["orders"], plans["order_lines"])}
    return plans | {"orders": plans["orders"].withColumn(LINES_TOTAL, F.lit(None).cast(MONEY))}


def _raw(context: Context, entity: Entity, feed: tuple[str, str]) -> list[DataFrame]:
    """A feed's raw rows to be judged: tonight's (in a full rebuild those of all nights), and those taken up again."""
    found = [read_raw(context.spark, context.night, ".".join(feed), all_nights=context.full)]
    if context.replay:
        found.append(replay.raw_again(context, entity, feed))
    return [rows for rows in found if rows is not None]


def _conformed(context: Context, entity: Entity, feed: tuple[str, str], raw: DataFrame) -> DataFrame:
    """:func:`mapped`, the headers of orders that come as lines folded."""
    comes_as_lines = "order_lines" in context.settings.sources[feed[0]].feeds[feed[1]].maps
    return mapped(context, entity, feed, raw, folds=comes_as_lines and entity.name == "orders")


def mapped(
    context: Context, entity: Entity, name: tuple[str, str], raw: DataFrame, *, folds: bool = False
) -> DataFrame:
    """Canonical rows of an entity, one per raw row of a feed for which its condition is true, or ``folds`` of them.

    Raises:
        ContractError: the mapping cannot be computed over the raw rows' columns.
    """
    settings = context.settings
    source_name, feed_name = name
    source = settings.sources[source_name]
    feed = source.feeds[feed_name]
    where = f"{source_name}.{feed_name}.maps.{entity.name}"
    mapping = exact_columns(feed.maps[entity.name], raw.columns)
    sparse = source.kind == "http" or (source.kind == "files" and feed.format == "jsonl")
    raw = _with_columns(raw, entity, mapping, where, sparse=sparse)
    try:
        if feed.where:
            raw = raw.where(feed.where)
        rows = conform(
            raw, entity, mapping, source=source_name, feed=feed_name,
            spelling=Spelling(source.time_zone or settings.time_zone, source.date_formats, source.decimal_mark),
            currency=settings.currency, city_tiers=settings.city_tiers, folds=folds,
        )  # fmt: skip
        _ = rows.schema
    except Exception as error:
        raise ContractError(
            f"sources.{where}: the mapping cannot be computed over columns {', '.join(sorted(raw.columns))} "
            f"({type(error).__name__})",
            next_command=f"regulars check-source {source_name}",
        ) from None
    return rows


def _excluded(context: Context, feed: tuple[str, str], raw: DataFrame) -> int:
    """Raw rows that are not the feed's: those for which ``where`` is not true."""
    where = context.settings.sources[feed[0]].feeds[feed[1]].where
    return raw.where(f"NOT coalesce(({where}), false)").count() if where else 0


def _with_columns(raw: DataFrame, entity: Entity, mapping: dict[str, str], where: str, *, sparse: bool) -> DataFrame:
    """Raw rows with every column that the mapping names by itself: JSON leaves out what is empty, a table does not.

    Raises:
        ContractError: naming a column that is gone.
    """
    present = {name.casefold() for name in raw.columns}
    wanted = {canonical: plain_column(text) for canonical, text in mapping.items()}
    gone = {canonical: name for canonical, name in wanted.items() if name and name.casefold() not in present}
    optional = {column.name for column in entity.columns if not column.required} if sparse else set()
    missed = sorted({name for canonical, name in gone.items() if canonical not in optional})
    if missed:
        raise ContractError(
            f"sources.{where}: the source has no column {', '.join(missed)}",
            next_command=f"regulars check-source {where.split('.', maxsplit=1)[0]}",
        )
    return raw.withColumns({name: F.lit(None).cast("string") for name in sorted(set(gone.values()))}) if gone else raw
