"""How a step writes a published table: declared columns, declared types, sorted by its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.definitions.model import Table, ddl
from jobs.definitions.published import folder
from jobs.steps.context import Context
from jobs.storage.night import Night
from jobs.storage.parquet import read, write, write_arrow
from jobs.storage.schemas import arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame


def publish(context: Context, rows: DataFrame, table: Table) -> None:
    """Write a published table of tonight; ``snapshot_date`` is tonight's unless the table holds other nights' rows."""
    if "snapshot_date" not in table.key:
        rows = rows.withColumn("snapshot_date", F.lit(str(context.day)).cast("date"))
    typed = rows.select(*(F.col(column.name).cast(column.type) for column in table.columns))
    write(typed, context.night, "published", folder(table), sort=table.key)


def publish_arrow(context: Context, rows: pa.Table, table: Table) -> None:
    """Write a published table of tonight that the driver holds."""
    schema = arrow_schema(table.columns)
    write_arrow(rows.select(schema.names).cast(schema), context.night, "published", folder(table), sort=table.key)


def published(context: Context, table: Table, *, base: bool = False) -> DataFrame:
    """A published table of tonight, or of the night before; without rows where there is none."""
    night: Night | None = context.base if base else context.night
    if night is None:
        return context.spark.createDataFrame([], ddl(table.columns))
    return read(context.spark, night, "published", folder(table), table.columns)
