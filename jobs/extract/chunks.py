"""What connectors are asked and what they hand on, before the privacy filter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pyarrow as pa

from jobs.extract.feed import REJECT_SCHEMA, FeedState, Window
from jobs.source_settings import Feed, Source

BATCH_ROWS = 50_000
_PASSWORD = re.compile(r"(://[^:/@?]*:)(?!\$\{[^}]*\}@)[^/?]*@")


@dataclass(frozen=True)
class Request:
    """One feed to be read, with everything a connector may know."""

    source_name: str
    source: Source
    feed_name: str
    feed: Feed
    state: FeedState
    window: Window

    @property
    def label(self) -> str:
        """``source.feed``, for messages."""
        return f"{self.source_name}.{self.feed_name}"

    @property
    def place(self) -> str:
        """The location for messages: unexpanded, and without a password that was written into it."""
        return shown(self.source.location)

    @property
    def sparse(self) -> bool:
        """Whether a row may leave out fields, so that an absent column means null, not a broken contract."""
        return self.source.kind == "http" or (self.source.kind == "files" and self.feed.format == "jsonl")


@dataclass
class Outcome:
    """What a connector learns on the way; complete once its iterator is exhausted."""

    source_version: str = ""
    cursor_to: str | None = None
    columns: list[str] = field(default_factory=list)
    files: list[dict[str, object]] = field(default_factory=list)

    def saw_columns(self, names: Sequence[str]) -> None:
        """Add columns in the order in which they first appear."""
        known = set(self.columns)
        self.columns.extend(name for name in names if name not in known)

    def saw_cursor(self, value: str | None) -> None:
        """Move the cursor forward, never back."""
        if value is not None and (self.cursor_to is None or sort_key(value) > sort_key(self.cursor_to)):
            self.cursor_to = value


@dataclass(frozen=True)
class Reject:
    """A row that could not be split into columns."""

    row: int  #: line, from 1
    reason: str
    text: str = field(repr=False)


@dataclass(frozen=True)
class Chunk:
    """Some rows of one file, table or endpoint, all columns strings."""

    file: str
    columns: pa.RecordBatch | None = field(default=None, repr=False)
    rows: pa.Int64Array | None = field(default=None, repr=False)
    rejects: Sequence[Reject] = ()

    def split(self, size: int = BATCH_ROWS) -> Iterator[Chunk]:
        """The same rows in chunks of at most ``size``; rejects go with the first."""
        count = 0 if self.columns is None else self.columns.num_rows
        if self.columns is None or self.rows is None or count <= size:
            yield self
            return
        for start in range(0, count, size):
            rejects = self.rejects if start == 0 else ()
            yield Chunk(self.file, self.columns.slice(start, size), self.rows.slice(start, size), rejects)


def shown(location: str) -> str:
    """An unexpanded location that may be shown: a literal password and literal parameters are masked."""
    masked = _PASSWORD.sub(r"\1***@", location)
    return masked if "?" not in masked else masked.partition("?")[0] + "?..."


def positions(first: int, count: int) -> pa.Int64Array:
    """Row numbers ``first .. first + count - 1``."""
    return pa.array(range(first, first + count), pa.int64())


def reject_batch(file: str, rejects: Sequence[Reject]) -> pa.RecordBatch:
    """Rejected rows as a batch of REJECT_SCHEMA."""
    return pa.RecordBatch.from_arrays(
        [
            pa.array([file] * len(rejects), pa.string()),
            pa.array([reject.row for reject in rejects], pa.int64()),
            pa.array([reject.reason for reject in rejects], pa.string()),
            pa.array([reject.text for reject in rejects], pa.string()),
        ],
        schema=REJECT_SCHEMA,
    )


def iso(moment: datetime) -> str:
    """An instant as ``YYYY-MM-DDTHH:MM:SS[.ffffff]Z``."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_instant(text: str) -> datetime | None:
    """An ISO date or timestamp as a UTC instant (no zone means UTC), or None if it is not one."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def sort_key(cursor: str) -> str:
    """Text that orders ISO UTC instants rightly: ``...00.5Z`` comes after ``...00Z``."""
    text = cursor.strip().replace(" ", "T").removesuffix("Z")
    return f"{text}T00:00:00" if len(text) == 10 else text
