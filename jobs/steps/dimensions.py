"""The dimension tables and the restricted crosswalk."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa

from jobs.definitions import published as p
from jobs.linking.ledger import ALIASES, LEDGER
from jobs.steps.context import Context
from jobs.steps.identity import KEPT
from jobs.steps.models import Models
from jobs.steps.publishing import publish, publish_arrow, published
from jobs.storage.parquet import read_arrow
from jobs.storage.schemas import arrow_schema
from jobs.transforms import dimensions


def run(context: Context) -> dict[str, Any]:
    """Write every dimension.

    Returns:
        nothing worth recording but that it was done.
    """
    night, day = context.night, context.day
    chosen = Models.of(night).schemes(context.settings.schemes, context.settings.privacy.min_group_size)
    publish_arrow(context, dimensions.schemes(chosen, day), p.DIM_SCHEME)
    publish_arrow(context, dimensions.segments(chosen, day), p.DIM_SEGMENT)
    publish_arrow(context, dimensions.dayparts(context.hours, day), p.DIM_DAYPART)
    dated = pa.schema([f for f in arrow_schema(p.DIM_DATE.columns) if f.name != "snapshot_date"])
    dates = read_arrow(night, "features", "dates", dated)
    publish_arrow(context, _dated(dates, day), p.DIM_DATE)
    publish_arrow(context, _dated(read_arrow(night, "identity", "aliases", ALIASES), day), p.CUSTOMER_ALIASES)
    _identities(context)
    publish(context, context.clean("stores").fillna({"time_zone": context.settings.time_zone}), p.DIM_STORE)
    publish(context, context.clean("products"), p.DIM_PRODUCT)
    publish(context, context.clean("campaigns"), p.DIM_CAMPAIGN)
    features = published(context, p.CUSTOMER_FEATURES)
    people = context.spark.read.parquet(str(night.table("identity", "people")))
    publish(context, dimensions.customers(people, features), p.DIM_CUSTOMER)
    _crosswalk(context)
    night.record("dimensions", {})
    return {}


def _dated(rows: pa.Table, day: date) -> pa.Table:
    return rows.append_column("snapshot_date", pa.repeat(pa.scalar(day, pa.date32()), len(rows)))


def _identities(context: Context) -> None:
    """Which records are whom, and what happened to ids."""
    night, day = context.night, context.day
    named = {"known_customer_id": "customer_id", "person_hash": "source_id_hash", "known_since": "first_linked_on"}
    records = _dated(read_arrow(night, "identity", "records", KEPT).rename_columns(named), day)
    publish_arrow(context, records, p.CUSTOMER_IDENTITIES)
    publish_arrow(context, _dated(read_arrow(night, "identity", "ledger", LEDGER), day), p.IDENTITY_LEDGER)


def _crosswalk(context: Context) -> None:
    table = p.CUSTOMER_CROSSWALK
    records = context.spark.read.parquet(str(context.night.table("identity", "records")))
    records = records.withColumnRenamed("known_customer_id", "customer_id")
    before = published(context, table, base=True)
    publish(context, dimensions.crosswalk(before, records, str(context.day), p.OPEN_END), table)
