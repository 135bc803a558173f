"""Orders beyond the late horizon that a person let in: kept in the night's tree, and so a part of every later night."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import pyarrow as pa

from jobs.definitions import canonical
from jobs.steps.context import Context
from jobs.storage.night import Night
from jobs.storage.parquet import read, read_arrow, write_arrow

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

#: below quarantine/, in the partition of the date of the night that let them in: one row per order
ADMITTED = "admitted"
KEY = ("source", "order_id")
_SCHEMA = pa.schema([(name, pa.string()) for name in KEY])

#: source and order id
Order = tuple[str, str]


def admit(night: Night, replaced: Night | None, orders: Collection[Order]) -> int:
    """Let orders in from an open night on; returns how many its date lets in.

    Args:
        night: the open night.
        replaced: the published night of the same date, if there is one: what it let in stays.
        orders: whom to add.
    """
    chosen = set(orders) | (set(of_date(replaced)) if replaced else set())
    if chosen:
        rows = pa.Table.from_pylist([dict(zip(KEY, one, strict=True)) for one in chosen], schema=_SCHEMA)
        write_arrow(rows, night, "quarantine", ADMITTED, sort=KEY, partition=str(night.date))
    return len(chosen)


def of_date(night: Night) -> list[Order]:
    """The orders that a night's own date let in, sorted."""
    found = read_arrow(night, "quarantine", ADMITTED, _SCHEMA, partition=str(night.date))
    return sorted((row["source"], row["order_id"]) for row in found.to_pylist())


def admitted(context: Context) -> DataFrame:
    """The orders that this night or one before it let in: one row per ``source`` and ``order_id``."""
    columns = tuple(column for column in canonical.ORDERS.columns if column.name in KEY)
    rows = read(context.spark, context.night, "quarantine", ADMITTED, columns, partitioned=True)
    return rows.select(*KEY).distinct()
