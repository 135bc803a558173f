"""Every night has its quality page: the good one, the one with warnings, the stopped one; Sail, real nights."""

from __future__ import annotations

import html
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from jobs.storage.manifest import damaged_files
from tests.support import Outcome, Site, business, parts


def damage(site: Site, number: int, lines: int) -> None:
    """Turn the first quantities of each of a night's receipt files into words."""
    for path in sorted((site.business.folder / "pos").glob(f"receipts_*_{site.business.nights[number]}.csv")):
        header, *rows = path.read_text().splitlines()
        place = header.split(",").index("quantity")
        for at, row in enumerate(rows[:lines]):
            cells = row.split(",")
            cells[place] = "many"
            rows[at] = ",".join(cells)
        path.write_text("\n".join([header, *rows]) + "\n")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("quality")


@pytest.fixture(scope="module")
def site(place: Path) -> Iterator[Site]:
    """A good night, and one with warnings."""
    with business(place / "business") as found:
        site = Site(found, place / "warehouse")
        site.night(found.nights[0])
        damage(site, 1, lines=1)
        site.night(found.nights[1])
        yield site


@pytest.fixture(scope="module")
def stopped(site: Site) -> Outcome:
    damage(site, 2, lines=1000)
    return site.regulars("run", "--date", str(site.business.nights[2]))


def said(page: Path) -> str:
    """The text of a page."""
    bare = re.sub(r"<(style|svg).*?</\1>", "", page.read_text("utf-8"), flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", bare)).split())


def test_a_published_night_carries_its_page_in_its_manifest(site: Site) -> None:
    for day in site.business.nights[:2]:
        night = site.warehouse.latest(day)
        assert night is not None
        listed = night.manifest()["files"]["published/quality.html"]
        assert listed["bytes"] == night.report.stat().st_size > 10_000
        assert damaged_files(night) == []
        assert str(day) in said(night.report)
    page = site.published / "quality.html"
    assert stat.S_IMODE(page.stat().st_mode) == 0o644
    assert site.regulars("report").out == f"{page.resolve()}\n"
    assert site.regulars("doctor", "--deep").out.count("FAILED") == 0


def test_it_says_what_data_quality_says(site: Site) -> None:
    with duckdb.connect() as connection:
        wanted = "rule_id, rule, rows_failed, rows_checked, owner, is_passed OR severity = 'info'"
        rows = connection.sql(f"SELECT {wanted} FROM {parts(site.published, 'data_quality')}").fetchall()
    text = said(site.published / "quality.html")
    assert all(rule_id in text and rule in text for rule_id, rule, *_ in rows)
    assert {owner for *_, owner, _ in rows} >= {"data engineering", "finance", "store operations", "customer service"}
    failed = [row for row in rows if not row[-1]]
    assert [row[0] for row in failed] == ["order_lines.quantity.readable"]
    _, rule, rows_failed, rows_checked, owner, _ = failed[0]
    assert f"1 rule of {len(rows)} failed, none of them critical. {rows_failed} rows were set aside" in text
    assert f"{rule} order_lines.quantity.readable order_lines Rows, one by one {owner}" in text
    assert f"{rows_failed} of {rows_checked}" in text
    assert "0 in 1 earlier night" in text
    assert "Every row is accounted for" in text
    assert "Ties to the cent" in text


def test_a_night_that_is_run_again_unchanged_keeps_its_page(site: Site) -> None:
    page = (site.published / "quality.html").resolve()
    before = page.stat()
    again = site.night(site.business.nights[1])
    assert again.answer["unchanged"] is True
    assert (site.published / "quality.html").resolve() == page
    assert (page.stat().st_ino, page.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_stopped_night_has_its_page_and_the_error_leads_there(site: Site, stopped: Outcome) -> None:
    assert stopped.code == 1
    night = site.warehouse.open_nights()[-1]
    error, report, following = stopped.err.splitlines()[-3:]
    assert error.startswith("error: gate_raw blocks the night")
    assert report == f" report: {night.report}"
    text = said(night.report)
    assert "Not published: a rule stopped the night" in text
    assert "order_lines.quarantine_share" in text
    assert following.removeprefix(" next: ") in text
    asked = site.regulars("report")
    assert (asked.out, asked.code) == (f"{night.report}\n", 0)
    assert "is not published" in asked.err
    assert stat.S_IMODE(night.report.stat().st_mode) == 0o600
    assert str(site.business.nights[1]) in said(site.published / "quality.html")  # readers see no more than before
