"""Accepted rows -> the clean tables: deduplicated, dated, merged, refunds matched, every row accounted for."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from jobs.definitions import canonical, clean
from jobs.definitions.canonical import ACCEPTED
from jobs.definitions.model import Column, Entity, ddl
from jobs.models import cleaning
from jobs.parallel import side_by_side
from jobs.steps import admission, near_duplicates, refunds, replay
from jobs.steps.context import Context
from jobs.storage import files
from jobs.storage.aside import set_aside
from jobs.storage.parquet import has_staged, read_staged, remove_staged, write, write_staged
from jobs.transforms import late, merge

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_MODEL = "cleaning"
_MOVED = "moved/orders"
HELD_RULE = "orders.business_date.late_horizon"


def run(context: Context) -> dict[str, Any]:
    """Merge tonight's accepted rows of every entity.

    Returns:
        entity -> raw rows by feed and change, and for dated entities the business dates that were touched.
    """
    context.night.restore(None if context.full else context.base, "clean")
    remove_staged(context.night, _MOVED)
    context.night.restore(context.base, "models", _MODEL)  # a full rebuild fits nothing anew
    # what the inferred members and the business dates of later entities need comes first
    first = ("stores", "products", "orders", "order_lines")
    done = {name: _merge(context, canonical.BY_NAME[name]) for name in first}
    near_duplicates.settle(context, done)
    others = [entity for entity in canonical.ENTITIES if entity.name not in first]
    found = side_by_side(lambda entity: _merge(context, entity), others)
    done |= dict(zip((entity.name for entity in others), found, strict=True))
    refunds.settle(context, done)
    context.night.record("clean", done)
    return done


def _merge(context: Context, entity: Entity) -> dict[str, Any]:
    known, left = _known(context, entity)
    if not has_staged(context.night, f"judged/{entity.name}"):
        rows = None
    else:
        rows = read_staged(context.spark, context.night, f"judged/{entity.name}").where(ACCEPTED)
        rows = rows.select(*(column.name for column in _judged_columns(entity)))
    if entity.name in clean.INFERRED:
        rows = _with_inferred(context, entity, rows, known)
    if rows is None and left is None:
        return {"changes": {}, "dates": [], "wrote": False}
    if rows is None:
        rows = context.spark.createDataFrame([], ddl(_judged_columns(entity)))
    rows = cleaning.applied(rows, entity, _fit(context, entity, rows))
    rows, held = _dated(context, entity, rows, known)
    classified = _classified(context, entity, merge.with_content(rows), known)
    changes, new_dates, told = _tally(classified)
    wrote = any(of_feed.keys() & {merge.INSERTED, merge.SUPERSEDING} for of_feed in changes.values())
    agreement = _agreement(context, entity, classified, changes, told)
    for feed, count in held.items():
        changes.setdefault(feed, {})["held"] = count
    wrote = wrote or left is not None
    dates = _write(context, entity, known, classified, new_dates | (left or set())) if wrote else []
    return {"changes": changes, "dates": dates, "wrote": wrote} | ({"agreement": agreement} if agreement else {})


def _judged_columns(entity: Entity) -> tuple[Column, ...]:
    return (*entity.clean_columns, *canonical.PROVENANCE, canonical.COPIES)


def _fit(context: Context, entity: Entity, rows: DataFrame) -> cleaning.CleaningFit:
    """The table's frozen fences and fillings, or those fitted now on the first rows that it takes in."""
    path = context.night.table("models", _MODEL) / f"{entity.name}.json"
    if path.is_file():
        return cleaning.CleaningFit.from_json(path.read_text("utf-8"))
    prefix = f"{entity.name}."
    rules = {
        name.removeprefix(prefix): rule for name, rule in context.settings.imputation.items() if name.startswith(prefix)
    }
    if (not rules and entity.name not in clean.FAR_OUT) or not rows.take(1):
        return cleaning.CleaningFit("none")
    fit = cleaning.fit(rows, entity, rules, f"cleaning-{context.day}")
    files.write_text(path, fit.to_json())
    return fit


def _known(context: Context, entity: Entity) -> tuple[DataFrame, set[str] | None]:
    """What is known of an entity, and the business dates on which some of it is written anew whatever comes; or None.

    That is what a replay merges afresh, and lines that follow their order to another date.
    """
    known, moved = _following(context, entity, context.known(entity.name))
    if not context.replay:
        return known, moved or None
    known, afresh = replay.forgotten(context, entity, known)
    if entity.dated is None:
        return known, set() if afresh.take(1) else None
    return known, {row["ds"] for row in afresh.select("ds").distinct().collect()} | moved or None


