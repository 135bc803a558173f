"""What several suites need: a generated restaurant with its API, ``regulars`` as a program, tables compared."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from jobs.definitions.published import TABLES, folder
from jobs.sample.files import DAILY_NIGHTS
from jobs.sample.restaurant import LAST_DATE, generate
from jobs.storage.lock import WriterLock
from jobs.storage.warehouse import Warehouse

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "jobs" / "sample" / "restaurant.toml"
REGULARS = str(Path(sys.executable).with_name("regulars"))
#: they say when and by which run; two runs of one night differ there and nowhere else
ABOUT_RUNS = frozenset({"publish_log", "data_quality"})
COMPARED = tuple(folder(table) for table in TABLES if table.name not in ABOUT_RUNS)


@dataclass(frozen=True)
class Business:
    """A generated restaurant chain: its source systems and the address of its online API."""

    folder: Path
    host: str
    #: the business dates that come as daily files; the first one loads all history
    nights: tuple[date, ...] = tuple(LAST_DATE - timedelta(days=back) for back in reversed(range(DAILY_NIGHTS)))

    def environment(self, warehouse: Path, **more: str) -> dict[str, str]:
        """Variables for ``regulars`` on this business: the quick engine, small thresholds, public example secrets."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("REGULARS_")}
        return kept | {
            "PYTHONPATH": str(ROOT),
            "REGULARS_CONFIG": str(CONFIG),
            "REGULARS_SAMPLE": str(self.folder),
            "REGULARS_WAREHOUSE": str(warehouse),
            "REGULARS_ENGINE": "sail",
            "REGULARS_ENGINE_OPTIONS__MEMORY": "1500m",
            "REGULARS_KEY_K1": "public-example-key-never-for-real-people",
            "ONLINE_API_HOST": self.host,
            "ONLINE_API_TOKEN": "public-example-token",
            "REGULARS_THRESHOLDS__RFM_MIN_BUYERS": "100",
            "REGULARS_THRESHOLDS__RFM_MIN_HISTORY_DAYS": "60",
            "REGULARS_THRESHOLDS__MIN_ROWS_FOR_SHARE": "20",
        } | more  # fmt: skip


@contextmanager
def business(
    place: Path, *, customers: int = 600, days: int = 120, seed: int = 1, dirt: float | None = None
) -> Iterator[Business]:
    """Generate a chain below ``place`` and serve its online orders while the block lasts."""
    generate(customers, days, seed, place, dirt=dirt)
    with serving(place) as host:
        yield Business(place, host)


