"""Made-up people through the linking of nights, as the step ``identity`` does it, by arrays and without a warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from jobs.definitions.identity import IDENTIFIERS
from jobs.linking import model
from jobs.linking.comparables import CONTACTS
from jobs.linking.model import Linkage
from jobs.linking.resolve import DECISIONS, LINKS, RECORDS, Night, People, in_order, prepare, resolve

_KEY = ["source", "source_customer_id"]
_KNOWN = ["content", "customer_id", "known_since"]


class Nights:
    """What nights know of records of :func:`tests.validation.people.make_people`.

    Args:
        table: the records; who they are of is not looked at.
    """

    def __init__(self, table: pa.Table) -> None:
        count = len(table)
        values = {name: table[name] if name in table.column_names else pa.nulls(count, pa.string())
                  for name in (*CONTACTS.names[1:], "loyalty_card", "payment_token")}  # fmt: skip
        self.contacts = pa.table({"place": np.arange(count), **{n: values[n] for n in CONTACTS.names[1:]}})
        hashes = {name: _hashed(values.get(name.removesuffix("_hash")), count) for name in IDENTIFIERS}
        self.records = pa.table(
            {
                "place": np.arange(count), **{name: table[name] for name in _KEY},
                "person_hash": [f"k1:{number:024x}" for number in table["record_id"].to_pylist()],
                "first_seen_on": pa.repeat(pa.scalar(date(2020, 1, 1)), count), **hashes,
                "content": pa.repeat(pa.scalar("as it is"), count),
            }
        )  # fmt: skip
        self.known = pa.table({name: pa.array([], RECORDS.field(name).type) for name in _KEY} | {
            "content": pa.array([], pa.string()), "customer_id": pa.array([], pa.string()),
            "known_since": pa.array([], pa.date32())})  # fmt: skip
        self.links = LINKS.empty_table()
        self.crowded = pa.table({"identifier": pa.array([], pa.string()), "value": pa.array([], pa.string())})

    def night(self, day: date, upto: int | None = None, fitted: Linkage | None = None, **options: Any) -> People:
        """A night over the first so many rows of the table; what it finds is known from then on."""
        with self.opened(day, upto, **options) as (database, records, night):
            found = resolve(database, records, replace(night, model=fitted))
            self.crowded = database.sql("SELECT identifier, value FROM crowded").to_arrow_table()
        self.known, self.links = found.records.select([*_KEY, *_KNOWN]), found.links
        return found

    @contextmanager
    def opened(
        self, day: date, upto: int | None = None, **options: Any
    ) -> Iterator[tuple[duckdb.DuckDBPyConnection, pa.Table, Night]]:
        """The working tables of a night, made."""
        chosen = self.records.slice(0, upto)
        before = self.known.rename_columns([*_KEY, "known_content", "known_customer_id", "known_since"])
        records = in_order(chosen.join(before, _KEY, join_type="left outer"))
        places = records["place"].combine_chunks()
        records = pa.table({f.name: records[f.name].cast(f.type) for f in RECORDS})
        contacts = self.contacts.take(places).drop_columns("place").append_column("n", pa.array(np.arange(len(places))))
        night = Night(day, **options)
        nobody = pa.table({"n": pa.array([], pa.int64())})
        with duckdb.connect() as database:
            for name, rows in (
                ("contacts", contacts.select(CONTACTS.names)), ("decisions", DECISIONS.empty_table()),
                ("reconsidered", nobody), ("busy", self.crowded.slice(0, 0)), ("crowded_before", self.crowded),
            ):  # fmt: skip
                database.register("rows_in", rows)
                database.execute(f"CREATE TABLE {name} AS FROM rows_in")
                database.unregister("rows_in")
            prepare(database, records, self.links, night)
            yield database, records, night

    def fit(self, day: date) -> Linkage:
        """The model, fitted to all records."""
        with self.opened(day) as (database, _, _):
            return model.fit(database, f"linkage-{day}")

    def people(self, found: People) -> NDArray[np.int64]:
        """The person of each of the table's first rows, by number."""
        ids = found.records["customer_id"].combine_chunks().dictionary_encode().indices
        people = pa.table({name: found.records[name] for name in _KEY} | {"person": ids})
        joined = self.records.select(["place", *_KEY]).join(people, _KEY, join_type="inner").sort_by("place")
        return np.asarray(joined["person"].to_numpy(), dtype=np.int64)


def _hashed(values: pa.ChunkedArray | None, count: int) -> pa.Array:
    """Stands for keyed hashes: who is equal stays equal."""
    return pa.nulls(count, pa.string()) if values is None else pc.binary_join_element_wise("k1", values, ":")
