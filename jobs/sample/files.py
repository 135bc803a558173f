"""How the example businesses write: receipt files, SQLite databases, a folder swept of an earlier layout."""

from __future__ import annotations

import gzip
import io
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

#: nights whose receipts come as one plain file per store and day instead of a bundle
DAILY_NIGHTS = 4
#: table -> column -> SQLite type with its constraints
Schema = Mapping[str, Mapping[str, str]]
#: stands in a schema among the columns for a key of several columns
PRIMARY_KEY = "PRIMARY KEY"


def utc_text(instant: datetime) -> str:
    """ISO 8601 with whole seconds and ``Z``, which sorts as text like the instants."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_seconds_text(seconds: int) -> str:
    """The same for seconds since 1970."""
    return utc_text(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))


def sweep(out: Path) -> Path:
    """Make the folder, and remove what an earlier layout left there and nothing else."""
    (out / "pos").mkdir(parents=True, exist_ok=True)
    for pattern in ("crm.sqlite*", "online.sqlite*", "pos/receipts_*.csv*", "truth/dirt.csv"):
        for path in out.glob(pattern):
            path.unlink()
    return out


def write_bundle(receipts: pa.Table, folder: Path, period: str) -> None:
    """Write ``receipts_<period>.csv.gz``, one row per receipt line.

    The gzip header holds no name and no time, so equal receipts are equal bytes.
    """
    with (
        (folder / f"receipts_{period}.csv.gz").open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as packed,
    ):
        packed.write(_header(receipts))
        for batch in receipts.to_batches(max_chunksize=200_000):
            packed.write(csv_rows(pa.Table.from_batches([batch])))


def write_store_days(receipts: pa.Table, folder: Path, day: str) -> None:
    """Write ``receipts_<store>_<day>.csv`` for each store that sold something that day."""
    by_store = receipts.take(pc.sort_indices(receipts["store_id"]))
    stores, starts = np.unique(by_store["store_id"].to_numpy(zero_copy_only=False), return_index=True)
    for store, start, end in zip(stores, starts, np.append(starts, len(by_store))[1:], strict=True):
        name = folder / f"receipts_{store}_{day}.csv"
        name.write_bytes(_header(receipts) + csv_rows(by_store.slice(start, end - start)))


def _header(table: pa.Table) -> bytes:
    return (",".join(table.column_names) + "\n").encode()


def csv_rows(table: pa.Table) -> bytes:
    """A table as CSV without a header; nothing is quoted, and a value that would need it is an error."""
    sink = io.BytesIO()
    csv.write_csv(table, sink, csv.WriteOptions(include_header=False, quoting_style="none"))
    return sink.getvalue()


def money(cents: np.ndarray[Any, Any]) -> pa.Array:
    """Hundredths as decimals with two places, exactly."""
    whole = pa.array(cents.astype(np.int64)).cast(pa.decimal128(19, 0))
    return pc.multiply(whole, pa.scalar(Decimal("0.01")))


def write_database(path: Path, schema: Schema, rows: Mapping[str, Iterable[tuple[Any, ...]]]) -> None:
    """Create a SQLite database in one transaction: no write-ahead log, so that it is a single file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        for table, columns in schema.items():
            _write_table(connection, table, columns, rows.get(table, ()))
        connection.execute("COMMIT")


def append_rows(path: Path, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Add rows to a table of an existing database, in one transaction."""
    if rows:
        with closing(sqlite3.connect(path)) as connection, connection:
            places = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({places})", rows)


def _write_table(
    connection: sqlite3.Connection,
    table: str,
    columns: Mapping[str, str],
    rows: Iterable[tuple[Any, ...]],
) -> None:
    declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    connection.execute(f"CREATE TABLE {table} ({declared})")
    places = ", ".join("?" for name in columns if name != PRIMARY_KEY)
    connection.executemany(f"INSERT INTO {table} VALUES ({places})", rows)
    if "updated_at" in columns:
        connection.execute(f"CREATE INDEX {table}_updated_at ON {table} (updated_at)")
