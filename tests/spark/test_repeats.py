"""Which rejected rows are the same as some that an earlier night set aside."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from expectations.repeats import FIRST_LANDED, with_first_landed
from jobs.definitions.canonical import BY_NAME
from tests.spark.conftest import Table, rows_of

FIRST, SECOND, THIRD = (date(2026, 6, day) for day in (28, 29, 30))
STORES = BY_NAME["stores"]
DDL = (
    "store_id STRING, name STRING, region STRING, city STRING, city_tier STRING, climate STRING, time_zone STRING,"
    " updated_at TIMESTAMP, _feed STRING, _file STRING, _row BIGINT, _landed DATE, _failed ARRAY<STRING>"
)
ROW: dict[str, Any] = {
    "store_id": "1", "city": "Wien", "_feed": "crm.stores", "_file": "stores", "_row": 1, "_failed": ["a", "b"],
}  # fmt: skip


def first(table: Table, tonight: list[dict[str, Any]], before: list[dict[str, Any]] | None) -> list[date]:
    """Since when each of tonight's rows has been set aside; rows are in an order of their own."""
    rows = table(DDL, [ROW | {"_landed": THIRD} | row | {"_row": place} for place, row in enumerate(tonight)])
    known = None if before is None else table(DDL, [ROW | {"_landed": SECOND} | row for row in before])
    found = sorted(rows_of(with_first_landed(rows, known, STORES)), key=lambda row: int(row["_row"]))
    assert [row["_row"] for row in found] == list(range(len(tonight)))
    return [row[FIRST_LANDED] for row in found]


def test_the_first_of_all_nights_that_set_an_equal_row_aside(table: Table) -> None:
    again, new = {"name": "again"}, {"name": "new"}
    before = [again | {"_landed": FIRST, "_row": 9}, again]
    assert first(table, [again, again, new], before) == [FIRST, FIRST, THIRD]
    assert first(table, [again, again | {"_landed": SECOND}, new], None) == [SECOND, SECOND, THIRD]


@pytest.mark.parametrize(
    ("change", "is_known"),
    [
        ({}, True),
        ({"_row": 7}, True),
        ({"_file": "other"}, True),
        ({"_failed": ["b", "a"]}, True),
        ({"_failed": ["a"]}, False),
        ({"_feed": "crm.shops"}, False),
        ({"city": None}, False),
        ({"city": None, "region": "Wien"}, False),
        ({"updated_at": datetime(2026, 6, 29, tzinfo=UTC)}, False),
        ({"store_id": "2"}, False),
    ],
)
def test_equal_is_what_says_the_same_and_fails_the_same(table: Table, change: dict[str, Any], is_known: bool) -> None:
    assert first(table, [{}], [change]) == [SECOND if is_known else THIRD]


def test_without_its_key_a_row_is_known_in_its_own_file_alone(table: Table) -> None:
    nameless: dict[str, Any] = {"store_id": None}
    assert first(table, [nameless, nameless | {"_file": "other"}], [nameless]) == [SECOND, THIRD]


def test_rows_of_a_version_without_a_column_said_nothing_in_it(table: Table) -> None:
    rows = table(DDL, [ROW | {"_landed": THIRD}, ROW | {"_landed": THIRD, "climate": "mild", "_row": 2}])
    before = table(DDL, [ROW | {"_landed": SECOND}]).drop("climate")
    found = {row["climate"]: row[FIRST_LANDED] for row in rows_of(with_first_landed(rows, before, STORES))}
    assert found == {None: SECOND, "mild": THIRD}
