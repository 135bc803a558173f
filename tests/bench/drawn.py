"""A chain of any size as its source systems have it: members in a database, receipts and web orders in files by day.

The rows of :mod:`tests.bench.clean_night`, written as sources write them, contact data in the clear; what a source says
of its rows' origin is left out. Nobody in it is real.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path

import duckdb

from tests.bench.clean_night import FIRST_NIGHT, MEMORY, Chain
from tests.support import Business

HERE = Path(__file__).parent
CONFIG = HERE / "drawn.toml"
NIGHTS = (FIRST_NIGHT, FIRST_NIGHT + timedelta(days=1))
#: names are put together of so many given and family names
GIVEN, FAMILY = 2_000, 15_000
#: what a hashed column holds here in the place of its hash
_CONTACTS = """
CREATE OR REPLACE MACRO syllables(number) AS
    ['ba', 'be', 'do', 'fa', 'gi', 'ka', 'lo', 'me', 'na', 'po', 'ra', 'su', 'ti', 'vo', 'wi', 'zu'][1 + number % 16]
    || ['l', 'n', 'r', 's', 'm'][1 + number // 16 % 5]
    || ['a', 'e', 'i', 'o'][1 + number // 80 % 4] || ['n', 'r', 't', 'l', 's', 'k'][1 + number // 320 % 6]
    || ['', 'er', 'in', 'o', 'us', 'ek', 'ley', 'son'][1 + number // 1920];
CREATE OR REPLACE MACRO name_of(told) AS
    syllables(pick(told, 'given', {given})) || ' ' || syllables(pick(told, 'family', {family}));
CREATE OR REPLACE MACRO pseudonym(domain, told) AS CASE domain
    WHEN 'name' THEN name_of(regexp_extract(told, '[0-9]+'))
    WHEN 'email' THEN 'drawn' || told || '@example.com'
    WHEN 'phone' THEN '+1212' || lpad(told, 7, '0')
    WHEN 'loyalty_card' THEN 'C' || replace(told, ' ', '')
END;
"""
_PEOPLE = """
SELECT source_customer_id AS member_id, name_hash AS full_name, email_hash AS email, phone_hash AS phone,
    loyalty_card_hash AS card_number, registered_at, birth_year, birth_month, age_band, gender, city, region,
    income_band, education, occupation, marital_status, household_size, kids_count, marketing_consent,
    profiling_consent, greatest(updated_at, coalesce(registered_at, updated_at)) AS updated_at
FROM customers_on(DATE '{day}') WHERE source = '{source}' AND _landed >= DATE '{since}'
"""
_SALES = """
SELECT o.order_id, o.source_customer_id AS account_id, o.loyalty_card_hash AS card_number, o.phone_hash AS phone,
    o.email_hash AS email, o.store_id, o.channel, o.fulfilment, o.ordered_at, o.party_size, o.status, o.coupon_id,
    l.line_id, l.product_id, l.quantity, l.gross, l.discount, l.coupon_discount, l.refunded, l.unit_cost, o.updated_at
FROM orders_of(DATE '{day}', 0, orders_on(DATE '{day}')) AS o
JOIN lines_of(DATE '{day}', 0, orders_on(DATE '{day}')) AS l USING (source, order_id)
WHERE source = '{source}'
"""


@contextmanager
def drawn(place: Path, chain: Chain) -> Iterator[Business]:
    """Write a chain's sources below ``place``: all history and the day after it."""
    place.mkdir(parents=True)
    with duckdb.connect() as connection, closing(sqlite3.connect(place / "crm.sqlite")) as crm:
        connection.execute(f"SET TimeZone = 'UTC'; SET memory_limit = '{MEMORY}'; SET preserve_insertion_order = false")
        for name, value in {**chain.variables, "landed": FIRST_NIGHT}.items():
            connection.execute(f"SET VARIABLE {name} = ?", [value])
        connection.execute((HERE / "clean_night.sql").read_text())
        connection.execute(_CONTACTS.format(given=GIVEN, family=FAMILY))
        for table, rows in _tables().items():
            _store(connection, crm, table, rows)
        for day in (*chain.dates, NIGHTS[-1]):
            for source, feed in (("pos", "receipts"), ("online", "orders")):
                path = place / source / f"{feed}_{day}.csv"
                path.parent.mkdir(exist_ok=True)
                connection.execute(f"COPY ({_SALES.format(day=day, source=source)}) TO '{path}' (HEADER)")
        for day, since in ((NIGHTS[0], date.min), (NIGHTS[1], NIGHTS[1])):
            rows = _PEOPLE.format(day=day, since=since, source="online")
            connection.execute(f"COPY ({rows}) TO '{place / 'online' / f'accounts_{day}.csv'}' (HEADER)")
    yield Business(place, host="", nights=NIGHTS)


def _tables() -> dict[str, str]:
    return {
        "members": _PEOPLE.format(day=NIGHTS[-1], since=date.min, source="crm"),
        "products": "SELECT product_id, category, department, brand, name, updated_at FROM all_products()",
        "stores": "SELECT store_id, name, region, city, city_tier, climate, updated_at FROM all_stores()",
    }


def _store(connection: duckdb.DuckDBPyConnection, crm: sqlite3.Connection, table: str, rows: str) -> None:
    """Copy a query's rows into a table of the database, each value as text."""
    found = connection.sql(f"SELECT columns(*)::VARCHAR FROM ({rows})")
    crm.execute(f"CREATE TABLE {table} ({', '.join(found.columns)})")
    insert = f"INSERT INTO {table} VALUES ({', '.join('?' * len(found.columns))})"
    for batch in found.to_arrow_reader(50_000):
        crm.executemany(insert, zip(*(column.to_pylist() for column in batch.columns), strict=True))
    crm.commit()
