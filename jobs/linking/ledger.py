"""What happened to ids, kept: every event, and where ids that somebody may still hold lead to."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from jobs.definitions.identity import MERGED, SPLIT

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


def aliases(former: pa.Table, events: pa.Table, ids: pa.Array, day: date) -> pa.Table:
    """Where old ids lead to after a night: to an id that is given, always.

    An id that ended leads to the one it ended in, or wherever that leads by now; one that was split to itself, the part
    that keeps it. An id that is somebody's again leads nowhere.

    Args:
        former: ALIASES of the night before.
        events: as for :func:`ledger`.
        ids: those that are given tonight.
        day: tonight's business date.
    """
    merged, split = (events.filter(pc.equal(events["event"], kind)) for kind in (MERGED, SPLIT))
    ended, into = (column.combine_chunks() for column in _ends(merged))
    led = pc.coalesce(into.take(pc.index_in(former["customer_id"], ended)), former["customer_id"])
    kept = former.set_column(former.schema.get_field_index("customer_id"), "customer_id", led)
    parted = pc.unique(split["old_customer_id"].combine_chunks())
    parted = parted.filter(pc.invert(pc.is_in(parted, ended)))  # one that came apart and ended leads on
    is_back = pc.and_(pc.is_in(kept["old_customer_id"], ids), pc.equal(kept["event"], MERGED))
    is_told = pc.is_in(kept["old_customer_id"], pa.concat_arrays([ended, parted]))
    return pa.concat_tables(
        [
            kept.filter(pc.invert(pc.or_(is_back, is_told))),
            _leads(ended, into, MERGED, day),
            _leads(parted, parted, SPLIT, day),
        ]
    )


def _ends(events: pa.Table) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    return events["old_customer_id"], events["new_customer_id"]


def _leads(old: pa.Array, new: pa.Array, event: str, day: date) -> pa.Table:
    columns = [old, new, pa.repeat(pa.scalar(event), len(old)), pa.repeat(pa.scalar(day, pa.date32()), len(old))]
    return pa.table(columns, schema=ALIASES)
