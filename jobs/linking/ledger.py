"""What happened to ids, kept: every event, and where ids that somebody may still hold lead to."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from jobs.definitions.identity import MERGED, SPLIT
from jobs.linking.people import minted

#: one row per event of an id; see identity_ledger
LEDGER = pa.schema(
    [
        ("event_id", pa.string()), ("event", pa.string()), ("old_customer_id", pa.string()),
        ("new_customer_id", pa.string()), ("occurred_on", pa.date32()), ("cause", pa.string()),
    ]
)  # fmt: skip
#: one row per old id; see customer_aliases
ALIASES = pa.schema(
    [
        ("old_customer_id", pa.string()), ("customer_id", pa.string()), ("event", pa.string()),
        ("effective_on", pa.date32()),
    ]
)  # fmt: skip


def ledger(former: pa.Table, events: pa.Table, day: date) -> pa.Table:
    """The ledger after a night.

    Args:
        former: LEDGER of the night before.
        events: event, old_customer_id, new_customer_id, cause of tonight.
        day: tonight's business date.
    """
    names = pc.binary_join_element_wise(str(day), events["event"], *_ends(events), ":")
    on = pa.repeat(pa.scalar(day, pa.date32()), events.num_rows)
    fresh = pa.table([names, events["event"], *_ends(events), on, events["cause"]], schema=LEDGER)
    return pa.concat_tables([former, fresh])


def ended(known: pa.Table) -> pa.Array:
    """Ids of ALIASES that were given once and are nobody's now, the one that ended last first."""
    gone = known.filter(pc.equal(known["event"], MERGED))
    return gone.sort_by([("effective_on", "descending"), ("old_customer_id", "ascending")])[
        "old_customer_id"
    ].combine_chunks()


def aliases(former: pa.Table, events: pa.Table, records: pa.Table, day: date) -> pa.Table:
    """Where old ids lead to after a night: to an id that is given, always.

    An id that ended leads to whoever has the record it was made from, or, where that record is gone, on from the id it
    ended in; one that was split to itself, the part that keeps it. An id that is somebody's again leads nowhere.

    Args:
        former: ALIASES of the night before.
        events: as for :func:`ledger`.
        records: person_hash and customer_id of tonight.
        day: tonight's business date.
    """
    merged, split = (events.filter(pc.equal(events["event"], kind)) for kind in (MERGED, SPLIT))
    gone, into = (column.combine_chunks() for column in _ends(merged))
    ids, own = records["customer_id"].combine_chunks(), minted(records["person_hash"].combine_chunks())
    at_home = ids.take(pc.index_in(former["old_customer_id"].combine_chunks(), own))
    led_on = into.take(pc.index_in(former["customer_id"].combine_chunks(), gone))
    led = pc.coalesce(at_home, led_on, former["customer_id"].combine_chunks())
    kept = former.set_column(former.schema.get_field_index("customer_id"), "customer_id", led)
    parted = pc.unique(split["old_customer_id"].combine_chunks())
    parted = parted.filter(pc.invert(pc.is_in(parted, gone)))  # one that came apart and ended leads on
    is_back = pc.and_(pc.is_in(kept["old_customer_id"], ids), pc.equal(kept["event"], MERGED))
    is_told = pc.is_in(kept["old_customer_id"], pa.concat_arrays([gone, parted]))
    return pa.concat_tables(
        [
            kept.filter(pc.invert(pc.or_(is_back, is_told))),
            _leads(gone, into, MERGED, day),
            _leads(parted, parted, SPLIT, day),
        ]
    )


def _ends(events: pa.Table) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    return events["old_customer_id"], events["new_customer_id"]


def _leads(old: pa.Array, new: pa.Array, event: str, day: date) -> pa.Table:
    columns = [old, new, pa.repeat(pa.scalar(event), len(old)), pa.repeat(pa.scalar(day, pa.date32()), len(old))]
    return pa.table(columns, schema=ALIASES)