def _following(context: Context, entity: Entity, known: DataFrame) -> tuple[DataFrame, set[str]]:
    """Known rows on the date that their order has now, and the dates that some left or came to."""
    if entity.name != "order_lines" or not has_staged(context.night, _MOVED):
        return known, set()
    moved = read_staged(context.spark, context.night, _MOVED)
    days = moved.select(F.explode(F.array("ds", "_date")).alias("ds")).distinct().collect()
    return merge.redated(known, moved.select("source", "order_id", "_date")), {row["ds"] for row in days}


def _tally(classified: DataFrame) -> tuple[dict[str, dict[str, int]], set[str], int]:
    """Raw rows by feed and change, the business dates of rows that change something, and how many rows there are."""
    changes: dict[str, dict[str, int]] = {}
    dates: set[str] = set()
    told = 0
    for row in merge.counts(classified).collect():
        one = changes.setdefault(row["_feed"], {})
        one[row[merge.CHANGE]] = one.get(row[merge.CHANGE], 0) + row["rows"]
        told += row["told"]
        if row[merge.CHANGE] in (merge.INSERTED, merge.SUPERSEDING) and "business_date" in row:
            dates.add(str(row["business_date"]))
    return changes, dates, told


def _agreement(
    context: Context, entity: Entity, classified: DataFrame, changes: dict[str, dict[str, int]], told: int
) -> dict[str, int] | None:
    """How many orders (or lines) tonight told of, and of how many one file said different things; None if of none."""
    if entity.name not in clean.AGREEMENT or not told:
        return None
    if not any(of_feed.get(merge.DUPLICATE) for of_feed in changes.values()):  # each is told once
        return {"checked": told, "found": 0}
    feeds = context.feeds_of("order_lines") if entity.name == "orders" else []
    by_lines = [".".join(feed) for feed in feeds]
    (row,) = merge.agreement(classified, entity, by_lines).collect()
    return {"checked": row["checked"], "found": row["found"]}


def _classified(context: Context, entity: Entity, rows: DataFrame, known: DataFrame) -> DataFrame:
    """What each row does to what is known; on a first load without doubles that is plain, and nothing is sorted."""
    remove_staged(context.night, f"classified/{entity.name}")
    is_plain = not context.night.parts("clean", entity.name) and not merge.has_doubles(rows, entity)
    found = rows.withColumn(merge.CHANGE, F.lit(merge.INSERTED)) if is_plain else merge.classified(rows, known, entity)
    if is_plain and not (near_duplicates.drops(context) and entity.name in clean.LEFT_OUT):
        return found
    write_staged(found, context.night, f"classified/{entity.name}")
    return read_staged(context.spark, context.night, f"classified/{entity.name}")


def _write(context: Context, entity: Entity, known: DataFrame, classified: DataFrame, new_dates: set[str]) -> list[str]:
    changed = merge.changed_only(classified)
    columns = [column.name for column in clean.columns_of(entity)]
    if entity.dated is None:
        whole = merge.merged(known, changed, entity).select(*columns)
        write(whole, context.night, "clean", entity.name, sort=entity.key)
        return []
    is_first = not context.night.parts("clean", entity.name)
    dates = sorted(new_dates | (set() if is_first else _left(context, known, changed, entity)))
    days = ", ".join(f"'{day}'" for day in dates)
    if dates:
        whole = merge.merged(known.where(f"ds IN ({days})"), changed, entity).select(*columns)
        write(whole, context.night, "clean", entity.name, sort=entity.key, partitions=dates, by="business_date")
    return dates


def _left(context: Context, known: DataFrame, changed: DataFrame, entity: Entity) -> set[str]:
    """Business dates on which rows stood that are superseded, perhaps by rows of another date."""
    now = changed.select(*entity.key, F.col("business_date").cast("string").alias("_date"))
    old = known.select(*entity.key, "ds").join(now, [*entity.key])
    days = {
        row["ds"]: row["moved"]
        for row in old.groupBy("ds").agg(F.expr("bool_or(ds <> _date)").alias("moved")).collect()
    }
    if entity.name == "orders" and any(days.values()):
        write_staged(old.where("ds <> _date"), context.night, _MOVED)
    return set(days)


