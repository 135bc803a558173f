"""A real ``airflow standalone``: its scheduler runs what is ordered, failures are told, and nothing stays behind."""

from __future__ import annotations

import fcntl
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import psutil
import pytest

from jobs.errors import ContractError, EnvironmentFault
from jobs.sample.dag_runs import error_of, run_nights
from jobs.sample.standalone import standalone

#: succeeds on 2017-12-30 and closes a gate on 2017-12-31
SAYS = """
case "$1 $2" in
    "begin "*) echo "{\\"run\\": \\"$3\\", \\"date\\": \\"$3\\"}" ;;
    "sources "*) echo '["crm", "pos"]' ;;
    "step gate_clean") if [ "$4" = 2017-12-31 ]; then
        echo "error: rule orders.total failed" >&2; echo " next: regulars status" >&2; exit 1
    fi; echo '{}' ;;
    *) echo '{}' ;;
esac
"""


def processes_of(home: Path) -> list[str]:
    """Command lines of living processes whose Airflow has this home."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("AIRFLOW_HOME") == str(home) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


def test_the_scheduler_runs_nights_in_turn_tells_what_failed_and_leaves_nothing(
    tmp_path: Path, regulars: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    regulars(SAYS)
    monkeypatch.setenv("REGULARS_SCHEDULE", "")
    home = tmp_path / "airflow"
    nights = [date(2017, 12, 30), date(2017, 12, 31), date(2018, 1, 1)]
    with standalone(home) as airflow, pytest.raises(ContractError, match="2017-12-31 failed in gate_clean"):
        run_nights(airflow, "test", nights)
    said = capsys.readouterr().out
    assert re.search(r"2017-12-30 extract crm +success", said)
    assert "night 2017-12-30: published" in said
    assert "error: rule orders.total failed\n next: regulars status" in said
    assert "2017-12-31 publish" not in said
    assert "2018-01-01" not in said
    assert processes_of(home) == []


def test_two_never_share_a_home(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(EnvironmentFault, match="at work"), standalone(tmp_path):
            raise AssertionError("it started")


def test_a_task_that_said_nothing_is_told_by_its_log(tmp_path: Path) -> None:
    task = {"task_id": "clean", "map_index": -1, "try_number": 1}
    assert error_of(tmp_path, "r1", task)[0].startswith("no message; read ")
