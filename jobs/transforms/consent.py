"""People and what they allow."""

from __future__ import annotations

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

#: what the sources say of a person; where records differ the one changed last is believed
_SAID = (
    "age_band", "gender", "city", "region", "city_tier", "income_band", "acquisition_channel", "birth_year",
    "birth_month", "household_size", "kids_count", "marital_status", "education", "occupation",
    "declared_lifestyle", "declared_interests",
)  # fmt: skip
_CONSENTS = ("profiling_consent", "marketing_consent")


def people(records: DataFrame, customers: DataFrame, day: str, time_zone: str) -> DataFrame:
    """One row per known person: consents, registration, and what the sources say of them.

    A consent holds if some record of the person says yes and none says no; silence is no. A buyer whom only orders
    name was never asked, and is known but not profiled.

    Args:
        records: source, source_customer_id, customer_id.
        customers: the clean customers.
        day: business date of the snapshot.
        time_zone: the chain's.
    """
    ids = ["source", "source_customer_id"]
    records = records.select(*ids, "customer_id")
    # most people are one record, and one record need not be weighed against others
    several = records.groupBy("customer_id").count().where("count > 1").select("customer_id")
    one, more = (records.join(several, "customer_id", how) for how in ("left_anti", "left_semi"))
    single = one.join(customers, ids, "left").select("customer_id", *_SAID, *_CONSENTS, "registered_at")
    latest = [F.max_by(name, _age(name)).alias(name) for name in _SAID]
    agreed = [F.bool_and(name).alias(name) for name in _CONSENTS]
    weighed = more.join(customers, ids, "left").groupBy("customer_id")
    merged = weighed.agg(*latest, *agreed, F.min("registered_at").alias("registered_at"))
    local = f"to_date(from_utc_timestamp(registered_at, '{time_zone}'))"
    return single.unionByName(merged).select(
        "customer_id",
        F.expr("coalesce(profiling_consent, false)").alias("is_profiled"),
        F.expr("coalesce(marketing_consent, false)").alias("is_marketing_allowed"),
        F.expr(local).alias("registered_on"),
        F.expr(f"CAST(datediff(DATE'{day}', {local}) AS INT)").alias("registered_days_ago"),
        *_SAID,
    )


def _age(name: str) -> SparkColumn:
    """When a record was changed, for records that say something; the source and id settle ties."""
    stamp = F.coalesce("updated_at", F.timestamp_seconds(F.lit(0)))
    return F.when(F.col(name).isNotNull(), F.struct(stamp, "source", "source_customer_id"))
