"""The DAG runs in an Airflow that holds none of our packages, over the executable of another environment.

One night is published and one is blocked; what personal data they were given, Airflow knows nothing of.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from jobs.sample.restaurant import generate
from jobs.sample.server import open_server
from tests.e2e.test_canary import CANARIES, plant, sings

REPOSITORY = Path(__file__).parents[2]
PYTHON = REPOSITORY / ".venv-airflow" / "bin" / "python"
NIGHT = date(2026, 6, 30)
TOKEN = "alone"


@pytest.fixture(scope="module")
def airflow_alone() -> Path:
    """Python of an environment with Airflow and nothing of ours, made by ``make`` if it is not there."""
    subprocess.run(["make", ".venv-airflow"], cwd=REPOSITORY, check=True, timeout=600)
    return PYTHON


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A small restaurant with canaries in its data and its online shop, and an Airflow with an empty database."""
    folder = tmp_path_factory.mktemp("alone")
    business = generate(300, 120, 5, folder / "business", NIGHT)
    plant(business)
    os.environ["ONLINE_API_TOKEN"] = TOKEN
    server = open_server(business / "online.sqlite", "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHON"))}
    yield clean | {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "REGULARS_EXECUTABLE": str(Path(sys.executable).parent / "regulars"),
        "REGULARS_CONFIG": str(REPOSITORY / "jobs" / "sample" / "restaurant.toml"),
        "REGULARS_WAREHOUSE": str(folder / "warehouse"),
        "REGULARS_SAMPLE": str(business),
        "REGULARS_SCHEDULE": "",
        "REGULARS_KEY_K1": "a-key-of-this-test-only",
        "ONLINE_API_HOST": f"127.0.0.1:{server.server_address[1]}",
        "ONLINE_API_TOKEN": TOKEN,
    }
    server.shutdown()
    server.server_close()


def run(environment: dict[str, str], *command: str | Path) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-3000:]
    return done.stdout


def test_that_environment_holds_airflow_and_nothing_of_ours(airflow_alone: Path, environment: dict[str, str]) -> None:
    code = "import importlib.util as u; print([u.find_spec(n) is not None for n in ('airflow', 'jobs', 'pyspark')])"
    assert run(environment, airflow_alone, "-P", "-c", code).split("\n")[-2] == "[True, False, False]"


@dataclass(frozen=True)
class Ran:
    """A run of the DAG: what it came to, and everything that was said."""

    told: dict[str, Any]
    said: str


def run_dag(airflow_alone: Path, environment: dict[str, str]) -> Ran:
    program = REPOSITORY / "tests" / "dags" / "one_run.py"
    said = run(environment, airflow_alone, program, REPOSITORY / "dags", str(NIGHT))
    return Ran(json.loads(said.splitlines()[-1]), said)


@pytest.fixture(scope="module")
def published(airflow_alone: Path, environment: dict[str, str]) -> Ran:
    """A night that is published; damaged rows are set aside."""
    run(environment, airflow_alone.parent / "airflow", "db", "migrate")
    return run_dag(airflow_alone, environment)


@pytest.fixture(scope="module")
def blocked(airflow_alone: Path, environment: dict[str, str], published: Ran) -> Ran:
    """The same night again, which the raw gate blocks because hardly a row may be set aside any more."""
    strict = {"REGULARS_THRESHOLDS__MAX_QUARANTINE_SHARE": "0.001", "REGULARS_THRESHOLDS__MIN_ROWS_FOR_SHARE": "1"}
    return run_dag(airflow_alone, environment | strict)


def test_one_night_runs_from_there_and_is_published(published: Ran, environment: dict[str, str]) -> None:
    told = published.told
    assert told["state"] == "success", published.said[-5000:]
    assert set(told["tasks"].values()) == {"success"}
    assert {"extract.0", "extract.1", "extract.2"} <= set(told["tasks"])
    [event] = told["events"]
    tables = Path(environment["REGULARS_WAREHOUSE"]) / "published" / "current"
    assert event["snapshot_date"] == str(NIGHT)
    assert event["rows"]["customer_segments"] == pq.read_table(tables / "customer_segments").num_rows > 0
    assert 0 < event["quarantine_share"] <= 1


def test_a_blocked_night_says_which_rule_and_what_next(blocked: Ran) -> None:
    assert blocked.told["state"] == "failed"
    assert blocked.told["tasks"]["gate_raw.-1"] == "failed"
    assert blocked.told["tasks"]["publish.-1"] == "upstream_failed"
    assert blocked.told["tasks"]["end.-1"] == "success"
    assert "error: gate_raw blocks the night: conformed.customers customers.quarantine_share" in blocked.said
    assert "next: regulars quarantine show" in blocked.said


def test_airflow_holds_no_personal_data_whether_published_or_blocked(
    published: Ran, blocked: Ran, environment: dict[str, str]
) -> None:
    assert not any(canary in (published.said + blocked.said).lower() for canary in CANARIES)
    home = Path(environment["AIRFLOW_HOME"])
    files = [path for path in home.rglob("*") if path.is_file()]
    assert home / "airflow.db" in files
    with closing(sqlite3.connect(home / "airflow.db")) as database:
        assert database.execute("SELECT count(*) FROM xcom").fetchone()[0] > len(published.told["tasks"]) / 2
    assert [path for path in files if sings(path)] == []
    runtime = Path(environment["REGULARS_WAREHOUSE"]) / ".run"
    assert [path for path in runtime.rglob("*") if path.is_file() and sings(path)] == []
