"""Identifiers that are a shop's and not a person's, by how often receipts show them; see also ``max_sharing``."""

from __future__ import annotations

from functools import reduce

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from jobs.definitions.identity import IDENTIFIERS
from jobs.steps.context import Context
from jobs.storage.parquet import read_arrow, write_arrow

#: identity/busy: one row per (identifier, hash, business_date) that too many receipts of one day name
BUSY = pa.schema(
    [("identifier", pa.string()), ("hash", pa.string()), ("business_date", pa.date32()), ("orders", pa.int64())]
)
#: identity/crowded: one row per (identifier, hash) that links nobody
CROWDED = pa.schema([("identifier", pa.string()), ("hash", pa.string()), ("records", pa.int64())])


def fill(context: Context, database: duckdb.DuckDBPyConnection, *, every_date: bool) -> None:
    """Make ``busy`` (identifier, value), and ``crowded_before``, what linked nobody the night before.

    Args:
        context: of the night.
        database: where.
        every_date: all dates are counted, not those alone of which orders changed tonight.
    """
    night = context.night
    held = read_arrow(night, "identity", "busy", BUSY)
    base = None if every_date else context.base
    dates = sorted(night.changed_partitions(base, "clean", "orders") if base else night.partitions("clean", "orders"))
    held = held.slice(0, 0) if every_date else held
    kept = held.filter(pc.invert(pc.is_in(held["business_date"].cast(pa.string()), pa.array(dates, pa.string()))))
    busy = pa.concat_tables([kept, *([_busy(context, dates)] if dates else [])])
    write_arrow(busy, night, "identity", "busy", sort=BUSY.names[:3])
    database.register("busy_in", busy)
    database.execute("CREATE TABLE busy AS SELECT DISTINCT identifier, hash AS value FROM busy_in")
    database.register("crowded_in", read_arrow(night, "identity", "crowded", CROWDED))
    database.execute("CREATE TABLE crowded_before AS SELECT identifier, hash AS value FROM crowded_in")
    for view in ("busy_in", "crowded_in"):
        database.unregister(view)


def _busy(context: Context, dates: list[str]) -> pa.Table:
    orders = context.clean("orders").where(F.col("ds").isin(dates) & F.col("source_customer_id").isNull())
    most = context.settings.identity.max_orders_a_day
    each = [
        orders.where(F.col(name).isNotNull()).groupBy(F.col(name).alias("hash"), "business_date")
        .agg(F.count("*").alias("orders")).where(f"orders > {most}").select(F.lit(name).alias("identifier"), "*")
        for name in IDENTIFIERS
    ]  # fmt: skip
    return reduce(lambda one, other: one.unionByName(other), each).toArrow().select(BUSY.names).cast(BUSY)


def keep(context: Context, database: duckdb.DuckDBPyConnection) -> None:
    """Write what links nobody tonight."""
    crowded = database.sql("SELECT identifier, value AS hash, records FROM crowded").to_arrow_table()
    write_arrow(crowded.cast(CROWDED), context.night, "identity", "crowded", sort=["identifier", "hash"])


def values(context: Context, identifier: str) -> pa.Array:
    """The hashes of an identifier that lead to nobody."""
    crowded = read_arrow(context.night, "identity", "crowded", CROWDED)
    return crowded.filter(pc.equal(crowded["identifier"], identifier))["hash"].combine_chunks()
