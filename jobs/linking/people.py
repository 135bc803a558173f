"""Links -> people: connected components, cut where two records must not be one person; and who keeps which id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
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


def minted(person_hash: pa.Array) -> pa.Array:
    """The id that each record gives its person if there is none: ``c`` and 24 hex digits of its keyed hash."""
    return pc.replace_substring_regex(person_hash, "^.*:(.{0,24}).*$", r"c\1")


@dataclass(frozen=True)
class Ids:
    """Who everybody is, and which ids changed hands."""

    customer_id: pa.Array  #: of each record
    merged: list[tuple[str, str]]  #: an id that is no more, the id of the person it became part of
    split: list[tuple[str, str]]  #: an id that went on, the id of a person who was part of it


def give_ids(person_hash: pa.Array, known: pa.Array, known_since: pa.Array, former: pa.Array, groups: Ints) -> Ids:
    """Give every group its id.

    An id that was given stays with the group that holds the record it was minted from, or, where that record is gone,
    its earliest record. A group with several ids keeps the one given first; the others end. A group without any has the
    id back that ended last of those made from its records; else it is new, and its id is made from its first record.

    Args:
        person_hash: keyed hash of each record's source and source id, records by when they were first seen.
        known: the id each record had, null for new ones.
        known_since: since when it had that id, a date.
        former: ids that were given once and ended, the last one first.
        groups: see :func:`components`.
    """
    own = minted(person_hash)
    encoded, rows = known.dictionary_encode(), np.flatnonzero(pc.is_valid(known).to_numpy(zero_copy_only=False))
    names, was = encoded.dictionary, _ints(encoded.indices)[rows]
    is_other = _ints(pc.not_equal(known, own))[rows]
    since = _ints(known_since.cast(pa.int32()))[rows]
    home = groups[rows[_first(was, is_other, rows)]]  # of each id: where the record is that keeps it
    owner = _first(home, since[_first(was, since)], _ints(pc.rank(names)))
    back = _ints(pc.coalesce(pc.index_in(own, former), pa.scalar(len(former), pa.int32())))
    parts, first = np.unique(groups), _first(groups, back, np.arange(len(groups)))
    owned = np.full(len(parts), -1, dtype=np.int64)
    owned[np.searchsorted(parts, home[owner])] = owner
    given = pc.coalesce(names.take(pa.array(owned, mask=owned < 0)), own.take(pa.array(first)))  # to each part
    now, became = (
        given.take(pa.array(np.searchsorted(parts, groups))),
        given.take(pa.array(np.searchsorted(parts, home))),
    )
    has_ended, left = pc.not_equal(names, became), pa.array(rows[home[was] != groups[rows]], pa.int64())
    merged = zip(names.filter(has_ended).to_pylist(), became.filter(has_ended).to_pylist(), strict=True)
    split = zip(known.take(left).to_pylist(), now.take(left).to_pylist(), strict=True)
    return Ids(now, sorted(merged), sorted(set(split)))


def _ints(values: pa.Array) -> Ints:
    return np.asarray(values.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)


def _first(key: Ints, *order: Ints) -> Ints:
    """The place of the first row of each key, keys ascending, rows in the order of the given columns."""
    places = np.lexsort((*reversed(order), key))
    return np.asarray(places[np.unique(key[places], return_index=True)[1]], dtype=np.int64)
