"""The one way in: a feed of a source to raw, vault and rejected batches."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from jobs.errors import ContractError
from jobs.extract import files, http, sql
from jobs.extract.chunks import Chunk, Outcome, Request, reject_batch
from jobs.extract.contacts import contacts_of, exact_columns, plain_column
from jobs.extract.digest import RowsHash
from jobs.extract.feed import (
    FILE_COLUMN,
    LANDED_COLUMN,
    PERSON_COLUMN,
    ROW_COLUMN,
    Extracted,
    Extraction,
    FeedState,
    Landing,
    Window,
)
from jobs.extract.privacy import DERIVED_COLUMNS, Keys, PrivacyFilter
from jobs.source_settings import Feed, Source

logger = logging.getLogger(__name__)

CONNECTORS = {"sql": sql.read, "files": files.read, "http": http.read}
RESERVED = frozenset({FILE_COLUMN, ROW_COLUMN, PERSON_COLUMN, LANDED_COLUMN, *DERIVED_COLUMNS})


def extract(
    source_name: str,
    source: Source,
    feed_name: str,
    feed: Feed,
    state: FeedState,
    window: Window,
    keys: Keys,
    country: str,
) -> Extraction:
    """Read one feed.

    Mistakes in the settings are raised at once; everything else while the answer is iterated. If
    iterating raises, nothing of what was yielded may be kept: the feed is read again as a whole.

    Args:
        source_name: name of the source in the settings.
        source: the source.
        feed_name: name of the feed.
        feed: the feed.
        state: what earlier nights took.
        window: what this night may see.
        keys: pseudonym keys.
        country: ISO 3166 alpha-2 for phone numbers and addresses where the source names no region.

    Returns:
        Batches of at most 50,000 rows, and the landing once they are exhausted.

    Raises:
        UsageError: the mapping treats contact data in a way that cannot be protected.
        ContractError: a file, table or answer is not as promised.
        EnvironmentFault: a password, token or account was refused.
        TransientFault: the source did not answer, or stopped answering on the way.
    """
    request = Request(source_name, source, feed_name, feed, state, window)
    region = source.phone_region or country
    contacts = contacts_of(request.label, feed)
    guard = PrivacyFilter(source_name, feed_name, contacts, keys, region, sparse=request.sparse)
    holder: list[Extraction] = []
    extraction = Extraction(_run(request, guard, holder))
    holder.append(extraction)
    return extraction


def _run(request: Request, guard: PrivacyFilter, holder: Sequence[Extraction]) -> Iterator[Extracted]:
    outcome = Outcome(cursor_to=request.state.cursor)
    digest = RowsHash()
    rows = rejected = 0
    for whole in CONNECTORS[request.source.kind](request, outcome):
        for chunk in whole.split():
            if chunk.columns is not None:
                rows += chunk.columns.num_rows
            rejected += len(chunk.rejects)
            yield _guarded(request, chunk, guard, outcome, digest)
    holder[0].landing = Landing(
        source=request.source_name,
        feed=request.feed_name,
        rows=rows,
        rejected=rejected,
        cursor_from=request.state.cursor,
        cursor_to=outcome.cursor_to,
        columns=outcome.columns,
        content_hash=digest.hexdigest(),
        source_version=outcome.source_version,
        files=outcome.files,
    )
    logger.info("%s: %d rows, %d rejected", request.label, rows, rejected)


def _guarded(request: Request, chunk: Chunk, guard: PrivacyFilter, outcome: Outcome, digest: RowsHash) -> Extracted:
    rejects = reject_batch(chunk.file, chunk.rejects) if chunk.rejects else None
    for reject in chunk.rejects:
        digest.rejected(reject)
    if chunk.columns is None:
        return Extracted(rejected=rejects)
    check_names(chunk.columns.schema.names, chunk.file)
    check_mapped(request, chunk.columns.schema.names, chunk.file)
    outcome.saw_columns(chunk.columns.schema.names)
    if not chunk.columns.num_rows:
        guard.check_columns(chunk.columns.schema.names, chunk.file)
        return Extracted(rejected=rejects)
    raw, vault = guard.apply(_empty_to_null(chunk.columns), chunk.file)
    digest.update(raw)
    provenance = {
        FILE_COLUMN: pa.repeat(pa.scalar(chunk.file, pa.string()), raw.num_rows),
        ROW_COLUMN: chunk.rows,
    }
    columns = dict(zip(raw.schema.names, raw.columns, strict=True))
    person = columns.pop(PERSON_COLUMN)
    raw = pa.RecordBatch.from_pydict({**columns, **provenance, PERSON_COLUMN: person})
    return Extracted(raw, vault if vault is not None and vault.num_rows else None, rejects)


def check_names(names: Sequence[str], where: str) -> None:
    """Refuse column names that clash with each other (case does not count) or with provenance.

    Raises:
        ContractError: naming the column and ``where`` it was found.
    """
    known: set[str] = set()
    for name in names:
        if name.casefold() in known or name.casefold() in RESERVED:
            what = "is there twice" if name.casefold() in known else "has a reserved name"
            raise ContractError(f"{where}: column {name} {what}", next_command="rename the column in the source")
        known.add(name.casefold())


def check_mapped(request: Request, names: Sequence[str], where: str) -> None:
    """Refuse a file or table that lacks a column which the mapping names by itself: its rows would hold nothing there.

    Raises:
        ContractError: naming the column and ``where`` it is missing.
    """
    if request.sparse:
        return
    present = {name.casefold() for name in names}
    for entity, mapping in request.feed.maps.items():
        for canonical, text in exact_columns(mapping, names).items():
            column = plain_column(text)
            if column is not None and not column.startswith("_") and column.casefold() not in present:
                raise ContractError(
                    f"{request.label}: column {column} (mapped to {entity}.{canonical}) is not in {where}",
                    next_command=f"regulars check-source {request.source_name}",
                )


def _empty_to_null(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = []
    for column in batch.columns:
        empty = pc.equal(column, "")
        columns.append(pc.if_else(empty, None, column) if pc.any(empty).as_py() else column)
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
