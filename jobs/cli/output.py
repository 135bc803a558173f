"""Tables for people, CSV and JSON for programs; whatever a cell holds stays inert text."""

from __future__ import annotations

import csv
import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from jobs.inert import inert, text

#: rows of more columns are shown one column a line where a terminal is too narrow
MANY_COLUMNS = 9


def print_table(header: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str | None = None) -> None:
    """Print rows to standard output: framed on a terminal, aligned plain lines elsewhere."""
    cells = [[text(value) for value in row] for row in rows]
    if sys.stdout.isatty():
        _framed(header, cells, title)
        return
    if title:
        print(f"{title}:")
    for line in aligned([list(header), *cells]):
        print(line)


def _framed(header: Sequence[str], cells: list[list[str]], title: str | None) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if len(header) > MANY_COLUMNS and max(_width(line) for line in aligned([list(header), *cells])) > console.width:
        _records(header, cells, title)
        return
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in header:
        table.add_column(Text(text(name)), overflow="fold")
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))  # Text: brackets in a cell are no markup
    console.print(table)


def _records(header: Sequence[str], cells: list[list[str]], title: str | None) -> None:
    """Rows too wide for the terminal, one column a line."""
    for number, row in enumerate(cells, 1):
        print(f"{title or 'row'} {number}")
        for line in aligned([[text(name), cell] for name, cell in zip(header, row, strict=True)]):
            print(f"  {line}")


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with columns two spaces apart."""
    widths = [max(_width(row[n]) for row in rows) for n in range(len(rows[0]))] if rows else []
    return [
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _width(cell: str) -> int:
    """Columns of a terminal that a cell takes; a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in cell)


def write_csv(header: Sequence[str], rows: Iterable[Sequence[Any]], stream: TextIO) -> None:
    """Write CSV with a header; nulls are empty cells."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([inert(name) for name in header])
    for row in rows:
        writer.writerow(["" if value is None else inert(value) for value in row])


def write_json(header: Sequence[str], rows: Iterable[Sequence[Any]], stream: TextIO) -> None:
    """Write a JSON array of objects, one per line; a decimal is text, as a float would change it."""
    separator = "["
    for row in rows:
        stream.write(separator + json.dumps(dict(zip(header, row, strict=True)), default=str, ensure_ascii=False))
        separator = ",\n "
    stream.write("]\n" if separator != "[" else "[]\n")
