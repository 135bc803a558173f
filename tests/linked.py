"""Records of a small table through the linking of a night, and on to the next."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from jobs.definitions.identity import IDENTIFIERS
from jobs.linking.comparables import CONTACTS
from jobs.linking.ledger import ALIASES, aliases, ended
from jobs.linking.model import Linkage
from jobs.linking.resolve import DECISIONS, LINKS, RECORDS, Night, People, in_order, prepare, resolve

DAY = date(2026, 6, 30)
_VALUES = tuple(field.name for field in CONTACTS if field.name != "n")


def person_hash(source: str, identifier: str) -> str:
    """Stands for the keyed hash of a record's source and source id."""
    return "k1:" + hashlib.sha256(f"{source} {identifier}".encode()).hexdigest()[:32]


def id_of(identifier: str, source: str = "crm") -> str:
    """The id that a record gives its person."""
    return "c" + person_hash(source, identifier)[3:27]


@dataclass
class Chain:
    """What a chain's nights know of records: a row is a dict of ``id``, ``source``, identifiers and contact data."""

    known: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    links: pa.Table = field(default_factory=LINKS.empty_table)
    crowded: list[tuple[str, str]] = field(default_factory=list)
    decided: set[tuple[Any, ...]] = field(default_factory=set)
    ledger: list[dict[str, Any]] = field(default_factory=list)
    aliases: pa.Table = field(default_factory=ALIASES.empty_table)

    def night(
        self,
        rows: Sequence[dict[str, Any]],
        day: date = DAY,
        *,
        decisions: Iterable[tuple[str, str, bool]] = (),
        busy: Sequence[tuple[str, str]] = (),
        max_sharing: int = 20,
        model: Linkage | None = None,
        **options: Any,
    ) -> People:
        """One night over all rows; ``decisions`` name two ids of the source ``crm`` and whether they are one person."""
        records = in_order(pa.Table.from_pylist([self._record(row) for row in rows], RECORDS))
        keys = list(zip(records["source"].to_pylist(), records["source_customer_id"].to_pylist(), strict=True))
        place = {key: n for n, key in enumerate(keys)}
        told = [{"n": place[_key(row)], **{name: row.get(name) for name in _VALUES}} for row in rows]
        pairs = {(*sorted((place["crm", a], place["crm", b])), is_link) for a, b, is_link in decisions}
        decided = [dict(zip(DECISIONS.names, (*pair, "somebody 2026-06-30"), strict=True)) for pair in pairs]
        named = {(keys[left], keys[right], is_link) for left, right, is_link in pairs}
        touched = {place[key] for pair in named ^ self.decided for key in pair[:2] if key in place}
        asked = Night(day, max_sharing, model=model, former=ended(self.aliases), **options)
        with duckdb.connect(config={"threads": 1}) as database:
            _table(database, "contacts", pa.Table.from_pylist(told, CONTACTS))
            _table(database, "decisions", pa.Table.from_pylist(decided, DECISIONS))
            _table(database, "reconsidered", pa.table({"n": pa.array(sorted(touched), pa.int64())}))
            for name, values in (("busy", busy), ("crowded_before", self.crowded)):
                columns = [pa.array([value[n] for value in values], pa.string()) for n in (0, 1)]
                _table(database, name, pa.table(columns, names=["identifier", "value"]))
            prepare(database, records, self.links, asked)
            found = resolve(database, records, asked)
            self.crowded = database.execute("SELECT identifier, value FROM crowded").fetchall()
        self.links, self.decided = found.links, named
        self.known = {_key({**row, "id": row["source_customer_id"]}): row for row in found.records.to_pylist()}
        self.aliases = aliases(self.aliases, found.events, found.records, day)
        self.ledger += [{**event, "day": day} for event in found.events.to_pylist()]
        return found

    def leads(self) -> dict[str, str]:
        """Old id -> where it leads."""
        return dict(zip(*(self.aliases[name].to_pylist() for name in ALIASES.names[:2]), strict=True))

    def people(self) -> dict[str, str]:
        """Id of each record, by its source id alone."""
        return {key[1]: row["customer_id"] for key, row in self.known.items()}

    def _record(self, row: dict[str, Any]) -> dict[str, Any]:
        before = self.known.get(_key(row), {})
        return {
            "source": row.get("source", "crm"),
            "source_customer_id": row["id"],
            "person_hash": person_hash(*_key(row)),
            "first_seen_on": row.get("first_seen_on", date(2026, 1, 1)),
            **{name: row.get(name) for name in IDENTIFIERS},
            "content": json.dumps({name: row.get(name) for name in (*IDENTIFIERS, *_VALUES)}),
            "known_content": before.get("content"),
            "known_customer_id": before.get("customer_id"),
            "known_since": before.get("known_since"),
        }


def _key(row: dict[str, Any]) -> tuple[str, str]:
    return row.get("source", "crm"), row["id"]


def _table(database: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    database.register("rows_in", rows)
    database.execute(f"CREATE TABLE {name} AS FROM rows_in")
    database.unregister("rows_in")
