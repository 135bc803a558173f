"""Orders that say the same under another id, over literal tables, by hand."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from jobs.transforms.near_duplicates import brought, candidates, surplus
from tests.spark.conftest import Table, computed_once, rows_of

ORDER_DDL = (
    "source STRING, order_id STRING, source_customer_id STRING, loyalty_card_hash STRING, email_hash STRING,"
    " phone_hash STRING, payment_token_hash STRING, store_id STRING, ordered_at TIMESTAMP, status STRING"
)
LINE_DDL = (
    "source STRING, order_id STRING, line_id STRING, product_id STRING, quantity DECIMAL(18,4), gross DECIMAL(18,2),"
    " refunded DECIMAL(18,2)"
)
KEY_DDL = "source STRING, order_id STRING"

#: order -> what differs from a completed order of ann in store 1 at noon
ORDERS: dict[str, Mapping[str, Any]] = {
    # the same three times; ids are counted, not spelled
    "9": {},
    "10": {},
    "11": {},
    # each alone: something of the header is another
    "store": {"store_id": "2"},
    "second": {"ordered_at": datetime(2026, 6, 1, 12, 0, 1, tzinfo=UTC)},
    "person": {"source_customer_id": "bob"},
    "source": {"source": "web"},
    "void": {"status": "void"},
    # known by a card alone; what else they gave may differ
    "card": {"source_customer_id": None, "loyalty_card_hash": "k1:c", "email_hash": "k1:e"},
    "card-2": {"source_customer_id": None, "loyalty_card_hash": "k1:c", "phone_hash": "k1:p"},
    # an id of one kind is none of another
    "phone": {"source_customer_id": None, "phone_hash": "k1:c"},
    # nobody: no identifier, or one that could not be read
    "guest": {"source_customer_id": None},
    "guest-2": {"source_customer_id": None},
    "bad": {"source_customer_id": None, "email_hash": "k1:!e"},
    "bad-2": {"source_customer_id": None, "email_hash": "k1:!e"},
    # equal headers, other lines
    "quantity": {"source_customer_id": "eve"},
    "gross": {"source_customer_id": "eve"},
    "product": {"source_customer_id": "eve"},
    "refunded": {"source_customer_id": "eve"},
    "tea twice": {"source_customer_id": "eve"},
    "cup twice": {"source_customer_id": "eve"},
    "no lines": {"source_customer_id": "eve"},
    "no lines-2": {"source_customer_id": "eve"},
}
TEA, CUP = ("tea", "2", "4.00", "0"), ("cup", "1", "5.00", "0")
#: lines of those that do not have a tea and a cup
LINES: dict[str, list[tuple[str, str, str, str]]] = {
    "10": [CUP, TEA],
    "quantity": [("tea", "3", "4.00", "0"), CUP],
    "gross": [("tea", "2", "4.01", "0"), CUP],
    "product": [("chai", "2", "4.00", "0"), CUP],
    "refunded": [("tea", "2", "4.00", "4.00"), CUP],
    "tea twice": [TEA, TEA, CUP],
    "cup twice": [TEA, CUP, CUP],
    "no lines": [],
    "no lines-2": [],
}
FOUND = {("pos", "10", "9"), ("pos", "11", "9"), ("pos", "card-2", "card")}
ALIKE = {
    "9", "10", "11", "card", "card-2", "quantity", "gross", "product", "refunded", "tea twice", "cup twice",
    "no lines", "no lines-2",
}  # fmt: skip


def orders() -> list[dict[str, Any]]:
    plain = {
        "source": "pos", "source_customer_id": "ann", "store_id": "1", "status": "completed",
        "ordered_at": datetime(2026, 6, 1, 12, tzinfo=UTC),
    }  # fmt: skip
    return [plain | {"order_id": order} | dict(more) for order, more in ORDERS.items()]


def lines() -> list[dict[str, Any]]:
    return [
        {
            "source": one["source"], "order_id": one["order_id"], "line_id": str(number), "product_id": product,
            "quantity": Decimal(quantity), "gross": Decimal(gross), "refunded": Decimal(refunded),
        }
        for one in orders()
        for number, (product, quantity, gross, refunded) in enumerate(LINES.get(one["order_id"], [TEA, CUP]))
    ]  # fmt: skip


def test_only_named_completed_orders_of_equal_headers_are_candidates(table: Table) -> None:
    assert {row["order_id"] for row in rows_of(candidates(table(ORDER_DDL, orders())))} == ALIKE


@pytest.mark.parametrize("seed", range(3))
def test_one_of_equal_orders_stays_in_whatever_order_they_come(table: Table, seed: int) -> None:
    heads, details = orders(), lines()
    order = random.Random(seed)
    order.shuffle(heads)
    order.shuffle(details)
    found = rows_of(surplus(candidates(table(ORDER_DDL, heads)), table(LINE_DDL, details)))
    assert len(found) == len(FOUND)
    assert {(row["source"], row["order_id"], row["_stays"]) for row in found} == FOUND


@pytest.mark.parametrize(
    ("tonight", "count"),
    [
        (["9", "10", "11", "card", "card-2", "guest"], 3),
        (["9"], 1),  # it stays, and makes what was known a near duplicate
        (["10"], 1),
        (["9", "10"], 2),  # of the known 11
        (["card-2", "void"], 1),
        (["guest"], 0),
    ],
)
def test_tonights_near_duplicates_are_counted_whichever_stays(table: Table, tonight: list[str], count: int) -> None:
    found = computed_once(surplus(candidates(table(ORDER_DDL, orders())), table(LINE_DDL, lines())))
    keys = table(KEY_DDL, [{"source": "pos", "order_id": order} for order in tonight])
    assert rows_of(brought(found, keys)) == [{"found": count}]
