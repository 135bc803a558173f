"""What lies in a night's quarantine, read from its files: rules, counts, places; never what was in a row."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.definitions import canonical
from jobs.storage.night import PARTITION, Night

HELD = "held."
#: tables of orders beyond the late horizon, and of their lines
LATE = tuple(HELD + entity.name for entity in canonical.ENTITIES if entity.whole[0] == "orders")
#: refunds whose sale is not known
WAITING = HELD + canonical.REFUNDS.name
UNPARSABLE = "unparsable."
#: of a row that failed a rule: the night that first set an equal one aside, and the one that took it in
_DATES = ("_first_landed", "_landed")


def judgeable(night: Night) -> list[str]:
    """Tables of rows that can be judged again."""
    return [table for table in night.tables("quarantine") if table in canonical.BY_NAME]


def shown(night: Night) -> list[str]:
    """Tables of rows with reasons: judged, held and unparsable ones."""
    marks = (HELD, UNPARSABLE)
    return [table for table in night.tables("quarantine") if table in canonical.BY_NAME or table.startswith(marks)]


def tally(night: Night, table: str, *, repeated: bool = False) -> Counter[tuple[str, str]]:
    """(business date of the night that took them in, rule) -> rows of a table of quarantine.

    Args:
        night: whose quarantine.
        table: the name.
        repeated: only those that a night before theirs had set aside already.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for part in night.parts("quarantine", table):
        for one in pc.value_counts(_rules(part, repeated=repeated)).to_pylist():
            counts[part.parent.name.removeprefix(f"{PARTITION}="), one["values"]] += one["counts"]
    return counts


def places(night: Night, table: str, count: int) -> list[tuple[str, int, str]]:
    """(file, line, rules) of the first rows of a table that this very night set aside."""
    found = []
    for part in sorted((night.table("quarantine", table) / f"{PARTITION}={night.date}").glob("*.parquet")):
        for row in pq.ParquetFile(part).read(columns=["_file", "_row", _column(part)]).to_pylist():
            rules = row[_column(part)]
            found.append((row["_file"] or "", row["_row"] or 0, rules if isinstance(rules, str) else ", ".join(rules)))
    return sorted(found)[:count]


def held_orders(night: Night) -> dict[tuple[str, str], str]:
    """Held orders, (source, order id) -> feed, by key."""
    found = {}
    for part in (part for table in LATE for part in night.parts("quarantine", table)):
        for row in pq.ParquetFile(part).read(columns=["source", "order_id", "_feed"]).to_pylist():
            found[row["source"], row["order_id"]] = row["_feed"]
    return dict(sorted(found.items()))


def _column(part: Path) -> str:
    return "_failed" if "_failed" in pq.read_schema(part).names else "reason"


def _rules(part: Path, *, repeated: bool = False) -> pa.ChunkedArray:
    rows = pq.ParquetFile(part).read(columns=[_column(part), *_DATES])
    if repeated:
        told = set(_DATES) <= set(rows.column_names)
        rows = rows.filter(pc.less(rows[_DATES[0]], rows[_DATES[1]])) if told else rows.slice(0, 0)
    rules = rows[_column(part)]
    return rules if pa.types.is_string(rules.type) else pc.list_flatten(rules)
