"""Receipts that say the same under another number: reported, or all but one left out, on whichever night they come."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.e2e.small_chain import DAYS, account, apart, at, chain, deliver, latest, quarantine, receipt, rows, site_of
from tests.support import Site, differences

FIRST, SECOND, THIRD = DAYS[:3]
RULE = "orders.near_duplicate"
FACTS = ("orders", "order_lines", "left_out.orders", "left_out.order_lines")
NINE = at(FIRST, 9)


def again(lines: list[str], number: str) -> list[str]:
    """A receipt under another number, its lines in the other order."""
    swapped = [line.split(",", 2)[2] for line in reversed(lines)]
    return [f"{number},{place},{rest}" for place, rest in enumerate(swapped, 1)]


def business(sample: Path) -> Site:
    """Two nights of receipts; the CRM tells of store 9 on the second."""
    made = chain(sample / "sample", history=40, known=SECOND)
    draw = random.Random(3)
    twice = receipt("T", "1", NINE, draw)
    guest = receipt("G", "1", NINE, draw, card="")
    alone = receipt("L", "1", NINE, draw, card="C0001")
    voided = receipt("V", "1", NINE, draw, card="C0002")
    larger = receipt("S12", "2", NINE, draw, card="C0003")
    other = receipt("O", "2", NINE, draw, card="C0004")
    unknown = receipt("U", "9", NINE, draw, card="C0005")
    partly = receipt("P", "2", NINE, draw, card="C0006")
    bad = partly[0].replace("P,1,", "P-2,3,").replace(",completed", "").rpartition(",")[0] + ",much,completed"
    first = [
        *twice, *again(twice, "T-2"), *guest, *again(guest, "G-2"), *alone, *voided, *again(voided, "V-2"), *larger,
        *other, *again([line.replace(",1,", ",2,") for line in other], "O-2"), *unknown, *again(unknown, "U-2"),
        *partly, *again(partly, "P-2"), bad,
    ]  # fmt: skip
    deliver(made.folder, FIRST, first, "b")
    void = [line.replace("completed", "void") for line in voided]
    daily = [line for n in range(5) for line in receipt(f"D{n}", "1", at(SECOND, 9), draw)]
    deliver(made.folder, SECOND, [*again(alone, "L-2"), *void, *again(larger, "S7"), *daily])
    deliver(made.folder, THIRD, [*again(twice, "T-3"), *receipt("E", "1", at(THIRD, 9), draw)])
    return site_of(made, sample / "warehouse")


def orders(site: Site, day: date) -> set[str]:
    """The receipts of the story that are in the clean tables."""
    heads = {row["order_id"] for row in rows(site, day, "clean", "orders")}
    details = {row["order_id"] for row in rows(site, day, "clean", "order_lines")}
    assert heads == details
    return {order for order in heads if order[0] not in "HDE"}


def said(site: Site, table: str) -> list[list[str]]:
    """What the rows of a clean table say; of a line that comes again unchanged, a rebuild keeps the newer place."""
    found = rows(site, SECOND, "clean", table)
    return sorted(
        [f"{name} {value}" for name, value in row.items() if name not in ("_landed", "_file", "_row")] for row in found
    )


@dataclass(frozen=True)
class Told:
    """The verdict on near duplicates of a night."""

    checked: int
    found: int
    action: str


def told(site: Site, day: date) -> Told:
    ((checked, found, action),) = [
        (row["rows_checked"], row["rows_failed"], row["action"])
        for row in rows(site, day, "published", "data_quality")
        if row["rule_id"] == RULE
    ]
    return Told(checked, found, action)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The business, and no night yet."""
    return business(tmp_path_factory.mktemp("near_duplicates"))


def two_nights(plain: Site, policy: str) -> Site:
    root = plain.root.with_name(policy)
    site = Site(plain.business, root, plain.variables | {"REGULARS_POLICIES__NEAR_DUPLICATES": policy})
    site.night(FIRST)
    site.night(SECOND)
    return site


@pytest.fixture(scope="module")
def kept(plain: Site) -> Site:
    return two_nights(plain, "keep")


@pytest.fixture(scope="module")
def dropped(plain: Site) -> Site:
    return two_nights(plain, "drop")


ALWAYS = {"T", "G", "G-2", "L", "V", "V-2", "S12", "O", "O-2", "P"}


