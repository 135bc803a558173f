"""A night as the steps before ``features`` leave it, of any size: clean tables and who is who, made by DuckDB.

What a row holds follows from hashes of its number (``clean_night.sql``), so a chain is the same wherever and in
whatever order it is made; one business date at a time is in memory. A customer has 20 order lines a year, some have
many and some none. They buy at the till with a card, in the web shop, in both, by telephone; some sales are nobody's.
Orders are cancelled and paid back; party sizes, costs, brands, categories and consents are missing here and there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from jobs.definitions import clean
from jobs.definitions.identity import IDENTIFIERS
from jobs.linking.ledger import ALIASES, LEDGER
from jobs.steps.identity import KEPT
from jobs.storage.night import PARTITION, STAGING, Night, Zone
from jobs.storage.parquet import COMPRESSION, write_arrow

HERE = Path(__file__).parent
YEAR = 365
LINES_A_CUSTOMER = 20
LINES_AN_ORDER = 5
#: of so many people one joins on each night after the first
JOIN_ONE_OF = 3000
FIRST_NIGHT = date(2026, 6, 29)
#: places on a day from which on orders are late ones
LATE_PLACES = 5_000_000
MEMORY = "1GB"
DUCKDB_TYPES = {"STRING": "VARCHAR", "TIMESTAMP": "TIMESTAMPTZ"}


@dataclass(frozen=True)
class Chain:
    """How large a chain is, and for how long it has been there on its first night.

    Args:
        lines: order lines in 365 days.
        days: days of history on the first night.
        seed: another seed, another chain.
    """

    lines: int
    days: int = YEAR
    seed: int = 1

    @property
    def people(self) -> int:
        """Who is known on the first night; the same number whatever the history."""
        return max(self.lines // LINES_A_CUSTOMER, 1)

    @property
    def dates(self) -> list[date]:
        """Business dates of the history."""
        return [FIRST_NIGHT - timedelta(days=back) for back in reversed(range(self.days))]

    @property
    def variables(self) -> dict[str, Any]:
        """What ``clean_night.sql`` asks for."""
        return {
            "seed": self.seed,
            "people": self.people,
            "first_night": FIRST_NIGHT,
            "new_people": max(self.people // JOIN_ONE_OF, 1),
            "orders_a_day": self.lines / YEAR / LINES_AN_ORDER,
        }


def make(night: Night, chain: Chain) -> None:
    """Fill an open night that has no base with all history of a chain."""
    with _drawing(night, chain) as connection:
        for table in ("products", "stores"):
            _write(connection, night, table, f"all_{table}()")
        _write_days(connection, night, {day: [(0, _orders_on(connection, day))] for day in chain.dates})
        _write_people(connection, night, None)


def add_day(night: Night, base: Night, chain: Chain) -> None:
    """Add the date of an open night to what it was started with: its orders, and who joined."""
    with _drawing(night, chain) as connection:
        _write_days(connection, night, {night.date: [(0, _orders_on(connection, night.date))]})
        _write_people(connection, night, base)


def add_late(night: Night, chain: Chain, *, orders: int, days: int) -> list[date]:
    """Write the dates before an open night's own anew, each with its part of orders that come only now.

    Returns:
        the dates.
    """
    dates = [night.date - timedelta(days=back) for back in range(days, 0, -1)]
    with _drawing(night, chain) as connection:
        parts = {
            day: [
                (0, _orders_on(connection, day)),
                (LATE_PLACES, LATE_PLACES + orders // days + (number < orders % days)),
            ]
            for number, day in enumerate(dates)
        }
        _write_days(connection, night, parts)
    return dates


@contextmanager
def _drawing(night: Night, chain: Chain) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with the chain's macros and little memory."""
    scratch = night.staged("drawing")
    scratch.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"SET TimeZone = 'UTC'; SET memory_limit = '{MEMORY}'; SET temp_directory = '{scratch}'")
        for name, value in {**chain.variables, "landed": night.date}.items():
            connection.execute(f"SET VARIABLE {name} = ?", [value])
        connection.execute((HERE / "clean_night.sql").read_text())
        yield connection


def _orders_on(connection: duckdb.DuckDBPyConnection, day: date) -> int:
    (count,) = connection.execute("SELECT orders_on(?)", [day]).fetchall()[0]
    return int(count)


