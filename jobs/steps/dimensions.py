"""The dimension tables and the restricted crosswalk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql import functions as F

from jobs.definitions import published as p
from jobs.definitions.model import Table
from jobs.steps.context import Context
from jobs.storage.parquet import read, read_arrow, write, write_arrow
from jobs.storage.schemas import arrow_schema
from jobs.transforms import dimensions

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def run(context: Context) -> dict[str, Any]:
    """Write every dimension.

    Returns:
        nothing worth recording but that it was done.
    """
    night, day = context.night, context.day
    _arrow(context, p.DIM_SCHEME, dimensions.schemes(day))
    _arrow(context, p.DIM_SEGMENT, dimensions.segments(day))
    _arrow(context, p.DIM_DAYPART, dimensions.dayparts(dict(context.settings.dayparts), day))
    dated = pa.schema([f for f in arrow_schema(p.DIM_DATE.columns) if f.name != "snapshot_date"])
    dates = read_arrow(night, "features", "dates", dated)
    _arrow(context, p.DIM_DATE, dates.append_column("snapshot_date", pa.repeat(pa.scalar(day, pa.date32()), len(dates))))
    aliases = context.spark.read.parquet(str(night.table("identity", "aliases")))
    _spark(context, p.CUSTOMER_ALIASES, aliases)
    _spark(context, p.DIM_STORE, context.clean("stores").fillna({"time_zone": context.settings.time_zone}))
    _spark(context, p.DIM_PRODUCT, context.clean("products"))
    _spark(context, p.DIM_CAMPAIGN, context.clean("campaigns"))
    features = read(context.spark, night, "published", p.CUSTOMER_FEATURES.name, p.CUSTOMER_FEATURES.columns)
    people = context.spark.read.parquet(str(night.table("identity", "people")))
    _spark(context, p.DIM_CUSTOMER, dimensions.customers(people, features))
    _crosswalk(context)
    night.record("dimensions", {})
    return {}


def _crosswalk(context: Context) -> None:
    table = p.CUSTOMER_CROSSWALK
    records = context.spark.read.parquet(str(context.night.table("identity", "records")))
    records = records.withColumnRenamed("known_customer_id", "customer_id")
    if context.base is None:
        before = context.spark.createDataFrame([], ", ".join(f"`{c.name}` {c.type}" for c in table.columns))
    else:
        before = read(context.spark, context.base, "published", p.folder(table), table.columns)
    _spark(context, table, dimensions.crosswalk(before, records, str(context.day), p.OPEN_END))


def _spark(context: Context, table: Table, rows: DataFrame) -> None:
    rows = rows.withColumn("snapshot_date", F.lit(str(context.day)).cast("date"))
    typed = rows.select(*(F.col(column.name).cast(column.type) for column in table.columns))
    write(typed, context.night, "published", p.folder(table), sort=table.key)


def _arrow(context: Context, table: Table, rows: pa.Table) -> None:
    schema = arrow_schema(table.columns)
    write_arrow(rows.select(schema.names).cast(schema), context.night, "published", p.folder(table), sort=table.key)
