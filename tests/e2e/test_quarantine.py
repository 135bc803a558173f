"""Single rows of three sources, each damaged in another way: set aside by name, all else published."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property

import pytest

from jobs.sample.dirt.kind import FEEDS, Bytes, Copy
from jobs.sample.dirt.spoil import KINDS, spoil
from tests.e2e.conftest import NIGHTS, Chain
from tests.validation.measure import Damaged, Evidence, Figure, Measured, read_truth

DAY = NIGHTS[0]
#: what the shared business has beside dirt: a file that comes again, and a receipt that two files dispute
CONTESTS = ("receipts_101again_2026-06-29.csv", "receipts_101other_2026-06-29.csv")
#: tables of the feeds that a damaged row can be missed in
TABLES = sorted({table for feed in FEEDS.values() for table, _ in feed.tables})


@dataclass(frozen=True)
class Dirty:
    """The chain after its night, one row of each kind damaged."""

    chain: Chain

    @cached_property
    def truth(self) -> list[Damaged]:
        return read_truth(self.chain.sample, DAY)

    @cached_property
    def measured(self) -> Measured:
        return Measured(self.truth, Evidence([self.chain.night(DAY)]))


@pytest.fixture(scope="module")
def dirty(copy_of: Callable[[str], Chain]) -> Dirty:
    chain = replace(copy_of("dirty"), more={"REGULARS_THRESHOLDS__MAX_QUARANTINE_SHARE": "1"})
    for name in CONTESTS:
        (chain.sample / "pos" / name).unlink()
    spoil(chain.sample, 0.0001, 5, NIGHTS[-1])
    chain.run(DAY)
    return Dirty(chain)


def rules_of(damaged: Damaged) -> frozenset[str]:
    """The rules that set a row aside today."""
    if damaged.kind.gap:
        return frozenset(damaged.kind.gap.rules)
    return damaged.rules if damaged.outcome == "quarantined" else frozenset()


def by_table(rules: frozenset[str], feed: str) -> dict[str, frozenset[str]]:
    """Quarantine table -> the rules among these that set rows aside into it."""
    tables = {rule.partition(".")[0] for rule in rules}
    return {
        f"unparsable.{feed}" if table == "unparsable" else table: frozenset(
            r for r in rules if r.startswith(f"{table}.")
        )
        for table in tables
    }


def test_every_kind_struck_and_was_found_or_is_known_not_to_be(dirty: Dirty) -> None:
    figures = {one.kind.name: one for one in dirty.measured.figures}
    assert set(figures) == {kind.name for kind in KINDS if not kind.is_of_last_night}
    assert len(figures) >= 49
    assert [name for name, one in figures.items() if not one.kind.gap and not one.is_perfect] == []
    # a kind that has a reason to be missed is missed in just the way the reason says
    assert {name: known(one) for name, one in figures.items() if one.kind.gap} == {
        kind.name: set(kind.gap.rules) for kind in KINDS if kind.gap
    }


def known(figure: Figure) -> set[str]:
    assert figure.right == 0
    return {rule for became in figure.instead for rule in became.split() if "." in rule}


def test_all_kinds_decided_by_form_alone_are_found(dirty: Dirty) -> None:
    structural = [one for one in dirty.measured.figures if one.kind.is_structural]
    assert [one.kind.name for one in structural if one.recall < 1.0 or one.precision not in (None, 1.0)] == []
    assert len(structural) >= 100


def test_what_was_read_in_another_spelling_is_counted_by_column(dirty: Dirty) -> None:
    rows = dirty.chain.rows(DAY, "published", "data_quality")
    # a receipt's time is its order's time and both dates of change
    assert {row["rule_id"]: row["rows_failed"] for row in rows if row["action"] == "repaired"} == {
        "orders.ordered_at.reformatted": 6,
        "orders.updated_at.reformatted": 6,
        "order_lines.updated_at.reformatted": 6,
        "orders.status.reformatted": 1,
        "orders.fulfilment.reformatted": 1,
        "order_lines.gross.reformatted": 1,
    }


def test_exactly_the_damaged_rows_are_set_aside_by_the_right_rules(dirty: Dirty) -> None:
    assert dirty.measured.strays == []
    wanted = Counter(
        (table, rules) for one in dirty.truth for table, rules in by_table(rules_of(one), one.kind.feed).items()
    )
    assert Counter((one.table, one.rules) for one in dirty.measured.damage_of) == wanted


def test_a_rejected_row_that_truth_does_not_tell_of_is_a_false_alarm(dirty: Dirty) -> None:
    untold = [one for one in dirty.truth if one.kind.name != "store_unknown"]
    measured = Measured(untold, dirty.measured.evidence)
    assert [(one.table, one.rules) for one in measured.strays] == [
        ("order_lines", {"order_lines.order_id.resolves"}),
        ("orders", {"orders.store_id.resolves"}),
    ]
    precision = {one.kind.name: one.precision for one in measured.figures}
    # the rule has a false alarm now, for whoever else has the rule
    assert precision["quantity_negative"] == 1.0
    assert precision["email_as_store"] is not None and precision["email_as_store"] < 1.0


def test_file_and_row_lead_back_to_the_raw_row(dirty: Dirty) -> None:
    feeds = {one.feed for one in dirty.measured.damage_of}
    raw = {(feed, row["_file"], row["_row"]): row for feed in feeds for row in dirty.chain.rows(DAY, "raw", feed)}
    assert len(raw) == sum(dirty.chain.night(DAY).rows("raw", feed) for feed in feeds)
    for one, damaged in dirty.measured.damage_of.items():
        assert ((one.feed, one.file, one.row) in raw) == bool(one.landed)
        if one.feed == "pos.receipts":
            assert (one.file, one.row) == (damaged.place, damaged.line)
        else:
            said = set(raw[one.feed, one.file, one.row].values())
            assert all(value in said for _, value in damaged.key), damaged.where


def identifier(plain: Chain, damaged: Damaged) -> str:
    """The id of a damaged row, looked up in the undamaged source where the row was robbed of it."""
    if damaged.kind.key is None:
        return damaged.key[0][1]
    feed = FEEDS[damaged.kind.feed]
    source = damaged.kind.feed.partition(".")[0]
    shown = "json_extract(document, '$.{}')" if source == "online" else "{}"
    where = " AND ".join(f"{shown.format(name)} = ?" for name, _ in damaged.key)
    statement = f"SELECT {shown.format(feed.key[0])} FROM {feed.place.strip('/')} WHERE {where}"
    with closing(sqlite3.connect(plain.sample / f"{source}.sqlite")) as connection:
        ((found,),) = connection.execute(statement, [value for _, value in damaged.key]).fetchall()
    return str(found)


def missing(plain: Chain, truth: list[Damaged], table: str) -> Iterator[str]:
    """Ids of rows that damage keeps out of a clean table."""
    for one in truth:
        kept_out = by_table(rules_of(one), one.kind.feed)
        feeds_table = table in [name for name, _ in FEEDS[one.kind.feed].tables]
        is_lost = table in kept_out or (isinstance(one.kind.damage, Bytes) and feeds_table)
        if is_lost and not isinstance(one.kind.damage, Copy):
            yield identifier(plain, one)


def added(truth: list[Damaged], table: str) -> Iterator[str]:
    """Ids of copies that are rows of their own."""
    for one in truth:
        is_of_table = table in [name for name, _ in FEEDS[one.kind.feed].tables]
        if is_of_table and one.outcome in ("reported", "linked") and isinstance(one.kind.damage, Copy):
            yield one.key[0][1]


@pytest.mark.parametrize("table", TABLES)
def test_everything_else_is_as_if_nothing_had_happened(dirty: Dirty, plain: Chain, table: str) -> None:
    column = next(key for feed in FEEDS.values() for name, key in feed.tables if name == table)
    before = Counter(row[column] for row in plain.rows(DAY, "clean", table))
    after = Counter(row[column] for row in dirty.chain.rows(DAY, "clean", table))
    assert before - after == Counter(missing(plain, dirty.truth, table))
    assert after - before == Counter(added(dirty.truth, table))


def test_the_night_is_published_and_says_what_it_set_aside(dirty: Dirty) -> None:
    steps = dirty.chain.night(DAY).manifest()["steps"]
    assert all(account["unexplained"] == 0 for account in steps["conservation"].values())
    money = steps["features"]["net_revenue_cents"]
    assert money["customer_days"] == money["completed"] - money["guests"] - money["not_profiled"]
    log = dirty.chain.rows(DAY, "published", "publish_log")
    assert [row["status"] for row in log] == ["published_with_warnings"]
    rules = Counter(rule for one in dirty.truth for rule in rules_of(one))
    unparsable = {rule: rows for rule, rows in rules.items() if rule.startswith("unparsable.")}
    failed = {
        row["rule_id"]: row["rows_failed"]
        for row in dirty.chain.rows(DAY, "published", "data_quality")
        if row["action"] == "quarantined"
    }
    assert failed == {
        "pos.receipts.parsable": sum(unparsable.values()),
        **{rule: rows for rule, rows in rules.items() if rule not in unparsable},
    }


def test_nobody_else_is_missed(dirty: Dirty, plain: Chain) -> None:
    def members(chain: Chain) -> set[str]:
        rows = chain.rows(DAY, "published", "restricted/customer_crosswalk")
        return {row["source_customer_id"] for row in rows if row["source"] == "crm"}

    of_crm = [one for one in dirty.truth if one.kind.feed == "crm.members"]
    gone, new = set(missing(plain, of_crm, "customers")), set(added(of_crm, "customers"))
    assert members(dirty.chain) == members(plain) - gone | new
    assert len(gone) >= 10


def test_names_that_are_formulas_or_markup_are_inert_text(dirty: Dirty) -> None:
    tables = {"products": "dim_product", "stores": "dim_store"}
    inert = [one for one in dirty.truth if one.reads in ("products.name", "stores.name")]
    assert len(inert) == 2
    for one in inert:
        table, column = one.reads.split(".")
        rows = dirty.chain.rows(DAY, "published", tables[table])
        assert [row[column] for row in rows if row[f"{table[:-1]}_id"] == one.key[0][1]] == [one.meant]
    assert "HYPERLINK" not in json.dumps(dirty.chain.rows(DAY, "published", "dim_customer"), default=str)
