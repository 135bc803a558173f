"""What an extraction is asked for and what it answers, the same for every kind of source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

import pyarrow as pa

#: provenance columns that every raw row carries, behind the source's own
FILE_COLUMN = "_file"  #: file, table or endpoint the row came from
ROW_COLUMN = "_row"  #: line (from 1, the header counted), or position in the answer (from 1)
PERSON_COLUMN = "_person_hash"  #: keyed hash of (source, source_customer_id), null where the row names nobody
LANDED_COLUMN = "_landed"  #: business date of the night that took the row in

REJECT_SCHEMA = pa.schema(
    [
        pa.field(FILE_COLUMN, pa.string()),
        pa.field(ROW_COLUMN, pa.int64()),
        pa.field("reason", pa.string()),  # rule id such as ``unparsable.column_count``
        pa.field("text", pa.string()),  # the row as it arrived, decoded with replacement characters
    ]
)


@dataclass(frozen=True)
class Window:
    """What a night may see: rows that the source knew before ``until``."""

    business_date: date
    until: datetime  #: UTC, exclusive: the instant at which the business date ends


@dataclass(frozen=True)
class FeedState:
    """What earlier nights already took from a feed."""

    cursor: str | None = None
    seen: dict[str, str] = field(default_factory=dict)  #: sha256 of a file -> the name it came under


@dataclass(frozen=True)
class Extracted:
    """A batch on its way: any part may be absent. Its repr shows no values."""

    #: the source's columns, contact replaced by hashes, and provenance
    raw: pa.RecordBatch | None = field(default=None, repr=False)
    #: VAULT_SCHEMA of extract.privacy
    vault: pa.RecordBatch | None = field(default=None, repr=False)
    #: REJECT_SCHEMA: what could not even be split into columns
    rejected: pa.RecordBatch | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Landing:
    """What an extraction came to; one entry of the night's manifest."""

    source: str
    feed: str
    rows: int
    rejected: int
    cursor_from: str | None
    cursor_to: str | None
    columns: list[str]
    content_hash: str  #: sha256 over the raw rows in order; equal inputs, equal hash
    source_version: str
    files: list[dict[str, object]] = field(default_factory=list)  #: name, sha256, rows, status


class Extraction:
    """An extraction under way: iterate the batches, then read ``landing``."""

    def __init__(self, batches: Iterator[Extracted]) -> None:
        """Wrap batches that have not been asked for yet."""
        self._batches = batches
        self.landing: Landing | None = None

    def __iter__(self) -> Iterator[Extracted]:
        """The batches, once."""
        return self._batches
