"""Who is who: records of several sources into people, with ids that last.

The interface that a deeper identity fills: :func:`resolve` takes the records known tonight, with the
ids given before, and answers one person per record. For now records are linked exactly: by loyalty
card, e-mail, phone or payment token (keyed hashes all). What earlier nights linked stays linked.

Clustering is SciPy's connected components over an edge list of integers on the driver: bounded by two
integers per identifier of a record (a million people: some 50 MB).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

IDENTIFIERS = ("loyalty_card_hash", "email_hash", "phone_hash", "payment_token_hash")
UNUSABLE = ":!"  #: inside a hash: the value could not be normalised and proves nothing

RECORDS = pa.schema(
    [
        pa.field("source", pa.string()),
        pa.field("source_customer_id", pa.string()),
        pa.field("person_hash", pa.string()),
        pa.field("first_seen_on", pa.date32()),  # registration or first order, the earlier
        *(pa.field(name, pa.string()) for name in IDENTIFIERS),
        pa.field("known_customer_id", pa.string()),  # as given before, null for a new record
        pa.field("known_since", pa.date32()),
        pa.field("linked_by", pa.string()),
    ]
)


@dataclass(frozen=True)
class People:
    """The answer: who each record is."""

    records: pa.Table  #: RECORDS, every known_customer_id, known_since and linked_by filled
    merged: pa.Table  #: old_customer_id, customer_id: ids that another one took over tonight
    dropped_identifiers: int  #: values shared by more records than ``max_sharing``, which link nobody


def resolve(records: pa.Table, on: object, *, max_sharing: int = 20) -> People:
    """Give every record its person.

    Args:
        records: RECORDS, one row per (source, source_customer_id).
        on: business date of the night.
        max_sharing: an identifier on more records than this links nobody (a store's own phone).

    Returns:
        one person per record. A person keeps the id of the record known longest; a new person's id is made from the
        ``person_hash`` of the earliest record, which is a keyed hash of its source and source id.
    """
    order = [("first_seen_on", "ascending"), ("source", "ascending"), ("source_customer_id", "ascending")]
    records = records.sort_by(order)
    count = records.num_rows
    edges, linked_by, dropped = _edges(records, max_sharing)
    graph = coo_array((np.ones(len(edges[0]), dtype=np.int8), edges), shape=(count, count))
    _, person = connected_components(graph, directed=False)
    names = _names(records, person)
    given = pa.array(names[person], pa.string())
    merged = _merged(records, given)
    was_known = pc.is_valid(records["known_customer_id"])
    resolved = (
        records.set_column(8, "known_customer_id", given)
        .set_column(9, "known_since", pc.if_else(was_known, records["known_since"], pa.scalar(on, pa.date32())))
        .set_column(10, "linked_by", pc.coalesce(records["linked_by"], pa.array(linked_by, pa.string())))
    )
    return People(resolved, merged, dropped)


def _edges(records: pa.Table, max_sharing: int) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray, int]:
    """Edges from each record to the first one that shares a value, what linked each record, values dropped."""
    starts, ends, dropped = [], [], 0
    linked_by = np.full(records.num_rows, "first_record", dtype=object)
    for name in ("known_customer_id", *IDENTIFIERS):
        values = records[name].combine_chunks().dictionary_encode()
        usable = ~pc.fill_null(pc.match_substring(records[name], UNUSABLE), True).to_numpy(zero_copy_only=False)
        rows = np.flatnonzero(usable)
        codes = values.indices.fill_null(-1).to_numpy(zero_copy_only=False)[rows]
        kinds, first, inverse, sizes = np.unique(codes, return_index=True, return_inverse=True, return_counts=True)
        crowded = sizes > max_sharing if name in IDENTIFIERS else np.zeros(len(kinds), dtype=bool)
        dropped += int(crowded.sum())
        linked = ~crowded[inverse] & (rows != rows[first][inverse])
        starts.append(rows[linked])
        ends.append(rows[first][inverse][linked])
        if name in IDENTIFIERS:
            fresh = linked_by[rows[linked]] == "first_record"
            linked_by[rows[linked][fresh]] = name.removesuffix("_hash")
    return (np.concatenate(starts), np.concatenate(ends)), linked_by, dropped


def _names(records: pa.Table, person: np.ndarray) -> np.ndarray:
    """The id of each person: the one given first, else a new one from the earliest record's keyed hash."""
    count = int(person.max()) + 1 if len(person) else 0
    names = np.full(count, None, dtype=object)
    since = np.full(count, None, dtype=object)
    known = records["known_customer_id"].to_pylist()
    days = records["known_since"].to_pylist()
    hashes = records["person_hash"].to_pylist()
    for row, who in enumerate(person):
        candidate = (days[row], known[row])
        if known[row] is not None and (since[who] is None or candidate < since[who]):
            since[who], names[who] = candidate, known[row]
    for row, who in enumerate(person):
        if names[who] is None:
            names[who] = new_id(hashes[row])
    return names


def new_id(person_hash: str) -> str:
    """An opaque id: ``c`` and 24 hex digits of the keyed hash, the key's own id left out."""
    return "c" + person_hash.rsplit(":", 1)[-1][:24]


def _merged(records: pa.Table, given: pa.Array) -> pa.Table:
    before = records["known_customer_id"].combine_chunks()
    moved = pc.fill_null(pc.not_equal(before, given), False)
    pairs = pa.table({"old_customer_id": before.filter(moved), "customer_id": given.filter(moved)})
    return pairs.group_by(["old_customer_id", "customer_id"]).aggregate([]).sort_by("old_customer_id")
