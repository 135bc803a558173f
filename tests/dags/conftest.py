"""An Airflow of the tests' own, and a stand-in for the executable that only has an exit code."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
DAGS = REPOSITORY / "dags"

# read when Airflow is first imported, which the test modules do
_HOME = Path(tempfile.mkdtemp(prefix="regulars-airflow-"))
os.environ |= {
    "AIRFLOW_HOME": str(_HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
}
sys.path.append(str(DAGS))


@pytest.fixture(scope="session")
def airflow_home() -> Path:
    """Home of an Airflow whose database exists."""
    airflow = Path(sys.executable).parent / "airflow"
    subprocess.run([airflow, "db", "migrate"], check=True, capture_output=True, timeout=120)
    return _HOME


@pytest.fixture(scope="session")
def dag() -> Any:
    """The nightly DAG as Airflow reads it, in UTC and on its schedule."""
    from airflow.dag_processing.dagbag import DagBag

    for name in ("REGULARS_SCHEDULE", "REGULARS_CONFIG", "REGULARS_TIME_ZONE"):
        os.environ.pop(name, None)
    bag = DagBag(str(DAGS))
    assert bag.import_errors == {}
    return bag.dags["nightly"]


Script = Callable[[str], Path]


@pytest.fixture
def regulars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Puts a shell script in the place of the ``regulars`` executable."""

    def place(body: str) -> Path:
        path = tmp_path / "regulars"
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        monkeypatch.setenv("REGULARS_EXECUTABLE", str(path))
        return path

    return place
