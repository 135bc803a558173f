"""JSON over HTTP: pages of records, with patience for servers that have none.

Every request is tried ``max_attempts`` times on 429 (``Retry-After`` is honoured), 5xx and broken
connections. With a cursor, records from ``overlap_seconds`` before the last one on are asked for; what
comes again is found unchanged later. Records at or after the end of the business date are dropped
here whatever the server's clock says, and come the next night.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from jobs.errors import ContractError
from jobs.extract.chunks import Chunk, Outcome, Request, iso, parse_instant, positions
from jobs.extract.pages import Page, Pages
from jobs.extract.records import PathMissing, at_path, exploded
from jobs.extract.tabular import records_batch
from jobs.settings import expand

logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs addresses, and parameters can be secrets


def read(request: Request, outcome: Outcome) -> Iterator[Chunk]:
    """Records of the feed's endpoint; ``_row`` counts rows from 1 over all pages.

    Raises:
        UsageError: the token's variable is not set.
        ContractError: an answer is no JSON or lacks the records, or pages go in a circle.
        EnvironmentFault: the token is refused.
        TransientFault: no answer within the allowed attempts.
    """
    rows = 0
    endpoint = request.feed.path or "/"
    parameters = {name: expand(value) for name, value in request.feed.parameters.items()} | _window(request)
    with Pages(request, parameters) as pages:
        for page in pages:
            records = _records(page, request)
            pages.received(records)
            kept = [record for record in records if _in_window(record, request, outcome)]
            flat = [row for record in kept for row in exploded(record, request.feed.explode)]
            if flat:
                yield Chunk(endpoint, records_batch(flat), positions(rows + 1, len(flat)))
            rows += len(flat)
        outcome.source_version = pages.version


def _window(request: Request) -> dict[str, str]:
    feed = request.feed
    parameters: dict[str, str] = {}
    if feed.since_parameter and request.state.cursor:
        moment = parse_instant(request.state.cursor)
        if moment is None:
            raise ContractError(
                f"{request.label}: the last cursor is no ISO instant", next_command="regulars run --full"
            )
        parameters[feed.since_parameter] = iso(moment - timedelta(seconds=feed.overlap_seconds))
    if feed.until_parameter:
        parameters[feed.until_parameter] = iso(request.window.until)
    return parameters


def _records(page: Page, request: Request) -> list[dict[str, Any]]:
    path = request.feed.records
    try:
        records = at_path(page.body, path)
    except PathMissing:
        records = None
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise ContractError(
            f"{request.label}: the answer of {request.feed.path or '/'} has no list of records at {path or 'its top'}",
            next_command=f"regulars check-source {request.source_name}",
        )
    return records


def _in_window(record: dict[str, Any], request: Request, outcome: Outcome) -> bool:
    """Whether a record is of this night; moves the cursor if so."""
    if request.feed.cursor is None:
        return True
    try:
        text = at_path(record, request.feed.cursor)
    except PathMissing:
        return True
    moment = parse_instant(text) if isinstance(text, str) else None
    if moment is None:
        return True
    if moment >= request.window.until:
        return False
    outcome.saw_cursor(iso(moment))
    return True
