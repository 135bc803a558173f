"""Every row is somewhere, every cent ties to the source, and order and delivery change nothing."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import CONTESTED, NIGHTS, Chain, differing, read_lines, receipts, unlocked, write_lines

CRM = (
    "members", "campaigns", "campaign_members", "coupons", "redemptions", "products", "stores", "feedback",
    "web_sessions", "social_events", "survey_answers", "customer_attributes",
)  # fmt: skip
WHOLE = ("campaign_members", "coupons")  # have no date of change
API_OVERLAP = timedelta(seconds=300)
AMOUNTS = ("discount", "coupon_discount", "refunded")


def ends(day: date) -> datetime:
    """02:00 of the next day in Shanghai."""
    return datetime(day.year, day.month, day.day, 18, tzinfo=UTC)


def sold_in_files(sample: Path, day: date) -> Iterator[dict[str, str]]:
    """Receipt lines of the files whose date has come; the re-delivered file is not looked at."""
    for row in receipts(sample):
        named = row["file"].removeprefix("receipts_").split("_")[-1].split(".")[0]
        if named <= str(day) and "again" not in row["file"]:
            yield row


def crm_rows(sample: Path, table: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(sample / "crm.sqlite")) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]


def documents(sample: Path, table: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(sample / "online.sqlite")) as connection:
        found = connection.execute(f"SELECT document FROM {table}").fetchall()
    return [json.loads(text, parse_float=Decimal) for (text,) in found]


def when(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(row["updated_at"])


def changed_in(rows: list[dict[str, Any]], number: int, overlap: timedelta) -> list[dict[str, Any]]:
    """What an incremental reading has to bring: all from the last known change (less the overlap) on."""
    until = ends(NIGHTS[number])
    if number == 0:
        return [row for row in rows if when(row) < until]
    before = [when(row) for row in rows if when(row) < ends(NIGHTS[number - 1])]
    since = max(before) - overlap if before else datetime.min.replace(tzinfo=UTC)
    return [row for row in rows if since <= when(row) < until]


def expected(sample: Path, number: int) -> dict[str, int]:
    """Feed -> rows that night has to read, counted by the standard library."""
    day = NIGHTS[number]
    files = Counter(row["file"] for row in sold_in_files(sample, day))
    before = Counter(row["file"] for row in sold_in_files(sample, NIGHTS[0])) if number else Counter()
    counts = {"pos.receipts": sum((files - before).values())}
    for table in CRM:
        rows = crm_rows(sample, table)
        counts[f"crm.{table}"] = len(rows if table in WHOLE else changed_in(rows, number, timedelta(0)))
    counts["online.accounts"] = len(changed_in(documents(sample, "accounts"), number, API_OVERLAP))
    orders = changed_in(documents(sample, "orders"), number, API_OVERLAP)
    counts["online.orders"] = sum(len(order["lines"]) for order in orders)
    return counts


def cents(row: dict[str, Any]) -> int:
    amount = Decimal(row["gross"]) - sum((Decimal(row[name]) for name in AMOUNTS), Decimal(0))
    return int(amount * 100)


@pytest.mark.parametrize("number", [0, 1])
def test_every_row_is_accounted_for(plain: Chain, number: int) -> None:
    accounts = plain.night(NIGHTS[number]).manifest()["steps"]["conservation"]
    wanted = expected(plain.sample, number)
    assert {name.split()[0] for name in accounts} == {feed for feed, rows in wanted.items() if rows}
    for name, account in accounts.items():
        became = {what: rows for what, rows in account.items() if what not in ("extracted", "unexplained", "repeated")}
        assert account["unexplained"] == 0, name
        assert account["extracted"] == wanted[name.split()[0]] == sum(became.values()), name
        assert account["quarantined"] == account["held"] == account["excluded"] == 0, name


def test_revenue_ties_to_the_sources_to_the_cent(plain: Chain) -> None:
    for day in NIGHTS:
        lines = [(row["receipt_no"], row["status"], row["line_no"], row) for row in sold_in_files(plain.sample, day)]
        for order in documents(plain.sample, "orders"):
            if when(order) < ends(day):
                lines += [(order["order_id"], order["status"], str(n), line) for n, line in enumerate(order["lines"])]
        unique = {(order, number): (status, row) for order, status, number, row in lines}
        net, refunded, completed = Counter[str](), Counter[str](), set()
        for (order, _), (status, row) in unique.items():
            net[order] += cents(row)
            refunded[order] += int(Decimal(row["refunded"]) * 100)
            if status == "completed":
                completed.add(order)
        money = plain.night(day).manifest()["steps"]["features"]["net_revenue_cents"]
        assert money["clean_lines"] == sum(net.values())
        kept = {order for order in completed if not (refunded[order] > 0 and net[order] <= 0)}
        assert money["completed"] == sum(net[order] for order in kept)
        assert money["customer_days"] == money["profiled"]
        assert money["customer_days"] == money["completed"] - money["guests"] - money["not_profiled"]
        assert min(money["guests"], money["not_profiled"], money["profiled"]) > 0
        days = plain.published(day)["customer_days"]["net_revenue"].to_pylist()
        assert int(sum(days) * 100) == money["customer_days"]


def test_a_file_that_comes_again_is_taken_once_and_an_order_in_two_files_survives_once(plain: Chain) -> None:
    landing = plain.night(NIGHTS[0]).manifest()["steps"]["extract.pos"]["pos.receipts"]
    status = {entry["name"]: entry["status"] for entry in landing["files"]}
    twins = {status[CONTESTED], status["receipts_101again_2026-06-29.csv"]}
    assert twins == {"landed", "seen"}
    number = read_lines(plain.sample / "pos" / CONTESTED)[1].split(b",")[0].decode()
    lines = [row for row in receipts(plain.sample) if row["receipt_no"] == number]
    copies = sum("other" in row["file"] for row in lines)
    accounts = plain.night(NIGHTS[0]).manifest()["steps"]["conservation"]
    assert [accounts[f"pos.receipts {entity}"]["duplicate"] for entity in ("orders", "order_lines")] == [copies] * 2
    found = [row for row in plain.rows(NIGHTS[1], "clean", "orders") if row["order_id"] == number]
    assert len(found) == 1


@pytest.fixture(scope="module")
def shuffled(copy_of: Callable[[str], Chain]) -> Chain:
    """The same business in another order: lines in files, files, rows in tables, lines in orders."""
    chain = copy_of("shuffled")
    order = random.Random(1)
    pos = chain.sample / "pos"
    for path in sorted(pos.iterdir()):
        header, *lines = read_lines(path)
        order.shuffle(lines)
        write_lines(path, [header, *lines])
    shutil.copy(pos / CONTESTED, pos / "receipts_101again_2026-06-29.csv")
    for path in sorted(pos.iterdir()):
        first = "other" in path.name  # the file that disagrees came last; now it comes first
        letter = "0" if first else order.choice("xyz")
        path.rename(path.with_name(path.name.replace("receipts_", f"receipts_{letter}_")))
    for table in CRM:
        unlocked(chain.sample / "crm.sqlite", table, order)
    with closing(sqlite3.connect(chain.sample / "online.sqlite")) as connection, connection:
        for identifier, text in connection.execute("SELECT id, document FROM orders").fetchall():
            head, _, lines = text.partition(',"lines":[{')
            parts = lines.removesuffix("}]}").split("},{")
            order.shuffle(parts)
            document = head + ',"lines":[{' + "},{".join(parts) + "}]}"
            connection.execute("UPDATE orders SET document = ? WHERE id = ?", (document, identifier))
    chain.run(*NIGHTS)
    return chain


@pytest.mark.parametrize("day", NIGHTS)
def test_order_of_rows_and_files_changes_nothing(plain: Chain, shuffled: Chain, day: date) -> None:
    assert not differing(plain.published(day), shuffled.published(day))
