"""Contact data out of the vault, for as long as records are compared; it stays in one connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import numpy as np
import pyarrow as pa

from jobs.definitions.identity import IDENTIFIERS
from jobs.linking.comparables import CONTACTS
from jobs.steps.context import Context
from jobs.storage import files

#: what a record is compared by beside its identifiers
DESCRIBED = ("name_hash", "birth_date_hash", "address_hash", "birth_year", "city")
_FIELDS = ("name", "email", "phone", "birth_date", "address")
_KEY = ("source", "source_customer_id")


@contextmanager
def opened(context: Context, records: pa.Table, described: pa.Table) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that holds ``contacts`` (see :data:`CONTACTS`) of the records, by their place.

    What does not fit into memory goes to the open night's working space, which nobody else may read.
    """
    space = context.night.staged("linking")
    files.remove_tree(space)
    space.mkdir(parents=True)
    with duckdb.connect(config={"temp_directory": str(space)}) as database:
        database.register("described_in", described)
        database.register("numbered_in", records.select(_KEY).append_column("n", pa.array(np.arange(len(records)))))
        database.execute(
            "CREATE TABLE told AS SELECT n, d.* EXCLUDE (source, source_customer_id) FROM numbered_in"
            " JOIN described_in AS d USING (source, source_customer_id)"
        )
        database.execute(_contacts(_vault(context)))
        for view in ("described_in", "numbered_in"):
            database.unregister(view)
        database.execute("DROP TABLE told")
        yield database
    files.remove_tree(space)


def content(described: pa.Table) -> pa.Array:
    """Of each record a hash of all that it is compared by."""
    names = ", ".join((*IDENTIFIERS, *DESCRIBED))
    with duckdb.connect() as database:
        database.register("described_in", described)
        return database.sql(f"SELECT md5({{{_struct(names)}}}::VARCHAR) AS c FROM described_in").to_arrow_table()["c"]


def _struct(names: str) -> str:
    return ", ".join(f"'{name}': {name}" for name in names.split(", "))


def _vault(context: Context) -> str | None:
    """SQL: what the vault holds in a normal form: field, hash, normalised; None if it holds nothing."""
    night = context.night
    if not any(night.parts("vault", table) for table in night.tables("vault")):
        return None
    return f"read_parquet('{night.path / 'vault'}/*/*/*.parquet', hive_partitioning = false)"


def _contacts(vault: str | None) -> str:
    if vault is None:
        columns = ", ".join(
            f"NULL::{'BIGINT' if field.name == 'n' else 'VARCHAR'} AS {field.name}" for field in CONTACTS
        )
        return f"CREATE TABLE contacts AS SELECT {columns} LIMIT 0"
    asked = " UNION ".join(f"SELECT '{one}' AS field, {one}_hash AS hash FROM told" for one in _FIELDS)
    values = {one: f"{one}.normalised" for one in _FIELDS} | {
        "birth_date": "coalesce(birth_date.normalised, birth_year::VARCHAR)"
    }
    found = ", ".join(f"{values[one]} AS {one}" for one in _FIELDS)
    joins = " ".join(
        f"LEFT JOIN found AS {one} ON {one}.field = '{one}' AND {one}.hash = {one}_hash" for one in _FIELDS
    )
    return (
        f"CREATE TABLE contacts AS WITH asked AS ({asked}), found AS (SELECT field, hash, any_value(normalised) AS"
        f" normalised FROM {vault} SEMI JOIN asked USING (field, hash) GROUP BY ALL)"
        f" SELECT n, {found}, city FROM told {joins}"
    )
