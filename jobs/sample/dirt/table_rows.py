"""Rows of the CRM's tables and documents of the online shop: which may be damaged, and how they are written."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from jobs.sample.dirt.kind import FEEDS, Change, Copy, Kind
from jobs.sample.dirt.spots import Spot, Truth, changed, truth_of
from jobs.sample.files import DAILY_NIGHTS

_CHANGED = "updated_at"


def _settled(last_date: date) -> str:
    """Rows that changed before are read by the first night of those that come as daily files, and never again."""
    return f"{last_date - timedelta(days=DAILY_NIGHTS)}T00:00:00Z"


class Crm:
    """The tables of ``crm.sqlite``.

    Args:
        path: the database.
        last_date: business date of the last night.
    """

    def __init__(self, path: Path, last_date: date) -> None:
        """Read nothing yet."""
        self._path = path
        self._until = _settled(last_date)
        self._tables: dict[str, tuple[list[str], list[tuple[Any, ...]]]] = {}
        self._counts: dict[tuple[str, tuple[str, ...]], Counter[tuple[Any, ...]]] = {}
        self._damaged: set[str] = set()

    def _table(self, feed: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        place = FEEDS[feed].place
        if place not in self._tables:
            with closing(sqlite3.connect(self._path)) as connection:
                found = connection.execute(f"SELECT * FROM {place} ORDER BY rowid")
                self._tables[place] = [entry[0] for entry in found.description], found.fetchall()
        return self._tables[place]

    def rows(self, feed: str) -> int:
        """Rows of the table."""
        return len(self._table(feed)[1])

    def spots(self, feed: str) -> Sequence[Spot]:
        """Rows that changed last before the daily files begin."""
        names, rows = self._table(feed)
        at = names.index(_CHANGED) if _CHANGED in names else None
        place = FEEDS[feed].place
        return [
            Spot(place, index, dict(zip(names, row, strict=True)))
            for index, row in enumerate(rows)
            if at is None or row[at] < self._until
        ]

    def fits(self, kind: Kind, spot: Spot) -> bool:
        """Whether the row is full where it is to be damaged, and can be known by its key."""
        key = kind.key or FEEDS[kind.feed].key
        value = tuple(spot.raw[name] for name in key)
        is_known = isinstance(kind.damage, Copy) or self._count(kind.feed, key)[value] == 1
        return is_known and None not in value and spot.raw.get(kind.damage.column, "") is not None

    def _count(self, feed: str, key: tuple[str, ...]) -> Counter[tuple[Any, ...]]:
        if (feed, key) not in self._counts:
            names, rows = self._table(feed)
            places = [names.index(name) for name in key]
            self._counts[feed, key] = Counter(tuple(row[place] for place in places) for row in rows)
        return self._counts[feed, key]

    def damage(self, kind: Kind, spot: Spot) -> Truth:
        """Change a row, or add one."""
        after = changed(_of_row(kind), spot.raw)
        _, rows = self._table(kind.feed)
        if isinstance(kind.damage, Copy):
            rows.append(tuple(after.values()))
        else:
            rows[spot.index] = tuple(after.values())
        self._damaged.add(spot.place)
        return truth_of(kind, spot.raw, after, spot.place)

    def save(self) -> None:
        """Write the damaged tables without types and keys, so that they may hold anything."""
        with closing(sqlite3.connect(self._path)) as connection, connection:
            for place in sorted(self._damaged):
                names, rows = self._tables[place]
                connection.execute(f"DROP TABLE {place}")
                connection.execute(f"CREATE TABLE {place} ({', '.join(names)})")
                connection.executemany(f"INSERT INTO {place} VALUES ({', '.join('?' * len(names))})", rows)
                if _CHANGED in names:
                    connection.execute(f"CREATE INDEX {place}_{_CHANGED} ON {place} ({_CHANGED})")


class Online:
    """The documents of ``online.sqlite``.

    Args:
        path: the database.
        last_date: business date of the last night.
        mentioned: orders that other sources speak of, which stay as they are.
    """

    _PLAIN = {
        "orders": "json_array_length(document, '$.lines') = 1 AND json_extract(document, '$.status') = 'completed'"
        " AND json_extract(document, '$.coupon_id') IS NULL AND json_extract(document, '$.lines[0].refunded') = 0",
        "accounts": "true",
    }

    def __init__(self, path: Path, last_date: date, mentioned: set[str]) -> None:
        """Read nothing yet."""
        self._path = path
        self._until = _settled(last_date)
        self._mentioned = mentioned
        self._statements: list[tuple[str, tuple[str, str]]] = []

    def rows(self, feed: str) -> int:
        """Documents of the path."""
        with closing(sqlite3.connect(self._path)) as connection:
            found: int = connection.execute(f"SELECT count(*) FROM {self._table(feed)}").fetchone()[0]
            return found

    @staticmethod
    def _table(feed: str) -> str:
        return FEEDS[feed].place.removeprefix("/")

    def spots(self, feed: str) -> Sequence[Spot]:
        """Documents that changed last before the daily files begin; orders of one line and without coupon or refund."""
        table = self._table(feed)
        statement = (
            f"SELECT id, document FROM {table} WHERE {self._PLAIN[table]}"
            " AND json_extract(document, '$.updated_at') < ? ORDER BY id"
        )
        with closing(sqlite3.connect(self._path)) as connection:
            found = connection.execute(statement, (self._until,)).fetchall()
        place = FEEDS[feed].place
        return [Spot(place, at, found[at]) for at in range(len(found)) if found[at][0] not in self._mentioned]

    def fits(self, kind: Kind, spot: Spot) -> bool:
        """Any document can be damaged in any way."""
        return True

    def damage(self, kind: Kind, spot: Spot) -> Truth:
        """Change a document, or add one."""
        identifier, text = spot.raw
        before = json.loads(text)
        after = changed(_of_row(kind), before)
        document = json.dumps(after, ensure_ascii=False, separators=(",", ":"))
        table = self._table(kind.feed)
        if isinstance(kind.damage, Copy):
            # the place in the order of pages alone makes it another row
            statement = f"INSERT INTO {table} SELECT id || '-2', updated_us, ? FROM {table} WHERE id = ?"
        else:
            statement = f"UPDATE {table} SET document = ? WHERE id = ?"
        self._statements.append((statement, (document, identifier)))
        return truth_of(kind, before, after, spot.place)

    def save(self) -> None:
        """Write the damaged documents."""
        with closing(sqlite3.connect(self._path)) as connection, connection:
            for statement, values in self._statements:
                connection.execute(statement, values)


def _of_row(kind: Kind) -> Change | Copy:
    if isinstance(kind.damage, Change | Copy):
        return kind.damage
    raise TypeError(f"{kind.name} is about files")


def mentioned(crm: Path) -> set[str]:
    """Orders that the CRM's feedback speaks of."""
    with closing(sqlite3.connect(crm)) as connection:
        return {str(row[0]) for row in connection.execute("SELECT order_id FROM feedback")}
