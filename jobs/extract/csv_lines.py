"""CSV line by line: slow, careful, and used only for blocks in which something is wrong.

A quoted value may hold line breaks. A stray quote looks like the beginning of such a value, so lines
are joined only if the joined record is well formed and has the right number of columns; otherwise
the first line alone is rejected and reading goes on with the next.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from jobs.extract.chunks import Reject

COLUMN_COUNT = "unparsable.column_count"
QUOTE = "unparsable.quote"
NUL_BYTE = "unparsable.nul_byte"
ENCODING = "unparsable.encoding"

#: a quoted value spans at most this many lines
MAX_JOINED_LINES = 100


@dataclass
class Parsed:
    """Rows of a block."""

    rows: list[list[str]] = field(default_factory=list, repr=False)
    lines: list[int] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    used: int = 0  #: bytes of the block that were taken; the rest waits for the next block
    used_lines: int = 0


class LineParser:
    """Parses lines of one file.

    Args:
        delimiter: one ASCII character.
        encoding: of the bytes; an ASCII superset.
        width: number of columns; None while the header is read.
    """

    def __init__(self, delimiter: str, encoding: str, width: int | None) -> None:
        """See the class."""
        self._delimiter = delimiter
        self._encoding = encoding
        self._width = width
        mark = re.escape(delimiter)
        value = rf'(?:"(?:[^"]|"")*+"|[^"{mark}]*+)'
        self._record = re.compile(rf"{value}(?:{mark}{value})*+", re.DOTALL)
        self._values = re.compile(rf"({value})(?:{mark}|\Z)", re.DOTALL)

    def parse(self, block: bytes, first_line: int, *, final: bool) -> Parsed:
        """Rows of a block that ends with a line break (or with the file).

        Args:
            block: bytes of whole lines.
            first_line: number of its first line, from 1.
            final: whether the file ends with the block; otherwise an open quoted value at its end waits.
        """
        lines = block.split(b"\n")
        if lines[-1] == b"":
            lines.pop()
        parsed = Parsed()
        index = 0
        while index < len(lines):
            taken = self._one(lines, index, first_line + index, parsed, final)
            if taken == 0:
                break
            parsed.used += sum(len(line) + 1 for line in lines[index : index + taken])
            index += taken
        parsed.used = min(parsed.used, len(block))
        parsed.used_lines = index
        return parsed

    def _one(self, lines: list[bytes], index: int, line: int, parsed: Parsed, final: bool) -> int:
        """Parse the record that starts at ``index``; the number of lines it took, 0 to wait for more."""
        raw = lines[index].removesuffix(b"\r")
        if not raw:
            return 1
        values, reason = self._try(raw)
        if reason is None:
            parsed.rows.append(values)
            parsed.lines.append(line)
            return 1
        if reason == QUOTE and raw.count(b'"') % 2:
            joined, taken = self._join(lines, index)
            if joined is not None:
                parsed.rows.append(joined)
                parsed.lines.append(line)
                return taken
            if not final and taken < MAX_JOINED_LINES:
                return 0
        parsed.rejects.append(Reject(line, reason, raw.decode(self._encoding, "replace")))
        return 1

    def _join(self, lines: list[bytes], index: int) -> tuple[list[str] | None, int]:
        """Join lines until the quotes close and the record fits; how many lines were looked at."""
        joined = lines[index]
        looked = 1
        for raw in lines[index + 1 : index + MAX_JOINED_LINES]:
            joined += b"\n" + raw
            looked += 1
            if raw.count(b'"') % 2 == 0:
                continue
            values, reason = self._try(joined.removesuffix(b"\r"))
            return (values, looked) if reason is None else (None, MAX_JOINED_LINES)
        return None, looked

    def _try(self, raw: bytes) -> tuple[list[str], str | None]:
        if b"\0" in raw:
            return [], NUL_BYTE
        try:
            text = raw.decode(self._encoding)
        except UnicodeDecodeError:
            return [], ENCODING
        if '"' not in text:
            values = text.split(self._delimiter)
        elif self._record.fullmatch(text) is None:
            return [], QUOTE
        else:
            values = self._split(text)
        if self._width is not None and len(values) != self._width:
            return [], COLUMN_COUNT
        return values, None

    def _split(self, text: str) -> list[str]:
        values: list[str] = []
        position = 0
        while True:
            found = self._values.match(text, position)
            if found is None:  # cannot be: the record was matched as a whole
                return values
            value = found.group(1)
            values.append(value[1:-1].replace('""', '"') if value.startswith('"') else value)
            position = found.end()
            if position == len(text) and not text.endswith(self._delimiter, found.end(1)):
                return values
            if position == len(text):
                return [*values, ""]