def test_both_are_kept_and_reported_on_the_night_that_brings_the_second(kept: Site) -> None:
    assert orders(kept, FIRST) == ALWAYS | {"T-2", "P-2"}
    # 40 of history; T-2, V-2 and P-2
    assert told(kept, FIRST) == Told(52, 3, "reported")
    assert orders(kept, SECOND) == ALWAYS | {"T-2", "P-2", "L-2", "S7"}
    # L-2, V, S7 and 5 daily ones; V is void and nobody's twin any more
    assert told(kept, SECOND) == Told(8, 2, "reported")


def test_all_but_one_are_left_out_and_counted_as_duplicates(dropped: Site) -> None:
    assert orders(dropped, FIRST) == ALWAYS - {"V-2"}
    assert told(dropped, FIRST) == Told(52, 3, "repaired")
    # two lines each; the head of P-2 stands on its third line too, which is in quarantine
    for table, rows_of_both in (("orders", 7), ("order_lines", 6)):
        found = account(dropped, FIRST, table)
        assert (found["duplicate"], found["unexplained"]) == (rows_of_both, 0)
    # U and U-2 are of a store that nobody knows yet, and with P-2 came a line that cannot be read
    assert account(dropped, FIRST, "order_lines")["quarantined"] == 5
    # the smaller number stays, the receipt of the voided one counts again
    assert orders(dropped, SECOND) == ALWAYS - {"S12"} | {"S7"}
    assert told(dropped, SECOND) == Told(8, 2, "repaired")
    for table, voided in (("orders", 2), ("order_lines", 0)):
        found = account(dropped, SECOND, table)
        assert (found["duplicate"], found["superseding"], found["unexplained"]) == (2, voided, 0)


def test_revenue_is_that_of_what_stays(dropped: Site, kept: Site) -> None:
    def completed(site: Site) -> int:
        money = latest(site, SECOND).manifest()["steps"]["features"]["net_revenue_cents"]
        assert money["customer_days"] == money["completed"] - money["guests"] - money["not_profiled"]
        return int(money["completed"])

    files = str(dropped.business.folder / "pos" / "receipts_*.csv")
    with duckdb.connect() as connection:
        (more,) = connection.sql(
            f"SELECT sum(TRY_CAST(gross AS DECIMAL(18,2))) FROM read_csv('{files}', all_varchar = true) "
            "WHERE receipt IN ('T-2', 'P-2', 'L-2', 'S12') AND quantity = '1'"
        ).fetchall()[0]
    assert more > Decimal(0)
    assert completed(kept) - completed(dropped) == int(more * 100)


@pytest.mark.parametrize("policy", ["keep", "drop"])
def test_a_full_rebuild_is_the_same(policy: str, kept: Site, dropped: Site, tmp_path: Path) -> None:
    site = {"keep": kept, "drop": dropped}[policy]
    rebuilt = site.copy(tmp_path / "rebuilt")
    # the CRM knows store 9 by now: in a rebuild its receipts are no longer set aside, as after a replay
    quarantine(site_replayed := site.copy(tmp_path / "replayed"), "replay")
    rebuilt.night(SECOND, "--full")
    assert differences(rebuilt.published, site_replayed.published) == {}
    assert [table for table in FACTS if said(rebuilt, table) != said(site_replayed, table)] == []
    twins = {"keep": ({"U-2", "T-2", "P-2", "L-2", "S12"}, "reported"), "drop": (set(), "repaired")}[policy]
    stay = (ALWAYS - {"S12"}) | {"S7", "U"} | twins[0]
    assert orders(rebuilt, SECOND) == orders(site_replayed, SECOND) == stay
    # of all that ever came: T-2, P-2, L-2, S12 and U-2
    assert told(rebuilt, SECOND) == Told(61, 5, twins[1])
    for one in (rebuilt, site_replayed):
        assert account(one, SECOND, "order_lines")["unexplained"] == account(one, SECOND, "orders")["unexplained"] == 0
    assert account(rebuilt, SECOND, "orders")["duplicate"] == {"keep": 2, "drop": 13}[policy]


def test_a_third_copy_is_left_out_beside_the_second(dropped: Site, tmp_path: Path) -> None:
    site = apart(dropped, tmp_path)
    site.night(THIRD)
    assert orders(site, THIRD) == orders(dropped, SECOND)
    assert {row["order_id"] for row in rows(site, THIRD, "clean", "left_out.orders")} == {
        "T-2", "T-3", "P-2", "L-2", "S12",
    }  # fmt: skip
    assert told(site, THIRD) == Told(2, 1, "repaired")
    rebuilt = site.copy(tmp_path / "rebuilt")
    rebuilt.night(THIRD, "--full")
    assert {"U"} == orders(rebuilt, THIRD) - orders(site, THIRD)
