"""JSON lines and Parquet files to chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.errors import ContractError
from jobs.extract.chunks import BATCH_ROWS, Chunk, Reject, positions
from jobs.extract.csv_lines import ENCODING, NUL_BYTE
from jobs.extract.records import exploded, flattened
from jobs.extract.text import parse_json, text_array, to_text

JSON = "unparsable.json"
_UTF8_BOM = b"\xef\xbb\xbf"


def records_batch(records: Sequence[dict[str, Any]]) -> pa.RecordBatch:
    """JSON objects as string columns, in the order in which fields first appear; absent is null.

    Fields of nested objects are columns ``<name>_<field>``; lists are JSON text.
    """
    records = [flattened(record) for record in records]
    names: dict[str, None] = {}
    for record in records:
        names.update(dict.fromkeys(record))
    return pa.RecordBatch.from_arrays(
        [text_array([record.get(name) for record in records]) for name in names], names=list(names)
    )


def read_jsonl(stream: IO[bytes], name: str, encoding: str, explode: str | None = None) -> Iterator[Chunk]:
    """One JSON object per line; blank lines are skipped, lines that are no object rejected.

    Args:
        stream: the file's bytes, decompressed.
        name: the file's name.
        encoding: of the bytes; an ASCII superset.
        explode: dotted path to a list of which each element is a row.

    Yields:
        Chunks with line numbers; rows of one line share its number.
    """
    records: list[dict[str, Any]] = []
    lines: list[int] = []
    rejects: list[Reject] = []
    for number, raw in enumerate(stream, 1):
        line = (raw.removeprefix(_UTF8_BOM) if number == 1 else raw).rstrip(b"\r\n")
        if not line.strip():
            continue
        record, reason = _object(line, encoding)
        if reason is None:
            for row in exploded(record, explode):
                records.append(row)
                lines.append(number)
        else:
            rejects.append(Reject(number, reason, line.decode(encoding, "replace")))
        if len(records) + len(rejects) >= BATCH_ROWS:
            yield Chunk(name, records_batch(records), pa.array(lines, pa.int64()), rejects)
            records, lines, rejects = [], [], []
    if records or rejects:
        yield Chunk(name, records_batch(records), pa.array(lines, pa.int64()), rejects)


def _object(line: bytes, encoding: str) -> tuple[dict[str, Any], str | None]:
    if b"\0" in line:
        return {}, NUL_BYTE
    try:
        text = line.decode(encoding)
    except UnicodeDecodeError:
        return {}, ENCODING
    try:
        value = parse_json(text)
    except (ValueError, RecursionError):
        return {}, JSON
    if not isinstance(value, dict) or not value:
        return {}, JSON
    return value, NUL_BYTE if "\\u0000" in text else None


def read_parquet(file: Any, name: str) -> Iterator[Chunk]:
    """Rows of one Parquet file, every column as text; the first chunk has the columns even without rows.

    Args:
        file: an open, seekable Arrow file.
        name: the file's name.

    Raises:
        ContractError: the file is truncated or no Parquet.
    """
    row = 1
    try:
        parquet = pq.ParquetFile(file)
        yield _no_rows(parquet.schema_arrow.names, name)
        for batch in parquet.iter_batches(batch_size=BATCH_ROWS):
            columns = pa.RecordBatch.from_arrays([to_text(c) for c in batch.columns], names=batch.schema.names)
            yield Chunk(name, columns, positions(row, batch.num_rows))
            row += batch.num_rows
    except (pa.ArrowInvalid, OSError, EOFError) as error:
        raise damaged(name, "Parquet", type(error).__name__) from None


def _no_rows(names: list[str], name: str) -> Chunk:
    empty = pa.array([], pa.string())
    return Chunk(name, pa.RecordBatch.from_arrays([empty] * len(names), names=names), positions(1, 0))


def damaged(name: str, what: str, how: str) -> ContractError:
    """A file that cannot be read to its end."""
    return ContractError(
        f"{name}: truncated or damaged {what} file ({how})",
        next_command="have the file delivered again, or remove it from the folder",
    )
