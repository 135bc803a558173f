"""Refunds over literal tables: which orders they restate, on Spark, by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from jobs.transforms import refunds
from tests.spark.conftest import Table, computed_once, rows_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

DAY = date(2026, 6, 1)
HASHES = "loyalty_card_hash STRING, email_hash STRING, phone_hash STRING, payment_token_hash STRING"
ORDER_DDL = (
    f"source STRING, order_id STRING, source_customer_id STRING, {HASHES}, status STRING, ordered_at TIMESTAMP,"
    " business_date DATE"
)
LINE_DDL = (
    "source STRING, order_id STRING, line_id STRING, product_id STRING, quantity DECIMAL(18,4), gross DECIMAL(18,2),"
    " discount DECIMAL(18,2), coupon_discount DECIMAL(18,2), refunded DECIMAL(18,2)"
)
REFUND_DDL = (
    f"source STRING, refund_id STRING, line_id STRING, order_id STRING, source_customer_id STRING, {HASHES},"
    " product_id STRING, quantity DECIMAL(18,4), amount DECIMAL(18,2), refunded_at TIMESTAMP, _feed STRING,"
    " _file STRING, _row BIGINT, _landed DATE, _person_hash STRING, _content BIGINT"
)


def at(hour: int) -> datetime:
    return datetime(2026, 6, 1, hour, tzinfo=UTC)


#: order: hour, and what differs from a completed order of ann
ORDERS: dict[str, tuple[int, Mapping[str, Any]]] = {
    "o1": (8, {}),
    "o2": (9, {"source_customer_id": None, "loyalty_card_hash": "k1:card"}),
    "o3": (10, {"status": "void"}),
    "o4": (11, {"source_customer_id": "bob"}),
    "o5": (12, {"source_customer_id": None, "email_hash": "k1:!e"}),
    "o6": (13, {"source": "web"}),
}
#: order, line, product, quantity, gross, discount, coupon discount, refunded
LINES = [
    ("o1", "1", "tea", "4", "10.00", "1.00", "1.00", "0"),  # 2.00 a piece
    ("o1", "2", "cup", "1", "5.00", "0", "0", "5.00"),  # paid back already, the source says
    ("o2", "1", "tea", "2", "4.00", "0", "0", "0"),
    ("o3", "1", "tea", "9", "18.00", "0", "0", "0"),
    ("o4", "1", "tea", "3", "6.00", "0", "0", "0"),
    ("o4", "2", "pot", "1", "30.00", "0", "0", "0"),
    ("o5", "1", "tea", "9", "18.00", "0", "0", "0"),
    ("o6", "1", "tea", "9", "18.00", "0", "0", "0"),
]
#: refund: hour, product, quantity, amount, and who or what it names
REFUNDS: dict[str, tuple[int, str | None, str | None, str, Mapping[str, Any]]] = {
    "by order": (20, "tea", "1", "2.00", {"order_id": "o1"}),
    "by order, all lines": (20, None, None, "31.00", {"order_id": "o4"}),
    "by id": (14, "tea", "3", "6.00", {"source_customer_id": "ann"}),
    "by card": (14, "tea", "2", "4.00", {"loyalty_card_hash": "k1:card"}),
    "of a void order": (15, "tea", "9", "18.00", {"order_id": "o3"}),
    "of bob, nothing is left of the tea": (15, "tea", "3", "5.00", {"source_customer_id": "bob"}),
    "of bob, more than it left": (16, "pot", "1", "30.00", {"source_customer_id": "bob"}),
    "of ann, all is gone": (16, "tea", "1", "2.00", {"source_customer_id": "ann"}),
    "of ann, paid back already": (16, "cup", "1", "5.00", {"source_customer_id": "ann"}),
    "by an e-mail that is none": (16, "tea", "1", "2.00", {"email_hash": "k1:!e"}),
    "of nobody": (16, "tea", "1", "2.00", {}),
    "of an unknown order": (16, "tea", "1", "2.00", {"order_id": "o9", "source_customer_id": "ann"}),
    "of another product of its order": (16, "pot", "1", "2.00", {"order_id": "o1"}),
    "of another source's order": (16, "tea", "1", "2.00", {"order_id": "o6"}),
    "before the sale": (7, "tea", "1", "2.00", {"source_customer_id": "ann"}),
}
#: by hand: refund -> (order, line, quantity, amount, how)
MATCHED = {
    "by order": {("o1", "1", "1", "2.00", "named_order")},
    # no line covers it alone: all of the first and the rest of the second
    "by order, all lines": {("o4", "1", None, "6.00", "named_order"), ("o4", "2", None, "25.00", "named_order")},
    "by id": {("o1", "1", "3", "6.00", "same_price")},
    "by card": {("o2", "1", "2", "4.00", "same_price")},
    "of a void order": {("o3", "1", "9", "18.00", "named_order")},
}
WAITING = {
    "of bob, nothing is left of the tea": "refunds.amount.at_most_sale",
    "of bob, more than it left": "refunds.amount.at_most_sale",
    "of ann, all is gone": "refunds.amount.at_most_sale",
    "of ann, paid back already": "refunds.amount.at_most_sale",
    "by an e-mail that is none": "refunds.sale.known",
    "of nobody": "refunds.sale.known",
    "of an unknown order": "refunds.sale.known",
    "of another product of its order": "refunds.sale.known",
    "of another source's order": "refunds.sale.known",
    "before the sale": "refunds.sale.known",
}


@pytest.fixture(scope="module")
def tables(table: Table) -> dict[str, DataFrame]:
    orders = [
        {"source": "pos", "order_id": name, "source_customer_id": "ann", "status": "completed", "ordered_at": at(hour),
         "business_date": DAY, **more}
        for name, (hour, more) in ORDERS.items()
    ]  # fmt: skip
    names = ("quantity", "gross", "discount", "coupon_discount", "refunded")
    lines = [
        {"source": "web" if order == "o6" else "pos", "order_id": order, "line_id": line, "product_id": product,
         **{name: Decimal(value) for name, value in zip(names, values, strict=True)}}
        for order, line, product, *values in LINES
    ]  # fmt: skip
    given = [
        {"source": "pos", "refund_id": name, "line_id": "1", "product_id": product, "amount": Decimal(amount),
         "quantity": None if quantity is None else Decimal(quantity), "refunded_at": at(hour), "_feed": "pos.returns",
         "_row": place, "_landed": DAY, "_content": place, **who}
        for place, (name, (hour, product, quantity, amount, who)) in enumerate(REFUNDS.items())
    ]  # fmt: skip
    return {"orders": table(ORDER_DDL, orders), "lines": table(LINE_DDL, lines), "refunds": table(REFUND_DDL, given)}


@pytest.fixture(scope="module")
def allocated(tables: dict[str, DataFrame]) -> DataFrame:
    orders, lines, known = tables["orders"], tables["lines"], tables["refunds"]
    named = computed_once(refunds.of_named_orders(known, orders, lines))
    return computed_once(named.unionByName(refunds.of_buyers(known, orders, lines, named)))


def test_each_refund_restates_its_sale_or_waits_by_name(tables: dict[str, DataFrame], allocated: DataFrame) -> None:
    found: dict[str, set[tuple[Any, ...]]] = {}
    for row in rows_of(refunds.matches(allocated, tables["refunds"], tables["orders"])):
        quantity = None if row["quantity"] is None else f"{row['quantity']:.0f}"
        part = (row["order_id"], row["line_id"], quantity, str(row["amount"]), row["matched_by"])
        found.setdefault(row["refund_id"], set()).add(part)
        assert (row["business_date"], row["refunded_at"]) == (DAY, at(REFUNDS[row["refund_id"]][0]))
        assert (row["_feed"], row["_row"]) == ("pos.returns", list(REFUNDS).index(row["refund_id"]))
    waiting = rows_of(refunds.waiting(allocated, tables["refunds"]))
    assert found == MATCHED
    assert {row["refund_id"]: row["_failed"] for row in waiting} == {name: [rule] for name, rule in WAITING.items()}
    assert {row["_held_on"] for row in waiting} == {str(DAY)}
    assert MATCHED.keys() | WAITING.keys() == REFUNDS.keys()


def test_lines_are_restated_by_what_was_matched(tables: dict[str, DataFrame], allocated: DataFrame) -> None:
    matched = refunds.matches(allocated, tables["refunds"], tables["orders"])
    restated = rows_of(refunds.restated(tables["lines"], matched))
    assert {(row["order_id"], row["line_id"]): str(row["refunded"]) for row in restated} == {
        ("o1", "1"): "8.00", ("o1", "2"): "5.00", ("o2", "1"): "4.00", ("o3", "1"): "18.00", ("o4", "1"): "6.00",
        ("o4", "2"): "25.00", ("o5", "1"): "0.00", ("o6", "1"): "0.00",
    }  # fmt: skip


def test_without_refunds_there_is_nothing(table: Table, tables: dict[str, DataFrame]) -> None:
    none = table(REFUND_DDL, [])
    named = refunds.of_named_orders(none, tables["orders"], tables["lines"])
    assert rows_of(named) == []
    assert rows_of(refunds.of_buyers(none, tables["orders"], tables["lines"], named)) == []
