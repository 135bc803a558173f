"""The reference: customer_features of a night in DuckDB's SQL alone, and what tells the pipeline's from it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import duckdb
import holidays
import pyarrow as pa

from jobs.definitions.features import FEATURES
from jobs.definitions.published import CUSTOMER_FEATURES
from jobs.settings import Settings
from jobs.storage.night import Night
from jobs.storage.parquet import COMPRESSION
from tests.bench.clean_night import DUCKDB_TYPES, parquet

HERE = Path(__file__).parent
#: the columns that the reference has; those of optional feeds are null without a feed
COMPUTED = ("customer_id", "snapshot_date", *(feature.name for feature in FEATURES if not feature.feed))
OF_FEEDS = tuple(feature.name for feature in FEATURES if feature.feed)
#: doubles are rounded to six decimals
LAST_DECIMAL = 1.000001e-6


def compute(night: Night, settings: Settings, out: Path, *, memory: str = "1GiB", threads: int = 2) -> None:
    """Write customer_features, without the columns of optional feeds, to the Parquet file ``out``.

    Args:
        night: its clean tables and identities are read, nothing else.
        settings: zone, country and own calendar of the chain.
        out: a file in a folder of its own.
        memory: DuckDB's bound; what does not fit lies on disk beside ``out``.
        threads: how many.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    database = out.with_suffix(".duckdb")
    database.unlink(missing_ok=True)
    with duckdb.connect(database) as connection:
        connection.execute(
            f"SET memory_limit = '{memory}'; SET threads = {threads}; SET temp_directory = '{out.parent / 'spilled'}';"
            "SET preserve_insertion_order = false; SET TimeZone = 'UTC'"
        )
        _read(connection, night, settings)
        connection.execute((HERE / "features.sql").read_text())
        known = {name for name, *_ in connection.execute("DESCRIBE feature").fetchall()}
        if missing := [name for name in COMPUTED if name not in known]:
            raise LookupError(f"{HERE / 'features.sql'} computes no {', '.join(missing)}")
        types = {column.name: DUCKDB_TYPES.get(column.type, column.type) for column in CUSTOMER_FEATURES.columns}
        columns = ", ".join(f"CAST({name} AS {types[name]}) AS {name}" for name in COMPUTED)
        connection.execute(
            f"COPY (SELECT {columns} FROM feature ORDER BY customer_id) TO '{out}'"
            f" (FORMAT parquet, COMPRESSION {COMPRESSION})"
        )
    database.unlink()


def _read(connection: duckdb.DuckDBPyConnection, night: Night, settings: Settings) -> None:
    for table in ("orders", "order_lines", "customers", "products", "stores"):
        connection.execute(f"CREATE TEMP VIEW clean_{table} AS FROM {parquet(night, 'clean', table)}")
    for name, table in (("record", "records"), ("identifier", "identifiers")):
        connection.execute(f"CREATE TEMP VIEW {name} AS FROM {parquet(night, 'identity', table)}")
    first = min(night.partitions("clean", "orders"))[:4]
    public = sorted(holidays.country_holidays(settings.country, years=range(int(first), night.date.year + 1)))
    own = [
        start + timedelta(days=n)
        for ranges in settings.own_calendar.values()
        for start, end in ranges
        for n in range((end - start).days + 1)
    ]
    for name, days in (("holiday", public), ("own_day", own)):
        connection.register(name, pa.table({"business_date": pa.array(days, pa.date32())}))
    connection.execute("SET VARIABLE snapshot_date = ?", [night.date])
    connection.execute("SET VARIABLE time_zone = ?", [settings.time_zone])


def differences(expected: Path, published: Path, engine: str) -> dict[str, int]:
    """What differs, and for how many customers; {} where everything is equal.

    Sail may round a half the other way (docs/how-to/engines.md): of it a double may differ in its last decimal.

    Args:
        expected: the file that :func:`compute` wrote.
        published: the folder of the published customer_features.
        engine: which one published.
    """
    doubles = [column.name for column in CUSTOMER_FEATURES.columns if column.type == "DOUBLE" and engine == "sail"]

    def differs(name: str) -> str:
        ours, theirs = f"ours.{name}", f"theirs.{name}"
        if name not in doubles:
            return f"{ours} IS DISTINCT FROM {theirs}"
        return f"({ours} IS NULL) <> ({theirs} IS NULL) OR abs({ours} - {theirs}) > {LAST_DECIMAL}"

    checks = [
        'count(*) FILTER (WHERE theirs.customer_id IS NULL) AS "not published"',
        'count(*) FILTER (WHERE ours.customer_id IS NULL) AS "published and not expected"',
        'count(*) - count(DISTINCT coalesce(ours.customer_id, theirs.customer_id)) AS "customers twice"',
        *(f"count(*) FILTER (WHERE {differs(name)}) AS {name}" for name in COMPUTED),
        *(f"count(theirs.{name}) AS {name}" for name in OF_FEEDS),
    ]
    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT {', '.join(checks)} FROM read_parquet('{expected}') AS ours"
            f" FULL JOIN read_parquet('{published}/*.parquet') AS theirs USING (customer_id)"
        )
        names = [column[0] for column in found.description or ()]
        counts = dict(zip(names, found.fetchall()[0], strict=True))
    return {name: count for name, count in counts.items() if count}
