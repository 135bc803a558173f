"""Records of every source -> people with ids that last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from jobs.steps.context import Context
from jobs.storage.parquet import read_arrow, write_arrow
from jobs.transforms.identity import IDENTIFIERS, RECORDS, People, resolve

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

#: identity/records: RECORDS without the identifiers; one row per (source, source_customer_id)
KEPT = pa.schema([field for field in RECORDS if field.name not in IDENTIFIERS])
#: identity/identifiers: one row per (name, hash) that leads to exactly one person
IDENTIFIER = pa.schema([(name, pa.string()) for name in ("name", "hash", "customer_id")])
ALIASES = pa.schema(
    [
        ("old_customer_id", pa.string()),
        ("customer_id", pa.string()),
        ("event", pa.string()),
        ("effective_on", pa.date32()),
    ]
)
LEDGER = pa.schema(
    [
        ("event_id", pa.string()), ("event", pa.string()), ("old_customer_id", pa.string()),
        ("new_customer_id", pa.string()), ("occurred_on", pa.date32()), ("cause", pa.string()),
    ]
)  # fmt: skip


def run(context: Context) -> dict[str, Any]:
    """Resolve every record known tonight.

    Returns:
        counts of records, people, new people, merges and dropped identifiers.
    """
    night = context.night
    night.restore(context.base, "identity")
    before = read_arrow(night, "identity", "records", KEPT)
    records = _records(context, before)
    people = resolve(records, context.day)
    write_arrow(people.records.select(KEPT.names), night, "identity", "records", sort=["source", "source_customer_id"])
    write_arrow(_identifiers(people), night, "identity", "identifiers", sort=["name", "hash"])
    _write_merges(context, people)
    known = set(before["known_customer_id"].to_pylist())
    ids = set(people.records["known_customer_id"].to_pylist())
    counts = {
        "records": people.records.num_rows,
        "people": len(ids),
        "new_people": len(ids - known),
        "merged": people.merged.num_rows,
        "identifiers_dropped": people.dropped_identifiers,
    }
    night.record("identity", counts)
    return counts


def _records(context: Context, before: pa.Table) -> pa.Table:
    """Everyone any source knows by an id of its own: registered people, and buyers that only orders name."""
    customers, orders = context.clean("customers"), context.clean("orders")
    found = _registered(customers).unionByName(_buyers(orders, customers)).toArrow()
    joined = found.join(before, ["source", "source_customer_id"], join_type="left outer", right_suffix="_before")
    return pa.table({field.name: joined[field.name].cast(field.type) for field in RECORDS})


def _registered(customers: DataFrame) -> DataFrame:
    return customers.select(
        "source",
        "source_customer_id",
        F.col("_person_hash").alias("person_hash"),
        F.coalesce(F.to_date("registered_at"), "_landed").alias("first_seen_on"),
        *IDENTIFIERS,
    )


def _buyers(orders: DataFrame, customers: DataFrame) -> DataFrame:
    named = orders.where("source_customer_id IS NOT NULL").groupBy("source", "source_customer_id")
    firsts = named.agg(
        F.max("_person_hash").alias("person_hash"),
        F.min("business_date").alias("first_seen_on"),
        *(F.max(name).alias(name) for name in IDENTIFIERS),
    )
    return firsts.join(customers.select("source", "source_customer_id"), ["source", "source_customer_id"], "left_anti")


def _identifiers(people: People) -> pa.Table:
    parts = []
    for name in IDENTIFIERS:
        pairs = pa.table({"hash": people.records[name], "customer_id": people.records["known_customer_id"]})
        pairs = pairs.filter(pc.is_valid(pairs["hash"])).group_by(["hash", "customer_id"]).aggregate([])
        owners = pairs.group_by("hash").aggregate([("customer_id", "count"), ("customer_id", "max")])
        single = owners.filter(pc.equal(owners["customer_id_count"], 1))
        parts.append(
            pa.table([pa.array([name] * single.num_rows, pa.string()), single["hash"], single["customer_id_max"]],
                     schema=IDENTIFIER)
        )  # fmt: skip
    return pa.concat_tables(parts)


def _write_merges(context: Context, people: People) -> None:
    day, count = pa.scalar(context.day, pa.date32()), people.merged.num_rows
    old, new = people.merged["old_customer_id"], people.merged["customer_id"]
    fresh = pa.table([old, new, ["merged"] * count, pa.repeat(day, count)], schema=ALIASES)
    aliases = pa.concat_tables([read_arrow(context.night, "identity", "aliases", ALIASES), fresh])
    write_arrow(aliases, context.night, "identity", "aliases", sort=["old_customer_id"])
    ids = pa.array([f"{context.day}:merged:{one}" for one in old.to_pylist()], pa.string())
    events = pa.table(
        [ids, ["merged"] * count, old, new, pa.repeat(day, count), ["shared identifier"] * count], schema=LEDGER
    )
    ledger = pa.concat_tables([read_arrow(context.night, "identity", "ledger", LEDGER), events])
    write_arrow(ledger, context.night, "identity", "ledger", sort=["event_id"])
