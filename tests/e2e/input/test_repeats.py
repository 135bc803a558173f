"""A CRM that is read whole every night: a bad row is set aside every night, and is news on the first of them alone."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.small_chain import CONFIG, DAYS, at, chain, deliver, latest, quarantine, receipt, rows, site_of
from tests.support import Site, differences, tree_differences

FIRST, SECOND, THIRD, FOURTH = DAYS
RULE = "customers.profiling_consent.readable"
NO_NUMBER = "order_lines.order_id.present"
MANY = "order_lines.quantity.readable"
EARLY = "2025-11-01T00:00:00Z"
#: the members, whole, with a consent that can be read or not
WHOLE = CONFIG.replace(
    'table = "members"\ncursor = "updated_at"\nmay_be_empty = true\ncolumns = { member_id = "STRING", card = "STRING",',
    'table = "members"\nmay_be_empty = true\ncolumns = { member_id = "STRING", consent = "STRING", card = "STRING",',
).replace('profiling_consent = "true"', 'profiling_consent = "consent"')


def members(site: Site, *statements: str) -> None:
    with closing(sqlite3.connect(site.business.folder / "crm.sqlite")) as crm, crm:
        for statement in statements:
            crm.execute(statement)


def member(number: str | None, consent: str) -> str:
    shown = "NULL" if number is None else f"'{number}'"
    return f"INSERT INTO members (member_id, card, updated_at, consent) VALUES ({shown}, NULL, '{EARLY}', '{consent}')"


def line(number: str, quantity: str) -> str:
    return f"{number},1,1,,2026-06-09T09:00:00Z,P1,{quantity},2.00,completed"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Three nights, with something done to the CRM and a file of receipts before each."""
    folder = tmp_path_factory.mktemp("repeats")
    business = chain(folder / "sample", history=40, known=FIRST)
    assert "consent" in WHOLE
    (business.folder / "chain.toml").write_text(WHOLE)
    site = site_of(business, folder / "warehouse")
    members(
        site, "ALTER TABLE members ADD COLUMN consent TEXT", "UPDATE members SET consent = 'yes'",
        member("stays", "maybe"), member("twice", "maybe"), member("twice", "maybe"),
        member("edited", "maybe"), member("touched", "maybe"), member("mended", "maybe"), member(None, "yes"),
    )  # fmt: skip
    for day in DAYS[:3]:
        daily = [one for n in range(3) for one in receipt(f"D{day}-{n}", "1", at(day, 9), random.Random(n))]
        # the till's receipt without a number is another one every night; the one of "many" is sent anew by the second
        again = [line("R", "many")] if day < THIRD else []
        deliver(business.folder, day, [*daily, line("", "1"), *again], "b")
        site.night(day)
        if day == FIRST:
            members(
                site, member("new", "maybe"), "UPDATE members SET consent = 'no' WHERE member_id = 'mended'",
                # none of the three can be read, but somebody has been at the row
                f"UPDATE members SET consent = '?', updated_at = '{FIRST}T12:00:00Z' WHERE member_id = 'edited'",
                f"UPDATE members SET updated_at = '{FIRST}T12:00:00Z' WHERE member_id = 'touched'",
            )  # fmt: skip
    return site


def records(site: Site, day: Any) -> dict[str, Any]:
    found: dict[str, Any] = latest(site, day).manifest()["steps"]
    return found


#: raw rows set aside, and repeated ones among them, of members and of receipts' lines
@pytest.mark.parametrize(
    ("day", "people", "lines"),
    [
        # stays, twice (two), edited, touched, mended, the one without an id
        (FIRST, (7, 0), (2, 0)),
        # stays, twice (two), the one without an id; and anew: edited, touched, new; the receipt of "many" came again
        (SECOND, (7, 4), (2, 1)),
        (THIRD, (7, 7), (1, 0)),
    ],
)
def test_what_an_earlier_night_set_aside_is_counted_apart_and_all_adds_up(
    site: Site, day: Any, people: tuple[int, int], lines: tuple[int, int]
) -> None:
    accounts = records(site, day)["conservation"]
    for name, (aside, again) in (("crm.members customers", people), ("pos.receipts order_lines", lines)):
        account = accounts[name]
        assert (account["quarantined"], account["repeated"]) == (aside, again)
        fates = ("inserted", "superseding", "unchanged", "quarantined", "duplicate", "held", "excluded")
        assert account["extracted"] == sum(account[fate] for fate in fates)
    assert records(site, day)["gate_raw"]["repeated"].get("customers", {}) == (
        {"crm.members": people[1]} if people[1] else {}
    )


