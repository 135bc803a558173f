"""Two customers who are taken for one and told apart again; a shop's own telephone; a guest who turns out to be known.

Beside the chain runs one to which the mistake never happened: everybody else's rows have to be the same in both.
"""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from jobs.definitions.published import BY_NAME, OUTSIDE, folder
from tests.e2e.small_chain import CONFIG, DAYS, HEADER, at, chain, latest, receipt, site_of
from tests.support import Site, differences

SHOP = "+43 1 5123456"
SHOWN = 10_000
#: two members of whom the second is given the e-mail of the first by mistake; and a member who buys before joining
ONE, OTHER, GUEST = "5", "7", "late@example.at"
DECISIONS = "decision,source_a,id_a,source_b,id_b,decided_by,decided_on\n"


def config() -> str:
    """The chain's configuration with e-mail and telephone, of members and on receipts."""
    told = CONFIG.replace(
        'card = "STRING", updated_at', 'card = "STRING", email = "STRING", phone = "STRING", updated_at'
    )
    told = told.replace('loyalty_card = "card"\nreg', 'loyalty_card = "card"\nemail = "email"\nphone = "phone"\nreg')
    return told.replace('card"\nstore_id', 'card"\nemail = "email"\nphone = "phone"\nstore_id')


@dataclass
class Night:
    """What a night has published, to be asked."""

    site: Site
    number: int

    def ask(self, question: str) -> list[dict[str, Any]]:
        """Rows of a query over the published tables."""
        published = latest(self.site, DAYS[self.number]).path / "published"
        with duckdb.connect() as database:
            for name, table in BY_NAME.items():
                database.execute(f"CREATE VIEW {name} AS FROM read_parquet('{published / folder(table)}/*.parquet')")
            return database.sql(question).to_arrow_table().to_pylist()

    def id_of(self, member: str) -> str:
        """The customer that a member of the CRM is."""
        said = f"source = 'crm' AND source_customer_id = '{member}' AND valid_to = DATE '9999-12-31'"
        (row,) = self.ask(f"SELECT customer_id FROM customer_crosswalk WHERE {said}")
        return str(row["customer_id"])

    def features(self, but: set[str]) -> list[dict[str, Any]]:
        """customer_features of everybody but some."""
        rows = self.ask("FROM customer_features ORDER BY customer_id")
        return [row for row in rows if row["customer_id"] not in but]


def made(place: Path, *, mistaken: bool) -> Site:
    """Three nights: all is well; the mistake; its correction by a decision."""
    sample = place / "sample"
    business = chain(sample, history=0, known=DAYS[0])
    decided = sample / "decisions.csv"
    told = config() + f'\n[identity]\ndecisions = "{decided}"\n'
    (sample / "chain.toml").write_text(told)
    decided.write_text(DECISIONS)
    with closing(sqlite3.connect(sample / "crm.sqlite")) as crm, crm:
        for name in ("email", "phone"):
            crm.execute(f"ALTER TABLE members ADD COLUMN {name} TEXT")
        crm.execute("UPDATE members SET email = 'm' || member_id || '@example.at'")
        crm.execute("UPDATE members SET phone = ? WHERE member_id = '3'", (SHOP,))  # staff, who gave the shop's
    site = site_of(business, place / "warehouse")
    draw = random.Random(11)
    lines = [line for n in range(700) for line in _sold(f"H{n}", draw.randrange(200), draw)]
    lines += [line for n in range(SHOWN) for line in _sold(f"S{n}", n % 30, draw, card="", phone=SHOP)[:1]]
    lines += [line for n in range(3) for line in _sold(f"G{n}", n, draw, card="", email=GUEST.upper())]
    _deliver(sample, 0, lines)
    site.night(DAYS[0])
    for number in (1, 2):
        if number == 1:
            told = "UPDATE members SET updated_at = ?, email = ? WHERE member_id = ?"
            _tell(sample, number, told, (f"m{ONE if mistaken else OTHER}@example.at", OTHER))
        if number == 2:
            joins = "INSERT INTO members (updated_at, email, member_id, card) VALUES (?, ?, ?, 'C9000')"
            _tell(sample, number, joins, (GUEST, "900"))
            if mistaken:
                decided.write_text(f"{DECISIONS}never_link,crm,{ONE},crm,{OTHER},j.doe,{DAYS[2]}\n")
        _deliver(sample, number, [line for n in range(20) for line in _sold(f"D{number}-{n}", -number, draw)])
        site.night(DAYS[number])
    return site


