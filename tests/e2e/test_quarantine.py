"""Single rows of three sources, each damaged in another way: set aside by name, all else published."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import NIGHTS, Chain, change, read_lines, receipts, unlocked, write_lines

DAY = NIGHTS[0]
BUNDLE = "receipts_2026-05.csv.gz"
#: entity -> rules that its row of the damaged source row has to fail; an entity that is not named is not set aside
Reasons = dict[str, set[str]]

NO_ORDER: Reasons = {"order_lines": {"order_lines.order_id.resolves"}}


@dataclass(frozen=True)
class Cell:
    """Another value in one column of one receipt line."""

    column: str
    value: str
    reasons: Reasons


@dataclass(frozen=True)
class Bytes:
    """A receipt line whose bytes cannot be split into columns."""

    damage: Callable[[bytes], bytes]
    reason: str


def order_fails(*rules: str) -> Reasons:
    """The order is set aside, and its line, which then belongs to nothing."""
    return {"orders": {f"orders.{rule}" for rule in rules}, **NO_ORDER}


def line_fails(*rules: str) -> Reasons:
    return {"order_lines": {f"order_lines.{rule}" for rule in rules}}


RECEIPTS: dict[str, Cell | Bytes] = {
    "one column too many": Bytes(lambda line: line + b",x", "unparsable.column_count"),
    "one column too few": Bytes(lambda line: line.rpartition(b",")[0], "unparsable.column_count"),
    "quote inside a value": Bytes(lambda line: line.replace(b"completed", b'comp"leted'), "unparsable.quote"),
    "quote that never closes": Bytes(lambda line: line.replace(b"completed", b'"completed'), "unparsable.quote"),
    "NUL byte": Bytes(lambda line: line.replace(b"completed", b"comp\0leted"), "unparsable.nul_byte"),
    "GBK text": Bytes(lambda line: line.replace(b"completed", "已完成".encode("gbk")), "unparsable.encoding"),
    "words in quantity": Cell("quantity", "two", line_fails("quantity.readable")),
    "negative quantity": Cell("quantity", "-1", line_fails("quantity.in_range")),
    "no quantity": Cell("quantity", "", line_fails("quantity.present")),
    "quantity that is no number": Cell("quantity", "NaN", line_fails("quantity.readable")),
    "gross too large for its type": Cell("gross", "9" * 25, line_fails("gross.readable")),
    "gross beyond belief": Cell("gross", "10000001", line_fails("gross.in_range")),
    "gross with a currency sign": Cell("gross", "¥20", line_fails("gross.readable")),
    "discount above gross": Cell("discount", "5000", line_fails("deductions.at_most_gross")),
    "negative refund": Cell("refunded", "-3", line_fails("refunded.in_range")),
    "unknown product": Cell("product_id", "999999", line_fails("product_id.resolves")),
    "e-mail as product": Cell("product_id", "a@b.example", line_fails("product_id.resolves", "product_id.no_contact")),
    "no line number": Cell("line_no", "", line_fails("line_id.present")),
    "unknown store": Cell("store_id", "999", order_fails("store_id.resolves")),
    "no store": Cell("store_id", "", order_fails("store_id.present")),
    "order in 1970": Cell("sold_at", "1970-01-01T00:00:00Z", order_fails("ordered_at.not_too_early")),
    "order next year": Cell("sold_at", "2027-06-01T12:00:00Z", order_fails("ordered_at.not_in_future")),
    "no time": Cell("sold_at", "", order_fails("ordered_at.present")),
    "words as time": Cell(
        "sold_at",
        "yesterday noon",
        {
            "orders": {"orders.ordered_at.readable", "orders.updated_at.readable"},
            "order_lines": {"order_lines.order_id.resolves", "order_lines.updated_at.readable"},
        },
    ),
    "unknown status": Cell("status", "finished", order_fails("status.known_value")),
    "unknown fulfilment": Cell("fulfilment", "drone", order_fails("fulfilment.known_value")),
    "half a guest": Cell("party_size", "2.5", order_fails("party_size.readable")),
    "nobody at the table": Cell("party_size", "0", order_fails("party_size.in_range")),
    "phone as seat": Cell("seating", "+86 138 0000 1234", order_fails("seating.no_contact")),
    "no receipt number": Cell(
        "receipt_no",
        "",
        {"orders": {"orders.order_id.present"}, "order_lines": {"order_lines.order_id.present"}},
    ),
}

#: what -> table, key column, damaged column, value, entity, rules
CRM: dict[str, tuple[str, str, str, object, str, set[str]]] = {
    "e-mail as city": ("members", "member_id", "city", "a@b.example", "customers", {"city.no_contact"}),
    "phone as gender": ("members", "member_id", "gender", "138 0000 1234", "customers", {"gender.no_contact"}),
    "words as birth year": ("members", "member_id", "birth_year", "old", "customers", {"birth_year.readable"}),
    "born in 1850": ("members", "member_id", "birth_year", 1850, "customers", {"birth_year.in_range"}),
    "consent that is neither": (
        "members", "member_id", "profiling_consent", "perhaps", "customers", {"profiling_consent.readable"},
    ),
    "a day that never was": (
        "members", "member_id", "registered_at", "2026-02-30", "customers", {"registered_at.readable"},
    ),
    "member without id": ("members", "member_id", "member_id", None, "customers", {"source_customer_id.present"}),
    "six stars": ("feedback", "feedback_id", "rating", 6, "feedback", {"rating.in_range"}),
    "feedback of 1999": ("feedback", "feedback_id", "given_at", "1999-12-31", "feedback", {"given_at.plausible"}),
    "redeemed some time": (
        "redemptions", "updated_at", "redeemed_at", "some time", "coupon_redemptions", {"redeemed_at.readable"},
    ),
}  # fmt: skip

#: what -> change of the JSON document of an order with one line, and the rules
API: dict[str, tuple[Callable[[dict[str, Any]], object], Reasons]] = {
    "unreadable time": (lambda o: o.update(ordered_at="noon"), order_fails("ordered_at.readable")),
    "line without product": (lambda o: o["lines"][0].pop("product_id"), line_fails("product_id.present")),
    "comma in an amount": (lambda o: o["lines"][0].update(gross="12,50"), line_fails("gross.readable")),
    "unknown fulfilment": (lambda o: o.update(fulfilment="pigeon"), order_fails("fulfilment.known_value")),
    "unknown channel": (lambda o: o.update(channel="fax"), order_fails("channel.known_value")),
    "foreign currency": (lambda o: o.update(currency="USD"), order_fails("currency.is_reporting_currency")),
    "store as object": (lambda o: o.update(store_id={"id": 101}), order_fails("store_id.present")),
    "no lines": (
        lambda o: o.update(lines=[]),
        line_fails("line_id.present", "product_id.present", "quantity.present", "gross.present"),
    ),
    "no id": (
        lambda o: o.pop("order_id"),
        {"orders": {"orders.order_id.present"}, "order_lines": {"order_lines.order_id.present"}},
    ),
}


@dataclass
class Damaged:
    """The chain after its night, and what has to be in quarantine."""

    chain: Chain
    #: (entity, id of the damaged row) -> rules; the id is what the source calls it
    rows: dict[tuple[str, str], set[str]]
    #: the same by file and line, for receipts
    lines: dict[tuple[str, str, int], set[str]]
    unparsable: dict[tuple[str, int], str]


def single_lines(sample: Path) -> list[tuple[int, dict[str, str]]]:
    """(line number, row) of the bundle's completed receipts of one line and one guest or more."""
    rows = [row for row in receipts(sample) if row["file"] == BUNDLE]
    numbers = [row["receipt_no"] for row in rows]
    return [
        (place, row)
        for place, row in enumerate(rows, start=2)
        if numbers.count(row["receipt_no"]) == 1 and row["status"] == "completed" and row["refunded"] == "0.00"
    ]


