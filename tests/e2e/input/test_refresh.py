"""The day so far is published when an event marks somebody, equals a night of the same rows, and is replaced by it."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.e2e.small_chain import CONFIG, DAYS, apart, at, chain, deliver, latest, receipt, site_of
from tests.support import Site, differences

BEFORE, TODAY = DAYS[0], DAYS[1]
NOTES = """
[sources.crm.feeds.notes]
table = "notes"
may_be_empty = true
columns = { note_id = "STRING", member_id = "STRING", given_at = "STRING", is_complaint = "STRING" }

[sources.crm.feeds.notes.maps.feedback]
feedback_id = "note_id"
source_customer_id = "member_id"
given_at = "given_at"
is_complaint = "is_complaint"
"""
NOBODY = {"first_order": 0, "large_order": 0, "complaint": 0}


def _crm(site: Site, statement: str, *values: str) -> None:
    with closing(sqlite3.connect(site.business.folder / "crm.sqlite")) as crm, crm:
        crm.execute(statement, values)


def _refresh(site: Site, day: date = TODAY) -> dict[str, Any]:
    done = site.regulars("refresh", "--date", str(day))
    assert done.code == 0, done.err
    return done.answer


def _sold(site: Site, number: str, card: str, gross: str, hour: int = 12) -> list[str]:
    return receipt(number, "1", at(TODAY, hour), random.Random(number), card=card, gross=gross)


def _features(site: Site) -> dict[str, dict[str, Any]]:
    rows = pq.read_table(site.published / "customer_features").to_pylist()
    return {row["customer_id"]: row for row in rows}


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A chain after one night, whose customers order every few days for some 90 euros; one member never ordered."""
    place = tmp_path_factory.mktemp("refresh")
    site = site_of(chain(place / "sample", history=500, known=BEFORE), place / "warehouse")
    (place / "sample" / "chain.toml").write_text(CONFIG + NOTES)
    _crm(site, "CREATE TABLE notes (note_id TEXT, member_id TEXT, given_at TEXT, is_complaint TEXT)")
    _crm(site, "INSERT INTO members VALUES ('new', 'C9999', ?)", "2025-11-01T00:00:00Z")
    site.night(BEFORE)
    return site


@pytest.fixture
def site(known: Site, tmp_path: Path) -> Site:
    """A copy of the chain and of its warehouse."""
    return apart(known, tmp_path)


def test_where_nobody_is_marked_nothing_is_published(site: Site) -> None:
    deliver(site.business.folder, TODAY, _sold(site, "R1", "C0001", "9.99"))
    assert _refresh(site) == {"published": False, "marked": NOBODY}
    assert site.warehouse.latest(TODAY) is None and site.warehouse.open_nights() == []
    assert site.published.resolve().parent == latest(site, BEFORE).path


def _first(site: Site) -> None:
    deliver(site.business.folder, TODAY, _sold(site, "R1", "C9999", "9.99"))


def _large(site: Site) -> None:
    deliver(site.business.folder, TODAY, _sold(site, "R1", "C0001", "900.00"))


def _complaint(site: Site) -> None:
    _crm(site, "INSERT INTO notes VALUES ('n1', '7', ?, 'true')", f"{TODAY}T10:00:00Z")


@pytest.mark.parametrize(
    ("happens", "mark"), [(_first, "first_order"), (_large, "large_order"), (_complaint, "complaint")]
)
def test_an_event_publishes_the_day_so_far(site: Site, happens: Callable[[Site], None], mark: str) -> None:
    happens(site)
    said = _refresh(site)
    assert said["published"] and said["marked"] == NOBODY | {mark: 1}
    night = latest(site, TODAY)
    assert site.published.resolve().parent == night.path
    assert night.manifest()["steps"]["marks"] == said["marked"]
    # only whom the day touches is computed anew
    assert night.manifest()["steps"]["features"]["customers"] < len(_features(site)) / 2


def test_it_says_what_a_night_of_the_same_rows_says_and_the_night_replaces_it(site: Site, tmp_path: Path) -> None:
    _first(site)
    _complaint(site)
    alone = site.copy(tmp_path / "alone")
    assert _refresh(site)["published"]
    alone.night(TODAY)
    assert differences(latest(site, TODAY).path / "published", latest(alone, TODAY).path / "published") == {}
    assert latest(site, TODAY).is_refresh
    assert "published, current, refresh" in site.regulars("status").out

    # nothing new is not published again; more of the day is
    run = latest(site, TODAY).run
    assert not _refresh(site)["published"]
    assert latest(site, TODAY).run == run
    more = [*_sold(site, "R1", "C9999", "9.99"), *_sold(site, "R2", "C0002", "5.00", 15)]
    deliver(site.business.folder, TODAY, more)
    assert _refresh(site)["published"]
    assert latest(site, TODAY).run != run

    # the night is another one, though its rows are the same, and after it there is nothing to refresh
    site.night(TODAY)
    alone.night(TODAY)
    assert not latest(site, TODAY).is_refresh
    (current,) = [line for line in site.regulars("status").out.splitlines() if "current" in line]
    assert "refresh" not in current
    assert differences(latest(site, TODAY).path / "published", latest(alone, TODAY).path / "published") == {}
    assert _refresh(site) == {"published": False, "marked": {}}


def test_before_the_night_of_the_day_before_there_is_nothing_to_add_to(site: Site) -> None:
    _first(site)
    assert _refresh(site, TODAY + timedelta(days=1)) == {"published": False, "marked": {}}
    assert _refresh(site)["published"]
    # what is there of today is no night
    assert _refresh(site, TODAY + timedelta(days=1)) == {"published": False, "marked": {}}
