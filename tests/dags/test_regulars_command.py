"""What a task makes of the exit code, the output and the death of its program."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from regulars_command import RegularsCommand

Script = Callable[[str], Path]


def run(*arguments: str, source: str | None = None) -> Any:
    context: Any = {}
    return RegularsCommand(task_id="t", arguments=list(arguments), source=source).execute(context)


def test_the_result_is_the_json_of_the_last_line(regulars: Script) -> None:
    regulars("""echo working; echo talk >&2; echo '{"rows": 3}'""")
    assert run("step", "clean") == {"rows": 3}


def test_arguments_reach_the_program_as_they_are(regulars: Script) -> None:
    regulars("""for one in "$@"; do printf '"%s",' "$one"; done | sed 's/^/[/; s/,$/]/'""")
    assert run("step", "$(id); a b", source="crm") == ["step", "$(id); a b", "--source", "crm"]


@pytest.mark.parametrize("code", [1, 2, 3])
def test_faults_of_data_usage_and_machine_are_final(regulars: Script, code: int) -> None:
    regulars(f"echo 'error: rule orders.total of pos/a.csv'  >&2; echo ' next: regulars status' >&2; exit {code}")
    with pytest.raises(AirflowFailException) as raised:
        run("step", "gate_raw")
    assert str(raised.value) == "error: rule orders.total of pos/a.csv\n next: regulars status"


@pytest.mark.parametrize("end", ["exit 75", "kill -9 $$", "kill -15 $$", "exit 137"])
def test_what_may_pass_is_tried_again(regulars: Script, end: str) -> None:
    regulars(f"echo 'error: 503' >&2; {end}")
    with pytest.raises(AirflowException) as raised:
        run("step", "extract")
    assert not isinstance(raised.value, AirflowFailException)
    assert str(raised.value).startswith("error: ")


def test_a_program_that_answers_without_json_has_failed(regulars: Script) -> None:
    regulars("echo done")
    with pytest.raises(AirflowFailException, match="no JSON"):
        run("sources")


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGULARS_EXECUTABLE", "/nowhere/regulars")
    with pytest.raises(AirflowFailException, match="/nowhere/regulars"):
        run("sources")


def test_all_that_is_said_goes_to_the_log(regulars: Script, capsys: pytest.CaptureFixture[str]) -> None:
    regulars("""echo 'to people' >&2; echo '["to programs"]'""")
    run("sources")
    logged = capsys.readouterr().out
    assert "to people" in logged
    assert "to programs" in logged


def test_the_program_ends_with_its_task(regulars: Script) -> None:
    regulars("exec sleep 60")
    operator = RegularsCommand(task_id="t", arguments=["step", "clean"])
    raised: list[BaseException] = []

    def work() -> None:
        try:
            operator.execute({})  # type: ignore[typeddict-item]  # an empty context
        except AirflowException as error:
            raised.append(error)

    task = threading.Thread(target=work)
    task.start()
    while operator._process is None:
        time.sleep(0.01)
    operator.on_kill()
    task.join(timeout=10)
    assert not task.is_alive()
    assert "signal 15" in str(raised[0])
