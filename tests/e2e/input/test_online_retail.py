"""The columns of UCI Online Retail, by the configuration of the how-to alone: cancellations and sales reconcile."""

from __future__ import annotations

import csv
import random
import re
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from jobs.storage.night import Night
from tests.support import ROOT, Business, Site, differences

HOW_TO = ROOT / "docs" / "how-to" / "online-retail.md"
DAYS = (date(2010, 12, 1), date(2010, 12, 2), date(2010, 12, 3))
FILES = Path(__file__).with_name("online_retail")
#: after each night, by hand: refund -> (sale, pieces, amount) of its parts, or the rule by which it waits
KNOWN, AT_MOST = "refunds.sale.known", "refunds.amount.at_most_sale"
FIRST: dict[tuple[str, str], Any] = {
    ("C536379", "D"): KNOWN,  # a discount, which nobody sold
    ("C536383", "35004C"): KNOWN,  # sold before the set begins
}
SECOND = FIRST | {
    ("C536610", "85123A"): {("536365", "6", "15.30")},  # a whole line
    ("C536611", "22633"): {("536366", "2", "3.70")},  # part of a line
    ("C537002", "22632"): {("536372", "6", "11.10")},  # with the next: a whole order
    ("C537002", "22086"): {("536372", "2", "5.90")},
    ("C537003", "22727"): {("536370", "4", "15.00")},  # two of one line
    ("C537004", "22727"): {("536370", "5", "18.75")},
    ("C537004", "22728"): {("536370", "2", "6.00")},  # at another price
    ("C537005", "POST"): AT_MOST,  # four, and three were sold
    ("C537006", "22961"): {("537001", "10", "14.50"), ("536380", "20", "29.00")},  # not 537007, a minute later
    ("C537008", "22086"): KNOWN,  # its sale comes a night later
    ("C537009", "AMAZONFEE"): KNOWN,  # nobody's
}
THIRD = SECOND | {
    ("C537008", "22086"): {("536999", "12", "30.60")},
    ("C538001", "71053"): {("536365", "6", "20.34")},
    ("C538002", "85123a"): AT_MOST,
}
EXPECTED = dict(zip(DAYS, (FIRST, SECOND, THIRD), strict=True))

#: after each night, by hand: customer -> net revenue by business date
REVENUE: dict[date, dict[str, dict[date, str]]] = {
    DAYS[0]: {
        "17850": {DAYS[0]: "119.77"},  # 15.30 + 20.34 + 22.00, 11.10, 25.50 + 25.53
        "12583": {DAYS[0]: "234.00"},  # 90.00 + 90.00 + 54.00
        "17809": {DAYS[0]: "51.80"},  # 11.10 + 5.90, 34.80
        "14606": {DAYS[0]: "0.38"},
    },
    DAYS[1]: {
        "17850": {DAYS[0]: "100.77"},  # 119.77 - 15.30 - 3.70
        "12583": {DAYS[0]: "194.25"},  # 234.00 - 15.00 - 18.75 - 6.00
        "17809": {DAYS[0]: "5.80", DAYS[1]: "43.50"},  # 34.80 - 29.00; 537001 is paid back whole
        "14606": {DAYS[0]: "0.38"},
    },
    DAYS[2]: {
        "17850": {DAYS[0]: "80.43", DAYS[2]: "6.78"},  # 100.77 - 20.34
        "12583": {DAYS[0]: "194.25"},
        "17809": {DAYS[0]: "5.80", DAYS[1]: "43.50"},
        "14606": {DAYS[0]: "0.38"},
        "16029": {DAYS[1]: "173.40"},  # 204.00 - 30.60
        "15311": {DAYS[2]: "9.90"},
    },
}
#: orders by customer after the last night: what was paid back whole is none
ORDERS = {"17850": 4, "12583": 1, "17809": 2, "14606": 1, "16029": 1, "15311": 1}
GUESTS = {DAYS[0]: 57228, DAYS[1]: 58728, DAYS[2]: 58728}  # cents: 2.51 + 569.77; 15.00


