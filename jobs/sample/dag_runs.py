"""DAG runs over Airflow's REST API: ordered, followed task by task, and what went wrong in one."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from jobs.errors import ContractError
from jobs.sample.standalone import DAG, Airflow

DONE = ("success", "failed")


def say(line: str = "") -> None:
    """One plain line of progress."""
    print(line, flush=True)


def run_nights(airflow: Airflow, prefix: str, nights: Sequence[date]) -> None:
    """Have the scheduler run the nights, one after the other.

    Raises:
        ContractError: a run failed; with the lines that say why.
    """
    with closing(airflow.wait_until_ready()) as client:
        say(f"airflow: ready at {airflow.url}")
        for day in nights:
            started = time.monotonic()
            run = f"{prefix}-{day}-{time.strftime('%Y%m%dT%H%M%S')}"
            order = {"dag_run_id": run, "logical_date": None, "conf": {"business_date": str(day)}}
            client.post(f"/api/v2/dags/{DAG}/dagRuns", json=order).raise_for_status()
            say(f"night {day}: DAG run {run}")
            if _follow(client, run, day) != "success":
                raise _failure(client, airflow, run, day)
            say(f"night {day}: published in {time.monotonic() - started:.1f} s")


def _follow(client: httpx.Client, run: str, day: date) -> str:
    """Print each task when it is done; returns the run's state at its end."""
    told: set[str] = set()
    while True:
        state = str(client.get(f"/api/v2/dags/{DAG}/dagRuns/{run}").raise_for_status().json()["state"])
        for task in _tasks(client, run):
            name = task_name(task)
            if task["state"] in DONE and task["start_date"] and name not in told:
                told.add(name)
                say(f"  {day} {name:<18} {task['state']:<8} {task['duration'] or 0:6.1f} s")
        if state in ("success", "failed"):
            return state
        time.sleep(1.0)


def _tasks(client: httpx.Client, run: str) -> list[dict[str, Any]]:
    answer = client.get(f"/api/v2/dags/{DAG}/dagRuns/{run}/taskInstances", params={"order_by": "end_date"})
    tasks: list[dict[str, Any]] = answer.raise_for_status().json()["task_instances"]
    return tasks


def _failure(client: httpx.Client, airflow: Airflow, run: str, day: date) -> ContractError:
    failed = [task for task in _tasks(client, run) if task["state"] == "failed"]
    for task in failed:
        say("\n".join([f"night {day}: {task_name(task)} failed", *error_of(airflow.home, run, task)]))
    names = ", ".join(task_name(task) for task in failed) or "a task"
    return ContractError(f"night {day} failed in {names}", next_command="make airflow, and look at the run")


def under_way(client: httpx.Client) -> int:
    """How many runs have been ordered and have not ended."""
    answer = client.get(f"/api/v2/dags/{DAG}/dagRuns", params={"state": ["queued", "running"]})
    return int(answer.raise_for_status().json()["total_entries"])


def task_name(task: dict[str, Any]) -> str:
    """A task instance's id and, for a mapped one, what it is mapped over."""
    return f"{task['task_id']} {task['rendered_map_index'] or ''}".rstrip()


def error_of(home: Path, run: str, task: dict[str, Any]) -> list[str]:
    """The ``error:`` and ``next:`` lines of a task's last try, from its log file."""
    folder = home / "logs" / f"dag_id={DAG}" / f"run_id={run}" / f"task_id={task['task_id']}"
    if task["map_index"] >= 0:
        folder = folder / f"map_index={task['map_index']}"
    log = folder / f"attempt={task['try_number']}.log"
    said = [_event(line) for line in log.read_text(errors="replace").splitlines()] if log.is_file() else []
    starts = [number for number, line in enumerate(said) if line.startswith("error:")]
    if not starts:
        return [f"no message; read {log}"]
    ends = [number for number, line in enumerate(said) if line.startswith(" next:") and number > starts[-1]]
    return said[starts[-1] : (ends[0] + 1 if ends else starts[-1] + 8)]


def _event(line: str) -> str:
    try:
        return str(json.loads(line).get("event", ""))
    except ValueError:
        return line
