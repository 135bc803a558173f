"""The DAG that looks whether the day so far has to be published: when it runs, and when it says nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException
from refresh import Refresh

Script = Callable[[str], Path]
DAGS = Path(__file__).parents[2] / "dags"
NOTHING = '{"published": false, "marked": {"complaint": 0}}'
SOMETHING = '{"published": true, "marked": {"complaint": 1}, "snapshot_date": "2026-06-30"}'


def run() -> Any:
    context: Any = {
        "params": {"business_date": "2026-06-30"},
        "dag_run": SimpleNamespace(run_type="manual"),
        "data_interval_start": None,
    }
    return Refresh(task_id="refresh", arguments=["refresh"]).execute(context)


def test_where_nothing_is_published_the_task_is_skipped(regulars: Script) -> None:
    regulars(f"echo '{NOTHING}'")
    with pytest.raises(AirflowSkipException):
        run()


def test_what_is_published_is_said(regulars: Script) -> None:
    regulars(f"[ \"$*\" = 'refresh --date 2026-06-30' ] && echo '{SOMETHING}'")
    assert run()["marked"] == {"complaint": 1}


HOURLY = {"REGULARS_REFRESH_SCHEDULE": "0 * * * *"}


@pytest.mark.parametrize(("schedule", "said"), [({}, "None"), (HOURLY, "0 * * * *")])
def test_it_runs_by_itself_only_where_somebody_wants_it_to(tmp_path: Path, schedule: dict[str, str], said: str) -> None:
    code = (
        "import refresh; t = refresh.dag.timetable; print(getattr(t, 'expression', None), refresh.dag.max_active_runs)"
    )
    environment = {"PATH": os.environ["PATH"], "AIRFLOW_HOME": str(tmp_path), **schedule}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=DAGS, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == f"{said} 1"
