"""A thousand rows set aside for a store that nobody declared flow in when the CRM tells of it, on the right dates."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.e2e.small_chain import DAYS, account, apart, at, chain, deliver, latest, quarantine, receipt, rows, site_of
from tests.support import Outcome, Site, differences, tree_differences

#: when the store's receipts come, and when the CRM tells of it
OPENS, KNOWN = DAYS[1], DAYS[2]
#: tables that say what was published on earlier nights, and when
REMEMBERING = {"segment_memberships", "segment_migrations", "segment_trend"}
NEW = 500


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("replay")


def nights(folder: Path, known: date) -> Site:
    """Three nights of the chain: of history, of the new store's 500 receipts of two lines, and one more."""
    business = chain(folder / "sample", history=400, known=known)
    draw = random.Random(11)
    opening = [receipt(f"S{n}", "9", at(OPENS, draw.randrange(2, 23), draw.randrange(60)), draw) for n in range(NEW)]
    deliver(business.folder, OPENS, [line for one in opening for line in one])
    for day in DAYS[1:]:
        daily = [receipt(f"D{day}-{n}", draw.choice("12"), at(day, 9), draw) for n in range(40)]
        deliver(business.folder, day, [line for one in daily for line in one], "b")
    site = site_of(business, folder / "warehouse")
    for day in DAYS[:3]:
        site.night(day)
    return site


@pytest.fixture(scope="module")
def from_the_start(folder: Path) -> Site:
    """The CRM knew the store before it opened."""
    return nights(folder / "from_the_start", DAYS[0])


@pytest.fixture(scope="module")
def not_replayed(folder: Path) -> Site:
    """The CRM tells of the store on the third night, which takes its own rows in and no more."""
    return nights(folder / "not_replayed", KNOWN)


@pytest.fixture(scope="module")
def replayed(folder: Path, not_replayed: Site) -> tuple[Site, Outcome]:
    site = not_replayed.copy(folder / "replayed")
    return site, quarantine(site, "replay")


def test_a_thousand_rows_of_an_unknown_store_are_in_quarantine(not_replayed: Site) -> None:
    aside = rows(not_replayed, KNOWN, "quarantine", "order_lines")
    assert len(aside) == 2 * NEW == 1000
    assert {row["_landed"] for row in aside} == {OPENS}
    orders = rows(not_replayed, KNOWN, "quarantine", "orders")
    assert {tuple(row["_failed"]) for row in orders} == {("orders.store_id.resolves",)}
    assert not [row for row in rows(not_replayed, KNOWN, "clean", "orders") if row["store_id"] == "9"]
    shown = quarantine(not_replayed, "show").out
    assert "orders.store_id.resolves" in shown
    assert "regulars quarantine replay" in shown


def test_after_a_replay_all_is_as_if_the_store_had_been_known(
    replayed: tuple[Site, Outcome], from_the_start: Site, not_replayed: Site
) -> None:
    site, done = replayed
    assert (done.answer["quarantine_before"], done.answer["quarantine_now"]) == (1500, 0)
    assert differences(not_replayed.published, from_the_start.published).keys() - REMEMBERING
    assert differences(site.published, from_the_start.published).keys() <= REMEMBERING
    # when the CRM told of the store is another moment
    assert tree_differences(site.root / "current" / "clean", from_the_start.root / "current" / "clean") == ["stores"]


def test_rows_lie_on_the_business_dates_of_their_store(replayed: tuple[Site, Outcome]) -> None:
    """04:30 in Shanghai is the evening before in Vienna, and a new business day in Shanghai, which begins at 03:00."""
    site, _ = replayed
    receipts = site.business.folder / "pos" / f"receipts_{OPENS}.csv"
    with duckdb.connect() as connection:
        local = "CAST(replace(replace(sold_at, 'T', ' '), 'Z', '') AS TIMESTAMP) + INTERVAL 8 HOUR - INTERVAL 3 HOUR"
        wanted = connection.sql(
            f"SELECT CAST({local} AS DATE), count(DISTINCT receipt), sum(CAST(gross AS DECIMAL(18,2))) "
            f"FROM read_csv('{receipts}', all_varchar = true) GROUP BY 1 ORDER BY 1"
        ).fetchall()
        found = connection.sql(
            "SELECT business_date, sum(orders), sum(net_revenue) FROM "
            f"'{site.published}/customer_days/*.parquet' WHERE store_id = '9' GROUP BY 1 ORDER BY 1"
        ).fetchall()
    assert len(wanted) == 2
    assert found == wanted
    places = {row["business_date"] for row in rows(site, KNOWN, "clean", "order_lines") if row["order_id"][0] == "S"}
    assert places == {day for day, _, _ in wanted}