def _dated(context: Context, entity: Entity, rows: DataFrame, known: DataFrame) -> tuple[DataFrame, dict[str, int]]:
    """Add the business date to facts; hold orders beyond the late horizon, with their lines."""
    if entity.dated is None:
        return rows, {}
    remove_staged(context.night, f"held/{entity.name}")
    if entity.name == "orders":
        cut_off = context.settings.day_cut_off
        day = merge.BusinessDay(context.settings.time_zone, cut_off.hour * 60 + cut_off.minute)
        rows = merge.dated(rows, context.clean("stores"), day)
    else:
        rows = _dated_by_order(context, rows)
    return _without_held(context, entity, rows, known)


def _without_held(
    context: Context, entity: Entity, rows: DataFrame, known: DataFrame
) -> tuple[DataFrame, dict[str, int]]:
    """Hold rows that are new, beyond the late horizon and not admitted.

    Returns:
        the others, and raw rows held by feed.
    """
    is_late = late.is_late(_first_night(context), context.settings.thresholds.late_horizon_days)
    found, punctual = rows.where(is_late), rows.where(f"NOT {is_late}")
    if not found.take(1):
        _hold(context, entity, None)
        return rows, {}
    key = [*entity.whole[1]]
    admitted = admission.admitted(context)
    punctual = punctual.unionByName(found.join(admitted, key, "left_semi"))
    since = [*entity.key, "_landed"]
    earlier = known.select(*since).unionByName(punctual.select(*since))
    corrections, new = late.divided(found.join(admitted, key, "left_anti"), earlier, entity.key)
    write_staged(new.withColumn("_failed", F.array(F.lit(HELD_RULE))), context.night, f"held/{entity.name}")
    held = read_staged(context.spark, context.night, f"held/{entity.name}")
    counts = {row["_feed"]: row["n"] for row in held.groupBy("_feed").agg(F.sum("_copies").alias("n")).collect()}
    _hold(context, entity, held if counts else None)
    return punctual.unionByName(corrections), counts


def _hold(context: Context, entity: Entity, rows: DataFrame | None) -> None:
    """Keep rows in quarantine of their own night, as those that a person may admit."""
    judged_again = [".".join(feed) for feed in context.feeds_of(entity.name)] if context.judges_earlier else None
    set_aside(context.spark, context.night, context.base, f"held.{entity.name}", rows, judged_again)


def _first_night(context: Context) -> str:
    """Business date of the first night of all: what came then is history."""
    feeds = [f"{source}.{feed}" for source, one in context.settings.sources.items() for feed in one.feeds]
    return min((day for feed in feeds for day in context.night.partitions("raw", feed)), default=str(context.day))


def _dated_by_order(context: Context, lines: DataFrame) -> DataFrame:
    """A line's business date is its order's: as merged tonight, as known, or as held."""
    key = ["source", "order_id"]
    dates = context.known("orders").select(*key, "business_date")
    if has_staged(context.night, "held/orders"):
        held = read_staged(context.spark, context.night, "held/orders").select(*key, "business_date")
        dates = dates.union(held.join(dates, key, "left_anti").dropDuplicates(key))
    return lines.join(dates, key)


def _with_inferred(context: Context, entity: Entity, rows: DataFrame | None, known: DataFrame) -> DataFrame | None:
    """Add a row, marked, for every store or product that tonight's rows name and nobody declared."""
    key = entity.key[0]
    declared = [] if rows is None else [rows.withColumn("is_inferred", F.lit(False))]
    user = clean.INFERRED[entity.name]
    policy = getattr(context.settings.policies, f"unknown_{entity.name.removesuffix('s')}")
    if policy == "infer" and has_staged(context.night, f"judged/{user}"):
        used = read_staged(context.spark, context.night, f"judged/{user}").where(ACCEPTED).select(key).distinct()
        for there in (known, *declared):
            used = used.join(there.select(key), key, "left_anti")
        declared.append(_inferred(used, entity, context))
    return reduce(lambda one, other: one.unionByName(other), declared) if declared else None


def _inferred(keys: DataFrame, entity: Entity, context: Context) -> DataFrame:
    made = {
        "_feed": F.lit("inferred"),
        "_landed": F.lit(str(context.day)).cast("date"),
        "_copies": F.lit(1).cast("bigint"),
        "is_inferred": F.lit(True),
    }
    columns = _judged_columns(entity)
    empty = {c.name: F.lit(None).cast(c.type) for c in columns if c.name not in (entity.key[0], *made)}
    return keys.withColumns(empty | made)
