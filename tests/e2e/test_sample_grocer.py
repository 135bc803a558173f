"""The whole example grocer against the package's own data (about 12 seconds)."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from jobs.sample.grocer import data_folder, lay_out


@pytest.fixture(scope="module")
def grocer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(tmp_path_factory.mktemp("grocer"))


@pytest.fixture(scope="module")
def data(grocer: Path) -> duckdb.DuckDBPyConnection:
    """``bought`` is the package's own table, ``pos`` what the receipts say."""
    connection = duckdb.connect()
    connection.execute(f"CREATE VIEW bought AS SELECT * FROM read_parquet('{data_folder()}/transactions.parquet')")
    connection.execute(
        "CREATE TABLE pos AS SELECT receipt_no::BIGINT AS basket_id, * FROM"
        f" read_csv('{grocer}/pos/receipts_*', header = true, all_varchar = true, filename = true)"
    )
    return connection


@pytest.fixture(scope="module")
def orders(grocer: Path) -> list[dict[str, Any]]:
    documents = rows(grocer / "online.sqlite", "SELECT document FROM orders")
    return [json.loads(document, parse_float=Decimal) for (document,) in documents]


def rows(database: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(statement).fetchall()


def one(data: duckdb.DuckDBPyConnection, statement: str) -> Any:
    return data.execute(statement).fetchall()[0]


def test_net_revenue_of_both_systems_is_the_data_to_the_cent(
    data: duckdb.DuckDBPyConnection, orders: list[dict[str, Any]]
) -> None:
    (at_tills,) = one(
        data,
        "SELECT sum(gross::DECIMAL(12,2) - discount::DECIMAL(12,2) - coupon_discount::DECIMAL(12,2)) FROM pos",
    )
    online = sum(
        line["gross"] - line["discount"] - line["coupon_discount"] for order in orders for line in order["lines"]
    )
    assert at_tills + online == one(data, "SELECT sum(sales_value::DECIMAL(12,2)) FROM bought")[0]
    assert at_tills + online == Decimal("4596039.58")


def test_every_basket_is_in_one_system_and_every_line_once(
    data: duckdb.DuckDBPyConnection, orders: list[dict[str, Any]]
) -> None:
    at_tills = {key for (key,) in data.execute("SELECT DISTINCT basket_id FROM pos").fetchall()}
    online = [int(order["order_id"][1:]) for order in orders]
    bought = {key for (key,) in data.execute("SELECT DISTINCT basket_id FROM bought").fetchall()}
    assert len(online) == len(set(online))
    assert at_tills.isdisjoint(online)
    assert at_tills.union(online) == bought
    lines, keys = one(data, "SELECT count(*), count(DISTINCT (basket_id, line_no)) FROM pos")
    assert lines == keys
    assert lines + sum(len(order["lines"]) for order in orders) == 1_469_307


def test_receipts_hold_what_was_bought(data: duckdb.DuckDBPyConnection) -> None:
    wrong = """
        SELECT count(*) FROM pos JOIN bought AS b
            ON pos.basket_id = b.basket_id AND pos.product_id::BIGINT = b.product_id
        WHERE pos.quantity::BIGINT = b.quantity AND pos.store_id::BIGINT = b.store_id
            AND pos.discount::DECIMAL(12,2) = b.retail_disc::DECIMAL(12,2)
            AND pos.manufacturer_coupon::DECIMAL(12,2) = b.coupon_disc::DECIMAL(12,2)
            AND replace(replace(pos.sold_at, 'T', ' '), 'Z', '')::TIMESTAMP = b.transaction_timestamp
    """
    assert one(data, wrong) == one(data, "SELECT count(*) FROM pos")
    money = "'[0-9]+[.][0-9]{2}'"
    assert one(
        data,
        f"SELECT count(*) FROM pos WHERE NOT (regexp_full_match(gross, {money})"
        f" AND regexp_full_match(discount, {money}) AND regexp_full_match(coupon_discount, {money}))",
    ) == (0,)


def test_files_are_months_then_one_bundle_then_stores_and_days(data: duckdb.DuckDBPyConnection) -> None:
    # New York is five hours behind in winter, so this is the local calendar of the last days
    late = data.execute(
        "SELECT DISTINCT filename, store_id,"
        " (replace(replace(sold_at, 'T', ' '), 'Z', '')::TIMESTAMP - INTERVAL 5 HOUR)::DATE::TEXT"
        " FROM pos WHERE sold_at >= '2017-12-28T05'"
    ).fetchall()
    assert {day for _, _, day in late} == {f"2017-12-{day}" for day in (28, 29, 30, 31)}
    assert all(Path(name).name == f"receipts_{store}_{day}.csv" for name, store, day in late)
    bundles = data.execute("SELECT DISTINCT filename FROM pos WHERE sold_at < '2017-12-28T05'").fetchall()
    assert sorted(Path(name).name for (name,) in bundles) == [
        *(f"receipts_2017-{month:02d}.csv.gz" for month in range(1, 12)),
        "receipts_2017-12-27.csv.gz",
    ]


def test_all_households_are_seen_buying_and_cards_are_members(
    data: duckdb.DuckDBPyConnection, grocer: Path, orders: list[dict[str, Any]]
) -> None:
    members = dict(rows(grocer / "crm.sqlite", "SELECT card_number, member_id FROM members"))
    accounts = {key for (key,) in rows(grocer / "online.sqlite", "SELECT id FROM accounts")}
    shown = {card for (card,) in data.execute("SELECT DISTINCT card_number FROM pos").fetchall() if card}
    assert shown <= set(members)
    assert {order["account_id"] for order in orders} <= accounts
    buyers = {members[card] for card in shown} | {int(order["account_id"][-4:]) for order in orders}
    assert len(buyers) == 2_469
    guests, receipts = one(
        data,
        "SELECT count(DISTINCT basket_id) FILTER (card_number IS NULL), count(DISTINCT basket_id) FROM pos",
    )
    assert 0.05 < guests / receipts < 0.07
    assert 2_469 - len(members) == 74
    assert 550 < len(accounts) < 750


def test_the_crm_database_is_whole(grocer: Path) -> None:
    database = grocer / "crm.sqlite"
    counts = {
        table: rows(database, f"SELECT count(*) FROM {table}")[0][0]
        for table in ("campaigns", "campaign_members", "coupons", "redemptions", "products", "stores")
    }
    assert counts == {
        "campaigns": 27,
        "campaign_members": 6_589,
        "coupons": 111_332,
        "redemptions": 2_102,
        "products": 92_331,
        "stores": 457,
    }
    distinct = "SELECT count(*) FROM (SELECT DISTINCT coupon_id, member_id, redeemed_at FROM redemptions)"
    assert rows(database, distinct) == [(2_102,)]
    assert rows(database, "SELECT count(*) FROM members WHERE age_band IS NOT NULL") == [(801,)]
    recent = rows(database, "SELECT count(*) FROM members WHERE updated_at >= '2017-12-28T05:00:00Z'")[0][0]
    assert 20 < recent < 100
    instants = rows(database, "SELECT registered_at, updated_at FROM members")
    form = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
    assert all(form.fullmatch(a) and form.fullmatch(b) and a <= b for a, b in instants)
    for table in ("campaign_members", "redemptions", "feedback"):
        strangers = f"SELECT count(*) FROM {table} WHERE member_id NOT IN (SELECT member_id FROM members)"
        assert rows(database, strangers) == [(0,)]


def test_feedback_is_about_orders_of_the_one_who_gave_it(
    data: duckdb.DuckDBPyConnection, grocer: Path, orders: list[dict[str, Any]]
) -> None:
    notes = rows(grocer / "crm.sqlite", "SELECT order_id, member_id FROM feedback")
    assert 200 < len(notes) < 1_000
    bought = dict(data.execute("SELECT DISTINCT basket_id, household_id FROM bought").fetchall())
    assert all(bought[int(order.removeprefix("W"))] == member for order, member in notes)
    online = {order["order_id"] for order in orders}
    assert all(order in online for order, _ in notes if order.startswith("W"))


def test_a_second_layout_is_the_same_bytes(grocer: Path, tmp_path: Path) -> None:
    def digests(folder: Path) -> dict[str, str]:
        files = (path for path in folder.rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    assert digests(lay_out(tmp_path)) == digests(grocer)
