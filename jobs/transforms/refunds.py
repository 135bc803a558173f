"""Refunds to the order lines that they pay back, and the lines restated by them.

Only what may belong to a refund is looked at: lines of named orders, and lines of a refunded product bought by
somebody who gave one back. What is left to decide is decided group by group (``jobs.transforms.allocation``).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark import cloudpickle
from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.definitions.clean import MATCHED_BY, REFUND_RULES
from jobs.transforms import allocation
from jobs.transforms.allocation import QUANTITY_SCALE, Outcome, Part, Refund, Sale, allocate

if TYPE_CHECKING:
    from pyspark.sql.pandas._typing import ArrowGroupedMapFunction

#: by which the buyer of an order is the person of a refund of the same source: one of them is the same
PEOPLE = ("source_customer_id", "loyalty_card_hash", "email_hash", "phone_hash", "payment_token_hash")
_UNUSABLE = ":!"  #: inside a hash: the value could not be normalised and proves nothing
_ORDER = ("source", "order_id")
_LINE = (*_ORDER, "line_id")
#: groups per source: each costs a call of Python, and holds its rows in memory
_GROUPS = 256
_NAMED, _SAME_PRICE, _OTHER_PRICE = MATCHED_BY
_UNKNOWN, _TOO_LARGE = REFUND_RULES

#: one row per refund line and order line that it pays back, or per waiting refund line with the rule in ``failed``
ALLOCATED = pa.schema(
    [
        ("source", pa.string()), ("refund_id", pa.string()), ("refund_line_id", pa.string()),
        ("order_id", pa.string()), ("line_id", pa.string()), ("quantity_units", pa.int64()),
        ("amount_cents", pa.int64()), ("matched_by", pa.string()), ("failed", pa.string()),
    ]
)  # fmt: skip
ALLOCATED_DDL = ", ".join(f"{field.name} {'BIGINT' if field.type == pa.int64() else 'STRING'}" for field in ALLOCATED)

# the workers of a cluster hold pyspark and pyarrow and nothing of ours: what they run is sent to them whole
for module in (sys.modules[__name__], allocation):
    cloudpickle.register_pickle_by_value(module)  # type: ignore[no-untyped-call]  # it has no types


def of_named_orders(refunds: DataFrame, orders: DataFrame, lines: DataFrame) -> DataFrame:
    """Allocate the refunds that name their order.

    Args:
        refunds: clean refunds.
        orders: clean orders, whatever their status: a refund of a void one is known and restates nothing that counts.
        lines: clean order lines.

    Returns:
        rows of :data:`ALLOCATED`.
    """
    named = refunds.where("order_id IS NOT NULL")
    meant = lines.join(named.select(*_ORDER).distinct(), [*_ORDER], "left_semi")
    tokens = F.array("order_id")
    given = _given_back(named, _group("order_id"), tokens, is_named=True)
    return _allocated(given, _sold(meant, orders, _group("order_id"), tokens))


def of_buyers(refunds: DataFrame, orders: DataFrame, lines: DataFrame, taken: DataFrame) -> DataFrame:
    """Allocate the refunds that name no order: to what the same person bought of the same product before.

    Args:
        refunds: clean refunds.
        orders: clean orders, of which the completed ones count.
        lines: clean order lines.
        taken: what the named refunds took (:func:`of_named_orders`).

    Returns:
        rows of :data:`ALLOCATED`.
    """
    unnamed = refunds.where("order_id IS NULL").withColumn("tokens", _people())
    bought = orders.where("status = 'completed'").withColumn("tokens", _people())
    persons = unnamed.select("source", F.explode("tokens").alias("token")).distinct()
    theirs = bought.select(*_ORDER, F.explode("tokens").alias("token")).join(persons, ["source", "token"], "left_semi")
    products = unnamed.where("product_id IS NOT NULL").select("source", "product_id").distinct()
    meant = lines.join(theirs.select(*_ORDER).distinct(), [*_ORDER], "left_semi")
    meant = meant.join(products, ["source", "product_id"], "left_semi")
    given = _given_back(unnamed, _group("product_id"), F.col("tokens"), is_named=False)
    sold = _sold(meant, bought, _group("product_id"), F.col("tokens"))
    return _allocated(given, _less(sold, taken))


def _group(column: str) -> SparkColumn:
    """Rows of the same value come together, with those of some others, which they have nothing to do with."""
    return F.expr(f"pmod(xxhash64({column}), {_GROUPS})")


def tokens() -> list[SparkColumn]:
    """Who it is, in the order of :data:`PEOPLE`: texts of which two orders or refunds of one person share one."""
    return [F.expr(f"CASE WHEN {name} NOT LIKE '%{_UNUSABLE}%' THEN concat('{name}:', {name}) END") for name in PEOPLE]


def _people() -> SparkColumn:
    return F.array_compact(F.array(*tokens()))


def _given_back(refunds: DataFrame, group: SparkColumn, tokens: SparkColumn, *, is_named: bool) -> DataFrame:
    """Refund lines as :func:`_outcome` reads them."""
    quantity, amount = _units("nullif(quantity, 0)"), _cents("amount")
    return refunds.select(
        "source",
        group.alias("group"),
        F.lit(True).alias("is_refund"),
        F.lit(is_named).alias("is_named"),
        F.col("refund_id").alias("id"),
        "line_id",
        "product_id",
        F.expr("unix_micros(refunded_at)").alias("at"),
        tokens.alias("tokens"),
        quantity.alias("quantity"),
        amount.alias("cents"),
        quantity.alias("left_quantity"),
        amount.alias("left_cents"),
    )


def _sold(lines: DataFrame, orders: DataFrame, group: SparkColumn, tokens: SparkColumn) -> DataFrame:
    """Order lines as :func:`_outcome` reads them."""
    of_order = orders.select(*_ORDER, "ordered_at", tokens.alias("tokens"))
    paid = "gross - discount - coupon_discount"
    return lines.join(of_order, [*_ORDER]).select(
        "source",
        group.alias("group"),
        F.lit(False).alias("is_refund"),
        F.lit(False).alias("is_named"),
        F.col("order_id").alias("id"),
        "line_id",
        "product_id",
        F.expr("unix_micros(ordered_at)").alias("at"),
        "tokens",
        _units("quantity").alias("quantity"),
        _cents(paid).alias("cents"),
        _units("quantity").alias("left_quantity"),
        _cents(f"{paid} - refunded").alias("left_cents"),
    )


def _units(quantity: str) -> SparkColumn:
    return F.expr(f"CAST(({quantity}) * {QUANTITY_SCALE} AS BIGINT)")


def _cents(amount: str) -> SparkColumn:
    return F.expr(f"CAST(({amount}) * 100 AS BIGINT)")


def _less(sold: DataFrame, taken: DataFrame) -> DataFrame:
    """Order lines less what named refunds took of them."""
    gone = (
        taken.where("failed IS NULL")
        .groupBy("source", F.col("order_id").alias("id"), "line_id")
        .agg(F.sum("quantity_units").alias("_quantity"), F.sum("amount_cents").alias("_cents"))
    )
    return (
        sold.join(gone, ["source", "id", "line_id"], "left")
        .withColumns(
            {
                "left_quantity": F.expr("left_quantity - coalesce(_quantity, 0)"),
                "left_cents": F.expr("left_cents - coalesce(_cents, 0)"),
            }
        )
        .select(*sold.columns)
    )


def _allocated(given: DataFrame, sold: DataFrame) -> DataFrame:
    rows = given.unionByName(sold)
    outcome: ArrowGroupedMapFunction = _outcome
    return rows.groupBy("source", "group").applyInArrow(outcome, ALLOCATED_DDL)


def _outcome(rows: pa.Table) -> pa.Table:
    """Allocate one group; runs in the engine's Python."""
    found = rows.to_pylist()
    outcome = allocate(
        [_refund(row) for row in found if row["is_refund"]], [_sale(row) for row in found if not row["is_refund"]]
    )
    source = found[0]["source"]
    return pa.Table.from_pylist([{"source": source, **row} for row in _told(outcome)], schema=ALLOCATED)


