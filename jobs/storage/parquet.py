"""Parquet in and out of a night, by Spark and by Arrow."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from jobs import faultpoints
from jobs.definitions.model import Column, ddl
from jobs.storage import files
from jobs.storage.night import PARTITION, STAGING, Night, Zone

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

COMPRESSION = "zstd"


def read(
    spark: SparkSession,
    night: Night,
    zone: Zone,
    table: str,
    columns: Sequence[Column],
    *,
    partitioned: bool = False,
    partitions: str | None = None,
) -> DataFrame:
    """A table of a night with its declared columns; without rows where it has no file.

    Args:
        spark: the session.
        night: whose files.
        zone: where the table is.
        table: its name.
        columns: what to read.
        partitioned: the table has partitions, whose value is the column ``ds`` (text).
        partitions: an SQL condition on ``ds`` that chooses partitions.
    """
    schema = ddl(tuple(columns)) + (f", {PARTITION} STRING" if partitioned else "")
    if partitions and night.parts(zone, table):
        return spark.read.schema(schema).parquet(str(night.table(zone, table))).where(partitions)
    if not night.parts(zone, table):
        return spark.createDataFrame([], schema)
    return spark.read.schema(schema).parquet(str(night.table(zone, table)))


def read_raw(spark: SparkSession, night: Night, feed: str, *, all_nights: bool) -> DataFrame | None:
    """Raw rows of a feed; None if there are none.

    Args:
        spark: the session.
        night: whose files.
        feed: ``<source>.<feed>``.
        all_nights: those of every night so far, not of this one alone.
    """
    days = [day for day in night.partitions("raw", feed) if all_nights or day == str(night.date)]
    folder = night.table("raw", feed)
    paths = [
        str(folder / f"{PARTITION}={day}") for day in days if any((folder / f"{PARTITION}={day}").glob("*.parquet"))
    ]
    if not paths:
        return None
    return spark.read.option("mergeSchema", "true").parquet(*paths)


def read_staged(spark: SparkSession, night: Night, name: str, columns: Sequence[Column] = ()) -> DataFrame:
    """A working table of an open night; with ``columns``, those, and any may be null whatever they were made from."""
    reader = spark.read.schema(ddl(tuple(columns))) if columns else spark.read
    return reader.parquet(str(night.staged(name)))


def has_staged(night: Night, name: str) -> bool:
    """A working table was written and has a file."""
    return any(night.staged(name).rglob("*.parquet"))


def remove_staged(night: Night, name: str) -> None:
    """Forget a working table that an earlier try of a step left."""
    files.remove_tree(night.staged(name))


def write_staged(rows: DataFrame, night: Night, name: str) -> None:
    """Write a working table of an open night, in the place of an earlier one."""
    # read once and gone: speed before size
    rows.write.mode("overwrite").option("compression", "snappy").parquet(str(night.staged(name)))
    _keep_schema(rows, night.staged(name))
    faultpoints.reach("parquet.working_table_written")


def _keep_schema(rows: DataFrame, folder: Path) -> None:
    """An engine may write no file for no rows, and a table without a file has no schema: write one that has it."""
    if not any(folder.rglob("*.parquet")):
        from pyspark.sql.pandas.types import to_arrow_schema

        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(to_arrow_schema(rows.schema).empty_table(), folder / "part.parquet")


def write(
    rows: DataFrame,
    night: Night,
    zone: Zone,
    table: str,
    *,
    sort: Sequence[str] = (),
    partitions: Iterable[str] | None = None,
    by: str | None = None,
    together: bool = False,
) -> list[Path]:
    """Write a table, or some of its partitions, into a night.

    Rows are written to a folder of their own first and then moved in, so that ``rows`` may be made from what it
    takes the place of.

    Args:
        rows: what to write.
        night: an open night.
        zone: where.
        table: the name.
        sort: order of the rows.
        partitions: with ``by``, the partitions to replace; None replaces the table.
        by: partition by this column, whose value also stays inside the files.
        together: rows of one value of ``by`` already are in one place, and are written in the order they come in.

    Returns:
        the new part files.
    """
    staged = night.path / STAGING / f"write-{uuid.uuid4().hex}"
    if by:
        rows = rows.withColumn(PARTITION, rows[by].cast("string"))
        rows = rows if together else rows.repartition(PARTITION)
        rows = rows.sortWithinPartitions(PARTITION, *sort) if sort else rows
        rows.write.partitionBy(PARTITION).parquet(str(staged))
    else:
        (rows.sort(*sort) if sort else rows).write.parquet(str(staged))
        _keep_schema(rows, staged)
    faultpoints.reach("parquet.table_written")
    return night.adopt(staged, zone, table, partitions=partitions)


def write_arrow(
    rows: pa.Table, night: Night, zone: Zone, table: str, *, sort: Sequence[str] = (), partition: str | None = None
) -> list[Path]:
    """Write a small table that the driver holds; see :func:`write`."""
    staged = night.path / STAGING / f"write-{uuid.uuid4().hex}"
    folder = staged / f"{PARTITION}={partition}" if partition else staged
    folder.mkdir(parents=True)
    if sort:
        rows = rows.sort_by([(name, "ascending") for name in sort])
    pq.write_table(rows, folder / "part.parquet", compression=COMPRESSION)
    faultpoints.reach("parquet.small_table_written")
    return night.adopt(staged, zone, table, partitions=[partition] if partition else None)


def read_arrow(night: Night, zone: Zone, table: str, schema: pa.Schema, *, partition: str | None = None) -> pa.Table:
    """A small table, or one partition of it, into the driver, without rows where it has no file."""
    parts = [part for part in night.parts(zone, table) if partition in (None, part.parent.name.partition("=")[2])]
    if not parts:
        return schema.empty_table()
    return pa.concat_tables([pq.ParquetFile(part).read(columns=schema.names) for part in parts]).cast(schema)


class Sink:
    """Arrow batches into part files as they come; a new file begins where the columns change.

    Args:
        folder: where the part files go.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = 0
        self._writer: pq.ParquetWriter | None = None
        self._count = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Append a batch."""
        if self._writer is not None and self._writer.schema != batch.schema:
            self.close()
        if self._writer is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / f"part-{self._count:05d}.parquet"
            # Arrow leaves out the bounds of a row group that holds a very long text, and Sail 0.7.2 then takes those of
            # the other groups for the whole file's: a column of "P1" to "P9" was read as "P1" throughout
            self._writer = pq.ParquetWriter(path, batch.schema, compression=COMPRESSION, write_statistics=False)
            self._count += 1
        self._writer.write_batch(batch)
        self.rows += batch.num_rows

    def close(self) -> None:
        """Finish the file at hand."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
