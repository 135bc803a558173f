"""Rows that earlier nights set aside, judged again beside tonight's own.

Taken up is not the row alone but the whole that it is part of, an order with its lines or a customer, with every raw
row that any night brought of it: what is known of it is then merged afresh, as a full rebuild would, so that a row
that was mended in the meantime stays behind the newer one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.definitions import canonical, clean
from jobs.definitions.model import Column, Entity
from jobs.steps.context import Context
from jobs.storage.parquet import has_staged, read, read_raw, read_staged, remove_staged, write_staged

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

#: (context, entity, (source, feed), raw rows) -> canonical rows, one per raw row
Mapped = Callable[[Context, Entity, tuple[str, str], "DataFrame"], "DataFrame"]

#: what names a raw row within its feed, all of it as raw rows have it
PLACE = ("_landed", "_file", "_row")
_AT: tuple[Column, ...] = tuple(column for column in canonical.PROVENANCE if column.name in ("_feed", *PLACE))


def take_up(context: Context, mapped: Mapped) -> None:
    """Find the raw rows of earlier nights to be judged again; records how many, by entity and feed."""
    taken: dict[str, dict[str, int]] = {entity.name: {} for entity in canonical.ENTITIES}
    for name, key in dict.fromkeys(entity.whole for entity in canonical.ENTITIES):
        parts = [entity for entity in canonical.ENTITIES if entity.whole == (name, key)]
        feeds = sorted({feed for part in parts for feed in context.feeds_of(part.name)})
        for working in (_keys(name), *(_places(name, feed) for feed in feeds)):
            remove_staged(context.night, working)
        aside = _aside(context, parts)
        if aside is None:
            continue
        _stage_keys(context, parts, aside, mapped)
        for feed in feeds:
            count = _stage_places(context, parts, feed, aside, mapped)
            for part in parts:
                if count and feed in context.feeds_of(part.name):
                    taken[part.name][".".join(feed)] = count
    context.night.record("replay", taken)


def raw_again(context: Context, entity: Entity, feed: tuple[str, str]) -> DataFrame | None:
    """Raw rows of earlier nights that an entity takes up again from a feed; None if there are none."""
    places, raw = _places(entity.whole[0], feed), _earlier(context, feed)
    if raw is None or not has_staged(context.night, places):
        return None
    return raw.join(read_staged(context.spark, context.night, places), [*PLACE], "left_semi")


def keys_again(context: Context) -> dict[str, DataFrame]:
    """Entity -> the keys of those that are judged afresh with all their rows."""
    names = {entity.whole[0] for entity in canonical.ENTITIES}
    there = sorted(name for name in names if has_staged(context.night, _keys(name)))
    return {name: read_staged(context.spark, context.night, _keys(name)) for name in there}


def forgotten(context: Context, entity: Entity, known: DataFrame) -> tuple[DataFrame, DataFrame]:
    """What is known of an entity in two parts: what stays, and what is merged afresh from all its rows.

    An inferred member stays: it follows from rows of others.
    """
    name, key = entity.whole
    again = keys_again(context).get(name)
    if again is None:
        return known, known.limit(0)
    fresh = known.join(again, [*key], "left_semi")
    stays = known.join(again, [*key], "left_anti")
    if entity.name in clean.INFERRED:
        stays, fresh = stays.unionByName(fresh.where("is_inferred")), fresh.where("NOT is_inferred")
    return stays, fresh


def _keys(whole: str) -> str:
    return f"replayed/{whole}"


def _places(whole: str, feed: tuple[str, str]) -> str:
    return f"replayed_rows/{whole}.{'.'.join(feed)}"


def _earlier(context: Context, feed: tuple[str, str]) -> DataFrame | None:
    """A feed's raw rows of the nights before this one."""
    raw = read_raw(context.spark, context.night, ".".join(feed), all_nights=True)
    return None if raw is None else raw.where(f"_landed < '{context.day}'")


def _aside(context: Context, parts: list[Entity]) -> DataFrame | None:
    """Where rows of these entities are that earlier nights set aside or hold: ``_feed`` and the place."""
    if context.base is None:
        return None
    # the night before is looked at: no earlier try of this one has changed it; refunds that wait are in clean
    tables = [*(part.name for part in parts), *(f"held.{part.name}" for part in parts if part.dated)]
    there = [table for table in tables if context.base.parts("quarantine", table)]
    if not there:
        return None
    rows = (read(context.spark, context.base, "quarantine", table, _AT, partitioned=True) for table in there)
    places = reduce(lambda one, other: one.union(other), (one.select("_feed", *PLACE) for one in rows))
    return places.withColumn("_landed", F.col("_landed").cast("string")).distinct()


def _stage_keys(context: Context, parts: list[Entity], aside: DataFrame, mapped: Mapped) -> None:
    """Keep the keys of the wholes that rows set aside are a part of, as today's mapping reads them."""
    name, key = parts[0].whole
    found = []
    for part in parts:
        for feed in context.feeds_of(part.name):
            raw = _earlier(context, feed)
            if raw is not None:
                rows = raw.join(aside.where(F.col("_feed") == ".".join(feed)), [*PLACE], "left_semi")
                found.append(mapped(context, part, feed, rows).select(*key).dropna())
    if found:
        keys = reduce(lambda one, other: one.union(other), found).distinct()
        write_staged(keys, context.night, _keys(name))


def _stage_places(
    context: Context, parts: list[Entity], feed: tuple[str, str], aside: DataFrame, mapped: Mapped
) -> int:
    """Keep where the rows are that a feed gives to the wholes taken up; returns their number."""
    name, key = parts[0].whole
    raw = _earlier(context, feed)
    if raw is None:
        return 0
    keys = read_staged(context.spark, context.night, _keys(name))
    found = [raw.join(aside.where(F.col("_feed") == ".".join(feed)), [*PLACE], "left_semi").select(*PLACE)]
    for part in parts:
        if feed in context.feeds_of(part.name):
            rows = mapped(context, part, feed, raw).join(keys, [*key], "left_semi")
            found.append(rows.select(F.col("_landed").cast("string"), "_file", "_row"))
    places = reduce(lambda one, other: one.union(other), found).distinct()
    write_staged(places, context.night, _places(name, feed))
    return read_staged(context.spark, context.night, _places(name, feed)).count()
