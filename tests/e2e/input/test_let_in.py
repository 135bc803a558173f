"""What a replay does with rows of many kinds, and how orders beyond the late horizon are let in."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.e2e.small_chain import DAYS, account, apart, at, chain, deliver, latest, quarantine, receipt, rows, site_of
from tests.support import Outcome, Site, differences, tree_differences

BAD, MENDED, AFTER = DAYS[1], DAYS[2], DAYS[3]
LATE = DAYS[0] - timedelta(days=150)
#: the till's own words for a status, as the mended mapping reads them
WORDS = """status = "CASE status WHEN 'finished' THEN 'completed' WHEN 'annulled' THEN 'cancelled' ELSE status END\""""


def status(site: Site, day: date) -> dict[str, str]:
    return {row["order_id"]: row["status"] for row in rows(site, day, "clean", "orders")}


def lines(site: Site, day: date) -> Counter[str]:
    return Counter(row["order_id"] for row in rows(site, day, "clean", "order_lines"))


def reasons(site: Site, day: date, table: str) -> set[tuple[str, date, tuple[str, ...]]]:
    return {(row["order_id"], row["_landed"], tuple(row["_failed"])) for row in rows(site, day, "quarantine", table)}


def assert_as_rebuilt(site: Site, day: date, folder: Path) -> None:
    """The shown night equals a full rebuild of its date, row by row, quarantine too."""
    rebuilt = site.copy(folder)
    rebuilt.night(day, "--full")
    assert differences(site.published, rebuilt.published) == {}
    here, there = site.root / "current", rebuilt.root / "current"
    assert tree_differences(here / "quarantine", there / "quarantine") == []
    # of members and stores that were read again unchanged, the one keeps the first reading and the other the last
    assert {"orders", "order_lines"}.isdisjoint(tree_differences(here / "clean", there / "clean"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("let_in")


@pytest.fixture(scope="module")
def before(folder: Path) -> Site:
    """Three nights; the second one brings words for a status that nobody mapped, and orders of half a year ago."""
    business = chain(folder / "sample", history=60, known=DAYS[0])
    draw = random.Random(5)
    known = (business.folder / "pos" / f"receipts_{DAYS[0]}.csv").read_text().splitlines()
    of_h0, of_h1 = ([line for line in known if line.startswith(f"H{n},")] for n in (0, 1))
    one_bad_line = receipt("Q1", "2", at(BAD, 9), draw)
    one_bad_line[1] = one_bad_line[1].replace(",1,", ",-1,", 1)
    bad = [
        *receipt("F1", "1", at(BAD, 10), draw, status="finished"),
        *receipt("X1", "1", at(BAD, 10), draw, status="eaten"),
        *one_bad_line,
        *(line.replace("completed", "annulled") for line in of_h0 + of_h1),
        *receipt("L1", "2", at(LATE, 9), draw, gross="10.00"),
        *receipt("L2", "2", at(LATE, 9), draw, gross="20.00"),
        "torn,line",
    ]
    deliver(business.folder, BAD, bad)
    deliver(business.folder, MENDED, [*of_h0, *receipt("N1", "2", at(MENDED, 9), draw)])
    deliver(business.folder, AFTER, receipt("N2", "2", at(AFTER, 9), draw))
    site = site_of(business, folder / "warehouse")
    for day in DAYS[:3]:
        site.night(day)
    return site


@pytest.fixture(scope="module")
def replayed(folder: Path, before: Site) -> tuple[Site, Outcome]:
    site = apart(before, folder / "replayed")
    config = site.business.folder / "chain.toml"
    config.write_text(config.read_text().replace('status = "status"', WORDS))
    return site, quarantine(site, "replay")


@pytest.fixture(scope="module")
def admitted(folder: Path, replayed: tuple[Site, Outcome]) -> tuple[Site, Outcome]:
    site = apart(replayed[0], folder / "admitted")
    return site, quarantine(site, "admit", "--order", "L1")


def test_before_the_correction_each_row_waits_with_its_reason(before: Site) -> None:
    unknown = ("orders.status.known_value",)
    assert reasons(before, MENDED, "orders") == {(order, BAD, unknown) for order in ("F1", "X1", "H0", "H1")}
    assert status(before, MENDED).keys() & {"F1", "L1", "L2"} == set()
    shown = quarantine(before, "show").out
    assert "set aside by earlier nights and still there" in shown
    for way_back in ("regulars quarantine replay", "regulars quarantine admit", "mend the file and deliver it again"):
        assert way_back in shown


def test_what_a_mended_mapping_reads_flows_in_as_a_whole(replayed: tuple[Site, Outcome]) -> None:
    site, done = replayed
    assert status(site, MENDED)["F1"] == "completed"
    assert status(site, MENDED)["H1"] == "cancelled"
    assert lines(site, MENDED)["F1"] == lines(site, MENDED)["H1"] == 2
    assert "orders orders.status.known_value: 4 rows in quarantine before, 1 now" in done.err


def test_a_row_that_a_later_night_overtook_stays_behind_it(replayed: tuple[Site, Outcome]) -> None:
    assert status(replayed[0], MENDED)["H0"] == "completed"
    assert lines(replayed[0], MENDED)["H0"] == 2


def test_what_still_fails_stays_in_the_quarantine_of_its_night(replayed: tuple[Site, Outcome]) -> None:
    site, _ = replayed
    assert reasons(site, MENDED, "orders") == {("X1", BAD, ("orders.status.known_value",))}
    assert reasons(site, MENDED, "order_lines") == {
        ("X1", BAD, ("order_lines.order_id.resolves",)),
        ("Q1", BAD, ("order_lines.quantity.in_range",)),
    }
    assert (status(site, MENDED)["Q1"], lines(site, MENDED)["Q1"]) == ("completed", 1)
    assert len(rows(site, MENDED, "quarantine", "unparsable.pos.receipts")) == 1


def test_every_row_of_a_replay_is_accounted_for(replayed: tuple[Site, Outcome]) -> None:
    """Taken up are the lines of earlier nights of F1, X1, Q1, L1, L2 (2 each), H0 and H1 (2 of each of two nights)."""
    site, _ = replayed
    for table, aside in (("orders", 2), ("order_lines", 3)):
        found = account(site, MENDED, table)
        assert (found["extracted"], found["replayed"], found["quarantined"]) == (4, 18, aside), table
        assert (found["held"], found["unexplained"]) == (4, 0)


def test_a_replay_equals_a_full_rebuild(folder: Path, replayed: tuple[Site, Outcome]) -> None:
    assert_as_rebuilt(replayed[0], MENDED, folder / "rebuilt")


def test_an_admitted_order_comes_in_on_its_own_date_and_the_other_stays_held(
    replayed: tuple[Site, Outcome], admitted: tuple[Site, Outcome]
) -> None:
    site, done = admitted
    assert (done.answer["admitted"], done.answer["held"]) == (1, 1)
    (order,) = [row for row in rows(site, MENDED, "clean", "orders") if row["order_id"] == "L1"]
    assert (order["business_date"], order["_landed"]) == (LATE, BAD)
    assert lines(site, MENDED)["L1"] == 2
    assert "L2" not in status(site, MENDED)
    held = {"orders": {"L2"}, "order_lines": {"L2"}}
    assert {table: {r["order_id"] for r in rows(site, MENDED, "quarantine", f"held.{table}")} for table in held} == held

    def money(one: Site) -> Decimal:
        return sum((row["net_revenue"] for row in rows(one, MENDED, "published", "customer_days")), Decimal(0))

    assert money(site) - money(replayed[0]) == Decimal("20.00")
    assert account(site, MENDED, "orders")["held"] == 2
    assert account(site, MENDED, "orders")["unexplained"] == 0


def test_an_admitted_order_stays_in(folder: Path, admitted: tuple[Site, Outcome]) -> None:
    """On later nights, in a full rebuild, and when its night is run again or taken up anew."""
    assert_as_rebuilt(admitted[0], MENDED, folder / "admitted_rebuilt")
    site = apart(admitted[0], folder / "goes_on")
    site.night(AFTER)
    assert "L1" in status(site, AFTER)
    assert "L2" not in status(site, AFTER)
    assert_as_rebuilt(site, AFTER, folder / "goes_on_rebuilt")
    deliver(site.business.folder, MENDED, receipt("N3", "1", at(MENDED, 8), random.Random(1)), "again")
    site.night(MENDED)
    assert {"L1", "N3", "F1"} <= status(site, MENDED).keys()


def test_all_that_is_held_can_be_let_in_at_once_on_a_new_date(folder: Path, admitted: tuple[Site, Outcome]) -> None:
    site = apart(admitted[0], folder / "all")
    done = quarantine(site, "admit", "--all", "--date", str(AFTER))
    assert (done.answer["snapshot_date"], done.answer["admitted"], done.answer["held"]) == (str(AFTER), 1, 0)
    assert {"L1", "L2", "N2"} <= status(site, AFTER).keys()
    assert latest(site, MENDED).run == latest(admitted[0], MENDED).run


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "2 orders are held by pos.receipts; say which to let in"),
        (("--all", "--order", "L1"), "--all lets everything in"),
        (("--order", "L9"), "order L9 is not held"),
        (("--feed", "pos.other"), "no order of feed pos.other is held; of others: pos.receipts"),
    ],
)
def test_admission_has_to_be_said_clearly(
    replayed: tuple[Site, Outcome], arguments: tuple[str, ...], said: str
) -> None:
    done = replayed[0].regulars("quarantine", "admit", *arguments)
    assert (done.code, said in done.err) == (2, True), done.err
