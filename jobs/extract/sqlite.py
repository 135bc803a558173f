"""SQLite through the standard library, one read transaction per feed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa

from jobs.errors import ContractError, EnvironmentFault, RegularsError, TransientFault
from jobs.extract.chunks import BATCH_ROWS, Chunk, Outcome, Request, positions
from jobs.extract.sql_common import (
    check_columns,
    cursor_from,
    cursor_until,
    note_cursor,
    origin,
    quoted,
    relation,
)
from jobs.extract.text import text_array

_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR})
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def read(request: Request, outcome: Outcome, path: Path) -> Iterator[Chunk]:
    """Rows of a table or query of one database file.

    SQLite does not enforce its types, so every value lands as its own text: words in an INTEGER
    column are words.

    Args:
        request: the feed; the cursor column holds ISO UTC texts.
        outcome: filled on the way.
        path: the database file.

    Raises:
        ContractError: table or column missing, or no SQLite database.
        EnvironmentFault: no such file, or not readable.
        TransientFault: locked for too long.
    """
    if not path.is_file():
        raise EnvironmentFault(
            f"{request.label}: no database at {request.place}",
            next_command="check the location in regulars.toml",
        )
    try:
        with closing(_connect(path, request.source.timeout_seconds)) as connection:
            connection.execute("BEGIN")
            columns = _columns(connection, request)
            outcome.source_version = _version(connection, path)
            yield from _rows(connection, request, outcome, columns)
    except sqlite3.Error as error:
        raise _fault(error, request) from None


def _connect(path: Path, timeout: float) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=timeout, isolation_level=None)
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    return connection


def _columns(connection: sqlite3.Connection, request: Request) -> list[str]:
    described = connection.execute(f"SELECT * FROM {relation(request)} LIMIT 0").description
    columns = [entry[0] for entry in described]
    check_columns(request, columns)
    return columns


def _version(connection: sqlite3.Connection, path: Path) -> str:
    """The file's own change counter: equal as long as nothing was written (but for a write-ahead log)."""
    schema = connection.execute("PRAGMA schema_version").fetchone()[0]
    with path.open("rb") as file:
        header = file.read(28)
    changes = int.from_bytes(header[24:28], "big")
    return f"sqlite {sqlite3.sqlite_version}; schema {schema}; change {changes}"


def _rows(connection: sqlite3.Connection, request: Request, outcome: Outcome, columns: list[str]) -> Iterator[Chunk]:
    statement, bounds = _statement(request)
    cursor = connection.execute(statement, bounds)
    empty = pa.array([], pa.string())
    yield Chunk(origin(request), pa.RecordBatch.from_arrays([empty] * len(columns), names=columns), positions(1, 0))
    row = 1
    while rows := cursor.fetchmany(BATCH_ROWS):
        arrays = [text_array(values) for values in zip(*rows, strict=True)]
        batch = pa.RecordBatch.from_arrays(arrays, names=columns)
        note_cursor(request, outcome, batch)
        yield Chunk(origin(request), batch, positions(row, len(rows)))
        row += len(rows)


def _statement(request: Request) -> tuple[str, dict[str, str]]:
    """The query and its bound parameters.

    Instants are compared as text without their ``Z``: ``...00.5`` is then behind ``...00``, as it should be.
    """
    select = f"SELECT * FROM {relation(request)}"
    if request.feed.cursor is None:
        return select, {}
    column = quoted(request.feed.cursor)
    text = f"CASE length({column}) WHEN 10 THEN {column} || 'T00:00:00' ELSE replace({column}, ' ', 'T') END"
    bounds = {"until": _bound(cursor_until(request))}
    inside = f"{text} < :until"
    if (start := cursor_from(request)) is not None:
        bounds["from"] = _bound(start)
        inside = f"{text} >= :from AND {inside}"
    # a row whose cursor is no instant is read every night, so that it is set aside by name and never passed over
    odd = f"typeof({column}) <> 'text' OR {column} NOT GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'"
    return f"{select} WHERE ({inside}) OR {odd} ORDER BY {column}", bounds


def _bound(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat()


def _fault(error: sqlite3.Error, request: Request) -> RegularsError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    where = f"{request.label}: {origin(request)} at {request.place}"
    if code in _BUSY:
        return TransientFault(f"{where} is locked or could not be read")
    if code in _DAMAGED:
        return ContractError(f"{where}: the file is damaged or no SQLite database", next_command="check the file")
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return EnvironmentFault(f"{where} cannot be opened", next_command="check the file's permissions")
    return ContractError(
        f"{where}: no such table, or the query fails (SQLite code {code})",
        next_command=f"regulars check-source {request.source_name}",
    )
