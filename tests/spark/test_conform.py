"""Text to typed canonical rows: what is read how, what is unreadable, what is absent."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from jobs.definitions.canonical import BY_NAME, flags, has, needed, reads, typed
from jobs.transforms.conform import conform, fold_headers
from tests.spark.conftest import Table, rows_of

META = "_file STRING, _row BIGINT, _landed STRING, _person_hash STRING"


def conformed(table: Table, entity: str, zone: str, *rows: dict[str, str | None]) -> list[dict[str, Any]]:
    """Rows through a mapping of each column to the column of its name, in the given order."""
    names = sorted({name for row in rows for name in row})
    raw = table(
        ", ".join(f"`{name}` STRING" for name in names) + ", " + META,
        [{**row, "_file": "f", "_row": place, "_landed": "2026-06-30"} for place, row in enumerate(rows)],
    )
    found = conform(
        raw, BY_NAME[entity], {name: name for name in names}, source="pos", feed="till", time_zone=zone, currency="CNY"
    )
    return sorted(rows_of(found), key=lambda row: int(row["_row"]))


def one_by_one(table: Table, entity: str, column: str, texts: list[str], zone: str = "UTC") -> list[tuple[Any, bool]]:
    (definition,) = (c for c in BY_NAME[entity].columns if c.name == column)
    found = conformed(table, entity, zone, *({column: text} for text in texts))
    return [(row[column], row[reads(definition)]) for row in found]


@pytest.mark.parametrize(
    ("entity", "column", "cases"),
    [
        (
            "order_lines",
            "quantity",
            {"1e3": Decimal(1000), "2.5": Decimal("2.5"), " 7 ": Decimal(7), "-1": Decimal(-1)},
        ),
        ("order_lines", "gross", {"12.50": Decimal("12.50"), "0.005": Decimal("0.01"), ".5": Decimal("0.50")}),
        ("orders", "party_size", {"4": 4, "2.0": 2, "1e1": 10}),
        ("customers", "profiling_consent", {"1": True, "0": False, "true": True, "no": False}),
        ("campaigns", "starts_on", {"2026-02-28": date(2026, 2, 28)}),
    ],
)
def test_readable(table: Table, entity: str, column: str, cases: dict[str, Any]) -> None:
    assert one_by_one(table, entity, column, list(cases)) == [(value, True) for value in cases.values()]


@pytest.mark.parametrize(
    ("entity", "column", "texts"),
    [
        ("order_lines", "quantity", ["two", "1,000", "NaN", "Infinity", "0x10", "1 2", "9" * 25, "--1"]),
        ("order_lines", "gross", ["9" * 17, "¥20", "12,50", "1e30"]),
        ("order_lines", "discount", ["x"]),
        ("orders", "party_size", ["2.5", "3000000000", "two", "1e300"]),
        ("orders", "ordered_at", ["noon", "2026-02-30T10:00:00", "2026-06-30T25:00:00Z", "30.06.2026"]),
        ("customers", "profiling_consent", ["maybe", "2"]),
        ("campaigns", "starts_on", ["2026-02-30", "soon"]),
    ],
)
def test_unreadable_is_null_and_flagged(table: Table, entity: str, column: str, texts: list[str]) -> None:
    assert one_by_one(table, entity, column, texts) == [(None, False)] * len(texts)


@pytest.mark.parametrize(
    ("zone", "text", "instant"),
    [
        ("Asia/Shanghai", "2026-06-30T12:00:00Z", datetime(2026, 6, 30, 12, tzinfo=UTC)),
        ("Asia/Shanghai", "2026-06-30T12:00:00+02:00", datetime(2026, 6, 30, 10, tzinfo=UTC)),
        ("Asia/Shanghai", "2026-06-30 12:00:00-05", datetime(2026, 6, 30, 17, tzinfo=UTC)),
        ("Asia/Shanghai", "2026-06-30 12:00:00", datetime(2026, 6, 30, 4, tzinfo=UTC)),
        ("Asia/Shanghai", "2026-06-30T12:00:00.123456", datetime(2026, 6, 30, 4, 0, 0, 123456, tzinfo=UTC)),
        ("Asia/Shanghai", "2026-06-30", datetime(2026, 6, 29, 16, tzinfo=UTC)),  # local midnight; -30 is no offset
        ("America/New_York", "2026-01-05", datetime(2026, 1, 5, 5, tzinfo=UTC)),
        ("Europe/Berlin", "2026-01-15 12:00:00", datetime(2026, 1, 15, 11, tzinfo=UTC)),
        ("Europe/Berlin", "2026-07-15 12:00:00", datetime(2026, 7, 15, 10, tzinfo=UTC)),
        ("Europe/Berlin", "2026-03-29 02:30:00", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),  # never was: 03:30 CEST
        ("Europe/Berlin", "2026-10-25 02:30:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # twice: the first
    ],
)
def test_times_become_one_instant(table: Table, zone: str, text: str, instant: datetime) -> None:
    assert one_by_one(table, "orders", "ordered_at", [text], zone) == [(instant, True)]


def test_absent_and_default(table: Table) -> None:
    entity = BY_NAME["order_lines"]
    (row,) = conformed(table, "order_lines", "UTC", {"order_id": "o", "line_id": "  ", "discount": ""})
    assert {c.name: row[has(c)] for c in needed(entity)} == {
        "source": True, "order_id": True, "line_id": False, "product_id": False, "quantity": False, "gross": False,
    }  # fmt: skip
    assert all(row[reads(c)] for c in typed(entity))
    assert (row["discount"], row["refunded"], row["unit_cost"]) == (Decimal(0), Decimal(0), None)
    assert (row["source"], row["_feed"], row["_landed"], row["_copies"]) == ("pos", "pos.till", date(2026, 6, 30), 1)
    (order,) = conformed(table, "orders", "UTC", {"order_id": "o"})
    assert (order["status"], order["currency"]) == ("completed", "CNY")
    assert set(flags(BY_NAME["orders"])) <= set(order)


def test_contact_columns_keep_the_hash_under_its_name(table: Table) -> None:
    (row,) = conformed(table, "customers", "UTC", {"source_customer_id": "1", "email": "k1:ab"})
    assert row["email_hash"] == "k1:ab"
    assert "email" not in row


def test_equal_headers_of_a_file_fold_and_others_stay(table: Table) -> None:
    raw = table(
        f"receipt STRING, store STRING, {META}",
        [
            {"receipt": "r", "store": "1", "_file": "a", "_row": 3, "_landed": "2026-06-30"},
            {"receipt": "r", "store": "1", "_file": "a", "_row": 2, "_landed": "2026-06-30"},
            {"receipt": "r", "store": "2", "_file": "a", "_row": 4, "_landed": "2026-06-30"},
            {"receipt": "r", "store": "1", "_file": "b", "_row": 2, "_landed": "2026-06-30"},
        ],
    )
    mapping = {"order_id": "receipt", "store_id": "store", "channel": "'store'"}
    orders = conform(raw, BY_NAME["orders"], mapping, source="p", feed="f", time_zone="UTC", currency="CNY")
    found = [(r["_file"], r["store_id"], r["_row"], r["_copies"]) for r in rows_of(fold_headers(orders))]
    assert sorted(found) == [("a", "1", 2, 2), ("a", "2", 4, 1), ("b", "1", 2, 1)]
