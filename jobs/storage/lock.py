"""One writer per warehouse: a lock that the kernel gives back when its holder is gone."""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any

from jobs.errors import ContractError, TransientFault


class WriterLock:
    """The warehouse's one lock, held by a night's keeper for as long as it lives.

    Args:
        path: the lock file; what it says is who holds it: run, date, process id.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self, run: str, day: str, *, wait_seconds: float) -> None:
        """Take the lock; wait while another date's run holds it.

        Raises:
            ContractError: a run of the same date is at work.
            TransientFault: another date's run was still at work after ``wait_seconds``.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                self._refuse_or_wait(day, deadline)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"run": run, "date": day, "pid": os.getpid()}).encode(), 0)
        self._descriptor = descriptor

    def _refuse_or_wait(self, day: str, deadline: float) -> None:
        holder = self.holder() or {}
        if holder.get("date") == day:
            raise ContractError(
                f"run {holder['run']} of {day} is at work", next_command="regulars status, and wait for it to end"
            )
        if time.monotonic() > deadline:
            raise TransientFault(f"run {holder.get('run')} still holds the warehouse", next_command="regulars status")
        time.sleep(0.2)

    def holder(self) -> dict[str, Any] | None:
        """Who holds the lock now, or None if nobody does."""
        try:
            descriptor = os.open(self.path, os.O_RDWR)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None
        except BlockingIOError:
            said = os.pread(descriptor, 4096, 0)
            return dict(json.loads(said)) if said else {}
        finally:
            os.close(descriptor)

    def require(self, run: str) -> None:
        """Prove that ``run`` still holds the lock (a fence against runs that outlived their keeper).

        Raises:
            ContractError: it does not.
        """
        holder = self.holder()
        if holder is None or holder.get("run") != run:
            raise ContractError(
                f"run {run} no longer holds the warehouse and may not write", next_command="regulars run --date ..."
            )
