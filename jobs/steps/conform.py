"""Raw rows -> canonical rows, typed, for the raw gate to judge."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.definitions import canonical
from jobs.definitions.model import MONEY, Entity
from jobs.errors import ContractError
from jobs.extract.contacts import exact_columns, plain_column
from jobs.steps.context import Context
from jobs.storage.parquet import read_raw
from jobs.transforms.conform import LINES_TOTAL, conform, fold_headers, with_lines_total
from jobs.transforms.reading import Spelling

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def conformed(context: Context) -> dict[str, DataFrame]:
    """The canonical rows of every entity that had raw rows, as plans: nothing is computed before they are judged.

    Records, by entity and feed, the raw rows that the feed's own condition keeps out.

    Raises:
        ContractError: a mapping cannot be computed, for one because the source lost a column.
    """
    plans, excluded = {}, {}
    for entity in canonical.ENTITIES:
        parts = {f"{s}.{f}": _conformed(context, entity, s, f) for s, f in context.feeds_of(entity.name)}
        present = {name: rows for name, rows in parts.items() if rows is not None}
        excluded[entity.name] = {name: _excluded(context, name) for name in sorted(present)}
        if present:
            plans[entity.name] = reduce(lambda one, other: one.unionByName(other), present.values())
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


def _conformed(context: Context, entity: Entity, source_name: str, feed_name: str) -> DataFrame | None:
    settings = context.settings
    source = settings.sources[source_name]
    feed = source.feeds[feed_name]
    raw = read_raw(context.spark, context.night, f"{source_name}.{feed_name}", all_nights=context.full)
    if raw is None:
        return None
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
            currency=settings.currency,
        )  # fmt: skip
        _ = rows.schema
    except Exception as error:
        raise ContractError(
            f"sources.{where}: the mapping cannot be computed over columns {', '.join(sorted(raw.columns))} "
            f"({type(error).__name__})",
            next_command=f"regulars check-source {source_name}",
        ) from None
    return fold_headers(rows) if "order_lines" in feed.maps and entity.name == "orders" else rows


def _excluded(context: Context, name: str) -> int:
    """Raw rows that are not the feed's: those for which ``where`` is not true."""
    source, feed = name.split(".")
    where = context.settings.sources[source].feeds[feed].where
    raw = read_raw(context.spark, context.night, name, all_nights=context.full) if where else None
    return raw.where(f"NOT coalesce(({where}), false)").count() if raw is not None else 0


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
