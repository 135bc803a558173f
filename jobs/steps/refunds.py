"""Clean refunds -> the order lines that they restate; what finds no sale waits in quarantine, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from jobs.definitions import clean
from jobs.definitions.canonical import COPIES
from jobs.steps.context import Context
from jobs.storage.parquet import has_staged, read_staged, write, write_staged
from jobs.transforms import merge, refunds

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MATCHES = clean.REFUND_MATCHES.name
HELD = "held.refunds"


def settle(context: Context, done: dict[str, dict[str, Any]]) -> None:
    """Match every refund known tonight with its sale, anew, so that it does not matter which of them came first.

    Args:
        context: of a night whose clean tables are merged.
        done: entity -> what merging it came to; tonight's refunds that wait move from their change to ``held``.
    """
    if not context.night.parts("clean", "refunds"):
        return
    known, orders, lines = (context.clean(name) for name in ("refunds", "orders", "order_lines"))
    write_staged(refunds.of_named_orders(known, orders, lines), context.night, "refunds.named")
    named = read_staged(context.spark, context.night, "refunds.named")
    write_staged(refunds.of_buyers(known, orders, lines, named), context.night, "refunds.unnamed")
    allocated = named.unionByName(read_staged(context.spark, context.night, "refunds.unnamed"))
    columns = [column.name for column in clean.REFUND_MATCHES.columns]
    matched = refunds.matches(allocated, known, orders).select(*columns)
    write(matched, context.night, "clean", MATCHES, sort=clean.REFUND_MATCHES.key)
    done[MATCHES] = {"changes": {}, "dates": [], "wrote": True}
    _hold(context, refunds.waiting(allocated, known), done["refunds"])


def _hold(context: Context, waiting: DataFrame, done: dict[str, Any]) -> None:
    """List the waiting refunds under the nights that took them in, and count those of tonight as held."""
    as_judged = waiting.drop("_content").withColumn(COPIES.name, F.lit(1).cast("bigint"))
    write_staged(as_judged, context.night, HELD)
    held = read_staged(context.spark, context.night, HELD)
    write(held, context.night, "quarantine", HELD, by="_held_on")
    counts = held.groupBy(F.col("_failed")[0].alias("rule")).count().collect()
    done["waiting"] = {"known": context.clean("refunds").count(), **{row["rule"]: row["count"] for row in counts}}
    for row in _tonight(context, held).groupBy("_feed", merge.CHANGE).count().collect():
        changes = done["changes"][row["_feed"]]
        changes[row[merge.CHANGE]] -= row["count"]
        changes["held"] = row["count"] + changes.get("held", 0)


def _tonight(context: Context, held: DataFrame) -> DataFrame:
    """Waiting refunds among tonight's rows, with the change that merging counted them under."""
    key = ["source", "refund_id", "line_id"]
    if has_staged(context.night, "classified/refunds"):
        classified = read_staged(context.spark, context.night, "classified/refunds")
        return held.join(merge.changing(classified).select(*key, merge.CHANGE), key)
    if has_staged(context.night, "judged/refunds"):  # a first load without doubles, which nobody has to classify
        return held.withColumn(merge.CHANGE, F.lit(merge.INSERTED))
    return held.limit(0).withColumn(merge.CHANGE, F.lit(merge.INSERTED))