def _sold(number: str, ago: int, draw: random.Random, **more: str) -> list[str]:
    sold_at = at(DAYS[0] - timedelta(days=ago), draw.randrange(6, 18))
    names = {"card": more.pop("card")} if "card" in more else {}
    return [f"{line},{more.get('email', '')},{more.get('phone', '')}"
            for line in receipt(number, draw.choice("12"), sold_at, draw, **names)]  # fmt: skip


def _deliver(sample: Path, number: int, lines: list[str]) -> None:
    text = "\n".join([f"{HEADER},email,phone", *lines]) + "\n"
    (sample / "pos" / f"receipts_{DAYS[number]}.csv").write_text(text)


def _tell(sample: Path, number: int, statement: str, values: tuple[str, ...]) -> None:
    """Change the CRM before a night."""
    with closing(sqlite3.connect(sample / "crm.sqlite")) as crm, crm:
        crm.execute(statement, (f"{DAYS[number]}T20:00:00Z", *values))


@pytest.fixture(scope="module")
def mistaken(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return made(tmp_path_factory.mktemp("mistaken"), mistaken=True)


@pytest.fixture(scope="module")
def spared(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return made(tmp_path_factory.mktemp("spared"), mistaken=False)


def test_the_merged_have_one_history_and_nobody_else_is_touched(mistaken: Site, spared: Site) -> None:
    before, merged, plain = Night(mistaken, 0), Night(mistaken, 1), Night(spared, 1)
    ids = {before.id_of(ONE), before.id_of(OTHER)}
    assert len(ids) == 2
    assert merged.id_of(ONE) == merged.id_of(OTHER) == min(ids)
    assert merged.features(ids) == plain.features(ids)
    (row,) = merged.ask(f"SELECT orders_365d, net_revenue_365d FROM customer_features WHERE customer_id = '{min(ids)}'")
    said = "SELECT sum(orders_365d) AS orders_365d, sum(net_revenue_365d) AS net_revenue_365d FROM customer_features"
    assert plain.ask(f"{said} WHERE customer_id IN {tuple(ids)}") == [row]
    assert merged.ask("SELECT old_customer_id, customer_id, event, effective_on FROM customer_aliases") == [
        {"old_customer_id": max(ids), "customer_id": min(ids), "event": "merged", "effective_on": DAYS[1]}
    ]


def test_the_parted_have_their_own_histories_and_ids_again(mistaken: Site, spared: Site) -> None:
    before, parted, plain = Night(mistaken, 0), Night(mistaken, 2), Night(spared, 2)
    assert [parted.id_of(one) for one in (ONE, OTHER)] == [before.id_of(one) for one in (ONE, OTHER)]
    assert parted.features(set()) == plain.features(set())
    segments = "SELECT COLUMNS(lambda c: c NOT LIKE '%version') FROM customer_segments ORDER BY customer_id"
    assert parted.ask(segments) == plain.ask(segments)
    ids = sorted((before.id_of(ONE), before.id_of(OTHER)))
    told = parted.ask("SELECT event, old_customer_id, new_customer_id, occurred_on, cause FROM identity_ledger")
    assert sorted(told, key=lambda row: row["occurred_on"]) == [
        {"event": "merged", "old_customer_id": ids[1], "new_customer_id": ids[0], "occurred_on": DAYS[1],
         "cause": "email"},
        {"event": "split", "old_customer_id": ids[0], "new_customer_id": ids[1], "occurred_on": DAYS[2],
         "cause": "never_link"},
    ]  # fmt: skip
    assert parted.ask("SELECT old_customer_id, customer_id, event FROM customer_aliases") == [
        {"old_customer_id": ids[0], "customer_id": ids[0], "event": "split"}
    ]


@pytest.mark.parametrize("number", [1, 2])
def test_a_rebuild_publishes_the_same(mistaken: Site, tmp_path: Path, number: int) -> None:
    full = mistaken.copy(tmp_path / "full")
    if number == 1:
        sample = Path(mistaken.business.folder)
        decided = (sample / "decisions.csv").read_text()
        (sample / "decisions.csv").write_text(DECISIONS)
    try:
        full.night(DAYS[number], "--full")
    finally:
        if number == 1:
            (sample / "decisions.csv").write_text(decided)
    assert differences(*(latest(site, DAYS[number]).path / "published" for site in (mistaken, full))) == {}


@pytest.mark.parametrize(("number", "cause"), [(1, "merged"), (2, "split")])
def test_sizes_change_by_what_flows_and_the_cause_is_told(mistaken: Site, number: int, cause: str) -> None:
    now, before = Night(mistaken, number), Night(mistaken, number - 1)
    sizes = "SELECT scheme, segment, count(*) AS n FROM segment_memberships WHERE is_current GROUP BY ALL"
    change: dict[tuple[str, str], int] = {}
    for night, sign in ((now, 1), (before, -1)):
        for row in night.ask(sizes):
            key = row["scheme"], row["segment"]
            change[key] = change.get(key, 0) + sign * row["n"]
    flows = now.ask("FROM segment_migrations")
    for row in flows:
        for end, sign in (("to_segment", -1), ("from_segment", 1)):
            if row[end] != OUTSIDE:
                key = row["scheme"], row[end]
                change[key] = change.get(key, 0) + sign * row["customers"]
    assert {key: n for key, n in change.items() if n} == {}
    outside = "to_segment" if cause == "merged" else "from_segment"
    schemes = {row["scheme"] for row in flows if row["cause"] == cause and row[outside] == OUTSIDE}
    assert schemes == {row["scheme"] for row in now.ask("SELECT DISTINCT scheme FROM segment_memberships")}


def test_a_shops_telephone_makes_nobody_a_giant_and_is_reported(mistaken: Site) -> None:
    night = Night(mistaken, 0)
    (most,) = night.ask("SELECT max(orders_365d) AS orders FROM customer_features")
    assert most["orders"] < 100
    staff = night.ask(f"SELECT orders_365d FROM customer_features WHERE customer_id = '{night.id_of('3')}'")
    plain = night.ask("SELECT median(orders_365d) AS usual FROM customer_features")
    assert staff[0]["orders_365d"] < 3 * plain[0]["usual"]
    said = latest(mistaken, DAYS[0]).manifest()["steps"]["identity"]
    assert said["crowded"] == {"phone_hash": {"values": 1, "records": 1}}
    assert [text for text in said["warnings"] if "phone" in text], said["warnings"]
    (sold,) = night.ask("SELECT sum(orders_90d) AS orders FROM store_demand")
    assert sold["orders"] > SHOWN, "the shop's receipts are in its own figures"


def test_receipts_of_a_guest_become_those_of_whoever_turns_out_to_have_bought(mistaken: Site) -> None:
    after = Night(mistaken, 2)
    (row,) = after.ask(f"SELECT orders_365d FROM customer_features WHERE customer_id = '{after.id_of('900')}'")
    assert row["orders_365d"] == 3


def test_a_customer_is_explained_by_records_links_and_ledger(mistaken: Site) -> None:
    said = mistaken.regulars("explain", Night(mistaken, 2).id_of(ONE)).out
    assert "never link" in said and "merged" in said and "first record" in said
    assert "@" not in said and SHOP not in said and f"C{int(ONE):04d}" not in said


def test_another_bound_of_receipts_a_day_is_held_to_every_date(mistaken: Site, tmp_path: Path) -> None:
    lenient = mistaken.copy(tmp_path / "lenient", REGULARS_IDENTITY__MAX_ORDERS_A_DAY=str(SHOWN))
    lenient.night(DAYS[3])
    assert latest(lenient, DAYS[3]).manifest()["steps"]["identity"]["crowded"] == {}
    staff = Night(lenient, 3).id_of("3")
    (row,) = Night(lenient, 3).ask(f"SELECT orders_365d FROM customer_features WHERE customer_id = '{staff}'")
    assert row["orders_365d"] > SHOWN, "the bound says whose the receipts are"
