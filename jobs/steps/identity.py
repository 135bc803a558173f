"""Records of every source -> people with ids that last."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from jobs.definitions.identity import IDENTIFIERS
from jobs.linking.ledger import ALIASES, LEDGER, aliases, ended, ledger
from jobs.linking.resolve import LINKS, RECORDS, Night, People, in_order, prepare, resolve
from jobs.steps import contacts, crowds, decisions, linkage
from jobs.steps.context import Context
from jobs.storage.parquet import read_arrow, write_arrow

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

#: identity/records: one row per (source, source_customer_id)
KEPT = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("source", "source_customer_id", "person_hash")),
        pa.field("first_seen_on", pa.date32()),
        pa.field("content", pa.string()),  # hash of all that it is compared by
        pa.field("known_customer_id", pa.string()),
        pa.field("known_since", pa.date32()),
        pa.field("linked_by", pa.string()),  # the strongest link to another record of its person
        pa.field("score", pa.float64()),  # of that link, where a model made it
    ]
)
#: identity/identifiers: one row per (name, hash) that leads to exactly one person
IDENTIFIER = pa.schema([(name, pa.string()) for name in ("name", "hash", "customer_id")])
#: by what rules exact links are found; another name looks at every record again
_RULES = "links-1"
_KEY = ("source", "source_customer_id")


def run(context: Context) -> dict[str, Any]:
    """Resolve every record known tonight.

    Returns:
        counts of records, people, merges, splits and links, identifiers that too many share, and what a person may want
        to look at.

    Raises:
        UsageError: the file of decisions cannot be read.
    """
    night, settings = context.night, context.settings.identity
    night.restore(context.base, "identity")
    before = read_arrow(night, "identity", "records", KEPT)
    described = _described(context)
    records = in_order(_records(described, before))
    made = hashlib.sha256(repr((_RULES, settings.max_sharing, settings.max_orders_a_day)).encode()).hexdigest()[:16]
    again = context.full or context.base is None or context.base.records().get("identity", {}).get("made") != made
    with contacts.opened(context, records, described) as database:
        unknown = decisions.fill(context, database, records)
        crowds.fill(context, database, every_date=again)
        former = ended(read_arrow(night, "identity", "aliases", ALIASES))
        asked = Night(context.day, settings.max_sharing, settings.match_probability, looks_at_all=again, former=former)
        prepare(database, records, read_arrow(night, "identity", "links", LINKS), asked)
        model, reason = linkage.tonights(context, database)
        is_new = model is not None and model.version != linkage.version_of(context.base)
        people = resolve(database, records, replace(asked, model=model, asks_all=is_new))
        crowds.keep(context, database)
    _write(context, people)
    record = {
        **people.counts, "made": made, "crowded": people.crowded, "alarms": people.alarms,
        "linkage": {"version": model.version if model else None, "not_fitted": reason},
        "weakest_link": people.weakest, "warnings": _warnings(people, unknown),
    }  # fmt: skip
    night.record("identity", record)
    return record


def _warnings(people: People, unknown: int) -> list[str]:
    """What a person should know of."""
    found = [
        f"{one['values']} {name.removesuffix('_hash').replace('_', ' ')} shared by too many: links nobody"
        f" ({one['records']} records), and receipts that show it alone are guests'"
        for name, one in people.crowded.items()
    ]
    return found + ([f"{unknown} of identity.decisions name a record that no source has"] if unknown else [])


def _described(context: Context) -> pa.Table:
    """Everyone any source knows by an id of its own: registered people, and buyers that only orders name.

    One row per record: RECORDS without what was known before, and hashes of name, birth date and address, birth year
    and city.
    """
    customers, orders = context.clean("customers"), context.clean("orders")
    return _registered(customers).unionByName(_buyers(orders, customers), allowMissingColumns=True).toArrow()


def _registered(customers: DataFrame) -> DataFrame:
    return customers.select(
        *_KEY,
        F.col("_person_hash").alias("person_hash"),
        F.coalesce(F.to_date("registered_at"), "_landed").alias("first_seen_on"),
        *IDENTIFIERS,
        *contacts.DESCRIBED,
    )


def _buyers(orders: DataFrame, customers: DataFrame) -> DataFrame:
    named = orders.where("source_customer_id IS NOT NULL").groupBy(*_KEY)
    firsts = named.agg(
        F.max("_person_hash").alias("person_hash"),
        F.min("business_date").alias("first_seen_on"),
        *(F.max(name).alias(name) for name in IDENTIFIERS),
    )
    return firsts.join(customers.select(*_KEY), [*_KEY], "left_anti")


def _records(described: pa.Table, before: pa.Table) -> pa.Table:
    """RECORDS of tonight, with what the night before knew of them."""
    told = described.append_column("content", contacts.content(described))
    known = before.select([*_KEY, "content", "known_customer_id", "known_since"])
    known = known.rename_columns({"content": "known_content"})
    joined = told.join(known, [*_KEY], join_type="left outer")
    return pa.table({field.name: joined[field.name].cast(field.type) for field in RECORDS})


def _write(context: Context, people: People) -> None:
    night, records = context.night, people.records.rename_columns({"customer_id": "known_customer_id"})
    write_arrow(records.select(KEPT.names), night, "identity", "records", sort=_KEY)
    write_arrow(people.links, night, "identity", "links")
    write_arrow(_identifiers(context, people.records), night, "identity", "identifiers", sort=["name", "hash"])
    _write_events(context, people)


def _identifiers(context: Context, records: pa.Table) -> pa.Table:
    parts = []
    for name in IDENTIFIERS:
        pairs = pa.table({"hash": records[name], "customer_id": records["customer_id"]})
        pairs = pairs.filter(pc.is_valid(pairs["hash"])).group_by(["hash", "customer_id"]).aggregate([])
        owners = pairs.group_by("hash").aggregate([("customer_id", "count"), ("customer_id", "max")])
        single = owners.filter(pc.equal(owners["customer_id_count"], 1))
        single = single.filter(pc.invert(pc.is_in(single["hash"], crowds.values(context, name))))
        parts.append(
            pa.table([pa.array([name] * single.num_rows, pa.string()), single["hash"], single["customer_id_max"]],
                     schema=IDENTIFIER)
        )  # fmt: skip
    return pa.concat_tables(parts)


def _write_events(context: Context, people: People) -> None:
    """Keep tonight's events, and where ids that somebody may still hold lead to."""
    night, events = context.night, people.events
    known = ledger(read_arrow(night, "identity", "ledger", LEDGER), events, context.day)
    write_arrow(known, night, "identity", "ledger", sort=["event_id"])
    lead = aliases(read_arrow(night, "identity", "aliases", ALIASES), events, people.records, context.day)
    write_arrow(lead, night, "identity", "aliases", sort=["old_customer_id"])
