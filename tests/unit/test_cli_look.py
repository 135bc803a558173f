"""Looking at a small warehouse made by hand, without Spark."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import typer
from typer.testing import CliRunner

from jobs import inert
from jobs.cli import explain, look, output, prepare, query
from jobs.definitions import published as p
from jobs.errors import ContractError, RegularsError, UsageError
from jobs.storage import publish
from jobs.storage.manifest import write_manifest
from jobs.storage.night import Night
from jobs.storage.parquet import write_arrow
from jobs.storage.schemas import arrow_schema
from jobs.storage.warehouse import Warehouse

KEY = "0123456789abcdef0123456789abcdef"
VERDICT = {"table_name": "conformed.orders", "rule_id": "orders.x", "rows_checked": 9, "rows_failed": 2}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    config = tmp_path / "regulars.toml"
    config.write_text(f'warehouse = "{tmp_path}/wh"\n', "utf-8")
    monkeypatch.setenv("REGULARS_CONFIG", str(config))
    monkeypatch.setenv("REGULARS_KEY_K1", KEY)
    return tmp_path / "wh"


def rows_of(day: date) -> dict[str, list[dict[str, Any]]]:
    store = {"store_id": "1", "snapshot_date": day, "name": "=cmd|' /C calc'!A0", "time_zone": "UTC",
             "is_inferred": False}  # fmt: skip
    logged = {"run_id": "r", "snapshot_date": day, "published_at": datetime(2026, 1, 2, tzinfo=UTC),
              "schema_version": "1", "rules_version": "r", "model_version": "m", "currency": "USD",
              "tax_included": True, "status": "published"}  # fmt: skip
    known = {"source": "crm", "snapshot_date": day, "source_customer_id": "77", "customer_id": "c1", "valid_from": day,
             "valid_to": date(9999, 12, 31)}  # fmt: skip
    return {"dim_store": [store], "publish_log": [logged], "customer_crosswalk": [known]}


def publish_night(root: Path, day: date, run: str) -> Night:
    warehouse = Warehouse(root)
    night = warehouse.begin(day, run)
    for name, rows in rows_of(day).items():
        table = p.BY_NAME[name]
        write_arrow(pa.Table.from_pylist(rows, schema=arrow_schema(table.columns)), night, "published", p.folder(table))
    night.record("extract.crm", {"crm.members": {"rows": 9, "rejected": 1}})
    night.record("gate_raw", {"verdicts": [{**VERDICT, "is_passed": False, "action": "quarantined"}],
                              "quarantined": {"orders": {"crm.members": 2}},
                              "repeated": {"orders": {"crm.members": 1}}})  # fmt: skip
    night.record("segments", {"warnings": ["too little to score"]})
    base = warehouse.base(night)
    write_manifest(night, base, {"published_at": "2026-01-02"})
    publish.open_to_readers(night)
    closed = warehouse.close(night)
    publish.flip(warehouse, closed)
    publish.repair_links(warehouse)
    return closed


def run(*arguments: str) -> str:
    app = typer.Typer()
    look.register(app)
    explain.register(app)
    prepare.register(app)
    result = CliRunner().invoke(app, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def test_current_is_one_resolved_line(root: Path) -> None:
    with pytest.raises(ContractError, match="nothing is published"):
        run("current")
    night = publish_night(root, date(2026, 1, 1), "a")
    assert run("current") == f"{night.path.resolve()}/published\n"


def test_status_counts_what_was_recorded(root: Path) -> None:
    publish_night(root, date(2026, 1, 1), "a")
    Warehouse(root).begin(date(2026, 1, 2), "b").record("identity", {"records": 3})
    newest, older = json.loads(run("status", "--json"))
    assert (newest["state"], newest["last_step"], newest["published_rows"]) == ("open", "identity", None)
    assert (older["state"], older["is_current"], older["is_stale"]) == ("published", True, False)
    assert (older["rows_in"], older["quarantined"], older["published_rows"], older["warnings"]) == (9, 3, 3, 2)
    assert (older["repeated"], newest["repeated"]) == (1, None)
    assert older["said"] == [
        "gate_raw: conformed.orders orders.x: 2 of 9 rows quarantined", "segments: too little to score",
    ]  # fmt: skip
    assert "extract crm" in run("status", "--last", "2") or "identity" in run("status")


def test_status_survives_a_damaged_manifest(root: Path) -> None:
    night = publish_night(root, date(2026, 1, 1), "a")
    (night.path / "manifest.json").write_text("{")
    assert [told["state"] for told in json.loads(run("status", "--json"))] == ["damaged"]


def test_a_rerun_of_an_earlier_date_makes_a_night_stale(root: Path) -> None:
    publish_night(root, date(2026, 1, 1), "a")
    publish_night(root, date(2026, 1, 2), "b")
    publish_night(root, date(2026, 1, 1), "c")
    assert [(t["run"], t["is_stale"]) for t in json.loads(run("status", "--json"))] == [
        ("b", True), ("c", False), ("a", False),
    ]  # fmt: skip


def test_tables_and_show(root: Path) -> None:
    publish_night(root, date(2026, 1, 1), "a")
    lines = {line.split()[0]: line for line in run("tables").splitlines()}
    assert lines["dim_store"].split()[1] == "1"
    assert "absent" in lines["customer_segments"]
    shown = run("show", "dim_store")
    assert "IANA time zone." in shown
    assert "cmd" not in shown
    assert "=cmd" in run("show", "dim_store", "--rows", "1")


def test_restricted_tables_only_when_asked_for(root: Path) -> None:
    publish_night(root, date(2026, 1, 1), "a")
    with pytest.raises(UsageError, match="restricted"):
        run("show", "customer_crosswalk")
    assert "77" in run("show", "customer_crosswalk", "--restricted", "--rows", "1")
    with pytest.raises(UsageError):
        run("sql", "SELECT * FROM restricted.customer_crosswalk")
    with pytest.raises(UsageError):
        run("sql", "SELECT * FROM customer_crosswalk", "--restricted")
    assert "77" in run("sql", "SELECT * FROM restricted.customer_crosswalk", "--restricted")


def test_show_says_what_was_meant(root: Path) -> None:
    with pytest.raises(UsageError, match="did you mean dim_store"):
        run("show", "dim_stores")


def test_sql_answers_in_three_forms(root: Path) -> None:
    publish_night(root, date(2026, 1, 1), "a")
    wanted = "SELECT name, -2 AS two, '-x' AS \"=h\", NULL AS n, published_at, sum(3) OVER () AS s "
    wanted += "FROM dim_store, publish_log"
    header, row = csv.reader(io.StringIO(run("sql", wanted, "--format", "csv")))
    assert header == ["name", "two", "'=h", "n", "published_at", "s"]
    assert row == ["'=cmd|' /C calc'!A0", "-2", "'-x", "", "2026-01-02 00:00:00+00:00", "3"]
    assert json.loads(run("sql", wanted, "--format", "json"))[0]["s"] == 3
    assert run("sql", "SELECT 1 AS a WHERE false", "--format", "json") == "[]\n"
    assert run("sql", "SELECT 1 AS a, 2 AS a") == "a  a_2\n1  2\n"


REFUSED = (
    "SELEC 1", "", "SELECT 1; SELECT 2", "CREATE TABLE t AS SELECT 1", "DROP VIEW dim_store",
    "COPY (SELECT 1) TO '{tmp}/out.csv'", "SELECT * FROM read_text('{tmp}/regulars.toml')",
    "SELECT * FROM read_parquet('{tmp}/wh/current/published/restricted/*/*.parquet')",
    "SET enable_external_access = true", "ATTACH '{tmp}/x.db'", "INSTALL httpfs", "SELECT * FROM look",
    "SELECT CAST(name AS INT) FROM dim_store",
)  # fmt: skip


def test_sql_reads_these_tables_and_nothing_else(root: Path, tmp_path: Path) -> None:
    night = publish_night(root, date(2026, 1, 1), "a")
    database = query.connect(night, restricted=False)
    for text in REFUSED:
        with pytest.raises(UsageError) as caught:
            list(query.ask(database, text.format(tmp=tmp_path)).rows)
        assert caught.value.next_command.startswith("regulars"), text
        assert "calc" not in caught.value.message
    assert not (tmp_path / "out.csv").exists()


def test_a_damaged_table_is_named(root: Path) -> None:
    part = publish_night(root, date(2026, 1, 1), "a").parts("published", "dim_store")[0]
    part.write_bytes(part.read_bytes()[:-8])
    with pytest.raises(ContractError, match="dim_store cannot be read"):
        run("sql", "SELECT 1")


def test_wide_rows_become_records_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    output.print_table([f"column_{n}" for n in range(20)], [["[red]x"] * 20])
    assert "column_19  [red]x" in capsys.readouterr().out
    output.print_table(["a"], [["[red]x"]])
    assert "[red]x" in capsys.readouterr().out


def test_cells_are_one_inert_line() -> None:
    assert inert.text("a\x1b[31m\nb") == "a?[31m?b"
    assert [inert.inert(v) for v in ("=1", "+1", "-1", "@a", "\tx", "a", -1, True)] == [
        "'=1", "'+1", "'-1", "'@a", "'\tx", "a", -1, "true",
    ]  # fmt: skip
    assert output.aligned([["和味", "b"], ["abc", "d"]]) == ["和味  b", "abc   d"]


def test_repair_points_at_the_newest_sound_night(root: Path) -> None:
    first = publish_night(root, date(2026, 1, 1), "a")
    second = publish_night(root, date(2026, 1, 2), "b")
    part = second.parts("published", "dim_store")[0]
    part.chmod(0o644)
    part.write_bytes(part.read_bytes()[:-8])
    with pytest.raises(RegularsError, match="1 checks failed") as caught:
        run("doctor", "--deep")
    assert (caught.value.exit_code, caught.value.next_command) == (3, "regulars doctor --repair")
    assert "FAILED" not in run("doctor", "--deep", "--repair")
    assert run("current") == f"{first.path.resolve()}/published\n"
    assert [night.run for night in Warehouse(root).published()] == ["a"]
    assert not list((root / "published" / "by_date").glob("*/ds=2026-01-02"))


def test_repair_of_a_pointer_that_leads_nowhere(root: Path) -> None:
    night = publish_night(root, date(2026, 1, 1), "a")
    (root / "current").unlink()
    (root / "current").symlink_to("nights/gone")
    with pytest.raises(ContractError):
        run("current")
    run("doctor", "--repair")
    assert run("current") == f"{night.path.resolve()}/published\n"


def people_of(day: date) -> dict[str, list[dict[str, Any]]]:
    """Customer c1, who was new and is loyal, and the former id c0."""
    key = {"customer_id": "c1", "snapshot_date": day, "scheme": "lifecycle_stage"}
    was = {"segment": "new", "segment_key": "lifecycle_stage:new", "reason": "because it began", "rule_version": "r-1",
           "valid_from": day - timedelta(days=9), "valid_to": day, "is_current": False}  # fmt: skip
    now = {"segment": "loyal", "segment_key": "lifecycle_stage:loyal", "reason": "12 orders | often",
           "rule_version": "r-1", "valid_from": day, "valid_to": date(9999, 12, 31), "is_current": True}  # fmt: skip
    alias = {"old_customer_id": "c0", "snapshot_date": day, "customer_id": "c1", "event": "merged", "effective_on": day}
    tag = {"customer_id": "c1", "snapshot_date": day, "tag": "late_night", "strength": 0.5, "basis": "observed",
           "reason": "50% of orders"}  # fmt: skip
    words = dict.fromkeys(("label_zh", "description_en", "description_zh", "rule_text", "suggested_action"), "w")
    named = {"segment_key": "lifecycle_stage:loyal", "snapshot_date": day, "scheme": "lifecycle_stage",
             "segment": "loyal", "label_en": "Loyal", "sort_order": 1, "is_active": True, **words}  # fmt: skip
    scheme = {"scheme": "lifecycle_stage", "snapshot_date": day, "label_en": "Life cycle", "kind": "rule",
              "version": "r", "label_zh": "w", "description_en": "w", "description_zh": "w"}  # fmt: skip
    return {
        "dim_customer": [{"customer_id": "c1", "snapshot_date": day, "city": "=Rome", "is_marketing_allowed": True}],
        "segment_memberships": [key | was, key | now], "customer_aliases": [alias], "customer_tags": [tag],
        "dim_segment": [named], "dim_scheme": [scheme], "churn_watchlist": [],
    }  # fmt: skip


def test_explain_says_who_and_why_and_since_when(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = rows_of
    monkeypatch.setitem(globals(), "rows_of", lambda day: plain(day) | people_of(day))
    publish_night(root, date(2026, 1, 1), "a")
    publish_night(root, date(2026, 1, 2), "b")
    lines = [" ".join(line.split()) for line in run("explain", "c1").splitlines()]
    assert "city =Rome" in lines
    assert "Life cycle Loyal 2026-01-02 12 orders | often r-1" in lines
    assert "late_night 0.5 observed 50% of orders" in lines
    assert "2025-12-24 2026-01-02 Life cycle new" in lines  # a code without words is shown as it is
    past = run("explain", "c1", "--date", "2026-01-01")
    assert "2026-01-02" not in past and "2025-12-23" in past
    assert run("explain", "c0").splitlines()[0] == run("explain", "c1").splitlines()[0]


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (["nobody"], UsageError, "nobody is no customer of the night of 2026-01-01"),
        (["c1", "--date", "2025-01-01"], UsageError, "no night of 2025-01-01"),
        (["c1' OR true --"], UsageError, "is no customer"),
    ],
)
def test_explain_of_who_is_not_there(
    root: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], error: type[RegularsError], said: str
) -> None:
    with pytest.raises(ContractError, match="nothing is published"):
        run("explain", "c1")
    plain = rows_of
    monkeypatch.setitem(globals(), "rows_of", lambda day: plain(day) | people_of(day))
    publish_night(root, date(2026, 1, 1), "a")
    with pytest.raises(error, match=said):
        run("explain", *arguments)