def _refund(row: Mapping[str, Any]) -> Refund:
    return Refund(
        row["id"], row["line_id"], row["is_named"], row["product_id"], row["at"], frozenset(row["tokens"]),
        row["quantity"], row["cents"],
    )  # fmt: skip


def _sale(row: Mapping[str, Any]) -> Sale:
    return Sale(
        row["id"], row["line_id"], row["product_id"], row["at"], frozenset(row["tokens"]), row["quantity"],
        row["cents"], row["left_quantity"], row["left_cents"],
    )  # fmt: skip


def _told(outcome: Outcome) -> Iterable[dict[str, Any]]:
    for part in outcome.parts:
        yield _key(part.refund) | {
            "order_id": part.sale.order_id, "line_id": part.sale.line_id, "quantity_units": part.quantity,
            "amount_cents": part.cents, "matched_by": _matched_by(part),
        }  # fmt: skip
    for rule, waiting in ((_UNKNOWN, outcome.unknown), (_TOO_LARGE, outcome.too_large)):
        for refund in waiting:
            yield _key(refund) | {"failed": rule}


def _key(refund: Refund) -> dict[str, Any]:
    return {"refund_id": refund.refund_id, "refund_line_id": refund.line_id}


def _matched_by(part: Part) -> str:
    if part.refund.is_named:
        return _NAMED
    return _SAME_PRICE if part.is_same_price else _OTHER_PRICE


