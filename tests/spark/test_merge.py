"""One survivor per key, whatever the order; business dates in the store's own zone."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from typing import Any

import pytest

from jobs.definitions.canonical import BY_NAME
from jobs.transforms.merge import (
    BusinessDay,
    agreement,
    changed_only,
    classified,
    counts,
    dated,
    has_doubles,
    merged,
    with_content,
)
from tests.spark.conftest import Table, rows_of

ORDERS = BY_NAME["orders"]
DDL = (
    "source STRING, order_id STRING, status STRING, updated_at TIMESTAMP, _feed STRING, _file STRING, _row BIGINT,"
    " _landed DATE, _copies BIGINT"
)


def at(hour: int) -> datetime:
    return datetime(2026, 6, 30, hour, tzinfo=UTC)


def row(order: str, status: str, hour: int | None, file: str = "a", line: int = 1, copies: int = 1) -> dict[str, Any]:
    updated = None if hour is None else at(hour)
    return {
        "source": "p", "order_id": order, "status": status, "updated_at": updated, "_feed": "p.f", "_file": file,
        "_row": line, "_landed": date(2026, 6, 30), "_copies": copies,
    }  # fmt: skip


KNOWN = [
    row("same", "completed", 5),
    row("said anew", "completed", 5),
    row("restated", "completed", 5),
    row("stale", "void", 9),
    row("silent", "completed", None),
    row("untouched", "completed", 1),
]
TONIGHT = [
    row("new", "completed", 6),
    row("same", "completed", 5, "b"),
    row("said anew", "completed", 7),
    row("restated", "cancelled", 7),
    row("stale", "completed", 8),
    row("silent", "void", 7),
    row("twice", "completed", 6, "a"),
    row("twice", "cancelled", 7, "b", copies=3),
    row("again", "completed", 6, "a"),
    row("again", "completed", 6, "b", copies=2),
]
CHANGES = {
    ("new", "completed", "inserted"),
    ("same", "completed", "unchanged"),
    ("said anew", "completed", "superseding"),  # what comes dated in between must not win later
    ("restated", "cancelled", "superseding"),
    ("stale", "completed", "duplicate"),  # older than what is known
    ("silent", "void", "superseding"),  # a row that does not say when is as old as can be
    ("twice", "completed", "duplicate"),
    ("twice", "cancelled", "inserted"),  # the newer one
    ("again", "completed", "inserted"),
    ("again", "completed", "duplicate"),
}


def test_every_row_says_what_it_does(table: Table) -> None:
    known = with_content(table(DDL, KNOWN)).drop("_copies")
    found = classified(with_content(table(DDL, TONIGHT)), known, ORDERS)
    assert {(r["order_id"], r["status"], r["_change"]) for r in rows_of(found)} == CHANGES
    assert {r["_change"]: r["rows"] for r in rows_of(counts(found))} == {
        "inserted": 5, "superseding": 3, "unchanged": 1, "duplicate": 4,
    }  # fmt: skip
    after = rows_of(merged(known, changed_only(found), ORDERS), "order_id")
    assert [(r["order_id"], r["status"]) for r in after] == [
        ("again", "completed"), ("new", "completed"), ("restated", "cancelled"), ("said anew", "completed"),
        ("same", "completed"),
        ("silent", "void"), ("stale", "void"), ("twice", "cancelled"), ("untouched", "completed"),
    ]  # fmt: skip


def test_doubles_are_noticed(table: Table) -> None:
    assert has_doubles(table(DDL, TONIGHT), ORDERS)
    assert not has_doubles(table(DDL, KNOWN), ORDERS)
    assert not has_doubles(table(DDL, []), ORDERS)


@pytest.mark.parametrize(
    ("rivals", "of_rows", "of_lines"),
    [
        ([("void", None, "a"), ("completed", None, "a")], 1, 1),
        ([("void", 6, "a"), ("completed", 6, "a")], 1, 1),
        ([("void", 6, "a"), ("completed", 7, "a")], 0, 1),  # changed an hour later; or two lines of two minutes
        ([("void", 6, "a"), ("completed", 7, "a"), ("cancelled", 7, "a")], 1, 1),
        ([("void", 6, "a"), ("void", 7, "a"), ("void", 6, "a")], 0, 0),  # say the same
        ([("void", 6, "a"), ("completed", 6, "b")], 0, 0),  # of two files
    ],
)
def test_keys_of_which_one_file_says_different_things_are_counted(
    table: Table, rivals: list[tuple[str, int | None, str]], of_rows: int, of_lines: int
) -> None:
    told = [row("o", status, hour, file, line) for line, (status, hour, file) in enumerate(rivals)]
    rows = with_content(table(DDL, [*told, row("alone", "void", 6), row("alike", "void", 6), row("alike", "void", 6)]))
    for by_lines, found in ([], of_rows), (["p.f"], of_lines), (["p.other"], of_rows):
        assert rows_of(agreement(rows, ORDERS, by_lines)) == [{"checked": 3, "found": found}]


def test_two_nights_may_say_different_things(table: Table) -> None:
    told = [row("o", "void", 6), row("o", "completed", 6) | {"_landed": date(2026, 6, 29)}]
    rows = with_content(table(DDL, told))
    assert rows_of(agreement(rows, ORDERS, ["p.f"])) == [{"checked": 1, "found": 0}]
    assert rows_of(agreement(rows.limit(0), ORDERS, [])) == [{"checked": 0, "found": 0}]


@pytest.mark.parametrize("seed", range(4))
def test_the_survivor_depends_on_neither_order_nor_file(table: Table, seed: int) -> None:
    order = random.Random(seed)
    names = ["f1", "f2", "f3"]
    order.shuffle(names)
    rivals = [row("o", status, 6, file, order.randrange(9)) for status, file in zip("xyz", names, strict=True)]
    order.shuffle(rivals)
    empty = with_content(table(DDL, []))
    found = changed_only(classified(with_content(table(DDL, rivals)), empty, ORDERS))
    survivors = [r["status"] for r in rows_of(found)]
    again = changed_only(classified(with_content(table(DDL, [row("o", s, 6) for s in "zyx"])), empty, ORDERS))
    assert survivors == [r["status"] for r in rows_of(again)]
    assert len(survivors) == 1


@pytest.mark.parametrize(
    ("store", "instant", "day", "minutes"),
    [
        ("shanghai", "2026-06-30T17:59:59", date(2026, 6, 30), 119),  # 01:59:59 of the next calendar day
        ("shanghai", "2026-06-30T18:00:00", date(2026, 7, 1), 120),
        ("shanghai", "2026-06-30T16:00:00", date(2026, 6, 30), 0),
        ("new_york", "2026-07-01T05:59:59", date(2026, 6, 30), 119),
        ("new_york", "2026-07-01T06:00:00", date(2026, 7, 1), 120),
        ("new_york", "2026-03-08T06:30:00", date(2026, 3, 7), 90),  # 01:30 EST, before the gap
        ("new_york", "2026-03-08T07:30:00", date(2026, 3, 8), 210),  # 03:30 EDT, behind it
        ("new_york", "2026-11-01T05:30:00", date(2026, 10, 31), 90),  # 01:30 EDT
        ("new_york", "2026-11-01T06:30:00", date(2026, 10, 31), 90),  # 01:30 EST
        ("says_nothing", "2026-06-30T18:00:00", date(2026, 7, 1), 120),
        ("unknown", "2026-06-30T18:00:00", date(2026, 7, 1), 120),
    ],
)
def test_business_dates(table: Table, store: str, instant: str, day: date, minutes: int) -> None:
    zones = {"shanghai": "Asia/Shanghai", "new_york": "America/New_York", "says_nothing": None}
    stores = table("store_id STRING, time_zone STRING", [{"store_id": s, "time_zone": z} for s, z in zones.items()])
    ordered = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    orders = table("store_id STRING, ordered_at TIMESTAMP", [{"store_id": store, "ordered_at": ordered}])
    (found,) = rows_of(dated(orders, stores, BusinessDay("Asia/Shanghai", 120)))
    assert (found["business_date"], found["local_minutes"]) == (day, minutes)
