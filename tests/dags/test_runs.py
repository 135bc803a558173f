"""Whole runs of the DAG: what a failure in the middle does to the run, to the tasks behind it and to people."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
SAYS = """
case "$1 $2" in
    "begin "*) echo '{"run": "r1", "date": "2017-12-30"}' ;;
    "sources "*) echo '["crm", "pos"]' ;;
    "step FAILING") echo "error: rule orders.total failed" >&2; echo " next: regulars status" >&2; exit 1 ;;
    "step publish") echo '{"snapshot_date": "2017-12-30", "rows": {"dim_date": 4}, "quarantine_share": 0.01}' ;;
    *) echo '{}' ;;
esac
"""


def run_once(business_date: str, **environment: str) -> dict[str, Any]:
    program = Path(__file__).with_name("one_run.py")
    done = subprocess.run(
        [sys.executable, str(program), str(REPOSITORY / "dags"), business_date],
        env=os.environ | {"REGULARS_SCHEDULE": ""} | environment,
        capture_output=True,
        text=True,
        timeout=180,
    )
    lines = done.stdout.splitlines()
    assert lines and lines[-1].startswith("{"), done.stdout[-3000:] + done.stderr[-3000:]
    return {"log": done.stdout + done.stderr} | json.loads(lines[-1])


def test_a_good_night_runs_every_step_and_announces_its_tables(
    airflow_home: Path, regulars: Callable[[str], Path]
) -> None:
    regulars(SAYS)
    told = run_once("2017-12-30")
    assert told["state"] == "success"
    assert set(told["tasks"].values()) == {"success"}
    assert {"extract.0", "extract.1"} <= set(told["tasks"])
    assert told["events"] == [{"snapshot_date": "2017-12-30", "rows": {"dim_date": 4}, "quarantine_share": 0.01}]


def test_a_closed_gate_fails_the_run_at_once_and_still_gives_the_warehouse_back(
    airflow_home: Path, regulars: Callable[[str], Path]
) -> None:
    regulars(SAYS.replace("FAILING", "gate_clean"))
    told = run_once("2017-12-30")
    assert told["state"] == "failed"
    assert told["tasks"]["gate_clean.-1"] == "failed"
    assert told["tasks"]["publish.-1"] == "upstream_failed"
    assert told["tasks"]["end.-1"] == "success"
    assert told["events"] == []
    assert "gate_clean failed for business date 2017-12-30" in told["log"]
    assert "next: regulars status" in told["log"]


def test_a_run_that_nobody_dated_fails_and_never_means_today(airflow_home: Path) -> None:
    told = run_once(
        "",
        REGULARS_EXECUTABLE=str(Path(sys.executable).parent / "regulars"),
        REGULARS_CONFIG=str(REPOSITORY / "jobs" / "sample" / "grocer.toml"),
    )
    assert told["state"] == "failed"
    assert told["tasks"]["begin.-1"] == "failed"
    assert told["tasks"]["end.-1"] in ("upstream_failed", "skipped")
    assert "no business date" in told["log"]
