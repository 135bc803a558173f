"""Rows of receipt files: which may be damaged, and how the files are written anew."""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from jobs.sample.dirt.kind import Bytes, Copy, Kind, Row, WholeFile
from jobs.sample.dirt.spots import Spot, Truth, changed, truth_of, whole


def read_lines(path: Path) -> list[bytes]:
    """Lines of a receipts file, its header first, without line ends."""
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines()


def write_bytes(path: Path, data: bytes) -> None:
    """Write a receipts file; equal bytes are equal files."""
    path.write_bytes(gzip.compress(data, 1, mtime=0) if path.suffix == ".gz" else data)


def _value(text: str) -> str:
    return f'"{text}"' if "," in text else text


@dataclass
class Edit:
    """What happens to a file: lines by their index, and lines behind the last."""

    lines: dict[int, bytes] = field(default_factory=dict)
    more: list[bytes] = field(default_factory=list)


class Receipts:
    """The receipt files of a generated chain.

    Args:
        folder: where they are.
        last_date: business date of the last night.
        mentioned: receipts that other sources speak of, which stay as they are.
    """

    def __init__(self, folder: Path, last_date: date, mentioned: Container[str]) -> None:
        """Read the files once, keeping of their lines only those that may be damaged."""
        self._folder = folder
        self._files = sorted(path.name for path in folder.iterdir())
        self._last = f"_{last_date}.csv"
        self._mentioned = mentioned
        self._edits: dict[str, Edit] = defaultdict(Edit)
        self._header = read_lines(folder / self._files[0])[0]
        self._names = self._header.decode().split(",")
        self._ends: dict[str, int] = {}
        self._spots = [spot for name in self._files for spot in self._of_file(name)]

    def _of_file(self, name: str) -> Iterator[Spot]:
        """Lines of receipts that have one line, are completed, and were neither refunded nor paid with a coupon."""
        lines = read_lines(self._folder / name)
        self._ends[name] = len(lines)
        numbers = [line.partition(b",")[0] for line in lines]
        # the first line stays: a damaged file is known by it
        for index in range(2, len(lines)):
            if numbers[index] in (numbers[index - 1], *numbers[index + 1 : index + 2]):
                continue
            spot = Spot(name, index, lines[index], name.endswith(self._last))
            row = self._row(spot)
            plain = row["status"] == "completed" and row["refunded"] == "0.00" and not row["coupon_id"]
            if plain and row["receipt_no"] not in self._mentioned:
                yield spot

    def _row(self, spot: Spot) -> Row:
        return dict(zip(self._names, spot.raw.decode().split(","), strict=True))

    def rows(self, feed: str) -> int:
        """Lines of all files, headers left out."""
        return sum(self._ends.values()) - len(self._ends)

    def spots(self, feed: str) -> Sequence[Spot]:
        """Lines that may be damaged."""
        return self._spots

    def fits(self, kind: Kind, spot: Spot) -> bool:
        """What comes with the last night is for kinds that need it, and so is a guest's receipt."""
        is_of_guest = not self._row(spot)["card_number"]
        return kind.is_of_last_night == spot.is_last and kind.is_of_guest in (None, is_of_guest)

    def damage(self, kind: Kind, spot: Spot) -> Truth:
        """Change a line, or add one."""
        row = self._row(spot)
        if isinstance(kind.damage, WholeFile):
            raise TypeError(f"{kind.name} is about files")
        if isinstance(kind.damage, Bytes):
            self._edits[spot.place].lines[spot.index] = kind.damage.apply(spot.raw)
            return truth_of(kind, row, row, spot.place, spot.index + 1)
        after = changed(kind.damage, row)
        line = ",".join(_value(after[name]) for name in self._names).encode()
        if not isinstance(kind.damage, Copy):
            self._edits[spot.place].lines[spot.index] = line
            return truth_of(kind, row, after, spot.place, spot.index + 1)
        place = self._copies_of(spot.place) if kind.damage.is_in_other_file else spot.place
        self._edits[place].more.append(line)
        return truth_of(kind, row, after, place, self._ends.setdefault(place, 1) + len(self._edits[place].more))

    @staticmethod
    def _copies_of(name: str) -> str:
        """A file of the same period, behind the others in the order of names."""
        return "receipts_copies_" + name.rpartition("_")[2].removesuffix(".gz")

    def save(self) -> None:
        """Write the files that were damaged."""
        for name, edit in sorted(self._edits.items()):
            path = self._folder / name
            lines = read_lines(path) if path.exists() else [self._header]
            lines = [edit.lines.get(index, line) for index, line in enumerate(lines)] + edit.more
            write_bytes(path, b"\n".join(lines) + b"\n")

    def damage_file(self, kind: Kind, name: str) -> Truth:
        """Write a whole file anew, or once more under another name; its rows have their damages by now."""
        if not isinstance(kind.damage, WholeFile):
            raise TypeError(f"{kind.name} is about rows")
        path = self._folder / name
        data = path.read_bytes()
        if kind.damage.is_copy:
            again = name.replace("receipts_", "receipts_once_more_", 1)
            (self._folder / again).write_bytes(data)
            return whole(kind, again)
        plain = gzip.decompress(data) if path.suffix == ".gz" else data
        first = self._row(Spot(name, 1, plain.splitlines()[1]))
        write_bytes(path, kind.damage.apply(plain))
        return truth_of(kind, first, first, name, 2)

    def files(self) -> list[str]:
        """Files that may be damaged as a whole: those of the generator that come before the last night."""
        return [name for name in self._files if not name.endswith(self._last)]
