"""Tables and queries of a database: picks the reader by the location's scheme.

``sqlite:///path`` (or a bare path) is read by the standard library, ``postgresql://`` through ADBC,
everything else through SQLAlchemy. With a cursor, rows from ``overlap_seconds`` before the last
cursor on (inclusive) up to the end of the business date are read: a row that was committed late, or
shares the last instant, is not lost, and rows that come again are found unchanged later. Rows whose
cursor is null are read every time, for the same reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from jobs.errors import UsageError
from jobs.extract import sqlite
from jobs.extract.chunks import Chunk, Outcome, Request
from jobs.settings import expand


def read(request: Request, outcome: Outcome) -> Iterator[Chunk]:
    """Rows of the feed's table or query.

    Raises:
        UsageError: not exactly one of ``table`` and ``query``, or a variable of the location is not set.
        ContractError: table or column missing, or the database is damaged.
        EnvironmentFault: wrong password, no such database.
        TransientFault: no answer, or none any more.
    """
    if (request.feed.table is None) == (request.feed.query is None):
        raise UsageError(f"{request.label} needs either table or query", next_command="edit regulars.toml")
    location = expand(request.source.location)
    scheme = location.partition("://")[0] if "://" in location else ""
    if scheme in ("", "sqlite", "file"):
        yield from sqlite.read(request, outcome, _sqlite_path(location))
    elif scheme in ("postgresql", "postgres"):
        from jobs.extract import postgres  # here, because each driver takes a second to load

        yield from postgres.read(request, outcome, location)
    else:
        from jobs.extract import sql_other

        yield from sql_other.read(request, outcome, location)


def _sqlite_path(location: str) -> Path:
    """``sqlite:///relative``, ``sqlite:////absolute``, ``file:///absolute`` or a bare path."""
    scheme, marked, path = location.partition("://")
    if not marked:
        return Path(location)
    return Path(path.removeprefix("/") if scheme == "sqlite" else path)