def damage_receipts(damaged: Damaged) -> None:
    path = damaged.chain.sample / "pos" / BUNDLE
    lines = read_lines(path)
    names = lines[0].decode().split(",")
    for what, (place, row) in zip(RECEIPTS.values(), single_lines(damaged.chain.sample), strict=False):
        if isinstance(what, Bytes):
            lines[place - 1] = what.damage(lines[place - 1])
            damaged.unparsable[BUNDLE, place] = what.reason
            damaged.rows |= {("orders", row["receipt_no"]): set(), ("order_lines", row["receipt_no"]): set()}
        else:
            lines[place - 1] = ",".join({**row, what.column: what.value}[name] for name in names).encode()
            for entity, rules in what.reasons.items():
                damaged.lines[entity, BUNDLE, place] = rules
                damaged.rows[entity, row["receipt_no"]] = rules
    write_lines(path, lines)


def damage_crm(damaged: Damaged) -> None:
    database = damaged.chain.sample / "crm.sqlite"
    for table in {where[0] for where in CRM.values()}:
        unlocked(database, table)
    taken: dict[str, int] = {}
    for table, key, column, value, entity, rules in CRM.values():
        taken[table] = taken.get(table, 0) + 3
        with closing(sqlite3.connect(database)) as connection:
            order = "SELECT rowid, * FROM {} WHERE updated_at < '2026-06-01' ORDER BY {} LIMIT 1 OFFSET ?"
            cursor = connection.execute(order.format(table, key), (taken[table],))
            found = dict(zip([d[0] for d in cursor.description], cursor.fetchone(), strict=True))
        change(database, f"UPDATE {table} SET {column} = ? WHERE rowid = ?", value, found["rowid"])
        damaged.rows[entity, str(found[key])] = {f"{entity}.{rule}" for rule in rules}