def test_quarantine_holds_every_row_of_every_night_and_says_since_when(site: Site) -> None:
    held = rows(site, THIRD, "quarantine", "customers")
    assert Counter(row["_landed"] for row in held) == {FIRST: 7, SECOND: 7, THIRD: 7}
    since = {(row["source_customer_id"], row["_landed"]): row["_first_landed"] for row in held}
    assert {who: day for (who, landed), day in since.items() if landed == THIRD} == {
        "stays": FIRST, "twice": FIRST, None: FIRST, "edited": SECOND, "touched": SECOND, "new": SECOND,
    }  # fmt: skip
    assert all(since[who, FIRST] == FIRST for who, landed in since if landed == FIRST)


def test_data_quality_and_commands_tell_repeated_rows_apart(site: Site) -> None:
    told = {row["rule_id"]: row for row in rows(site, SECOND, "published", "data_quality")}
    counted = {rule: (told[rule]["rows_failed"], told[rule]["rows_repeated"]) for rule in (RULE, NO_NUMBER, MANY)}
    # the member without an id fails another rule; the line without a number is never known again
    assert counted == {RULE: (6, 3), NO_NUMBER: (1, 0), MANY: (1, 1)}
    assert (told["customers.quarantine_share"]["rows_failed"], told["customers.quarantine_share"]["rows_repeated"]) == (
        7, 4,
    )  # fmt: skip
    assert told["customers.plain"]["rows_repeated"] is None
    assert told["customers.key"]["rows_repeated"] is None
    shown = [one.split() for one in quarantine(site, "show", "--date", str(SECOND)).out.splitlines()]
    assert ["customers", RULE, "6", "3"] in shown
    assert ["customers", RULE, "6", "0", str(FIRST), str(FIRST)] in shown
    page = (latest(site, THIRD).path / "published" / "quality.html").read_text("utf-8")
    # beside the seven members the line without a number, for its order and for itself
    assert "9 rows were set aside, 7 of them repeated from earlier nights" in page
    (newest, *_) = site.regulars("status", "--json").answer
    assert (newest["quarantined"], newest["repeated"]) == (9, 7)


def test_a_replay_lets_in_what_was_mended_and_is_a_full_rebuild(site: Site, tmp_path: Path) -> None:
    replayed = site.copy(tmp_path / "replayed")
    mended = WHOLE.replace('"consent"\n', "\"CASE WHEN consent = 'maybe' THEN 'yes' ELSE consent END\"\n")
    (tmp_path / "mended.toml").write_text(mended)
    settings = {"REGULARS_CONFIG": str(tmp_path / "mended.toml")}
    done = replayed.regulars("quarantine", "replay", **settings)
    assert done.code == 0, done.err
    kept = rows(replayed, THIRD, "quarantine", "customers")
    assert Counter((row["source_customer_id"], row["_landed"], row["_first_landed"]) for row in kept) == {
        ("edited", SECOND, SECOND): 1, ("edited", THIRD, SECOND): 1,
        (None, FIRST, FIRST): 1, (None, SECOND, FIRST): 1, (None, THIRD, FIRST): 1,
    }  # fmt: skip
    account = records(replayed, THIRD)["conservation"]["crm.members customers"]
    # nothing of it is new to this night; "many" and the lines without a number are as they were
    assert (account["quarantined"], account["repeated"], account["unexplained"]) == (5, 5, 0)
    rebuilt = site.copy(tmp_path / "rebuilt")
    rebuilt.night(THIRD, "--full", **settings)
    assert differences(replayed.published, rebuilt.published) == {}
    here, there = replayed.root / "current", rebuilt.root / "current"
    assert tree_differences(here / "quarantine", there / "quarantine") == []
