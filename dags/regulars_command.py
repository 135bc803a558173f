"""How Airflow launches the ``regulars`` executable: as a process, with an argument list, never through a shell.

Only Airflow and the standard library are imported here, so that the folder also works in an Airflow that cannot
hold the packages of the jobs. What a command did is the JSON of the last line of its standard output: paths and
counts. What it says to people goes to the task's log. Its exit code tells what to do about a failure: 75, or death
by a signal, may pass by itself and is retried; anything else stays as it is until somebody mends it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from airflow.sdk import Asset, BaseOperator
from airflow.sdk.definitions.context import Context
from airflow.sdk.exceptions import AirflowException, AirflowFailException

EXECUTABLE_VARIABLE = "REGULARS_EXECUTABLE"
TRY_AGAIN = 75
#: shells report death by signal N as 128 + N
FIRST_SIGNAL_CODE = 128
#: of a long complaint, the lines that fit into a message
ERROR_LINES = 12


def executable() -> str:
    """The program to launch: ``REGULARS_EXECUTABLE``, else ``regulars`` on the path, else the one beside Python.

    Raises:
        AirflowFailException: there is none.
    """
    wanted = os.environ.get(EXECUTABLE_VARIABLE, "regulars")
    found = shutil.which(wanted) or shutil.which(wanted, path=str(Path(sys.executable).parent))
    if found is None:
        raise AirflowFailException(
            f"error: no executable {wanted}\n next: set {EXECUTABLE_VARIABLE} to the path of `regulars`"
        )
    return found


def error_lines(said: Sequence[str]) -> str:
    """The last ``error:`` of a command and what follows it, among it the ``next:`` command."""
    starts = [number for number, line in enumerate(said) if line.startswith(("error:", "Error:"))]
    chosen = said[starts[-1] :] if starts else said[-3:]
    return "\n".join(chosen[:ERROR_LINES])


def failure(command: str, exit_code: int, said: Sequence[str]) -> AirflowException:
    """The exception for an exit code: to be retried, or final."""
    if exit_code < 0 or exit_code >= FIRST_SIGNAL_CODE:
        number = -exit_code if exit_code < 0 else exit_code - FIRST_SIGNAL_CODE
        return AirflowException(f"error: {command} was killed by signal {number}\n next: read the task's log")
    message = error_lines(said) or f"error: {command} ended with exit code {exit_code}\n next: regulars doctor"
    return AirflowException(message) if exit_code == TRY_AGAIN else AirflowFailException(message)


class Launcher:
    """Starts a program for an operator, passes on what it says, and ends it together with the task."""

    log: Any
    _process: subprocess.Popen[str] | None = None

    def launch(self, command: list[str]) -> Any:
        """Start a program, pass on what it says, and return its result.

        Raises:
            AirflowException: it failed in a way that may pass.
            AirflowFailException: it failed for good, or did not answer with JSON.
        """
        self.log.info("%s", " ".join(command[1:]))
        said: list[str] = []
        answers: list[str] = []
        with self._started(command) as process:
            talk = threading.Thread(target=self._read, args=(process.stderr, said.append))
            talk.start()
            self._read(process.stdout, answers.append)
            talk.join()
        if process.returncode != 0:
            raise failure(f"regulars {' '.join(command[1:])}", process.returncode, said)
        return self._result(answers)

    def on_kill(self) -> None:
        """End the program together with the task."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        if process.poll() is None:
            process.kill()

    def _started(self, command: list[str]) -> subprocess.Popen[str]:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        return self._process

    def _read(self, stream: IO[str] | None, keep: Callable[[str], None]) -> None:
        for line in stream or ():
            text = line.rstrip()
            if text:
                self.log.info("%s", text)
                keep(text)

    @staticmethod
    def _result(answers: Sequence[str]) -> Any:
        try:
            return json.loads(answers[-1])
        except (IndexError, ValueError):
            raise AirflowFailException(
                "error: the last line of standard output is no JSON\n next: regulars doctor"
            ) from None


class RegularsCommand(Launcher, BaseOperator):
    """Runs one ``regulars`` command; its result is the last line of its standard output.

    Args:
        arguments: the command and its options, templated.
        source: for commands that run once per source, which one.
        report: an asset of the task's outlets whose event carries the published counts.
    """

    template_fields: Sequence[str] = ("arguments", "source")
    ui_color = "#e8f0ea"

    def __init__(
        self, *, arguments: list[str], source: str | None = None, report: Asset | None = None, **kwargs: Any
    ) -> None:
        """Declare the task; nothing is looked up before it runs."""
        super().__init__(**kwargs)
        self.arguments = arguments
        self.source = source
        self.report = report

    def execute(self, context: Context) -> Any:
        """Run the command to its end."""
        context["source"] = self.source  # type: ignore[typeddict-unknown-key]  # for the name of a mapped task
        result = self.launch(self.command(context))
        if self.report is not None:
            context["outlet_events"][self.report].extra = _published(result)
        return result

    def command(self, context: Context) -> list[str]:
        """The whole argument list."""
        return [executable(), *self.arguments, *(["--source", self.source] if self.source else [])]


def _published(result: dict[str, Any]) -> dict[str, Any]:
    return {name: result.get(name) for name in ("snapshot_date", "rows", "quarantine_share")}


class BeginNight(RegularsCommand):
    """Opens a night of the asked business date, or of the day on which the scheduled interval starts.

    A run that somebody triggered has some interval of today, and a run of an asset has none: neither says which
    night is meant, so both need the parameter, and ``regulars begin`` refuses where there is no date.
    """

    runs_with_interval = ("scheduled", "backfill")

    def command(self, context: Context) -> list[str]:
        """``regulars begin`` and which night."""
        return [*super().command(context), *self.night(context)]

    def night(self, context: Context) -> list[str]:
        """The options that say which night; none where the run does not know."""
        asked = context["params"].get("business_date")
        if asked:
            return ["--date", str(asked)]
        start = context.get("data_interval_start")
        if start is not None and str(context["dag_run"].run_type) in self.runs_with_interval:
            return ["--interval-start", start.isoformat()]
        return []