def damage_api(damaged: Damaged) -> None:
    database = damaged.chain.sample / "online.sqlite"
    with closing(sqlite3.connect(database)) as connection:
        chosen = "json_array_length(document, '$.lines') = 1 AND json_extract(document, '$.status') = 'completed'"
        order = f"SELECT id, document FROM orders WHERE {chosen} ORDER BY id LIMIT ?"
        found = connection.execute(order, (len(API),)).fetchall()
    for (harm, reasons), (identifier, text) in zip(API.values(), found, strict=True):
        document = json.loads(text)
        harm(document)
        change(database, "UPDATE orders SET document = ? WHERE id = ?", json.dumps(document), identifier)
        for entity, rules in reasons.items():
            damaged.rows[entity, identifier] = rules


@pytest.fixture(scope="module")
def damaged(copy_of: Callable[[str], Chain]) -> Damaged:
    made = Damaged(copy_of("damaged"), {}, {}, {})
    damage_receipts(made)
    damage_crm(made)
    damage_api(made)
    made.chain.run(DAY)
    return made


KEYS = {
    "orders": "order_id",
    "order_lines": "order_id",
    "customers": "source_customer_id",
    "feedback": "feedback_id",
    "coupon_redemptions": "updated_at",
}


def quarantine(chain: Chain) -> list[tuple[str, dict[str, Any]]]:
    night = chain.night(DAY)
    tables = [name for name in night.tables("quarantine") if not name.startswith("unparsable.")]
    return [(entity, row) for entity in tables for row in chain.rows(DAY, "quarantine", entity)]


def test_damage_is_of_many_kinds() -> None:
    assert len(RECEIPTS) + len(CRM) + len(API) >= 45


def test_lines_that_cannot_be_split_are_kept_with_file_line_and_reason(damaged: Damaged) -> None:
    rows = damaged.chain.rows(DAY, "quarantine", "unparsable.pos.receipts")
    assert {(row["_file"], row["_row"]): row["reason"] for row in rows} == damaged.unparsable
    assert len(rows) == len(damaged.unparsable)


