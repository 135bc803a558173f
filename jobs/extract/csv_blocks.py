"""CSV in blocks: the fast way (Arrow) for blocks that are clean, line by line for those that are not.

"Clean" is checked on the bytes beforehand, because Arrow's parser lets a stray quote swallow the
lines behind it and keeps NUL bytes as data.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import IO

import numpy as np
import pyarrow as pa
from pyarrow import csv

from jobs.errors import ContractError, UsageError
from jobs.extract.chunks import Chunk, Reject, positions
from jobs.extract.csv_lines import LineParser
from jobs.extract.text import text_array

BLOCK_BYTES = 4 << 20
#: a block that is not clean is cut into pieces of this size, so that few lines are read slowly
PIECE_BYTES = 64 << 10
#: a line longer than this is not a line of a CSV
MAX_LINE_BYTES = 64 << 20
_UTF8_BOM = b"\xef\xbb\xbf"
_MARK_ERROR = "regulars_mark"


def _mark(error: UnicodeError) -> tuple[str, int]:
    """Stand-in for bytes that are no text: becomes 0xFF, no UTF-8 either, so its line is rejected."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", error.end


codecs.register_error(_MARK_ERROR, _mark)


def read_csv(stream: IO[bytes], name: str, encoding: str, delimiter: str) -> Iterator[Chunk]:
    """Rows of one CSV file with a header line.

    Args:
        stream: its bytes, decompressed.
        name: the file's name, for messages and ``_file``.
        encoding: any codec that Python knows.
        delimiter: one ASCII character.

    Yields:
        Chunks with line numbers (the header is line 1); the first has the columns even without rows.

    Raises:
        ContractError: the header cannot be read.
        UsageError: the delimiter or the encoding is not one.
    """
    if len(delimiter) != 1 or not delimiter.isascii():
        raise UsageError(f"{name}: a delimiter is one ASCII character", next_command="edit regulars.toml")
    encoding, ascii_superset = _codec(encoding, name)
    if ascii_superset:
        yield from _File(stream, name, encoding, delimiter).chunks()
    else:
        yield from _File(_Transcoded(stream, encoding), name, "utf-8", delimiter).chunks()


def _codec(encoding: str, name: str) -> tuple[str, bool]:
    try:
        codec = codecs.lookup(encoding).name
    except LookupError:
        raise UsageError(f"{name}: unknown encoding {encoding}", next_command="edit regulars.toml") from None
    codec = "utf-8" if codec == "utf-8-sig" else codec
    return codec, '\n,"\r'.encode(codec) == b'\n,"\r'