def matches(allocated: DataFrame, refunds: DataFrame, orders: DataFrame) -> DataFrame:
    """The clean table refund_matches: what was allocated, on the business date of its order.

    Args:
        allocated: rows of :data:`ALLOCATED`.
        refunds: clean refunds, for when it was and where it came from.
        orders: clean orders.
    """
    about = _about(refunds).select("source", "refund_id", "refund_line_id", "refunded_at", *_provenance(refunds))
    days = orders.select(*_ORDER, "business_date")
    found = allocated.where("failed IS NULL").join(about, ["source", "refund_id", "refund_line_id"])
    return found.join(days, [*_ORDER]).withColumns(
        {
            "quantity": F.expr(f"CAST(CAST(quantity_units AS DECIMAL(18,0)) / {QUANTITY_SCALE} AS DECIMAL(18,4))"),
            "amount": F.expr("CAST(CAST(amount_cents AS DECIMAL(18,0)) / 100 AS DECIMAL(18,2))"),
        }
    )


def waiting(allocated: DataFrame, refunds: DataFrame) -> DataFrame:
    """Refunds that wait for their sale, with the rule in ``_failed``; they were set aside when they came."""
    failed = allocated.where("failed IS NOT NULL").select(
        "source", "refund_id", F.col("refund_line_id").alias("line_id"), F.array("failed").alias("_failed")
    )
    return refunds.join(failed, ["source", "refund_id", "line_id"]).withColumn(
        "_held_on", F.col("_landed").cast("string")
    )


def restated(lines: DataFrame, matched: DataFrame) -> DataFrame:
    """Order lines whose ``refunded`` is what the source stated on them and what matched refunds paid back."""
    later = matched.groupBy(*_LINE).agg(F.sum("amount").alias("_later"))
    refunded = F.expr("CAST(refunded + coalesce(_later, 0) AS DECIMAL(18,2))")
    return lines.join(later, [*_LINE], "left").withColumn("refunded", refunded).drop("_later")


def _about(refunds: DataFrame) -> DataFrame:
    return refunds.withColumnRenamed("line_id", "refund_line_id")


def _provenance(refunds: DataFrame) -> list[str]:
    return [name for name in refunds.columns if name.startswith("_") and name != "_content"]