def written(folder: Path, order: random.Random | None = None) -> Path:
    """A folder with the shop's files, their lines perhaps in another order, and its settings."""
    for path in sorted(FILES.iterdir()):
        header, *lines = path.read_bytes().splitlines(keepends=True)
        if order:
            order.shuffle(lines)
        (folder / path.name).write_bytes(b"".join([header, *lines]))
    (folder / "regulars.toml").write_text(configuration())
    return folder


def configuration() -> str:
    """The one that the how-to shows."""
    (found,) = re.findall(r"```toml\n(.*?)```", HOW_TO.read_text("utf-8"), re.DOTALL)
    return str(found)


def site(folder: Path) -> Site:
    business = replace(Business(folder, "127.0.0.1:1"), nights=DAYS)
    variables = {
        "REGULARS_CONFIG": str(folder / "regulars.toml"),
        "ONLINE_RETAIL": str(folder),
        "REGULARS_THRESHOLDS__MIN_ROWS_FOR_SHARE": "200",  # as it is where nobody says otherwise
    }
    return Site(business, folder / "warehouse", variables)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Three nights."""
    made = site(written(tmp_path_factory.mktemp("shop")))
    for day in DAYS:
        made.night(day)
    return made


def night(shop: Site, day: date) -> Night:
    found = shop.warehouse.latest(day)
    assert found is not None
    return found


def rows(folder: Path) -> list[dict[str, Any]]:
    return [row for part in sorted(folder.rglob("*.parquet")) for row in pq.ParquetFile(part).read().to_pylist()]


def clean(shop: Site, day: date, table: str) -> list[dict[str, Any]]:
    return rows(night(shop, day).path / "clean" / table)


def quarantine(shop: Site, day: date, table: str) -> list[dict[str, Any]]:
    return rows(night(shop, day).path / "quarantine" / table)


def source_lines(until: date) -> dict[tuple[str, int], dict[str, str]]:
    """(file, line) -> row of everything that came until a night, by the standard library."""
    found = {}
    for day in DAYS[: DAYS.index(until) + 1]:
        path = FILES / f"online_retail_{day}.csv"
        with path.open(encoding="latin-1", newline="") as stream:
            found |= {(path.name, number): row for number, row in enumerate(csv.DictReader(stream), start=2)}
    return found


def refunds_of(shop: Site, day: date) -> dict[tuple[str, str], Any]:
    """Refund and product -> its parts, or the rule by which it waits."""
    products = {(row["refund_id"], row["line_id"]): row["product_id"] for row in clean(shop, day, "refunds")}
    found: dict[tuple[str, str], Any] = {}
    for row in clean(shop, day, "refund_matches"):
        key = (row["refund_id"], products[row["refund_id"], row["refund_line_id"]])
        part = (row["order_id"], str(row["quantity"].normalize().quantize(Decimal(1))), str(row["amount"]))
        found.setdefault(key, set()).add(part)
    for row in quarantine(shop, day, "held.refunds"):
        assert (row["refund_id"], row["product_id"]) not in found, "matched and waiting"
        (found[row["refund_id"], row["product_id"]],) = row["_failed"]
    return found


@pytest.mark.parametrize("day", DAYS)
def test_every_cancellation_has_its_sale_or_waits_by_name(shop: Site, day: date) -> None:
    assert refunds_of(shop, day) == EXPECTED[day]
    dates = {row["order_id"]: row["business_date"] for row in clean(shop, day, "orders")}
    assert all(row["business_date"] == dates[row["order_id"]] for row in clean(shop, day, "refund_matches"))
    how = {row["refund_id"] for row in clean(shop, day, "refund_matches") if row["matched_by"] == "other_price"}
    assert how == ({"C537004"} if day > DAYS[0] else set())


@pytest.mark.parametrize("day", DAYS)
def test_every_line_of_every_file_is_accounted_for(shop: Site, day: date) -> None:
    places = Counter[tuple[str, int]]()
    for table in ("order_lines", "refunds"):
        places.update((row["_file"], row["_row"]) for row in clean(shop, day, table))
        places.update((row["_file"], row["_row"]) for row in quarantine(shop, day, table))
    lines = source_lines(day)
    adjustments = {place for place, row in lines.items() if row["InvoiceNo"].startswith("A")}
    assert places == Counter(lines.keys() - adjustments)
    reasons = {
        (row["order_id"], row["product_id"]): set(row["_failed"]) for row in quarantine(shop, day, "order_lines")
    }
    moved = {"order_lines.quantity.in_range"}
    unreadable = {"order_lines.quantity.readable", "order_lines.gross.present"}
    until = {DAYS[0]: 1, DAYS[1]: 2, DAYS[2]: 3}[day]
    wanted = {("536589", "21777"): moved, ("537010", "21777"): moved, ("538005", "23843"): unreadable}
    assert reasons == dict(list(wanted.items())[:until])


@pytest.mark.parametrize("day", DAYS)
def test_the_account_of_the_night_explains_every_row(shop: Site, day: date) -> None:
    accounts = night(shop, day).manifest()["steps"]["conservation"]
    came = [row for (file, _), row in source_lines(day).items() if str(day) in file]
    kinds = Counter(row["InvoiceNo"][0] for row in came)
    for name, account in accounts.items():
        assert account["unexplained"] == 0, name
        assert account["extracted"] == len(came), name
    lines, refunds = accounts["shop.sales order_lines"], accounts["shop.cancellations refunds"]
    assert lines["excluded"] == kinds["C"] + kinds["A"]
    assert refunds["excluded"] == len(came) - kinds["C"]
    waiting = {refund for refund, said in EXPECTED[day].items() if isinstance(said, str)}
    tonight = {(row["InvoiceNo"], row["StockCode"]) for row in came if row["InvoiceNo"].startswith("C")}
    assert refunds["held"] == len(waiting & tonight)
    assert refunds["inserted"] == kinds["C"] - refunds["held"]


@pytest.mark.parametrize("day", DAYS)
def test_revenue_is_sales_less_what_was_paid_back(shop: Site, day: date) -> None:
    money = night(shop, day).manifest()["steps"]["features"]["net_revenue_cents"]
    back = sum(Decimal(part[2]) for said in EXPECTED[day].values() if not isinstance(said, str) for part in said)
    assert money["matched_refunds"] == back * 100
    assert money["clean_lines"] == sold(shop.business.folder, day) - back * 100
    assert money["completed"] == money["clean_lines"], "what is paid back whole has nothing left"
    assert money["guests"] == GUESTS[day]
    assert money["customer_days"] == money["profiled"] == money["completed"] - money["guests"]


def sold(folder: Path, day: date) -> int:
    """Cents of all invoices until a night, by DuckDB over the files."""
    files = [f"{folder}/online_retail_{one}.csv" for one in DAYS if one <= day]
    statement = """
        SELECT sum(round(Quantity::DECIMAL(18,4) * UnitPrice::DECIMAL(18,6), 2) * 100)::BIGINT
        FROM read_csv(?, all_varchar = true, encoding = 'latin-1', header = true)
        WHERE InvoiceNo SIMILAR TO '[0-9]+' AND TRY_CAST(Quantity AS DECIMAL(18,4)) > 0"""
    with duckdb.connect() as connection:
        connection.execute("SET autoinstall_known_extensions = false")
        (found,) = connection.execute(statement, [files]).fetchall()
    return int(found[0])


@pytest.mark.parametrize("day", DAYS)
def test_customer_days_are_restated_on_the_day_of_the_sale(shop: Site, day: date) -> None:
    published = night(shop, day).path / "published"
    names = {
        row["customer_id"]: row["source_customer_id"] for row in rows(published / "restricted" / "customer_crosswalk")
    }
    revenue: dict[str, dict[date, Decimal]] = {}
    orders = Counter[str]()
    for row in rows(published / "customer_days"):
        days = revenue.setdefault(names[row["customer_id"]], {})
        days[row["business_date"]] = days.get(row["business_date"], Decimal(0)) + row["net_revenue"]
        orders[names[row["customer_id"]]] += row["orders"]
    wanted = {who: {on: Decimal(amount) for on, amount in days.items()} for who, days in REVENUE[day].items()}
    assert revenue == wanted
    assert day != DAYS[-1] or orders == ORDERS


def test_products_keep_their_codes_and_get_the_name_that_they_were_last_sold_under(shop: Site) -> None:
    products = {row["product_id"]: row["name"] for row in rows(shop.published.resolve() / "dim_product")}
    assert products["85123A"] == products["85123a"] == "WHITE HANGING HEART T-LIGHT HOLDER"
    assert products["71053"] == "WHITE METAL LANTERN BOXED"
    assert products["gift_0001_30"] == "Dotcomgiftshop Gift Voucher £30.00"
    assert products["84406B"] == "CREAM CUPID HEARTS, COAT HANGER"
    assert {"POST", "DOT", "M", "BANK CHARGES"} <= products.keys()
    assert not {"D", "B", "AMAZONFEE", "21777"} & products.keys()
    (store,) = rows(shop.published.resolve() / "dim_store")
    assert (store["store_id"], store["is_inferred"]) == ("online", True)


def test_what_waits_is_said_in_data_quality(shop: Site) -> None:
    for day in DAYS:
        waits = Counter(said for said in EXPECTED[day].values() if isinstance(said, str))
        told = {row["rule_id"]: row for row in rows(night(shop, day).path / "published" / "data_quality")}
        for rule in (KNOWN, AT_MOST):
            assert told[rule]["rows_failed"] == waits[rule], (day, rule)
            assert told[rule]["action"] == ("held" if waits[rule] else "none")
            assert told[rule]["rows_checked"] == len(EXPECTED[day])


def test_an_invoice_of_two_minutes_is_told_and_is_of_the_later_one(shop: Site) -> None:
    """536372 has a line of 9:01 and one of 9:02; ten, four and four invoices come."""
    for day, counted in zip(DAYS, ((10, 1, "reported"), (4, 0, "none"), (4, 0, "none")), strict=True):
        told = {row["rule_id"]: row for row in rows(night(shop, day).path / "published" / "data_quality")}
        rule = told["orders.header_agrees"]
        assert (rule["rows_checked"], rule["rows_failed"], rule["action"]) == counted
        assert (rule["severity"], rule["rule"]) == ("info", "All lines of an order say the same of the order.")
    (invoice,) = [row for row in clean(shop, DAYS[0], "orders") if row["order_id"] == "536372"]
    assert f"{invoice['ordered_at']:%H:%M}" == "09:02"
    account = night(shop, DAYS[0]).manifest()["steps"]["conservation"]["shop.sales orders"]
    assert account["duplicate"] == 1
    page = night(shop, DAYS[0]).report.read_text("utf-8")
    assert "All lines of an order say the same of the order.<code" in page


def test_a_full_rebuild_comes_to_the_same(shop: Site, tmp_path: Path) -> None:
    again = shop.copy(tmp_path / "warehouse")
    again.night(DAYS[-1], "--full")
    assert not differences(shop.published.resolve(), again.published.resolve())
    assert refunds_of(again, DAYS[-1]) == THIRD
    accounts = night(again, DAYS[-1]).manifest()["steps"]["conservation"]
    assert not [name for name, account in accounts.items() if account["unexplained"]]
    assert accounts["shop.cancellations refunds"]["held"] == sum(isinstance(said, str) for said in THIRD.values())


def test_the_order_of_lines_changes_nothing(shop: Site, tmp_path_factory: pytest.TempPathFactory) -> None:
    shuffled = site(written(tmp_path_factory.mktemp("shuffled"), random.Random(3)))
    for day in DAYS:
        shuffled.night(day)
        assert refunds_of(shuffled, day) == EXPECTED[day]
        one, other = (night(each, day).path / "published" for each in (shop, shuffled))
        assert not differences(one, other)
