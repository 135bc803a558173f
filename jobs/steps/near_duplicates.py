"""Near duplicates among the orders of the dates that were merged: counted, and left out where the policy says so.

Equal orders are of one instant in one store, so of one business date: what a date holds decides, whenever it came.
What is left out is kept beside the clean table, because it comes back when the order that stays is changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from jobs.definitions import clean
from jobs.definitions.canonical import COPIES
from jobs.steps.context import Context
from jobs.storage.night import PARTITION
from jobs.storage.parquet import has_staged, read_staged, write, write_staged
from jobs.transforms import merge
from jobs.transforms.near_duplicates import ORDER, brought, candidates, surplus

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

#: what merging every entity came to
Done = dict[str, dict[str, Any]]


def drops(context: Context) -> bool:
    """Whether one of several equal orders stays and the others do not."""
    return context.settings.policies.near_duplicates == "drop"


def settle(context: Context, done: Done) -> None:
    """Find the near duplicates of the dates that were merged tonight.

    Args:
        context: of a night whose orders and order lines are merged.
        done: entity -> what merging it came to. Orders get how many of tonight's were looked at and found; of what is
            left out, tonight's rows move from their change to the duplicates.
    """
    days = sorted({day for name in clean.LEFT_OUT for day in done[name]["dates"]})
    if not days:
        return
    held = {name: _held(context, name, days, done[name]["dates"]) for name in clean.LEFT_OUT}
    found = _found(context, held)
    is_dropping = drops(context)
    done["orders"]["near_duplicates"] = {**_counted(context, done, found), "dropped": is_dropping}
    gone = found if is_dropping else found.limit(0)
    for name, rows in held.items():
        _divide(context, name, rows, days, gone, done[name])


def _among(days: Iterable[str]) -> str:
    return f"{PARTITION} IN ({', '.join(repr(day) for day in days)})"


def _held(context: Context, name: str, days: list[str], merged: list[str]) -> DataFrame:
    """All rows of these dates, those left out included, which a date that was merged tonight holds again."""
    rows = context.clean(name).where(_among(days))
    others = sorted(set(days) - set(merged))
    return rows.unionByName(context.left_out(name).where(_among(others))) if others else rows


def _found(context: Context, held: dict[str, DataFrame]) -> DataFrame:
    """Near duplicates (:func:`surplus`); lines are looked at only where headers are equal."""
    write_staged(candidates(held["orders"]), context.night, "near_duplicates/candidates")
    alike = read_staged(context.spark, context.night, "near_duplicates/candidates")
    lines = held["order_lines"] if alike.take(1) else held["order_lines"].limit(0)
    write_staged(surplus(alike, lines), context.night, "near_duplicates/found")
    return read_staged(context.spark, context.night, "near_duplicates/found")


def _counted(context: Context, done: Done, found: DataFrame) -> dict[str, int]:
    """How many orders tonight brought or changed, and how many of them are near duplicates."""
    tonight = _tonight(context, done)
    return {"checked": tonight.count(), "found": brought(found, tonight).collect()[0]["found"]}


def _tonight(context: Context, done: Done) -> DataFrame:
    """Keys of the orders that tonight changed, themselves or in a line."""
    if done["orders"]["wrote"] and not has_staged(context.night, "classified/orders"):
        return context.clean("orders").select(*ORDER)  # a first load without doubles: all of them
    changed = [
        merge.changing(read_staged(context.spark, context.night, f"classified/{name}")).select(*ORDER)
        for name in clean.LEFT_OUT
        if has_staged(context.night, f"classified/{name}")
    ]
    keys = context.clean("orders").select(*ORDER).limit(0)
    for one in changed:
        keys = keys.union(one)
    return keys.distinct()


def _divide(
    context: Context, name: str, rows: DataFrame, days: list[str], gone: DataFrame, done: dict[str, Any]
) -> None:
    """Write the dates of which something is left out, or was before: what stays, and beside it what does not."""
    table, key = clean.LEFT_OUT[name], [*ORDER]
    left = {row[PARTITION] for row in rows.join(gone, key, "left_semi").select(PARTITION).distinct().collect()}
    affected = sorted(left | (set(days) & set(context.night.partitions("clean", table))))
    if not affected:
        return
    marks = gone.select(*ORDER, F.lit(True).alias("_is_gone"))
    marked = rows.where(_among(affected)).join(marks, key, "left")
    write_staged(marked.drop(PARTITION), context.night, f"near_duplicates/{name}")
    whole = read_staged(context.spark, context.night, f"near_duplicates/{name}")
    for target, condition in ((name, "_is_gone IS NULL"), (table, "_is_gone")):
        part = whole.where(condition).select(*(column.name for column in clean.table(name)))
        key = [*clean.BY_NAME[name].key]
        write(part, context.night, "clean", target, sort=key, partitions=affected, by="business_date")
    done["dates"], done["wrote"] = sorted({*done["dates"], *affected}), True
    _count_as_duplicates(context, name, gone, done["changes"])


def _count_as_duplicates(context: Context, name: str, gone: DataFrame, changes: dict[str, dict[str, int]]) -> None:
    """Move tonight's raw rows of what is left out from the change that merging counted them under."""
    if not changes:
        return
    changed = merge.changing(read_staged(context.spark, context.night, f"classified/{name}"))
    moved = changed.join(gone, [*ORDER], "left_semi").groupBy("_feed", merge.CHANGE)
    for row in moved.agg(F.sum(COPIES.name).alias("rows")).collect():
        of_feed = changes[row["_feed"]]
        of_feed[row[merge.CHANGE]] -= row["rows"]
        of_feed[merge.DUPLICATE] = of_feed.get(merge.DUPLICATE, 0) + row["rows"]
