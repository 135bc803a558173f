"""Warehouses to measure on: a chain's nights made once, and one warehouse per engine that takes them in by links."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from jobs.storage.manifest import write_manifest
from jobs.storage.night import Night
from jobs.storage.warehouse import Warehouse, new_run_id
from tests.bench import clean_night
from tests.bench.clean_night import FIRST_NIGHT, Chain
from tests.support import ROOT

#: New York has daylight saving, the US have public holidays, and the chain has a calendar of its own
CONFIG = """
time_zone = "America/New_York"
country = "US"
preset = "supermarket"

[own_calendar]
summer = ["2024-07-01/2024-08-31", "2025-07-01/2025-08-31"]
fair = ["2026-06-28/2026-06-30"]
"""


@dataclass(frozen=True)
class Made:
    """Nights of a chain up to ``identity``."""

    chain: Chain
    first: Night  #: all history
    day: Night  #: one day more
    late: Night | None  #: the same day, with late orders
    late_dates: list[date]  #: business dates of these


def make(root: Path, chain: Chain, *, late_orders: int = 0, late_days: int = 30) -> Made:
    """Make a chain's nights in a warehouse of their own.

    Args:
        root: the warehouse.
        chain: whose.
        late_orders: how many come late on another version of the second night; none without it.
        late_days: over how many dates they are spread.
    """
    warehouse = Warehouse(root)
    first = warehouse.begin(FIRST_NIGHT, new_run_id())
    clean_night.make(first, chain)
    write_manifest(first, None, {})
    first = warehouse.close(first)
    day = _begun(warehouse, first, chain)
    day = warehouse.close(day)
    late, dates = None, list[date]()
    if late_orders:
        late = _begun(warehouse, first, chain)
        dates = clean_night.add_late(late, chain, orders=late_orders, days=late_days)
        late = warehouse.close(late)
    return Made(chain, first, day, late, dates)


def _begun(warehouse: Warehouse, first: Night, chain: Chain) -> Night:
    night = warehouse.begin(date.fromordinal(first.date.toordinal() + 1), new_run_id())
    clean_night.add_day(night, first, chain)
    return night


@dataclass(frozen=True)
class Turn:
    """What one measurement took."""

    seconds: float
    peak_mib: float
    customers: int | None = None  #: computed anew; None for everybody
    dates: tuple[str, ...] = ()  #: business dates that were made anew


@dataclass(frozen=True)
class Site:
    """One engine's warehouse, on which the features step is measured.

    Args:
        root: the warehouse; the settings' file lies beside it.
        engine: ``local[*]``, ``sail`` or the URL of a running one.
        memory: what the engine may have, where it heeds that.
        cores: what the processes of a turn may have.
    """

    root: Path
    engine: str
    memory: str = "3g"
    cores: int = 2

    @property
    def warehouse(self) -> Warehouse:
        """Its storage."""
        return Warehouse(self.root)

    @property
    def environment(self) -> dict[str, str]:
        """Variables for a process that works on it."""
        config = self.root.with_suffix(".toml")
        if not config.exists():
            config.parent.mkdir(parents=True, exist_ok=True)
            config.write_text(CONFIG)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("REGULARS_")}
        return kept | {
            "PYTHONPATH": str(ROOT),
            "REGULARS_CONFIG": str(config),
            "REGULARS_WAREHOUSE": str(self.root),
            "REGULARS_ENGINE": self.engine,
            "REGULARS_ENGINE_OPTIONS__MEMORY": self.memory,
            "REGULARS_ENGINE_OPTIONS__CORES": str(self.cores),
        }

    def begin(self, made: Night) -> Night:
        """Open a night as a real one is opened, and take in what the steps before ``features`` made of it."""
        night = self.warehouse.begin(made.date, new_run_id())
        for zone in ("clean", "identity"):
            night.restore(made, zone)
        return night

    def publish(self, night: Night) -> Night:
        """Make an open night one that the next can start from."""
        write_manifest(night, self.warehouse.base(night), {})
        return self.warehouse.close(night)

    def features(self, night: Night, *, full: bool = False) -> Turn:
        """Run the step on an open night, in a process of its own and on an engine of its own."""
        night.record("begin", night.records()["begin"] | {"full": full})
        return self._turn("--run", night.run)

    def segments(self, night: Night) -> Turn:
        """The same of the step ``segments``, after that of features."""
        return self._turn("--run", night.run, "--step", "segments")

    def reference(self, night: Night, out: Path) -> Turn:
        """Have DuckDB compute the same into a file, in a process of its own."""
        return self._turn("--night", str(night.path), "--out", str(out))

    def _turn(self, *arguments: str) -> Turn:
        command = [sys.executable, "-m", "tests.bench.turn", *arguments]
        done = subprocess.run(command, env=self.environment, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{self.engine}: {' '.join(arguments)} failed\n{done.stderr[-4000:]}")
        said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return Turn(said["seconds"], said["peak_mib"], said.get("customers"), tuple(said.get("dates", ())))
