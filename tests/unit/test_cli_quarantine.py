"""What ``regulars quarantine`` says of a warehouse made by hand, and what it refuses, without an engine."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import typer
from typer.testing import CliRunner

from jobs.cli import quarantine
from jobs.definitions.canonical import BY_NAME
from jobs.errors import UsageError
from jobs.steps import admission
from jobs.storage.manifest import write_manifest
from jobs.storage.night import Night
from jobs.storage.parquet import write_arrow
from jobs.storage.warehouse import Warehouse

FIRST, SECOND = date(2026, 1, 1), date(2026, 1, 2)
ORDER = {"source": "pos", "order_id": "7", "_feed": "pos.receipts", "_file": "a.csv", "_row": 2}


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    (tmp_path / "regulars.toml").write_text(f'warehouse = "{tmp_path}/wh"\n', "utf-8")
    monkeypatch.setenv("REGULARS_CONFIG", str(tmp_path / "regulars.toml"))
    return Warehouse(tmp_path / "wh")


def publish(warehouse: Warehouse, day: date, **aside: list[dict[str, Any]]) -> Night:
    """A published night that set rows aside, by table; two underscores stand for a dot."""
    night = warehouse.begin(day, f"run{day.day}")
    for table, rows in aside.items():
        write_arrow(pa.Table.from_pylist(rows), night, "quarantine", table.replace("__", "."), partition=str(day))
    write_manifest(night, warehouse.base(night), {})
    return warehouse.close(night)


def run(*arguments: str) -> str:
    app = typer.Typer()
    quarantine.register(app)
    result = CliRunner().invoke(app, ["quarantine", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def refused(*arguments: str) -> str:
    with pytest.raises(UsageError) as caught:
        run(*arguments)
    return f"{caught.value.message}; next: {caught.value.next_command}"


def test_show_counts_by_rule_and_keeps_tonight_and_earlier_nights_apart(warehouse: Warehouse) -> None:
    # a version before repeated rows were told apart, and this one
    publish(warehouse, FIRST, orders=[ORDER | {"_failed": ["x", "y"]}, ORDER | {"_row": 3, "_failed": ["x"]}])
    tonight = ORDER | {"_failed": ["x"], "_landed": SECOND}
    again, new = tonight | {"_row": 4, "_first_landed": FIRST}, tonight | {"_row": 5, "_first_landed": SECOND}
    publish(warehouse, SECOND, orders=[again, new])
    newest, earlier = run("show").split("set aside by earlier nights and still there")
    assert [line.split() for line in newest.splitlines() if line.startswith("orders")] == [
        ["orders", "x", "2", "1"],
        ["orders", "a.csv", "4", "x"],
        ["orders", "a.csv", "5", "x"],
    ]
    assert [line.split() for line in earlier.splitlines() if line.startswith("orders")] == [
        ["orders", "x", "2", "0", str(FIRST), str(FIRST)],
        ["orders", "y", "1", "0", str(FIRST), str(FIRST)],
    ]
    assert earlier.endswith("then regulars quarantine replay\n")
    assert "earlier nights" not in run("show", "--date", str(FIRST))


def test_a_replay_needs_something_to_judge(warehouse: Warehouse) -> None:
    assert refused("replay").startswith("no night is published")
    publish(warehouse, FIRST)
    assert refused("replay") == "nothing is in quarantine that could be judged again; next: regulars quarantine show"
    assert refused("replay", "--date", "2025-12-31").startswith("no night up to 2025-12-31 is published")
    torn = {"_file": "a.csv", "_row": 9, "reason": "unparsable.quote"}
    publish(warehouse, SECOND, unparsable__pos__receipts=[torn], held__orders=[ORDER | {"_failed": ["late"]}])
    said = refused("replay")
    assert "held orders get in by regulars quarantine admit" in said
    assert "unparsable lines by a mended file" in said
    shown = run("show")
    assert "regulars quarantine admit" in shown
    assert "regulars quarantine replay" not in shown


def test_an_order_of_two_sources_is_not_guessed(warehouse: Warehouse) -> None:
    publish(warehouse, FIRST)
    assert refused("admit", "--all").startswith("no order is held")
    web = ORDER | {"source": "web", "_feed": "web.orders"}
    publish(warehouse, SECOND, held__orders=[one | {"_failed": ["late"]} for one in (ORDER, web)])
    assert refused("admit") == (
        "2 orders are held by pos.receipts, web.orders; say which to let in; "
        "next: regulars quarantine admit --all, or --feed SOURCE.FEED, or --order ID"
    )
    assert refused("admit", "--order", "7").startswith("order 7 is held of sources pos, web")
    assert refused("admit", "--order", "8").startswith("order 8 is not held")
    assert refused("admit", "--feed", "pos.other").startswith("no order of feed pos.other is held")


def test_an_admission_outlives_a_rerun_of_its_date_and_not_one_of_an_earlier_date(warehouse: Warehouse) -> None:
    publish(warehouse, FIRST)
    night = warehouse.begin(SECOND, "a")
    assert admission.admit(night, None, [("pos", "7")]) == 1
    write_manifest(night, warehouse.base(night), {})
    admitting = warehouse.close(night)
    rerun = warehouse.begin(SECOND, "b")
    assert admission.of_date(rerun) == []
    assert admission.admit(rerun, admitting, [("pos", "8"), ("pos", "7")]) == 2
    assert admission.of_date(rerun) == [("pos", "7"), ("pos", "8")]
    assert admission.admit(warehouse.begin(FIRST, "c"), None, []) == 0


def test_lines_are_a_part_of_their_order_and_other_rows_stand_alone() -> None:
    order = ("orders", ("source", "order_id"))
    assert BY_NAME["orders"].whole == BY_NAME["order_lines"].whole == order
    assert BY_NAME["customers"].whole == ("customers", ("source", "source_customer_id"))
    assert BY_NAME["stores"].whole == ("stores", ("store_id",))
