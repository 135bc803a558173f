"""The DAG as Airflow reads it: its steps, edges and rules, held to ``jobs/flow.py``."""

from __future__ import annotations

import ast
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import CronDataIntervalTimetable
from failure_notifier import FailureNotifier
from regulars_command import BeginNight

from jobs import flow

DAGS = Path(__file__).parents[2] / "dags"
STEPS = [step.name for step in flow.STEPS]
AROUND = {"begin", "sources", "approve", "end"}


def test_its_tasks_are_the_steps_of_the_flow(dag: Any) -> None:
    assert set(dag.task_ids) - AROUND == set(STEPS)


def test_its_edges_are_what_the_steps_read_and_write(dag: Any) -> None:
    for step in flow.STEPS:
        read_from = {other.name for other in flow.STEPS if step.follows(other)}
        assert dag.get_task(step.name).upstream_task_ids - AROUND == read_from, step.name


def test_begin_opens_and_end_closes_whatever_happens_between(dag: Any) -> None:
    assert dag.get_task("begin").is_setup
    assert dag.get_task("end").is_teardown
    assert dag.get_task("begin").upstream_task_ids == set()
    assert dag.get_task("sources").upstream_task_ids == {"begin"}
    assert dag.get_task("extract").upstream_task_ids == {"sources"}
    assert dag.get_task("end").upstream_task_ids == {"begin", "publish"}
    assert not dag.get_task("end").on_failure_fail_dagrun


def test_a_person_may_have_a_word_between_the_raw_gate_and_what_follows(dag: Any) -> None:
    assert dag.get_task("approve").upstream_task_ids == {"gate_raw"}
    assert dag.get_task("clean").upstream_task_ids == {"gate_raw", "approve"}


def test_every_step_launches_the_command_of_its_name(dag: Any) -> None:
    for name in STEPS:
        task = dag.get_task(name)
        arguments = task.partial_kwargs["arguments"] if task.is_mapped else task.arguments
        assert arguments[:3] == ["step", name, "--run"]
        assert task.is_mapped == flow.BY_NAME[name].each_source


def test_one_run_at_a_time_and_none_for_the_past_unasked(dag: Any) -> None:
    assert dag.max_active_runs == 1
    assert dag.max_active_tasks <= 4
    assert dag.catchup is False
    assert "regulars" in dag.tags
    assert "business_date" in dag.doc_md


def test_every_task_is_tried_again_soon_and_tells_of_its_failure(dag: Any) -> None:
    for task in dag.tasks:
        assert task.retries == 2
        assert task.retry_delay <= timedelta(minutes=1)
        callbacks = task.on_failure_callback
        assert [type(one) for one in (callbacks if isinstance(callbacks, list) else [callbacks])] == [FailureNotifier]


def test_publish_announces_the_published_tables(dag: Any) -> None:
    assert [asset.uri.rstrip("/") for asset in dag.get_task("publish").outlets] == ["regulars://published"]


def test_the_interval_of_a_night_is_its_day_in_the_chains_zone(tmp_path: Path) -> None:
    config = tmp_path / "regulars.toml"
    config.write_text('time_zone = "Asia/Shanghai"\n')
    code = "import nightly; t = nightly.dag.timetable; print(type(t).__name__, t.timezone, t.expression)"
    said = subprocess.run(
        [sys.executable, "-c", code],
        cwd=DAGS,
        env={"PATH": "/usr/bin:/bin", "AIRFLOW_HOME": str(tmp_path), "REGULARS_CONFIG": str(config)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.splitlines()[-1] == f"{CronDataIntervalTimetable.__name__} Asia/Shanghai 0 4 * * *"


START = datetime(2017, 12, 30, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("run_type", "asked", "start", "said"),
    [
        ("scheduled", None, START, ["--interval-start", "2017-12-30T09:00:00+00:00"]),
        ("backfill", None, START, ["--interval-start", "2017-12-30T09:00:00+00:00"]),
        ("scheduled", "2017-12-28", START, ["--date", "2017-12-28"]),
        ("manual", "2017-12-28", START, ["--date", "2017-12-28"]),
        ("manual", None, START, []),
        ("manual", None, None, []),
        ("asset_triggered", None, None, []),
        ("asset_triggered", None, START, []),
    ],
)
def test_the_business_date_is_asked_for_or_scheduled_and_never_today(
    run_type: str, asked: str | None, start: datetime | None, said: list[str]
) -> None:
    context: Any = {
        "params": {"business_date": asked},
        "dag_run": SimpleNamespace(run_type=run_type),
        "data_interval_start": start,
    }
    assert BeginNight(task_id="begin", arguments=["begin"]).night(context) == said


def test_the_folder_imports_airflow_and_the_standard_library_alone() -> None:
    ours = {path.stem for path in DAGS.glob("*.py")}
    for path in DAGS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            roots = {name.split(".")[0] for name in names}
            assert roots <= {"airflow", *ours, *sys.stdlib_module_names}, path.name
