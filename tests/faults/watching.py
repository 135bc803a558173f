"""What a consumer must see at any moment, and a consumer that looks all the time."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from types import TracebackType

import duckdb

from tests.faults.conftest import Undisturbed
from tests.support import Site, counts, differences, is_alive, parts, processes_of, wait_until

READ = ("customer_segments", "dim_customer", "customer_features")


def assert_shows(site: Site, *allowed: Undisturbed) -> None:
    """``current`` leads to one of the allowed nights, all of whose tables are there and hold what they should."""
    night = site.warehouse.current()
    assert night is not None
    undisturbed = {shown(one): one for one in allowed}
    assert night.date in undisturbed
    assert differences(site.published, undisturbed[night.date].site.published) == {}


def shown(one: Undisturbed) -> date:
    """The date that a warehouse shows."""
    night = one.site.warehouse.current()
    assert night is not None
    return night.date


def assert_no_one_left(site: Site) -> None:
    """Keeper and engine end by themselves within seconds of the death of their run."""
    _wait_for_the_end_of(set(processes_of(site.root)), site)


def kill_the_rest(site: Site) -> None:
    """SIGKILL keeper and engine too."""
    left = set(processes_of(site.root))
    for process in left:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    _wait_for_the_end_of(left, site)


def _wait_for_the_end_of(known: set[int], site: Site) -> None:
    """An engine whose keeper is gone is nobody's child: it is watched by its number."""
    wait_until(lambda: not any(map(is_alive, known)), 10, f"keeper and engine of {site.root} end")
    wait_until(lambda: site.holder() is None, 2, f"the lock of {site.root} is free")
    assert processes_of(site.root) == {}


class Reader:
    """Reads without pause while the block lasts: resolves ``current`` once, then three tables below it.

    What it saw has to be one night each time, with as many rows as that night has; any error counts.

    Args:
        published: where it starts from each time.
        expected: snapshot date -> rows by table, of every night that it may see.
    """

    def __init__(self, published: Path, expected: Mapping[date, Mapping[str, int]]) -> None:
        self.published = published
        self.expected = expected
        self.reads = 0
        self.seen: set[date] = set()
        self.wrong: list[str] = []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._loop)

    @classmethod
    def of(cls, site: Site, *undisturbed: Undisturbed) -> Reader:
        """A reader of a site that may see these nights."""
        return cls(site.published, {shown(one): _of(counts(one.site.published)) for one in undisturbed})

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self._is_over.set()
        self._thread.join()
        if kind is None:
            assert self.wrong == []
            assert self.reads > 0

    def _loop(self) -> None:
        with duckdb.connect() as connection:
            connection.execute("SET threads = 1")
            while not self._is_over.wait(0.02):
                try:
                    self._read(connection, self.published.resolve(strict=True))
                except Exception as error:
                    self.wrong.append(f"{type(error).__name__}: {error}")

    def _read(self, connection: duckdb.DuckDBPyConnection, resolved: Path) -> None:
        found = {table: _look(connection, resolved, table) for table in READ}
        dates = {day for _, days in found.values() for day in days}
        self.reads += 1
        self.seen |= dates
        rows = {table: one[0] for table, one in found.items()}
        if len(dates) != 1 or self.expected[min(dates)] != rows:
            self.wrong.append(f"{resolved.parent.name}: {dates} {rows}")


def _of(rows: Mapping[str, int]) -> dict[str, int]:
    return {table: rows[table] for table in READ}


def _look(connection: duckdb.DuckDBPyConnection, published: Path, table: str) -> tuple[int, list[date]]:
    query = f"SELECT count(*), list(DISTINCT snapshot_date) FROM {parts(published, table)}"
    rows, days = connection.sql(query).fetchall()[0]
    return rows, days
