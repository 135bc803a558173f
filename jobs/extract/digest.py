"""The hash of a feed's rows, whatever batches they came in."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa

from jobs.extract.chunks import Reject

_NULL = np.int32(-1)


class _Column:
    """Hash of one string column: its values' lengths (-1 for null) and its bytes, in order."""

    def __init__(self, rows_before: int) -> None:
        self._lengths = hashlib.sha256()
        self._bytes = hashlib.sha256()
        self.rows = 0
        self.pad_to(rows_before)

    def pad_to(self, rows: int) -> None:
        while self.rows < rows:  # a column that is absent is a column of nulls
            count = min(rows - self.rows, 100_000)
            self._lengths.update(np.full(count, _NULL, dtype=np.int32).tobytes())
            self.rows += count

    def update(self, column: pa.StringArray) -> None:
        if column.null_count:  # filled, so that no bytes can hide behind a null
            valid = np.asarray(column.is_valid())
            column = column.fill_null("")
        else:
            valid = None
        _, offset_buffer, data = column.buffers()
        offsets = np.frombuffer(offset_buffer, dtype=np.int32)[column.offset : column.offset + len(column) + 1]
        lengths = np.diff(offsets).astype(np.int32)
        self._lengths.update((lengths if valid is None else np.where(valid, lengths, _NULL)).tobytes())
        if data is not None:
            self._bytes.update(memoryview(data)[int(offsets[0]) : int(offsets[-1])])
        self.rows += len(column)

    def digest(self) -> bytes:
        return self._lengths.digest() + self._bytes.digest()


class RowsHash:
    """sha256 over string rows in order; equal rows give equal hashes however they are cut into batches."""

    def __init__(self) -> None:
        """Nothing hashed yet."""
        self._columns: dict[str, _Column] = {}
        self._rows = 0
        self._rejects = hashlib.sha256()

    def update(self, batch: pa.RecordBatch) -> None:
        """Add rows; all columns of ``batch`` are strings."""
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            hasher = self._columns.get(name)
            if hasher is None:
                hasher = self._columns[name] = _Column(self._rows)
            hasher.pad_to(self._rows)
            if len(column):
                hasher.update(column)
        self._rows += batch.num_rows

    def rejected(self, reject: Reject) -> None:
        """Add a row that could not be read, so that a night with other bad rows is another night."""
        text = reject.text.encode("utf-8", "replace")
        self._rejects.update(f"{reject.reason}\x1f{len(text)}\x1f".encode() + text)

    def hexdigest(self) -> str:
        """The hash so far."""
        whole = hashlib.sha256(f"{self._rows}\x1f".encode() + self._rejects.digest())
        for name in sorted(self._columns):
            self._columns[name].pad_to(self._rows)
            whole.update(f"{len(name.encode())}\x1f{name}".encode() + self._columns[name].digest())
        return whole.hexdigest()
