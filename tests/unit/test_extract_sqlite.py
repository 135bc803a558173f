"""SQLite, whose types are only a hint, read as text."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import ContractError, EnvironmentFault, UsageError
from jobs.extract.feed import FeedState, Landing, Window
from jobs.extract.feeds import extract
from jobs.extract.keys import Keys
from jobs.source_settings import Feed, Source

KEYS = Keys.from_master("k1", "0123456789abcdef")
WINDOW = Window(date(2024, 3, 10), datetime(2024, 3, 11, tzinfo=UTC))


def read(location: str, **feed: Any) -> tuple[list[dict[str, Any]], Landing]:
    settings = Feed(**feed)
    source = Source(kind="sql", location=location, feeds={"f": settings})
    extraction = extract("shop", source, "f", settings, FeedState(), WINDOW, KEYS, "US")
    rows = [row for part in extraction if part.raw is not None for row in part.raw.to_pylist()]
    assert extraction.landing is not None
    return rows, extraction.landing


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER, amount REAL, note TEXT, changed TEXT)")
        connection.executemany(
            "INSERT INTO orders VALUES (?, ?, ?, ?)",
            [
                (1, 0.1, "a", "2024-03-10T10:00:00Z"),
                ("twelve", 1e300, b"\xff", "2024-03-10 11:00:00"),
                (2**62, None, "", "2024-03-10T12:00:00.5Z"),
                (4, 1, "late", "2024-03-11T00:00:00Z"),
                (5, 1, "late", "2024-03-11T00:00:00.5Z"),
                (6, 1, "undated", None),
            ],
        )
    connection.close()
    return path


COLUMNS = {"id": "BIGINT", "amount": "DECIMAL(10,2)", "changed": "TIMESTAMP"}


@pytest.mark.parametrize("form", ["{}", "sqlite:///{}", "sqlite+pysqlite:///{}"])
def test_values_land_as_text(database: Path, form: str) -> None:
    rows, landing = read(form.format(database), table="orders", columns=COLUMNS)
    assert [row["id"] for row in rows] == ["1", "twelve", str(2**62), "4", "5", "6"]
    assert [row["amount"] for row in rows][:3] == ["0.1", "1e+300", None]
    assert [row["note"] for row in rows][:3] == ["a", "\ufffd", None]
    assert (rows[1]["_file"], rows[1]["_row"]) == ("orders", 2)
    assert landing.columns == ["id", "amount", "note", "changed"]
    assert landing.source_version.startswith("sqlite")
    assert landing.content_hash == read(form.format(database), table="orders")[1].content_hash


def test_cursor(database: Path) -> None:
    feed: dict[str, Any] = {"table": "orders", "overlap_seconds": 0}
    rows, landing = read_with_cursor(database, None, **feed)
    assert sorted(row["id"] for row in rows) == sorted(["1", "twelve", str(2**62), "6"])
    assert landing.cursor_to == "2024-03-10T12:00:00.500000Z"
    rows, again = read_with_cursor(database, landing.cursor_to, **feed)
    assert sorted(row["id"] for row in rows) == sorted([str(2**62), "6"])
    assert (again.cursor_from, again.cursor_to) == (landing.cursor_to, landing.cursor_to)
    rows, _ = read_with_cursor(database, landing.cursor_to, table="orders", overlap_seconds=3601)
    assert sorted(row["id"] for row in rows) == sorted(["twelve", str(2**62), "6"])


def read_with_cursor(database: Path, cursor: str | None, **feed: Any) -> tuple[list[dict[str, Any]], Landing]:
    settings = Feed(cursor="changed", **feed)
    source = Source(kind="sql", location=str(database), feeds={"f": settings})
    extraction = extract("shop", source, "f", settings, FeedState(cursor=cursor), WINDOW, KEYS, "US")
    rows = [row for part in extraction if part.raw is not None for row in part.raw.to_pylist()]
    assert extraction.landing is not None
    return rows, extraction.landing


def test_a_cursor_that_is_no_instant(database: Path) -> None:
    settings = Feed(cursor="note", table="orders")
    source = Source(kind="sql", location=str(database), feeds={"f": settings})
    with pytest.raises(ContractError, match="cursor column note of orders"):
        list(extract("shop", source, "f", settings, FeedState(), WINDOW, KEYS, "US"))


def test_missing_things_are_named(database: Path, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="column total is not in orders"):
        read(str(database), table="orders", columns={"total": "INT"})
    with pytest.raises(ContractError, match="receipts"):
        read(str(database), table="receipts")
    with pytest.raises(EnvironmentFault, match=r"absent\.db"):
        read(str(tmp_path / "absent.db"), table="orders")
    (tmp_path / "text.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(ContractError, match="damaged"):
        read(str(tmp_path / "text.db"), table="orders")
    with pytest.raises(UsageError, match="either table or query"):
        read(str(database))


def test_query(database: Path) -> None:
    rows, landing = read(str(database), query="SELECT id AS no FROM orders WHERE id = 1;")
    assert [(row["no"], row["_file"]) for row in rows] == [("1", "query:f")]
    assert landing.columns == ["no"]


def test_an_empty_table_has_columns(database: Path) -> None:
    rows, landing = read(str(database), query="SELECT id, note FROM orders WHERE id = 77")
    assert (rows, landing.rows, landing.columns) == ([], 0, ["id", "note"])


def test_version_changes_with_the_file(database: Path) -> None:
    before = read(str(database), table="orders")[1].source_version
    with sqlite3.connect(database) as connection:
        connection.execute("DELETE FROM orders WHERE id = 6")
    connection.close()
    assert read(str(database), table="orders")[1].source_version != before
