"""Any other database through SQLAlchemy, rows streamed to Arrow."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import exc

from jobs.errors import ContractError, EnvironmentFault, RegularsError, TransientFault
from jobs.extract.chunks import BATCH_ROWS, Chunk, Outcome, Request, positions
from jobs.extract.sql_common import check_columns, cursor_from, cursor_until, note_cursor, origin
from jobs.extract.text import text_array

_REFUSED = ("access denied", "authentication", "password", "login failed", "1045", "28000")


def read(request: Request, outcome: Outcome, location: str) -> Iterator[Chunk]:
    """Rows of a table or query of any database that SQLAlchemy has a driver for.

    Args:
        request: the feed; the cursor column is a timestamp without zone in UTC, or with one.
        outcome: filled on the way.
        location: SQLAlchemy address with password; appears in no message.

    Raises:
        ContractError: table or column missing, or the query fails.
        EnvironmentFault: the login is refused, or the driver is not installed.
        TransientFault: no answer, or none any more.
    """
    try:
        engine = sa.create_engine(location, poolclass=sa.NullPool, hide_parameters=True)
    except (exc.ArgumentError, exc.NoSuchModuleError, ImportError):
        raise EnvironmentFault(
            f"{request.label}: no driver for {request.place}",
            next_command="install the database's SQLAlchemy driver, or check the location",
        ) from None
    try:
        with engine.connect() as connection:
            outcome.source_version = _version(connection)
            yield from _rows(connection, request, outcome)
    except exc.SQLAlchemyError as error:
        raise _fault(error, request) from None
    finally:
        engine.dispose()


def _version(connection: sa.Connection) -> str:
    version = ".".join(map(str, connection.dialect.server_version_info or ()))
    return f"{connection.dialect.name} {version}".strip()


def _rows(connection: sa.Connection, request: Request, outcome: Outcome) -> Iterator[Chunk]:
    statement, bounds = _statement(connection, request)
    options = {"stream_results": True, "yield_per": BATCH_ROWS}
    result = connection.execution_options(**options).execute(statement, bounds)
    columns = list(result.keys())
    check_columns(request, columns)
    empty = pa.array([], pa.string())
    yield Chunk(origin(request), pa.RecordBatch.from_arrays([empty] * len(columns), names=columns), positions(1, 0))
    row = 1
    for rows in result.partitions(BATCH_ROWS):
        arrays = [text_array(values) for values in zip(*rows, strict=True)]
        batch = pa.RecordBatch.from_arrays(arrays, names=columns)
        note_cursor(request, outcome, batch)
        yield Chunk(origin(request), batch, positions(row, len(rows)))
        row += len(rows)


def _statement(connection: sa.Connection, request: Request) -> tuple[Any, dict[str, Any]]:
    quote = connection.dialect.identifier_preparer.quote_identifier
    if request.feed.table is not None:
        relation = ".".join(quote(part) for part in request.feed.table.split("."))
    else:
        relation = f"({(request.feed.query or '').strip().rstrip(';')}) regulars_feed"
    if request.feed.cursor is None:
        return sa.text(f"SELECT * FROM {relation}".replace(":", r"\:")), {}
    column = quote(request.feed.cursor)
    bounds = {"until": cursor_until(request).astimezone(UTC).replace(tzinfo=None)}
    inside = f"{column} < :until"
    if (start := cursor_from(request)) is not None:
        bounds["start"] = start.replace(tzinfo=None)
        inside += f" AND {column} >= :start"
    escaped = relation.replace(":", r"\:")
    text = f"SELECT * FROM {escaped} WHERE ({inside}) OR {column} IS NULL ORDER BY {column}"
    return sa.text(text).bindparams(*(sa.bindparam(name, type_=sa.DateTime()) for name in bounds)), bounds


def _fault(error: exc.SQLAlchemyError, request: Request) -> RegularsError:
    """Classifies by the driver's words and passes none of them on."""
    words = str(getattr(error, "orig", "")).casefold()
    where = f"{request.label}: {origin(request)} at {request.place}"
    if any(word in words for word in _REFUSED):
        return EnvironmentFault(f"{where} refused the login", next_command="check user and password")
    if isinstance(error, exc.DBAPIError) and (error.connection_invalidated or "connect" in words):
        return TransientFault(f"{where}: no answer; the feed has to be read again")
    return ContractError(
        f"{where}: the table is missing or the query fails ({type(error).__name__})",
        next_command=f"regulars check-source {request.source_name}",
    )
