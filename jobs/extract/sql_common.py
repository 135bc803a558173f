"""What the readers of databases share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from jobs.errors import ContractError
from jobs.extract.chunks import Outcome, Request, iso, parse_instant


def quoted(name: str) -> str:
    """An identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def relation(request: Request) -> str:
    """The feed's table, or its query as a derived table."""
    if request.feed.table is not None:
        return ".".join(quoted(part) for part in request.feed.table.split("."))
    query = (request.feed.query or "").strip().rstrip(";")
    return f"(\n{query}\n) AS regulars_feed"


def origin(request: Request) -> str:
    """What ``_file`` says: the table, or the feed whose query it was."""
    return request.feed.table or f"query:{request.feed_name}"


def check_columns(request: Request, present: Sequence[str]) -> None:
    """Compare a table with the declared columns and the cursor.

    Raises:
        ContractError: naming the table and the column that is missing.
    """
    known = {name.casefold() for name in present}
    wanted = [*request.feed.columns, *([request.feed.cursor] if request.feed.cursor else [])]
    for name in wanted:
        if name.casefold() not in known:
            raise ContractError(
                f"{request.label}: column {name} is not in {origin(request)}",
                next_command=f"regulars check-source {request.source_name}",
            )


def cursor_from(request: Request) -> datetime | None:
    """The instant from which rows are read: the last cursor minus the overlap; None for all.

    Raises:
        ContractError: the last cursor is not an instant.
    """
    if request.feed.cursor is None or request.state.cursor is None:
        return None
    moment = parse_instant(request.state.cursor)
    if moment is None:
        raise ContractError(f"{request.label}: the last cursor is no ISO instant", next_command="regulars run --full")
    earliest = datetime.min.replace(tzinfo=UTC)
    overlap = timedelta(seconds=request.feed.overlap_seconds)
    return moment - overlap if moment - earliest > overlap else earliest


def cursor_until(request: Request) -> datetime:
    """The instant before which rows are read."""
    return request.window.until


def note_cursor(request: Request, outcome: Outcome, batch: pa.RecordBatch) -> None:
    """Move the outcome's cursor to the greatest of a batch of ISO UTC texts.

    Raises:
        ContractError: the cursor column does not hold ISO instants.
    """
    for name in batch.schema.names:
        if request.feed.cursor is None or name.casefold() != request.feed.cursor.casefold() or not batch.num_rows:
            continue
        said = batch.column(name)
        instants = said.filter(pc.fill_null(pc.match_substring_regex(said, r"^\d{4}-\d{2}-\d{2}"), False))
        text = pc.replace_substring(instants if len(instants) else said, " ", "T")
        greatest = pc.max(pc.replace_substring_regex(text, pattern="Z$", replacement="")).as_py()
        if greatest is None:
            continue
        moment = parse_instant(greatest)
        if moment is None:
            raise ContractError(
                f"{request.label}: cursor column {name} of {origin(request)} does not hold ISO instants",
                next_command="use another column as cursor, or none",
            )
        outcome.saw_cursor(iso(moment))