def _write_days(
    connection: duckdb.DuckDBPyConnection, night: Night, parts: Mapping[date, list[tuple[int, int]]]
) -> None:
    """Replace partitions of orders and order lines, one file each.

    Args:
        connection: see :func:`_drawing`.
        night: an open night.
        parts: business date -> first and last place, exclusive, of orders that stand on it.
    """
    for table, macro in (("orders", "orders_of"), ("order_lines", "lines_of")):
        staged = night.path / STAGING / f"drawn-{table}"
        columns = _declared(connection, f"{macro}(DATE '{night.date}', 0, 1)", table)
        key = ", ".join(clean.BY_NAME[table].key)
        for day, places in parts.items():
            folder = staged / f"{PARTITION}={day}"
            folder.mkdir(parents=True)
            rows = " UNION ALL ".join(f"FROM {macro}(DATE '{day}', {first}, {last})" for first, last in places)
            _copy(connection, f"({rows}) ORDER BY {key}", columns, folder / "part.parquet")
        night.adopt(staged, "clean", table, partitions=[str(day) for day in parts])


def _write_people(connection: duckdb.DuckDBPyConnection, night: Night, base: Night | None) -> None:
    _write(connection, night, "customers", f"customers_on(DATE '{night.date}')")
    for table in ("customers", "orders"):
        connection.execute(f"CREATE VIEW clean_{table} AS FROM {parquet(night, 'clean', table)}")
    before = "before AS SELECT NULL::VARCHAR AS source, NULL::VARCHAR AS source_customer_id, "
    before += "NULL::VARCHAR AS known_customer_id, NULL::DATE AS known_since, NULL::VARCHAR AS linked_by LIMIT 0"
    if base is not None:
        before = f"before AS FROM {parquet(base, 'identity', 'records')}"
    connection.execute(f"CREATE VIEW {before}")
    connection.execute("SET VARIABLE night = ?", [night.date])
    connection.execute((HERE / "clean_night_people.sql").read_text())
    kept = ", ".join(KEPT.names)
    _adopt(connection, night, "identity", "records", f"SELECT {kept} FROM record ORDER BY source, source_customer_id")
    each = " UNION ALL ".join(
        f"SELECT '{name}' AS name, {name} AS hash, min(known_customer_id) AS customer_id FROM record"
        f" WHERE {name} IS NOT NULL GROUP BY {name} HAVING count(DISTINCT known_customer_id) = 1"
        for name in IDENTIFIERS
    )
    _adopt(connection, night, "identity", "identifiers", f"SELECT * FROM ({each}) ORDER BY name, hash")
    for name, schema in (("aliases", ALIASES), ("ledger", LEDGER)):
        write_arrow(schema.empty_table(), night, "identity", name)


def parquet(night: Night, zone: Zone, table: str) -> str:
    """What DuckDB reads for a table of a night."""
    return f"read_parquet('{night.table(zone, table)}/**/*.parquet', hive_partitioning = false)"


def _write(connection: duckdb.DuckDBPyConnection, night: Night, table: str, rows: str) -> None:
    """Replace a clean table that has no partitions."""
    staged = night.path / STAGING / f"drawn-{table}"
    staged.mkdir(parents=True)
    columns = _declared(connection, rows, table)
    _copy(connection, f"{rows} ORDER BY {', '.join(clean.BY_NAME[table].key)}", columns, staged / "part.parquet")
    night.adopt(staged, "clean", table)


def _adopt(connection: duckdb.DuckDBPyConnection, night: Night, zone: Zone, table: str, query: str) -> None:
    staged = night.path / STAGING / f"drawn-{table}"
    staged.mkdir(parents=True)
    connection.execute(f"COPY ({query}) TO '{staged / 'part.parquet'}' (FORMAT parquet, COMPRESSION {COMPRESSION})")
    night.adopt(staged, zone, table)


def _copy(connection: duckdb.DuckDBPyConnection, rows: str, columns: str, path: Path) -> None:
    connection.execute(f"COPY (SELECT {columns} FROM {rows}) TO '{path}' (FORMAT parquet, COMPRESSION {COMPRESSION})")


def _declared(connection: duckdb.DuckDBPyConnection, rows: str, table: str) -> str:
    """What to select of drawn rows: a clean table's columns; what is not drawn is null."""
    drawn = {row[0] for row in connection.execute(f"DESCRIBE FROM {rows}").fetchall()}
    columns = clean.table(table)
    unknown = drawn - {column.name for column in columns}
    if unknown:
        raise ValueError(f"{table}: drawn and not declared: {', '.join(sorted(unknown))}")
    return ", ".join(
        f"CAST({c.name if c.name in drawn else 'NULL'} AS {DUCKDB_TYPES.get(c.type, c.type)}) AS {c.name}"
        for c in columns
    )
