"""Links -> people: connected components, cut where two records must not be one person; and who keeps which id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Ints = NDArray[np.int64]
Pairs = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Edges:
    """Links as arrays, the strongest first, and in an order that no numbering of records changes."""

    left: Ints
    right: Ints
    is_guess: NDArray[np.bool_]  #: a model's

    def __len__(self) -> int:
        """How many."""
        return len(self.left)


def components(count: int, edges: Edges) -> Ints:
    """The group of each record: records that links join, directly or through others; numbered by their first record.

    SciPy's connected components: two integers per link.
    """
    ones = np.ones(len(edges), dtype=np.int8)
    _, found = connected_components(coo_array((ones, (edges.left, edges.right)), shape=(count, count)), directed=False)
    _, first = np.unique(found, return_index=True)
    return np.asarray(first[found], dtype=np.int64)


def cut(groups: Ints, edges: Edges, forbidden: Pairs, doubtful: Pairs = ()) -> Ints:
    """The groups, those that hold two records which must not be one person made anew without joining such two.

    Links are taken up from the strongest on, each unless it would join a forbidden pair (constrained agglomeration), so
    that the weakest links of a chain between two people are the ones that give way.

    Args:
        groups: see :func:`components`.
        edges: the links.
        forbidden: pairs of records that no link joins.
        doubtful: pairs of records that links by a model do not join.
    """
    apart, doubts = (
        [(left, right) for left, right in pairs if groups[left] == groups[right]] for pairs in (forbidden, doubtful)
    )
    torn = list({int(groups[left]) for left, _ in (*apart, *doubts)})
    if not torn:
        return groups
    chosen = np.flatnonzero(np.isin(groups[edges.left], torn))
    members = np.flatnonzero(np.isin(groups, torn))
    union = _Union(members.tolist(), apart, doubts)
    ends = (edges.left[chosen], edges.right[chosen], edges.is_guess[chosen])
    for left, right, is_guess in zip(*(end.tolist() for end in ends), strict=True):
        union.join(left, right, is_guess=is_guess)
    made = groups.copy()
    for record in members.tolist():
        made[record] = union.group(record)
    return made


class _Union:
    """Disjoint sets of records of which some pairs never come together."""

    def __init__(self, records: Iterable[int], apart: Pairs, doubts: Pairs) -> None:
        self.members = {record: [record] for record in records}
        self.of = {record: record for record in self.members}
        self.foes = _both_ways(apart)
        self.doubted = _both_ways((*apart, *doubts))

    def group(self, record: int) -> int:
        return self.of[record]

    def join(self, left: int, right: int, *, is_guess: bool) -> None:
        one, other = self.of[left], self.of[right]
        foes = self.doubted if is_guess else self.foes
        if one == other or any(foes[member] & set(self.members[other]) for member in self.members[one]):
            return
        kept, gone = min(one, other), max(one, other)
        for record in self.members.pop(gone):
            self.members[kept].append(record)
            self.of[record] = kept


def _both_ways(pairs: Pairs) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for left, right in pairs:
        found[left].add(right)
        found[right].add(left)
    return found


def new_id(person_hash: str) -> str:
    """An opaque id: ``c`` and 24 hex digits of the keyed hash, the key's own id left out."""
    return "c" + person_hash.rsplit(":", 1)[-1][:24]


@dataclass(frozen=True)
class Ids:
    """Who everybody is, and which ids changed hands."""

    customer_id: pa.Array  #: of each record
    merged: list[tuple[str, str]]  #: an id that is no more, the id of the person it became part of
    split: list[tuple[str, str]]  #: an id that went on, the id of a person who was part of it


def give_ids(person_hash: pa.Array, known: pa.Array, known_since: pa.Array, groups: Ints) -> Ids:
    """Give every group its id.

    An id that was given stays with the group that holds the record it was minted from, or, where that record is gone,
    its earliest record. A group with several ids keeps the one given first; the others end. A group without any is new
    and its id is made from its first record. So a part that was once a person of its own and comes off again has its
    former id back.

    Args:
        person_hash: keyed hash of each record's source and source id, records by when they were first seen.
        known: the id each record had, null for new ones.
        known_since: since when it had that id, a date.
        groups: see :func:`components`.
    """
    minted = np.array([new_id(one) for one in person_hash.to_pylist()], dtype=object)
    had, since = known.to_pylist(), known_since.to_pylist()
    keeper: dict[str, int] = {}
    born: dict[str, object] = {}
    for record, name in enumerate(had):
        if name is None:
            continue
        if name not in keeper or minted[record] == name:
            keeper[name] = record
        if name not in born or since[record] < born[name]:
            born[name] = since[record]
    owners: dict[int, str] = {}
    for name in sorted(keeper, key=lambda one: (born[one], one)):
        owners.setdefault(int(groups[keeper[name]]), name)
    first = np.unique(groups, return_index=True)[1]
    names = {int(groups[at]): owners.get(int(groups[at]), minted[at]) for at in first}
    given = [names[int(group)] for group in groups]
    gone = {name: names[int(groups[at])] for name, at in keeper.items()}
    merged = sorted((name, now) for name, now in gone.items() if name != now)
    split = {(was, now) for was, now in zip(had, given, strict=True) if was is not None and gone[was] != now}
    return Ids(pa.array(given, pa.string()), merged, sorted(split))
