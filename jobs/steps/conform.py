"""Raw rows -> canonical rows, typed, for the raw gate to judge."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from jobs.definitions import canonical
from jobs.definitions.model import Entity
from jobs.errors import ContractError
from jobs.steps.context import Context
from jobs.storage.parquet import read_raw
from jobs.transforms.conform import conform, fold_headers

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
    return plans


def _conformed(context: Context, entity: Entity, source_name: str, feed_name: str) -> DataFrame | None:
    settings = context.settings
    source = settings.sources[source_name]
    feed = source.feeds[feed_name]
    raw = read_raw(context.spark, context.night, f"{source_name}.{feed_name}", all_nights=context.full)
    if raw is None:
        return None
    where = f"{source_name}.{feed_name}.maps.{entity.name}"
    _check_columns(raw.columns, feed.maps[entity.name], where)
    try:
        if feed.where:
            raw = raw.where(feed.where)
        rows = conform(
            raw, entity, feed.maps[entity.name], source=source_name, feed=feed_name,
            time_zone=source.time_zone or settings.time_zone, currency=settings.currency,
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


def _check_columns(columns: list[str], mapping: dict[str, str], where: str) -> None:
    """Plain column names are checked by name first, so that the message can say which is gone."""
    missing = sorted(value for value in mapping.values() if value.isidentifier() and value not in columns)
    literals = {"null", "true", "false"}
    gone = [name for name in missing if name.lower() not in literals]
    if gone:
        raise ContractError(
            f"sources.{where}: the source has no column {', '.join(gone)}",
            next_command=f"regulars check-source {where.split('.', maxsplit=1)[0]}",
        )
