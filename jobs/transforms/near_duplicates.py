"""Orders that say what another one says, under another id: a double click, a receipt uploaded twice.

The same source, person, store, instant and lines. A guest's order proves nothing: two strangers may buy a bottle of
water in one minute. Only completed orders count, and only they are compared: a receipt that was voided and rung up
again is one sale already.
"""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from jobs.transforms.refunds import tokens

ORDER = ("source", "order_id")
_HEAD = ("source", "_person", "store_id", "ordered_at")
#: an order of which alone something was paid back was corrected by its source already
_LINE = ("product_id", "quantity", "gross", "refunded")


def candidates(orders: DataFrame) -> DataFrame:
    """Orders whose header says what another one's says, by one aggregate over the headers.

    Args:
        orders: clean orders.

    Returns:
        one row per order: its key, ``_person`` (their id, else the first identifier that can be used), store, instant.
    """
    named = orders.where("status = 'completed'").select(*ORDER, F.coalesce(*tokens()).alias("_person"), *_HEAD[2:])
    named = named.where("_person IS NOT NULL")
    shared = named.groupBy(*_HEAD).count().where("count > 1")
    return named.join(shared, [*_HEAD], "left_semi")


def surplus(alike: DataFrame, lines: DataFrame) -> DataFrame:
    """Of orders that say the same, all but one: the one with the shortest, then the smallest id.

    That depends on nothing but what the orders say, so that it does not matter on which night which of them came.

    Args:
        alike: :func:`candidates`.
        lines: clean order lines.

    Returns:
        one row per order that is a near duplicate: ``source``, ``order_id``, and ``_stays``, the order that stays.
    """
    said = F.sort_array(F.collect_list(F.struct(*_LINE))).alias("_said")
    of_them = lines.join(alike, [*ORDER], "left_semi").groupBy(*ORDER).agg(said)
    rivals = Window.partitionBy(*_HEAD, "_said").orderBy(F.length("order_id"), "order_id")
    first = F.first("order_id").over(rivals).alias("_stays")
    return alike.join(of_them, [*ORDER]).select(*ORDER, first).where("order_id != _stays")


def brought(found: DataFrame, tonight: DataFrame) -> DataFrame:
    """How many near duplicates orders of tonight make, whichever of the equal ones stays.

    Args:
        found: :func:`surplus`.
        tonight: the keys of tonight's orders.

    Returns:
        one row with ``found``: two new equal orders are one near duplicate, and so is one that is equal to a known one.
    """
    groups = found.groupBy("source", "_stays").agg(F.count("*").alias("surplus"))
    members = found.unionByName(groups.select("source", F.col("_stays").alias("order_id"), "_stays"))
    new = members.join(tonight, [*ORDER], "left_semi").groupBy("source", "_stays").agg(F.count("*").alias("new"))
    return groups.join(new, ["source", "_stays"]).agg(F.expr("coalesce(sum(least(surplus, new)), 0)").alias("found"))
