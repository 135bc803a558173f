"""The keeper of a night: one process that holds the warehouse's lock and the night's engine.

It lives as long as the night is worked on and no longer: until it is told to stop, its owner is gone,
or nobody has used it for a while. When it dies, however it dies, the kernel gives the lock back and
ends the engine, so nothing has to be cleaned up by hand.

Started by :func:`start` as ``python -m jobs.keeper``; what it has to say it writes to files below
``<warehouse>/.run/<run>/``: ``keeper.json`` when it holds the lock, ``engine.json`` when the engine
answers, ``failed.json`` if either cannot be or the engine dies.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs import engine, faultpoints
from jobs.errors import ContractError, EnvironmentFault, RegularsError, TransientFault
from jobs.settings import Settings, load_settings
from jobs.storage import files
from jobs.storage.lock import WriterLock
from jobs.storage.warehouse import Warehouse

LOCK_WAIT_SECONDS = 6 * 3600.0
_LOOK_SECONDS = 0.3
_NOTICED_SECONDS = 3 * _LOOK_SECONDS
_OPENED = "opened"
_FAILED = "failed.json"
_FAULTS: dict[int, type[RegularsError]] = {1: ContractError, 3: EnvironmentFault, 75: TransientFault}


@dataclass(frozen=True)
class Keeper:
    """A running keeper as its clients see it."""

    folder: Path
    lock: WriterLock

    @classmethod
    def of(cls, warehouse: Warehouse, run: str) -> Keeper:
        """The keeper of a run, running or not."""
        return cls(warehouse.runtime / run, WriterLock(warehouse.runtime / "lock"))

    @property
    def run(self) -> str:
        """The run it keeps."""
        return self.folder.name

    def engine_url(self, seconds: float = 180.0) -> str:
        """Address of the night's engine, waiting for it to be up.

        Raises:
            ContractError: the keeper is gone.
            EnvironmentFault: the engine could not be started.
        """
        said = self._wait_for("engine.json", seconds)
        return str(said["url"])

    @contextlib.contextmanager
    def blamed(self) -> Iterator[None]:
        """Where what fails inside failed because the engine had died, say that.

        Raises:
            EnvironmentFault: how the engine died.
        """
        try:
            yield
        except RegularsError:
            raise
        except Exception as error:
            deadline = time.monotonic() + _NOTICED_SECONDS
            while time.monotonic() < deadline:
                self._raise_what_failed(error)
                time.sleep(0.05)
            raise

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep the keeper from taking the night for abandoned while a step works."""
        mark = self.folder / "users" / str(os.getpid())
        mark.parent.mkdir(exist_ok=True)
        mark.touch()
        try:
            yield
        finally:
            mark.unlink(missing_ok=True)

    def opened(self) -> None:
        """Say that the night is open: from here on the keeper outlives whoever began it."""
        (self.folder / _OPENED).touch()

    def stop(self, seconds: float = 20.0) -> None:
        """Tell it to stop and wait until it has."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
            os.kill(int(files.read_json(self.folder / "keeper.json")["pid"]), signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            holder = self.lock.holder()
            if holder is None or holder.get("run") != self.run:
                return
            time.sleep(0.05)

    def _wait_for(self, name: str, seconds: float, process: subprocess.Popen[bytes] | None = None) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            is_gone = self._is_gone(process)  # asked first: the last thing that it writes is not missed
            self._raise_what_failed(None)
            if (self.folder / name).exists():
                self.lock.require(self.run)
                return dict(files.read_json(self.folder / name))
            if is_gone:
                raise EnvironmentFault(
                    f"the keeper of run {self.run} is gone", next_command=f"read {self.folder}, and run the night again"
                )
            time.sleep(0.05)
        raise EnvironmentFault(f"the keeper of run {self.run} does not answer", next_command=f"read {self.folder}")

    def _raise_what_failed(self, cause: Exception | None) -> None:
        if (self.folder / _FAILED).exists():
            said = files.read_json(self.folder / _FAILED)
            raise _FAULTS[said["exit_code"]](said["message"], next_command=said["next_command"]) from cause

    def _is_gone(self, process: subprocess.Popen[bytes] | None) -> bool:
        """It ended; its starter knows the process, others know that it holds the lock while it lives."""
        if process is not None:
            return process.poll() is not None
        return (self.lock.holder() or {}).get("run") != self.run


def start(warehouse: Warehouse, run: str, day: str, *, owner: int | None) -> Keeper:
    """Start a keeper as a process of its own and wait until it holds the lock.

    Args:
        warehouse: whose lock it takes.
        run: the run.
        day: its business date.
        owner: process it lives and dies with; None if it is to outlive its starter.

    Raises:
        ContractError: another run of the same date is at work.
        EnvironmentFault: it could not be started.
    """
    keeper = Keeper.of(warehouse, run)
    files.remove_tree(keeper.folder)
    keeper.folder.mkdir(parents=True, mode=files.RESTRICTED_DIR)
    command = [sys.executable, "-m", "jobs.keeper", run, day, str(owner or 0), str(os.getpid())]
    with (keeper.folder / "keeper.log").open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    keeper._wait_for("keeper.json", LOCK_WAIT_SECONDS, process)
    return keeper


def keep(settings: Settings, run: str, day: str, owner: int, starter: int) -> None:
    """Hold the lock and the engine until there is a reason to stop."""
    keeper = Keeper.of(Warehouse(settings.warehouse), run)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    started: engine.StartedEngine | None = None
    try:
        keeper.lock.acquire(run, day, wait_seconds=LOCK_WAIT_SECONDS)
        files.write_json(keeper.folder / "keeper.json", {"pid": os.getpid(), "run": run, "date": day})
        faultpoints.reach("keeper.locked")
        url, _ = engine.choose(settings)
        if not url.startswith("sc://"):
            started = engine.start(url, settings.engine_options, keeper.folder / "engine.log")
            url = started.url
            faultpoints.reach("keeper.engine_started")
        files.write_json(keeper.folder / "engine.json", {"url": url})
        _wait_until_abandoned(keeper, started, (owner, starter), settings.engine_options.idle_minutes * 60)
    except RegularsError as error:
        said = {"exit_code": error.exit_code, "message": error.message, "next_command": error.next_command}
        files.write_json(keeper.folder / _FAILED, said)
    finally:
        if started is not None:
            started.stop()
        (keeper.folder / "engine.json").unlink(missing_ok=True)


def _wait_until_abandoned(
    keeper: Keeper, started: engine.StartedEngine | None, people: tuple[int, int], idle_seconds: float
) -> None:
    (owner, starter), last_used = people, time.monotonic()
    while True:
        time.sleep(_LOOK_SECONDS)
        if owner and not _is_alive(owner):
            return
        if not (keeper.folder / _OPENED).exists() and not _is_alive(starter):
            return  # whoever began died before there was a night to keep; its retry must not be refused
        if started is not None and (fault := started.died(keeper.folder / "engine.log")):
            raise fault
        users = keeper.folder / "users"
        if users.is_dir() and any(_is_alive(int(mark.name)) for mark in users.iterdir()):
            last_used = time.monotonic()
        elif time.monotonic() - last_used > idle_seconds:
            return


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    stat = Path(f"/proc/{process}/stat")
    return not (stat.exists() and stat.read_text().rsplit(")", 1)[-1].split()[0] == "Z")


if __name__ == "__main__":
    os.umask(0o077)
    if not os.environ.get(faultpoints.VARIABLE, "").startswith("keeper."):
        os.environ.pop(faultpoints.VARIABLE, None)  # it is the run that is to die
    keep(load_settings(), sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