@contextmanager
def serving(place: Path) -> Iterator[str]:
    """The online API of a generated chain on a free port; gives ``host:port``."""
    port = place / "port"
    port.unlink(missing_ok=True)
    command = [sys.executable, "-m", "jobs.sample.server", "--database", str(place / "online.sqlite")]
    server = subprocess.Popen(
        [*command, "--port-file", str(port)],
        env=os.environ | {"ONLINE_API_TOKEN": "public-example-token", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until(port.is_file, 20, "the online API listens")
        yield f"127.0.0.1:{port.read_text()}"
    finally:
        server.kill()
        server.wait()


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> dict[str, Any]:
        """The JSON of its last line."""
        found: dict[str, Any] = json.loads(self.out.splitlines()[-1])
        return found


@dataclass(frozen=True)
class Site:
    """One warehouse of a business, and ``regulars`` run on it as a program of its own session."""

    business: Business
    root: Path
    variables: dict[str, str] = field(default_factory=dict)
    patience: float = 900  #: seconds after which a command counts as hanging

    @property
    def warehouse(self) -> Warehouse:
        """Its storage."""
        return Warehouse(self.root)

    @property
    def published(self) -> Path:
        """Where a reader starts."""
        return self.root / "published" / "current"

    def copy(self, root: Path, **variables: str) -> Site:
        """The same warehouse in another place; links inside are relative and files immutable."""
        shutil.copytree(self.root, root, symlinks=True)
        return Site(self.business, root, self.variables | variables, self.patience)

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start a command in a session, and so a process group, of its own."""
        return subprocess.Popen(
            [REGULARS, *arguments],
            env=self.business.environment(self.root, **(self.variables | variables)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def regulars(self, *arguments: str, **variables: str) -> Outcome:
        """Run a command to its end."""
        return ended(self.start(*arguments, **variables), self.patience)

    def night(self, day: date, *arguments: str, **variables: str) -> Outcome:
        """Run a night that has to succeed."""
        done = self.regulars("run", "--date", str(day), *arguments, **variables)
        assert done.code == 0, done.err
        return done

    def holder(self) -> dict[str, Any] | None:
        """Who holds the warehouse."""
        return WriterLock(self.warehouse.runtime / "lock").holder()


def ended(process: subprocess.Popen[str], seconds: float = 900) -> Outcome:
    """Wait for a command's end; one that does not end is killed, and that is a failure."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        kill_group(process.pid)
        raise
    return Outcome(process.returncode, out, err)


def kill_group(leader: int) -> None:
    """SIGKILL to a whole process group, if it is still there."""
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def wait_until(holds: Any, seconds: float, what: str) -> None:
    """Wait for a condition.

    Raises:
        AssertionError: it did not come true in time.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def wait_for_work_after(run: subprocess.Popen[str], step: str, site: Site) -> None:
    """Read what the run of a night says until a step is done, then let the next one write something."""
    assert run.stderr is not None
    for line in run.stderr:
        if f" {step}:" in line:
            break
    else:
        raise AssertionError(f"the run ended before {step} was done")
    (night,) = site.warehouse.open_nights()
    before = _files_of(night.path)
    wait_until(lambda: _files_of(night.path) != before, 60, f"the step after {step} writes")


def _files_of(folder: Path) -> set[str]:
    return {os.path.join(place, name) for place, _, names in os.walk(folder) for name in names}


def processes_of(warehouse: Path) -> dict[int, str]:
    """Living keepers of a warehouse and the engines below them: process id -> command line."""
    mark = f"REGULARS_WAREHOUSE={warehouse}".encode()
    keepers = {pid for pid, line in _commands() if "jobs.keeper" in line and mark in _variables(pid)}
    return {pid: line for pid, line in _commands() if pid in keepers or _parent(pid) in keepers}


def processes_with(variable: str, value: str) -> set[int]:
    """Living processes whose environment holds a variable of this value."""
    mark = f"{variable}={value}".encode()
    return {pid for pid, _ in _commands() if mark in _variables(pid)}


def is_alive(pid: int) -> bool:
    """A process of this number runs; one that only waits to be collected does not."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[-1].split()[0] != "Z"
    return False


def _commands() -> list[tuple[int, str]]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found.append((int(entry.name), line))
    return [(pid, line) for pid, line in found if line]  # a zombie has no command line


def _variables(pid: int) -> list[bytes]:
    with suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return []


def _parent(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[-1].split()[1])
    return 0


def parts(published: Path, table: str) -> str:
    """What DuckDB reads for a table below a published folder."""
    return f"read_parquet('{published}/{table}/*.parquet')"


def differences(one: Path, other: Path) -> dict[str, tuple[int, int]]:
    """Table -> rows that only the one and only the other published folder has; {} where all tables are equal."""
    found = {}
    with duckdb.connect() as connection:
        for table in COMPARED:
            left, right = parts(one, table), parts(other, table)
            only = [
                connection.sql(f"SELECT count(*) FROM (FROM {a} EXCEPT ALL FROM {b})").fetchall()[0][0]
                for a, b in ((left, right), (right, left))
            ]
            if any(only):
                found[table] = (only[0], only[1])
    return found


def tree_differences(one: Path, other: Path) -> list[str]:
    """Folders with Parquet files that do not hold the same rows on both sides, whatever the files are called.

    A table is compared as a whole, partitions and all.
    """
    tables = {table for root in (one, other) for table in _tables(root)}
    with duckdb.connect() as connection:
        return sorted(table for table in tables if not _same(connection, one / table, other / table))


def _tables(root: Path) -> Iterator[str]:
    for path in root.rglob("*.parquet"):
        yield re.sub(r"/ds=[^/]*$", "", str(path.parent.relative_to(root)))


def _same(connection: duckdb.DuckDBPyConnection, one: Path, other: Path) -> bool:
    if not (any(one.rglob("*.parquet")) and any(other.rglob("*.parquet"))):
        return False
    left, right = (
        f"read_parquet('{path}/**/*.parquet', union_by_name = true, hive_partitioning = false)" for path in (one, other)
    )
    return not any(
        connection.sql(f"SELECT 1 FROM (FROM {a} EXCEPT ALL FROM {b}) LIMIT 1").fetchall()
        for a, b in ((left, right), (right, left))
    )


def counts(published: Path) -> dict[str, int]:
    """Rows of every compared table below a published folder."""
    with duckdb.connect() as connection:
        return {
            table: connection.sql(f"SELECT count(*) FROM {parts(published, table)}").fetchall()[0][0]
            for table in COMPARED
        }
