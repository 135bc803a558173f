"""Lines that contradict one another about their order: one is believed, always the same one, and it is said so."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pytest

from tests.e2e.small_chain import CONFIG, DAYS, account, at, chain, deliver, latest, receipt, rows, site_of
from tests.support import Site, differences

FIRST, SECOND = DAYS[:2]
HEADER, LINE = "orders.header_agrees", "order_lines.line_agrees"
#: beside the receipts a feed whose rows are orders, of which it says when they changed
HEADS = """
[sources.web]
kind = "files"
location = "${REGULARS_SAMPLE}/pos"
settle_seconds = 0.0

[sources.web.feeds.heads]
pattern = "heads_*.csv"
date_in_name = "heads_([0-9-]{10})"
may_be_empty = true

[sources.web.feeds.heads.maps.orders]
order_id = "number"
store_id = "'1'"
channel = "'web'"
ordered_at = "made_at"
status = "status"
updated_at = "changed_at"
"""
HISTORY = 40


def story(order: random.Random) -> list[str]:
    """Receipts of the second night, their lines in some order."""
    plain = receipt("P", "1", at(SECOND, 9), random.Random(1))
    cards = receipt("CARDS", "1", at(SECOND, 9), random.Random(2), card="C0001")
    cards[1] = cards[1].replace("C0001", "C0002")
    minutes = receipt("MINUTES", "1", at(SECOND, 9), random.Random(3), card="C0003")
    minutes += [minutes[1].replace("09:00:00Z", "09:01:00Z").replace("MINUTES,2", "MINUTES,3")]
    torn = receipt("TORN", "1", at(SECOND, 9), random.Random(4), card="C0004")
    torn[1] = torn[1].replace("T09:00:00Z", "T99:00:00Z")  # no time: that header is set aside, and contradicts nobody
    priced = receipt("PRICED", "1", at(SECOND, 9), random.Random(5), card="C0005", gross="5.00")
    again = receipt("AGAIN", "1", at(SECOND, 9), random.Random(6), card="C0006")
    found = [*plain, *cards, *minutes, *torn, *priced, priced[0].replace("5.00", "6.00"), *again, again[0]]
    order.shuffle(found)
    return found


def nights(folder: Path, seed: int) -> Site:
    business = chain(folder / "sample", history=HISTORY, known=FIRST)
    (business.folder / "chain.toml").write_text(CONFIG + HEADS)
    deliver(business.folder, SECOND, story(random.Random(seed)))
    # of another file: two files are compared by nobody
    deliver(business.folder, SECOND, receipt("P", "2", at(SECOND, 10), random.Random(7)), "b")
    made = f"{SECOND}T09:00:00Z"
    heads = [
        f"CHANGED,{made},completed,{SECOND}T09:00:00Z", f"CHANGED,{made},void,{SECOND}T10:00:00Z",
        f"TWO,{made},completed,{SECOND}T09:00:00Z", f"TWO,{made},void,{SECOND}T09:00:00Z",
        f"UNDATED,{made},completed,", f"UNDATED,{made},void,", f"ONE,{made},completed,", f"ONE,{made},completed,",
    ]  # fmt: skip
    random.Random(seed).shuffle(heads)
    (business.folder / "pos" / f"heads_{SECOND}.csv").write_text(
        "\n".join(["number,made_at,status,changed_at", *heads]) + "\n"
    )
    site = site_of(business, folder / "warehouse")
    site.night(FIRST)
    site.night(SECOND)
    return site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return nights(tmp_path_factory.mktemp("contradictions"), 1)


def told(site: Site, day: date) -> dict[str, tuple[int, int, str, str]]:
    """Rule -> checked, failed, what was done, severity."""
    return {
        row["rule_id"]: (row["rows_checked"], row["rows_failed"], row["action"], row["severity"])
        for row in rows(site, day, "published", "data_quality")
        if row["rule_id"] in (HEADER, LINE)
    }


def test_orders_and_lines_that_contradict_themselves_are_counted_and_kept(site: Site) -> None:
    assert told(site, FIRST) == {HEADER: (HISTORY, 0, "none", "info"), LINE: (HISTORY * 2, 0, "none", "info")}
    # six receipts and four heads: CARDS, MINUTES, TWO and UNDATED; CHANGED says when, ONE says the same
    assert told(site, SECOND) == {
        HEADER: (10, 4, "reported", "info"),
        # two lines each and a third of MINUTES: of PRICED one; P stands in two files, AGAIN says the same
        LINE: (13, 1, "reported", "info"),
    }
    page = latest(site, SECOND).report.read_text("utf-8")
    assert f'All lines of an order say the same of the order.<code class="id">{HEADER}</code>' in page


def test_one_of_them_survives_and_the_others_are_duplicates_as_ever(site: Site) -> None:
    found = [row["order_id"] for row in rows(site, SECOND, "clean", "orders") if not row["order_id"].startswith("H")]
    wanted = ["AGAIN", "CARDS", "CHANGED", "MINUTES", "ONE", "P", "PRICED", "TORN", "TWO", "UNDATED"]
    assert sorted(found) == wanted
    orders, lines = account(site, SECOND, "orders"), account(site, SECOND, "order_lines")
    # raw rows: P of the one file or the other (2), a line of CARDS, one or two of MINUTES; one header of TORN aside
    assert (orders["quarantined"], orders["unexplained"], lines["unexplained"]) == (1, 0, 0)
    assert orders["duplicate"] in (4, 5)
    assert lines["duplicate"] == 4  # P's two, PRICED's and AGAIN's one
    (changed,) = [row for row in rows(site, SECOND, "clean", "orders") if row["order_id"] == "CHANGED"]
    assert changed["status"] == "void"


def test_neither_the_order_of_lines_nor_a_rebuild_changes_which_one_is_believed(
    site: Site, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = nights(tmp_path_factory.mktemp("shuffled"), 2)
    assert differences(site.published, other.published) == {}
    assert told(other, SECOND) == told(site, SECOND)
    for table in ("orders", "order_lines"):
        assert account(other, SECOND, table) == account(site, SECOND, table)
    other.night(SECOND, "--full")
    assert differences(site.published, other.published) == {}
    # all nights are judged: the history's orders and lines as well
    assert told(other, SECOND) == {
        HEADER: (10 + HISTORY, 4, "reported", "info"), LINE: (13 + HISTORY * 2, 1, "reported", "info"),
    }  # fmt: skip