def test_every_replayed_row_is_accounted_for_and_leaves_quarantine(replayed: tuple[Site, Outcome]) -> None:
    site, _ = replayed
    for table in ("orders", "order_lines"):
        found = account(site, KNOWN, table)
        assert (found["extracted"], found["replayed"], found["inserted"]) == (80, 1000, 1080)
        assert found["unexplained"] == found["quarantined"] == 0
        assert rows(site, KNOWN, "quarantine", table) == []


def test_a_full_rebuild_of_the_date_is_the_same(folder: Path, replayed: tuple[Site, Outcome]) -> None:
    site = replayed[0].copy(folder / "rebuilt")
    site.night(KNOWN, "--full")
    assert differences(site.published, replayed[0].published) == {}
    here, there = site.root / "current", replayed[0].root / "current"
    assert tree_differences(here / "quarantine", there / "quarantine") == []
    assert {"orders", "order_lines"}.isdisjoint(tree_differences(here / "clean", there / "clean"))


def test_tables_that_remember_tell_when_rows_came_in(replayed: tuple[Site, Outcome], from_the_start: Site) -> None:
    """Memberships change on the night of the replay; what earlier nights published of sizes is not rewritten."""
    site, _ = replayed
    with duckdb.connect() as connection:

        def one(root: Path, query: str) -> list[tuple[Any, ...]]:
            return connection.sql(query.replace("@", f"{root}/")).fetchall()

        segments = (
            "SELECT customer_id, scheme, segment FROM '@segment_memberships/*.parquet' WHERE is_current ORDER BY ALL"
        )
        assert one(site.published, segments) == one(from_the_start.published, segments)
        since = "SELECT max(valid_from) FROM '@segment_memberships/*.parquet' WHERE scheme = 'rfm'"
        assert one(site.published, since) == [(KNOWN,)]
        sizes = f"FROM '@segment_trend/*.parquet' WHERE snapshot_date {{}} '{KNOWN}' ORDER BY ALL"
        assert one(site.published, sizes.format("=")) == one(from_the_start.published, sizes.format("="))
        before = latest(site, OPENS).path / "published"
        assert one(site.published, sizes.format("<")) == one(before, sizes.format("<="))
        flows = one(
            site.published,
            f"""WITH f AS (FROM '{site.published}/segment_migrations/*.parquet'),
            flow AS (SELECT scheme, to_segment AS segment, customers AS n FROM f
                     UNION ALL SELECT scheme, from_segment, -customers FROM f),
            size AS (SELECT scheme, segment, CASE WHEN snapshot_date = '{KNOWN}' THEN customers ELSE -customers END AS n
                     FROM '{site.published}/segment_trend/*.parquet' WHERE snapshot_date >= '{OPENS}')
            SELECT scheme, segment FROM
              (SELECT scheme, segment, sum(n) AS n FROM flow WHERE segment != '_outside' GROUP BY ALL) FULL JOIN
              (SELECT scheme, segment, sum(n) AS m FROM size GROUP BY ALL) USING (scheme, segment)
            WHERE coalesce(n, 0) != coalesce(m, 0)""",
        )
        assert flows == []
        assert one(
            site.published, "SELECT count(*) > 0 FROM '@segment_migrations/*.parquet' WHERE cause = 'correction'"
        ) == [(True,)]


def test_what_was_let_in_stays_in(folder: Path, replayed: tuple[Site, Outcome], from_the_start: Site) -> None:
    site, early = apart(replayed[0], folder / "goes_on"), apart(from_the_start, folder / "early_goes_on")
    again = site.night(KNOWN)
    assert "nothing rewritten" in again.err
    for one in (site, early):
        deliver(one.business.folder, KNOWN, receipt("Z1", "2", at(KNOWN, 8), random.Random(3)), "c")
        one.night(KNOWN)
        assert differences(one.published, replayed[0].published)
    assert differences(site.published, early.published).keys() <= REMEMBERING
    for one in (site, early):
        one.night(DAYS[3])
    assert differences(site.published, early.published).keys() <= REMEMBERING


def test_a_replay_without_anything_to_replay_is_refused(replayed: tuple[Site, Outcome]) -> None:
    site, _ = replayed
    for arguments, said in (
        (("replay",), "nothing is in quarantine"),
        (("replay", "--date", "2026-06-01"), "no night up to 2026-06-01 is published"),
        (("replay", "--date", "June"), "is no date"),
        (("admit", "--all"), "no order is held"),
    ):
        done = site.regulars("quarantine", *arguments)
        assert (done.code, said in done.err) == (2, True), done.err


def test_a_replay_killed_midway_leaves_nothing(
    folder: Path, not_replayed: Site, replayed: tuple[Site, Outcome]
) -> None:
    site = not_replayed.copy(folder / "killed")
    shown = site.published.resolve()
    for point in ("clean.end", "publish.fence_passed"):
        assert site.regulars("quarantine", "replay", REGULARS_KILL_AT=point).code == -9
        assert site.published.resolve() == shown
        assert differences(site.published, not_replayed.published) == {}
    quarantine(site, "replay")
    assert differences(site.published, replayed[0].published) == {}
