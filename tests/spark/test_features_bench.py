"""What the benchmark of the features rests on: its nights are as the steps leave them, and DuckDB's features are ours.

A chain of a few thousand lines by the benchmark's own generator; the nights are run by its own processes.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import duckdb
import pytest

from jobs import keeper
from jobs.storage.night import Night
from tests.bench import page, reference, sites
from tests.bench.clean_night import Chain, parquet
from tests.bench.sites import Made, Site, Turn
from tests.support import REGULARS, ROOT

CHAIN = Chain(lines=16_000, days=100)
LATE_ORDERS, LATE_DAYS = 20, 6


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The chain's nights up to identity."""
    root = tmp_path_factory.mktemp("made") / "warehouse"
    return sites.make(root, CHAIN, late_orders=LATE_ORDERS, late_days=LATE_DAYS)


@pytest.fixture(scope="module")
def site(engine_url: str, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A warehouse on the session's engine."""
    return Site(tmp_path_factory.mktemp("site") / "warehouse", engine_url, memory="1g")


@pytest.fixture(scope="module")
def first(site: Site, made: Made) -> Night:
    """The first night after its features, and open no more."""
    night = site.begin(made.first)
    site.features(night)
    return site.publish(night)


def published(night: Night) -> Path:
    return night.table("published", "customer_features")


def compared(site: Site, night: Night, out: Path) -> dict[str, int]:
    """What tells DuckDB's features of a night from the published ones."""
    site.reference(night, out)
    return reference.differences(out, published(night), "local[*]")


def differing_rows(one: str, other: str) -> int:
    """Rows that only the one or only the other has."""
    with duckdb.connect() as connection:
        return sum(
            int(connection.sql(f"SELECT count(*) FROM (FROM {a} EXCEPT ALL FROM {b})").fetchall()[0][0])
            for a, b in ((one, other), (other, one))
        )


def test_the_chain_has_what_tells_features_apart(first: Night, tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        for name in reference.COMPUTED:
            found = connection.sql(f"SELECT count(DISTINCT {name}) FROM '{published(first)}/*.parquet'").fetchall()
            assert found[0][0] > (0 if name == "snapshot_date" else 1), name
        orders = connection.sql(
            "SELECT count(*) FILTER (WHERE coalesce(source_customer_id, loyalty_card_hash, phone_hash) IS NULL),"
            " count(DISTINCT status), count(DISTINCT channel), count(*) - count(party_size),"
            " count(*) - count(fulfilment)"
            f" FROM {parquet(first, 'clean', 'orders')}"
        ).fetchall()[0]
        assert all(count > 1 for count in orders), orders
        people = connection.sql(
            "SELECT count(DISTINCT known_customer_id),"
            " count(DISTINCT known_customer_id) FILTER (WHERE linked_by = 'email')"
            f" FROM {parquet(first, 'identity', 'records')}"
        ).fetchall()[0]
        (profiled,) = connection.sql(f"SELECT count(*) FROM '{published(first)}/*.parquet'").fetchall()[0]
    assert people[1] > 10, "records of one person"
    assert 0.5 * people[0] < profiled < 0.9 * people[0], "some do not allow profiling"


def test_all_anew(site: Site, first: Night, tmp_path: Path) -> None:
    assert compared(site, first, tmp_path / "one" / "expected.parquet") == {}


def test_a_difference_is_told(site: Site, first: Night, tmp_path: Path) -> None:
    expected = tmp_path / "one" / "expected.parquet"
    site.reference(first, expected)
    changed = tmp_path / "changed"
    changed.mkdir()
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT * REPLACE (orders_total + (customer_id = (SELECT min(customer_id) FROM published))::INT AS"
            " orders_total, 'phone' AS preferred_device) FROM published WHERE customer_id <> (SELECT max(customer_id)"
            f" FROM published)) TO '{changed}/part.parquet'".replace("published", f"'{published(first)}/*.parquet'")
        )
        (rows,) = connection.sql(f"SELECT count(*) FROM '{changed}/part.parquet'").fetchall()[0]
    found = reference.differences(expected, changed, "local[*]")
    assert found["not published"] == 1
    assert found["preferred_device"] == rows, "a feature without a feed is null"
    assert 1 <= found["orders_total"] <= 2, "one was changed, and one is missing"


def test_a_night_of_one_day_with_late_orders(site: Site, first: Night, made: Made, tmp_path: Path) -> None:
    assert made.late is not None
    night = site.begin(made.late)
    assert night.rows("clean", "orders") == made.day.rows("clean", "orders") + LATE_ORDERS
    turn = site.features(night)
    assert len(made.late_dates) == LATE_DAYS
    assert turn.dates == (*map(str, made.late_dates), str(night.date))
    assert turn.customers is not None and 0 < turn.customers < CHAIN.people
    assert compared(site, night, tmp_path / "one" / "expected.parquet") == {}


def test_identities_are_those_of_the_step(site: Site, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Site(site.root.parent / "identities", site.engine, memory="1g")
    for name, value in other.environment.items():
        monkeypatch.setenv(name, value)
    other.publish(other.begin(made.first))
    night = other.begin(made.day)
    kept = keeper.start(other.warehouse, night.run, str(night.date), owner=os.getpid())
    try:
        command = [REGULARS, "step", "identity", "--run", night.run]
        subprocess.run(command, env=other.environment, cwd=ROOT, check=True, capture_output=True)
    finally:
        kept.stop()
    for table in ("records", "identifiers"):
        assert night.rows("identity", table) > 100
        assert night.changed(made.day, "identity", table), "the step wrote none"
        # what a record said the night before is the step's own affair
        said = "(SELECT COLUMNS(lambda c: c <> 'content') FROM {})"
        now, expected = (said.format(parquet(one, "identity", table)) for one in (night, made.day))
        assert differing_rows(now, expected) == 0, table


def test_the_page_keeps_other_sizes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "benchmarks.md"
    place.write_text(f"# Head\n\n{page.BEGIN}\n{page.END}\n\ntail\n")
    monkeypatch.setattr(page, "PAGE", place)
    page.write(5_000_000, "## 5,000,000 order lines\n\nold")
    page.write(1_000_000, "## 1,000,000 order lines\n\none")
    page.write(5_000_000, "## 5,000,000 order lines\n\nnew")
    sizes = "## 1,000,000 order lines\n\none\n\n## 5,000,000 order lines\n\nnew"
    assert place.read_text() == f"# Head\n\n{page.BEGIN}\n\n{sizes}\n\n{page.END}\n\ntail\n"


def test_ratios_are_of_paired_runs() -> None:
    turns, base = ([Turn(seconds, 0.0) for seconds in each] for each in ((2.0, 8.0, 3.0), (1.0, 2.0, 1.0)))
    assert page._ratio(turns, base) == "3.00"
