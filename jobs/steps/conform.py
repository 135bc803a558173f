"""Raw rows -> canonical rows, typed, still to be judged."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

from jobs.definitions import canonical
from jobs.definitions.model import Entity
from jobs.errors import ContractError
from jobs.parallel import side_by_side
from jobs.steps.context import Context
from jobs.storage.parquet import read_raw, remove_staged, write_staged
from jobs.transforms.conform import conform, fold_headers

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def run(context: Context) -> dict[str, Any]:
    """Conform every entity that a feed is mapped to.

    Returns:
        entity -> feed -> raw rows that the feed's own condition keeps out.

    Raises:
        ContractError: a mapping names a column that the source does not have.
    """
    names = [entity.name for entity in canonical.ENTITIES]
    done = dict(zip(names, side_by_side(lambda entity: _write(context, entity), canonical.ENTITIES), strict=True))
    context.night.record("conform", done)
    return done


def _write(context: Context, entity: Entity) -> dict[str, int]:
    parts = {f"{s}.{f}": _conformed(context, entity, s, f) for s, f in context.feeds_of(entity.name)}
    present = {name: rows for name, rows in parts.items() if rows is not None}
    remove_staged(context.night, f"conformed/{entity.name}")
    if present:
        whole = reduce(lambda one, other: one.unionByName(other), present.values())
        write_staged(whole, context.night, f"conformed/{entity.name}")
    return {name: _excluded(context, name) for name in sorted(present)}


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
