"""Whom the events of a day under way mark for a refresh."""

from __future__ import annotations

from datetime import timedelta

from jobs.definitions.published import CUSTOMER_FEATURES
from jobs.steps import feeds, receipts
from jobs.steps.context import Context
from jobs.steps.features import OWNERS
from jobs.steps.publishing import published
from jobs.transforms import marks
from jobs.transforms.owners import OWNERS_DDL


def found(context: Context) -> dict[str, int]:
    """Count the customers who allow profiling, by what marks them since the night before; the counts are recorded.

    Args:
        context: of a night that has computed its features.

    Raises:
        ValueError: it started from no earlier night.
    """
    if context.base is None:
        raise ValueError("nothing happened since a night that there is not")
    spark, night, since = context.spark, context.night, (context.day - context.base.date).days
    features, before = published(context, CUSTOMER_FEATURES), published(context, CUSTOMER_FEATURES, base=True)
    profiled = features.select("customer_id")
    dates = [context.day - timedelta(days=n) for n in range(since)]
    owners = receipts.read_kept(spark, night, OWNERS, OWNERS_DDL).join(profiled, "customer_id", "left_semi")
    records = spark.read.parquet(str(night.table("identity", "records")))
    records = records.withColumnRenamed("known_customer_id", "customer_id").join(profiled, "customer_id", "left_semi")
    times = context.settings.thresholds.large_order_times
    marked = {
        "first_order": marks.first_orders(features, since),
        "large_order": marks.large_orders(receipts.of_dates(spark, night, dates), owners, before, times),
        "complaint": marks.complaints(feeds.events(context, "feedback", records), since),
    }
    counts = {name: rows.count() for name, rows in marked.items()}
    night.record("marks", counts)
    return counts
