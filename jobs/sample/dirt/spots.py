"""Rows that may be damaged, and the truth about those that were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from jobs.errors import UsageError
from jobs.sample.dirt.kind import FEEDS, Change, Copy, Kind, Row


@dataclass(frozen=True)
class Spot:
    """One row of a source that nothing else points at, so that damage to it stays with it."""

    place: str  #: file, table or path
    index: int  #: among the rows of the place, from 0
    raw: Any  #: as the source holds it
    is_last: bool = False  #: comes with the last night


@dataclass(frozen=True)
class Truth:
    """One damaged row: where it is, and what has to become of it. A row of ``truth/dirt.csv``."""

    kind: str
    feed: str
    place: str
    line: int | None  #: in files, from 1
    key: str  #: ``column=value`` that the row is known by, several parted by a blank; empty for a whole file
    outcome: str
    rules: str  #: parted by blanks
    reads: str  #: ``table.column`` that holds what was meant
    meant: str


class Source(Protocol):
    """What knows how to read and damage the rows of a feed."""

    def rows(self, feed: str) -> int:
        """How many rows the feed has."""

    def spots(self, feed: str) -> Sequence[Spot]:
        """Those that may be damaged."""

    def fits(self, kind: Kind, spot: Spot) -> bool:
        """Whether the kind can strike there."""

    def damage(self, kind: Kind, spot: Spot) -> Truth:
        """Do it, in memory."""

    def save(self) -> None:
        """Write what was damaged."""


def chosen(
    rng: np.random.Generator, kinds: Sequence[Kind], source: Source, feed: str, share: float
) -> Iterator[tuple[Kind, Spot]]:
    """The share of a feed's rows, spread evenly over its kinds: at least one of each, and at most what there is.

    Raises:
        UsageError: there is not a row for each kind.
    """
    spots = source.spots(feed)
    order = rng.permutation(len(spots))
    taken: set[int] = set()
    waiting = {kind.name: iter(order.tolist()) for kind in kinds}
    for number in range(max(1, round(share * source.rows(feed) / len(kinds)))):
        for kind in kinds:
            places = waiting[kind.name]
            found = next((at for at in places if at not in taken and source.fits(kind, spots[at])), None)
            if found is not None:
                taken.add(found)
                yield kind, spots[found]
            elif number == 0:
                raise UsageError(
                    f"the business is too small to be dirty: no row of {feed} is left for {kind.name}",
                    next_command="regulars generate --customers 600 --days 200 --dirt 0.01",
                )


def changed(damage: Change | Copy, row: Row) -> Row:
    """A damaged copy of a row."""
    copy = {name: [dict(one) for one in value] if isinstance(value, list) else value for name, value in row.items()}
    damage.apply(copy)
    return copy


def truth_of(kind: Kind, before: Row, after: Row, place: str, line: int | None = None) -> Truth:
    """What is to be told of a damaged row; a copy is known by its own key, a changed row by the one that is left."""
    names = kind.key or FEEDS[kind.feed].key
    known = after if isinstance(kind.damage, Copy) else before
    meant = kind.expected.meant
    if meant is None and kind.expected.reads:
        meant = str(before[kind.damage.column])
    if kind.expected.outcome == "linked":
        meant = str(before[names[0]])
    return replace(
        whole(kind, place), line=line, key=" ".join(f"{name}={known[name]}" for name in names), meant=meant or ""
    )


def whole(kind: Kind, place: str) -> Truth:
    """What is to be told of a damaged file."""
    expected = kind.expected
    return Truth(
        kind.name, kind.feed, place, None, "", expected.outcome, " ".join(expected.rules), expected.reads or "", ""
    )
