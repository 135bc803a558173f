"""A night that brings far less or more than others, or another column: blocked, warned about, or put to a person."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.support import Business, Outcome, Site

FIRST = date(2026, 3, 1)
TONIGHT = date(2026, 3, 5)
CONFIG = """
policies = { unknown_store = "infer", unknown_product = "infer" }

[sources.pos]
kind = "files"
location = "${REGULARS_SAMPLE}"
settle_seconds = 0.0

[sources.pos.feeds.receipts]
pattern = "receipts_*.csv"
date_in_name = "receipts_([0-9-]{10})"

[sources.pos.feeds.receipts.maps.orders]
order_id = "receipt"
source_customer_id = "member"
store_id = "store"
channel = "'store'"
ordered_at = "sold_at"

[sources.pos.feeds.receipts.maps.customers]
source_customer_id = "member"
profiling_consent = "true"

[sources.pos.feeds.receipts.maps.order_lines]
order_id = "receipt"
line_id = "line"
product_id = "product"
quantity = "quantity"
gross = "gross"
"""
RULE = "pos.receipts.rows.usual"


def write(folder: Path, day: date, receipts: int, *, gross: str = "10.00", more: str = "") -> None:
    """A day's file: receipts of one line each, by three members in two stores, of prices around ``gross``."""
    header = "receipt,member,store,sold_at,line,product,quantity,gross" + (",loyalty_points" if more else "")
    lines = [
        f"{day:%m%d}-{n},{n % 3},{n % 2},{day}T12:00:00Z,1,tea,1,{gross}" + (f",{more}" if more else "")
        for n in range(receipts)
    ]
    (folder / f"receipts_{day}.csv").write_text("\n".join([header, *lines]) + "\n")


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Three ordinary nights of 40 receipts after a first one of 400."""
    root = tmp_path_factory.mktemp("usual")
    sample = root / "sample"
    sample.mkdir()
    (root / "regulars.toml").write_text(CONFIG)
    variables = {
        "REGULARS_CONFIG": str(root / "regulars.toml"),
        "REGULARS_THRESHOLDS__HISTORY_MIN_NIGHTS": "3",
        "REGULARS_THRESHOLDS__RFM_MIN_BUYERS": "1",
        "REGULARS_THRESHOLDS__RFM_MIN_HISTORY_DAYS": "1",
    }
    site = Site(Business(sample, "none"), root / "warehouse", variables)
    write(sample, FIRST, 400)
    site.night(FIRST)
    for back in (3, 2, 1):
        write(sample, TONIGHT - timedelta(days=back), 40)
        site.night(TONIGHT - timedelta(days=back))
    return site


@pytest.fixture
def tonight(usual: Site, tmp_path: Path) -> Callable[..., tuple[Site, Outcome]]:
    """Runs tonight on a copy of the warehouse, with so many receipts, and how it ended."""

    def run(receipts: int, gross: str = "10.00", more: str = "", **variables: str) -> tuple[Site, Outcome]:
        site = usual.copy(tmp_path / "warehouse", **variables)
        write(site.business.folder, TONIGHT, receipts, gross=gross, more=more)
        return site, site.regulars("run", "--date", str(TONIGHT))

    return run


def quality(site: Site, rule: str) -> dict[str, Any]:
    """What data_quality of the current night says of a rule."""
    rows = pq.read_table((site.published / "data_quality").resolve()).to_pylist()
    (found,) = (row for row in rows if row["rule_id"] == rule)
    return dict(found)


def status(site: Site) -> str:
    """How the current night was published."""
    rows = pq.read_table((site.published / "publish_log").resolve()).to_pylist()
    return str(max(rows, key=lambda row: row["published_at"])["status"])


Run = Callable[..., tuple[Site, Outcome]]


def test_a_night_like_the_others_passes(tonight: Run) -> None:
    site, done = tonight(50)
    assert done.code == 0, done.err
    found = quality(site, RULE)
    assert (found["is_passed"], found["rows_checked"], found["action"]) == (True, 50, "none")
    # 40 rows a night: 41 times and divided by e to the power of 5 x 0.15
    assert "Tonight 50, usually 18.37 to 85.8 (3 nights)." in found["rule"]
    assert status(site) == "published"


@pytest.mark.parametrize("receipts", [16, 200])
def test_down_60_percent_or_up_fivefold_blocks_before_heavy_work(tonight: Run, usual: Site, receipts: int) -> None:
    site, done = tonight(receipts)
    assert done.code == 1
    assert f"gate_arrived blocks the night: raw.pos.receipts {RULE}" in done.err
    assert f"Tonight {receipts}, usually 18.37 to 85.8" in done.err
    (night,) = site.warehouse.open_nights()
    assert "gate_raw" not in night.records()
    assert site.warehouse.current().date == TONIGHT - timedelta(days=1)  # type: ignore[union-attr]  # one is published


def test_with_the_policy_warn_it_is_published_and_said(tonight: Run) -> None:
    site, done = tonight(16, REGULARS_POLICIES__BREAKERS='{"pos.receipts": "warn"}')
    assert done.code == 0, done.err
    found = quality(site, RULE)
    assert (found["severity"], found["is_passed"], found["action"]) == ("warning", False, "reported")
    assert status(site) == "published_with_warnings"


def test_with_the_policy_ask_a_person_lets_it_through_and_is_on_record(tonight: Run) -> None:
    site, done = tonight(16, REGULARS_POLICIES__BREAKER="ask")
    assert done.code == 1
    assert f"waits for a person: raw.pos.receipts {RULE}" in done.err
    assert f"next: regulars approve --date {TONIGHT} --by NAME" in done.err
    (open_night,) = site.warehouse.open_nights()
    assert f"report: {open_night.report}" in done.err
    assert "somebody has to say whether it may be" in open_night.report.read_text("utf-8")
    early = site.regulars("run", "--date", str(TONIGHT), "--from", "clean")
    assert early.code == 1, "nobody has approved yet"
    assert f"next: regulars approve --date {TONIGHT}" in early.err
    assert site.regulars("approve", "--date", str(FIRST), "--by", "Ann").code == 2
    assert site.regulars("approve", "--date", str(TONIGHT), "--by", "Ann", "--rule", "no.such").code == 2
    given = site.regulars("approve", "--date", str(TONIGHT), "--by", "Ann", "--reason", "a holiday")
    assert given.answer == {"date": str(TONIGHT), "approved": [RULE]}
    gone_on = site.regulars("run", "--date", str(TONIGHT), "--from", "clean")
    assert gone_on.code == 0, gone_on.err
    found = quality(site, RULE)
    assert (found["severity"], found["is_passed"], found["action"]) == ("critical", False, "approved")
    night = site.warehouse.current()
    assert night is not None
    (approval,) = night.records()["approvals"]["given"]
    assert (approval["by"], approval["reason"], approval["rule_id"]) == ("Ann", "a holiday", RULE)


def test_prices_ten_times_as_high_are_unusual(tonight: Run) -> None:
    site, done = tonight(40, gross="100.00")
    assert done.code == 1
    assert "conformed.order_lines order_lines.gross_mean.usual" in done.err
    assert site.warehouse.current().date == TONIGHT - timedelta(days=1)  # type: ignore[union-attr]  # one is published


def test_a_new_column_is_a_warning_carried_raw_and_not_published(tonight: Run) -> None:
    site, done = tonight(40, more="77")
    assert done.code == 0, done.err
    found = quality(site, "pos.receipts.columns.known")
    assert (found["severity"], found["is_passed"], found["action"]) == ("warning", False, "reported")
    assert found["rule"].endswith("new: loyalty_points.")
    night = site.warehouse.current()
    assert night is not None
    raw = [pq.ParquetFile(part) for part in night.parts("raw", "pos.receipts") if f"ds={TONIGHT}" in str(part)]
    assert {value for file in raw for value in file.read()["loyalty_points"].to_pylist()} == {"77"}
    for table in (night.path / "published").rglob("*.parquet"):
        assert "loyalty_points" not in pq.read_schema(table).names


def test_no_file_or_an_empty_one_blocks_unless_it_is_allowed(usual: Site, tmp_path: Path) -> None:
    tonights = usual.business.folder / f"receipts_{TONIGHT}.csv"
    for number, content in enumerate((None, "", "receipt,member,store,sold_at,line,product,quantity,gross\n")):
        tonights.unlink(missing_ok=True)
        if content is not None:
            tonights.write_text(content)
        site = usual.copy(tmp_path / str(number))
        done = site.regulars("run", "--date", str(TONIGHT))
        assert done.code == 1
        assert "raw.pos.receipts pos.receipts.not_empty" in done.err
        assert "next: regulars check-source pos" in done.err
    config = tmp_path / "allowed.toml"
    config.write_text(CONFIG.replace('date_in_name = "', 'may_be_empty = true\ndate_in_name = "'))
    allowed = usual.copy(tmp_path / "allowed", REGULARS_CONFIG=str(config), REGULARS_POLICIES__BREAKER="warn")
    allowed.night(TONIGHT)
    found = quality(allowed, "pos.receipts.not_empty")
    assert (found["severity"], found["is_passed"], found["action"]) == ("info", False, "reported")


def test_a_day_that_is_not_over_is_not_held_to_what_whole_days_bring(usual: Site, tmp_path: Path) -> None:
    site = usual.copy(tmp_path / "warehouse")
    (site.business.folder / f"receipts_{TONIGHT}.csv").unlink(missing_ok=True)
    marked = {"first_order": 0, "large_order": 0, "complaint": 0}
    nothing = site.regulars("refresh", "--date", str(TONIGHT))
    assert nothing.code == 0, nothing.err
    assert nothing.answer == {"published": False, "marked": marked}
    # four receipts instead of forty, ten times as dear as each of the three members' own
    write(site.business.folder, TONIGHT, 4, gross="100.00")
    few = site.regulars("refresh", "--date", str(TONIGHT))
    assert few.code == 0, few.err
    assert few.answer["published"] and few.answer["marked"] == marked | {"large_order": 3}
    # the same rows as a whole day are far too few, and what was shown so far stays
    whole = site.regulars("run", "--date", str(TONIGHT))
    assert whole.code == 1
    assert "Tonight 4, usually 18.37 to 85.8" in whole.err
    current = site.warehouse.current()
    assert current is not None and current.is_refresh and current.date == TONIGHT
    # its night never comes: the next one goes on from what there is, and four rows are nobody's usual
    write(site.business.folder, TONIGHT + timedelta(days=1), 40)
    site.night(TONIGHT + timedelta(days=1))
    assert "Tonight 40, usually 18.37 to 85.8 (3 nights)." in quality(site, RULE)["rule"]
    (site.business.folder / f"receipts_{TONIGHT + timedelta(days=1)}.csv").unlink()


def test_a_column_that_is_gone_blocks_before_heavy_work_and_is_named(usual: Site, tmp_path: Path) -> None:
    write(usual.business.folder, TONIGHT, 40)
    path = usual.business.folder / f"receipts_{TONIGHT}.csv"
    path.write_text(path.read_text().replace("quantity", "pieces", 1))
    site = usual.copy(tmp_path / "renamed")
    done = site.regulars("run", "--date", str(TONIGHT))
    assert done.code == 1
    assert f"column quantity (mapped to order_lines.quantity) is not in receipts_{TONIGHT}.csv" in done.err
    assert "next: regulars check-source pos" in done.err
    (night,) = site.warehouse.open_nights()
    assert "gate_raw" not in night.records()


def test_a_breaker_for_what_is_not_there_is_refused(usual: Site, tmp_path: Path) -> None:
    site = usual.copy(tmp_path / "warehouse", REGULARS_POLICIES__BREAKERS=json.dumps({"pos.recipes": "warn"}))
    done = site.regulars("run", "--date", str(TONIGHT))
    assert done.code == 2
    assert "policies.breakers names pos.recipes" in done.err