class _Transcoded:
    """A UTF-16 or UTF-32 stream as UTF-8."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)(errors=_MARK_ERROR)

    def read(self, size: int) -> bytes:
        while True:
            block = self._stream.read(size)
            text = self._decoder.decode(block, final=not block)
            if text or not block:
                return text.encode("utf-8", "surrogateescape")


class _File:
    """One file under way."""

    def __init__(self, stream: IO[bytes] | _Transcoded, name: str, encoding: str, delimiter: str) -> None:
        self._stream = stream
        self._name = name
        self._encoding = encoding
        self._delimiter = delimiter
        self._header: list[str] = []
        self._line = 1
        self._rest = b""

    def chunks(self) -> Iterator[Chunk]:
        start = self._stream.read(BLOCK_BYTES)
        start = start.removeprefix(_UTF8_BOM)
        if not start.strip(b"\r\n"):
            return
        start = self._take_header(start)
        empty = pa.array([], pa.string())
        yield Chunk(
            self._name,
            pa.RecordBatch.from_arrays([empty] * len(self._header), names=self._header),
            positions(self._line, 0),
        )
        slow = LineParser(self._delimiter, self._encoding, len(self._header))
        for block, final in self._blocks(start):
            yield self._block(block, final, slow)

    def _take_header(self, start: bytes) -> bytes:
        end = start.find(b"\n") + 1 or len(start)
        parsed = LineParser(self._delimiter, self._encoding, None).parse(start[:end], 1, final=True)
        if len(parsed.rows) != 1:
            raise ContractError(
                f"{self._name}: line 1 is not a readable header ({self._encoding})",
                next_command="check the file's encoding and delimiter in regulars.toml",
            )
        self._header = [value.strip() or f"_unnamed_{i}" for i, value in enumerate(parsed.rows[0], 1)]
        self._line = 2
        return start[end:]

    def _blocks(self, start: bytes) -> Iterator[tuple[bytes, bool]]:
        """Blocks of whole lines, and whether each is the last."""
        pending = start
        while True:
            more = self._stream.read(BLOCK_BYTES)
            if not more:
                break
            end = pending.rfind(b"\n") + 1
            if end:
                yield pending[:end], False
                pending = self._rest + pending[end:]
                self._rest = b""
            pending += more
            if len(pending) > MAX_LINE_BYTES:
                raise ContractError(f"{self._name}: line {self._line} is too long", next_command="check the file")
        if pending:
            yield pending, True

    def _block(self, block: bytes, final: bool, slow: LineParser) -> Chunk:
        """A block as one chunk; if it needs care, only the pieces that do are read line by line."""
        chunk = self._clean(block)
        if chunk is not None:
            return chunk
        parts: list[Chunk] = []
        rest = b""
        for piece, last in _pieces(block):
            chunk = None if rest else self._clean(piece)
            if chunk is None:
                parsed = slow.parse(rest + piece, self._line, final=final and last)
                self._line += parsed.used_lines
                rest = (rest + piece)[parsed.used :]
                chunk = self._chunk(parsed.rows, parsed.lines, parsed.rejects)
            parts.append(chunk)
        self._rest = rest
        return _merged(parts)

    def _clean(self, block: bytes) -> Chunk | None:
        count = block.count(b"\n") + (not block.endswith(b"\n"))
        batch = self._fast(block, count)
        if batch is None:
            return None
        rows = positions(self._line, count)
        self._line += count
        return Chunk(self._name, batch, rows)

    def _chunk(self, rows: list[list[str]], lines: list[int], rejects: list[Reject]) -> Chunk:
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(self._header)
        arrays = [text_array(column) for column in columns]
        batch = pa.RecordBatch.from_arrays(arrays, names=self._header)
        return Chunk(self._name, batch, pa.array(lines, pa.int64()), rejects)

    def _fast(self, block: bytes, count: int) -> pa.RecordBatch | None:
        """The block by Arrow, or None if it needs care."""
        if self._encoding not in ("utf-8", "ascii"):
            try:
                block = block.decode(self._encoding).encode()
            except UnicodeError:
                return None
        if not is_clean(block, self._delimiter):
            return None
        try:
            table = csv.read_csv(
                pa.BufferReader(block),
                csv.ReadOptions(column_names=self._header, block_size=len(block) + 1, use_threads=False),
                csv.ParseOptions(delimiter=self._delimiter, quote_char='"' if b'"' in block else False),
                csv.ConvertOptions(
                    column_types=dict.fromkeys(self._header, pa.string()),
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                    null_values=[""],
                ),
            )
        except pa.ArrowInvalid:  # a wrong number of columns, bytes that are not UTF-8
            return None
        batches = table.combine_chunks().to_batches()
        if len(batches) != 1 or batches[0].num_rows != count:
            return None
        return batches[0]


def _pieces(block: bytes) -> Iterator[tuple[bytes, bool]]:
    """A block cut at line ends, and whether each piece is its last."""
    start = 0
    while start < len(block):
        end = block.find(b"\n", start + PIECE_BYTES) + 1 or len(block)
        yield block[start:end], end == len(block)
        start = end


def _merged(parts: list[Chunk]) -> Chunk:
    batches = [part.columns for part in parts if part.columns is not None]
    rows = [part.rows for part in parts if part.rows is not None]
    rejects = [reject for part in parts for reject in part.rejects]
    return Chunk(parts[0].file, pa.concat_batches(batches), pa.concat_arrays(rows), rejects)


def is_clean(block: bytes, delimiter: str) -> bool:
    """Whether lines stand alone: no NUL, blank line or lone CR; every quote opens or closes a value."""
    if b"\0" in block or block.startswith((b"\n", b"\r\n")) or b"\n\n" in block or b"\n\r" in block:
        return False
    if b"\r" in block and block.count(b"\r") != block.count(b"\r\n"):
        return False
    return b'"' not in block or _quotes_are_well_formed(block, delimiter)


def _quotes_are_well_formed(block: bytes, delimiter: str) -> bool:
    data = np.frombuffer(block, dtype=np.uint8)
    quotes = np.flatnonzero(data == 0x22)
    if len(quotes) % 2:
        return False
    opening, closing = quotes[0::2], quotes[1::2]
    line_ends = np.flatnonzero(data == 0x0A)
    if np.any(np.searchsorted(line_ends, opening) != np.searchsorted(line_ends, closing)):
        return False  # a quote that is open at the end of its line
    padded = np.concatenate((np.array([0x0A], np.uint8), data, np.array([0x0A], np.uint8)))
    escaped = np.isin(opening - 1, closing, assume_unique=True)
    before = np.isin(padded[opening], np.array([ord(delimiter), 0x0A], np.uint8)) | escaped
    after = np.isin(padded[closing + 2], np.array([ord(delimiter), 0x0A, 0x0D, 0x22], np.uint8))
    return bool(np.all(before) and np.all(after))
