"""When the quality page is drawn, where it is, and what happens when it cannot be; nights made by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from jobs.cli import look, reporting
from jobs.errors import ContractError, EnvironmentFault, RegularsError, UsageError
from jobs.keeper import Keeper
from jobs.settings import load_settings
from jobs.steps.context import Context
from jobs.storage import publish
from jobs.storage.manifest import damaged_files, write_manifest
from jobs.storage.night import Night
from jobs.storage.warehouse import Warehouse
from tests.quality import DAYS, landing, night, verdict

SECRET = "kanaria@leak.example"


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    (tmp_path / "regulars.toml").write_text(f'warehouse = "{tmp_path}/wh"\n', "utf-8")
    monkeypatch.setenv("REGULARS_CONFIG", str(tmp_path / "regulars.toml"))
    return Warehouse(tmp_path / "wh")


def begun(warehouse: Warehouse, day: date, run: str, unreadable: int = 0) -> Context:
    """A night that has only its publication before it."""
    opened = warehouse.begin(day, run)
    for step, record in night(1, unreadable).records.items():
        if step != "begin":
            opened.record(step, record)
    return Context(load_settings(), opened, warehouse.base(opened), Keeper.of(warehouse, run))


def published(context: Context) -> Night:
    reporting.draw(context)
    write_manifest(context.night, context.base, {"published_at": "2026-07-01"})
    publish.open_to_readers(context.night)
    closed = context.warehouse.close(context.night)
    publish.flip(context.warehouse, closed)
    publish.repair_links(context.warehouse)
    return closed


def report(*arguments: str) -> str:
    app = typer.Typer()
    app.command("other")(lambda: None)
    look.register(app)
    result = CliRunner().invoke(app, ["report", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def test_a_published_night_has_its_page_beside_its_tables(warehouse: Warehouse) -> None:
    closed = published(begun(warehouse, DAYS[0], "a", 7))
    page = warehouse.root / "published" / "current" / "quality.html"
    assert "7 of 1,000" in page.read_text("utf-8")
    assert closed.manifest()["files"]["published/quality.html"]["bytes"] == page.stat().st_size
    assert damaged_files(closed) == []
    assert page.stat().st_mode & 0o777 == 0o644
    assert report() == report("--date", str(DAYS[0])) == f"{page.resolve()}\n"
    page.resolve().chmod(0o600)
    page.write_text("changed")
    assert damaged_files(closed) == ["published/quality.html"]


def test_trends_are_of_the_newest_run_of_every_kept_date(warehouse: Warehouse) -> None:
    published(begun(warehouse, DAYS[0], "a", 900))
    published(begun(warehouse, DAYS[0], "b", 10))
    published(begun(warehouse, DAYS[1], "c", 20))
    page = published(begun(warehouse, DAYS[2], "d", 50)).report.read_text("utf-8")
    assert "Failed share by night: 28 Jun 1.0%, 29 Jun 2.0%, 30 Jun 5.0%" in page
    again = published(begun(warehouse, DAYS[1], "e", 40)).report.read_text("utf-8")  # knows nothing of what came later
    assert "Failed share by night: 28 Jun 1.0%, 29 Jun 4.0%" in again


def test_a_night_whose_manifest_is_damaged_is_left_out_of_trends(warehouse: Warehouse) -> None:
    damaged = published(begun(warehouse, DAYS[0], "a", 10))
    (damaged.path / "manifest.json").write_text("{")
    context = begun(warehouse, DAYS[1], "b", 20)
    reporting.draw(context)
    assert "not asked before" in context.night.report.read_text("utf-8")


def test_a_night_begins_without_the_page_of_the_one_before(warehouse: Warehouse) -> None:
    first = published(begun(warehouse, DAYS[0], "a", 7))
    context = begun(warehouse, DAYS[1], "b")
    assert not context.night.report.exists()
    with pytest.raises(ContractError, match="no quality report that you could read: it is at work, or was killed"):
        report()
    assert report("--date", str(DAYS[0])) == f"{first.report}\n"


def test_a_stopped_night_has_its_page_and_the_error_says_where(warehouse: Warehouse) -> None:
    first = published(begun(warehouse, DAYS[0], "a", 7))
    before = first.report.read_bytes()
    context = begun(warehouse, DAYS[1], "b")
    blocked = verdict("conformed.orders", "orders.quarantine_share", 9, 10, "critical")
    context.night.record("gate_raw", {"verdicts": [blocked], "quarantined": {}})
    with pytest.raises(ContractError) as caught, reporting.when_stopped(context, "gate_raw"):
        raise ContractError("gate_raw blocks the night", next_command="regulars quarantine show")
    assert caught.value.report == str(context.night.report)
    page = context.night.report.read_text("utf-8")
    assert "Not published: a rule stopped the night" in page
    assert "regulars quarantine show" in page
    assert report() == f"{context.night.report}\n"
    assert first.report.read_bytes() == before


def test_an_unexpected_fault_is_told_without_its_words(warehouse: Warehouse) -> None:
    context = begun(warehouse, DAYS[0], "a")
    with pytest.raises(ValueError), reporting.when_stopped(context, "clean"):
        raise ValueError(SECRET)
    page = context.night.report.read_text("utf-8")
    assert "ValueError" in page
    assert SECRET not in page


def test_a_page_that_cannot_be_drawn_costs_no_night_and_is_not_silent(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    context = begun(warehouse, DAYS[0], "a")
    context.night.record("extract.crm", {"crm.members": landing(5) | {"rows": SECRET}})  # as no step would
    closed = published(context)
    said = "the quality report could not be drawn (ValueError); the night is published without it"
    assert said in capsys.readouterr().err
    assert closed.manifest()["steps"]["report"] == {"warnings": [said]}
    assert not closed.report.exists()
    with pytest.raises(ContractError) as caught:
        report()
    assert caught.value.next_command == f"regulars run --date {DAYS[0]} --full"


def test_a_page_that_cannot_be_drawn_hides_no_error(warehouse: Warehouse, capsys: pytest.CaptureFixture[str]) -> None:
    context = begun(warehouse, DAYS[0], "a")
    context.night.record("extract.crm", {"crm.members": landing(5) | {"rows": SECRET}})
    with pytest.raises(EnvironmentFault) as caught, reporting.when_stopped(context, "clean"):
        raise EnvironmentFault("no space")
    assert caught.value.report is None
    said = capsys.readouterr().err
    assert "could not be drawn (ValueError)" in said
    assert SECRET not in said


def test_a_night_that_fails_after_its_manifest_keeps_no_page_that_calls_it_published(warehouse: Warehouse) -> None:
    context = begun(warehouse, DAYS[0], "a")
    reporting.draw(context)
    write_manifest(context.night, None, {})
    with pytest.raises(ContractError) as caught, reporting.when_stopped(context, "publish"):
        raise ContractError("run a no longer holds the warehouse")
    assert caught.value.report is None
    assert not context.night.report.exists()


def test_a_date_without_a_night_is_a_usage_error(warehouse: Warehouse) -> None:
    with pytest.raises(UsageError) as caught:
        report("--date", "2001-01-01")
    assert isinstance(caught.value, RegularsError)
    assert (caught.value.exit_code, caught.value.next_command) == (2, "regulars status")