def test_exactly_the_damaged_rows_are_set_aside_by_the_right_rules(damaged: Damaged) -> None:
    found = quarantine(damaged.chain)
    by_rules = sorted((entity, sorted(row["_failed"])) for entity, row in found)
    wanted = [(entity, sorted(rules)) for (entity, _), rules in damaged.rows.items() if rules]
    assert by_rules == sorted(wanted)
    lines = {(entity, row["_file"], row["_row"]): set(row["_failed"]) for entity, row in found}
    assert {where: rules for where, rules in lines.items() if where[1] == BUNDLE} == damaged.lines
    for entity, row in found:
        identifier = row[KEYS[entity]]
        if entity == "coupon_redemptions":
            identifier = identifier.strftime("%Y-%m-%dT%H:%M:%SZ")
        if identifier is not None:
            assert damaged.rows[entity, str(identifier)] == set(row["_failed"])


def test_file_and_row_lead_back_to_the_raw_row(damaged: Damaged) -> None:
    for entity, row in quarantine(damaged.chain):
        raw = damaged.chain.rows(DAY, "raw", row["_feed"])
        same = [one for one in raw if (one["_file"], one["_row"]) == (row["_file"], row["_row"])]
        assert len(same) == 1, (entity, row["_file"], row["_row"])
        key = row[KEYS[entity]]
        assert key is None or entity == "coupon_redemptions" or str(key) in same[0].values()


def test_everything_else_is_as_if_nothing_had_happened(damaged: Damaged, plain: Chain) -> None:
    for entity, key in KEYS.items():
        aside = {identifier for (name, identifier) in damaged.rows if name == entity}
        if entity == "coupon_redemptions":
            assert len(damaged.chain.rows(DAY, "clean", entity)) == len(plain.rows(DAY, "clean", entity)) - len(aside)
            continue
        before = [row[key] for row in plain.rows(DAY, "clean", entity)]
        after = [row[key] for row in damaged.chain.rows(DAY, "clean", entity)]
        assert sorted(after) == sorted(str(one) for one in before if one not in aside), entity
        assert len(before) - len(after) == len(aside), entity
    for entity in ("products", "stores", "campaigns", "campaign_members", "coupons"):
        assert len(damaged.chain.rows(DAY, "clean", entity)) == len(plain.rows(DAY, "clean", entity)), entity


def test_the_night_is_published_and_says_what_it_set_aside(damaged: Damaged, plain: Chain) -> None:
    steps = damaged.chain.night(DAY).manifest()["steps"]
    assert all(account["unexplained"] == 0 for account in steps["conservation"].values())
    money = steps["features"]["net_revenue_cents"]
    assert money["customer_days"] == money["completed"] - money["guests"] - money["not_profiled"]
    log = damaged.chain.rows(DAY, "published", "publish_log")
    assert [row["status"] for row in log] == ["published_with_warnings"]
    failed = {
        row["rule_id"]: row["rows_failed"]
        for row in damaged.chain.rows(DAY, "published", "data_quality")
        if row["action"] == "quarantined"
    }
    wanted: dict[str, int] = {"pos.receipts.parsable": len(damaged.unparsable)}
    for rules in damaged.rows.values():
        wanted |= {rule: wanted.get(rule, 0) + 1 for rule in rules}
    assert failed == wanted
    gone = {identifier for (entity, identifier) in damaged.rows if entity == "customers"}
    known = {
        (r["source"], r["source_customer_id"]) for r in plain.rows(DAY, "published", "restricted/customer_crosswalk")
    }
    there = {
        (r["source"], r["source_customer_id"])
        for r in damaged.chain.rows(DAY, "published", "restricted/customer_crosswalk")
    }
    assert there == known - {("crm", identifier) for identifier in gone}
