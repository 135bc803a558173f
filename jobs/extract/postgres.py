"""PostgreSQL through ADBC: one read-only snapshot per feed, streamed as Arrow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import adbc_driver_manager
import adbc_driver_postgresql.dbapi as adbc  # type: ignore[import-untyped]  # ships no types
import pyarrow as pa
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from jobs.errors import ContractError, EnvironmentFault, RegularsError, TransientFault
from jobs.extract.chunks import Chunk, Outcome, Request, iso, positions
from jobs.extract.sql_common import (
    check_columns,
    cursor_from,
    cursor_until,
    note_cursor,
    origin,
    quoted,
    relation,
)
from jobs.extract.text import to_text

_INSTANT = """CASE WHEN isfinite({c}) THEN to_char({c} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
 ELSE {c}::text END"""
_LOCAL = """CASE WHEN isfinite({c}) THEN to_char({c}, 'YYYY-MM-DD"T"HH24:MI:SS.US') ELSE {c}::text END"""
#: PostgreSQL type -> expression that gives raw text; others are cast to text by the server, exactly
_EXPRESSIONS = {"timestamptz": _INSTANT, "timestamp": _LOCAL, "bytea": "{c}"}
_BY_BYTES = ' COLLATE "C"'
_REFUSED = (
    "authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "does not exist",
    "not permitted to log in",
    "permission denied for database",
)
#: seconds before the second attempt; doubles
BACKOFF_SECONDS = 1.0


def read(request: Request, outcome: Outcome, location: str) -> Iterator[Chunk]:
    """Rows of a table or query, as of one snapshot.

    Connecting and the first answer are tried ``max_attempts`` times. A connection that drops later makes
    a TransientFault: the feed has to be read again as a whole, from a new snapshot.

    Args:
        request: the feed; the cursor column is a timestamp (UTC if it has no zone).
        outcome: filled on the way.
        location: address with password; appears in no message.

    Raises:
        ContractError: table or column missing, or the query fails.
        EnvironmentFault: wrong password, no grant or no such database; not tried again.
        TransientFault: no answer, or none any more.
    """
    attempts = Retrying(
        retry=retry_if_exception_type(TransientFault),
        stop=stop_after_attempt(max(1, request.source.max_attempts)),
        wait=wait_exponential_jitter(BACKOFF_SECONDS, max=60),
        reraise=True,
    )
    connection, cursor = attempts(_open, request, outcome, location)
    with closing(connection), closing(cursor):
        try:
            yield from _chunks(cursor.fetch_record_batch(), request, outcome)
        except (adbc_driver_manager.Error, pa.ArrowException, OSError) as error:
            raise _fault(error, request) from None


def _open(request: Request, outcome: Outcome, location: str) -> tuple[Any, Any]:
    try:
        connection = adbc.connect(location, autocommit=True)
    except (adbc_driver_manager.Error, OSError) as error:
        raise _connect_fault(error, request) from None
    try:
        return connection, _start(connection, request, outcome)
    except (adbc_driver_manager.Error, pa.ArrowException, OSError) as error:
        connection.close()
        raise _fault(error, request) from None
    except RegularsError:
        connection.close()
        raise


def _start(connection: Any, request: Request, outcome: Outcome) -> Any:
    """Open the snapshot and send the query; the cursor owns the stream and must outlive it."""
    with closing(connection.cursor()) as cursor:
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SET LOCAL TIME ZONE 'UTC'")
        cursor.execute("SELECT current_setting('server_version'), txid_current_snapshot()::text")
        version, snapshot = cursor.fetchone()
        cursor.execute(f"SELECT * FROM {relation(request)} LIMIT 0")
        schema = cursor.fetch_record_batch().schema
    check_columns(request, schema.names)
    outcome.source_version = f"postgresql {version}; snapshot {snapshot}"
    statement, bounds = _statement(request, schema)
    cursor = connection.cursor()
    cursor.execute(statement, bounds or None)
    return cursor


def _chunks(reader: pa.RecordBatchReader, request: Request, outcome: Outcome) -> Iterator[Chunk]:
    names = reader.schema.names
    empty = pa.array([], pa.string())
    yield Chunk(origin(request), pa.RecordBatch.from_arrays([empty] * len(names), names=names), positions(1, 0))
    row = 1
    for batch in reader:
        texts = pa.RecordBatch.from_arrays([to_text(column) for column in batch.columns], names=names)
        note_cursor(request, outcome, texts)
        yield Chunk(origin(request), texts, positions(row, batch.num_rows))
        row += batch.num_rows


def _statement(request: Request, schema: pa.Schema) -> tuple[str, list[str]]:
    """The query, its rows in one order whatever the plan, and its bound parameters."""
    selected = ", ".join(f"{_expression(field)} AS {quoted(field.name)}" for field in schema)
    inner = f"SELECT {selected} FROM {relation(request)}"
    order = [quoted(field.name) + ("" if _type(field) == "bytea" else _BY_BYTES) for field in schema]
    bounds: list[str] = []
    if request.feed.cursor is not None:
        name = next(n for n in schema.names if n.casefold() == request.feed.cursor.casefold())
        order.insert(0, quoted(name) + _BY_BYTES)
        bounds = [iso(cursor_until(request))]
        inside = f"{quoted(name)} < $1::text::timestamptz"
        if (start := cursor_from(request)) is not None:
            bounds.append(iso(start))
            inside += f" AND {quoted(name)} >= $2::text::timestamptz"
        inner += f" WHERE ({inside}) OR {quoted(name)} IS NULL"
    return f"SELECT * FROM ({inner}) AS regulars_rows ORDER BY {', '.join(order)}", bounds


def _type(field: pa.Field) -> str:
    return str((field.metadata or {}).get(b"POSTGRESQL:type", b"").decode())


def _expression(field: pa.Field) -> str:
    return _EXPRESSIONS.get(_type(field), "{c}::text").format(c=quoted(field.name))


def _connect_fault(error: Exception, request: Request) -> RegularsError:
    """Classifies by the server's words and passes none of them on: they name users, hosts and databases."""
    where = f"{request.label}: {request.place}"
    if any(words in str(error) for words in _REFUSED):
        return EnvironmentFault(
            f"{where} refused the login", next_command="check user, password and database in the environment"
        )
    return TransientFault(f"{where} does not answer")


def _fault(error: Exception, request: Request) -> RegularsError:
    state = getattr(error, "sqlstate", None) or ""
    where = f"{request.label}: {origin(request)} at {request.place}"
    if state.startswith("28") or state == "42501":
        return EnvironmentFault(
            f"{where}: access refused (SQLSTATE {state})", next_command="check user, password and grants"
        )
    if state and state[:2] not in ("08", "40", "53", "55", "57", "58"):
        return ContractError(
            f"{where}: the table is missing or the query fails (SQLSTATE {state})",
            next_command=f"regulars check-source {request.source_name}",
        )
    return TransientFault(f"{where}: the connection broke; the feed has to be read again")
