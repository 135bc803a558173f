"""Clean tables and people -> daily aggregates and customer features."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from jobs import calendar
from jobs.definitions.features import FEATURES
from jobs.definitions.published import CUSTOMER_DAYS, CUSTOMER_FEATURES
from jobs.steps import feeds
from jobs.steps.context import Context
from jobs.steps.publishing import publish, published
from jobs.storage.parquet import read_staged, write, write_arrow, write_staged
from jobs.transforms import consent, days, feed_views, refunds, views
from jobs.transforms.features import customer_features
from jobs.transforms.identity import IDENTIFIERS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def run(context: Context) -> dict[str, Any]:
    """Compute the published customer_days and customer_features.

    Returns:
        the money that ties the tables to the sources: clean, guests, not profiled, customer_days.
    """
    work = _Work(context)
    write_arrow(work.dates, context.night, "features", "dates", sort=["business_date"])
    write(work.people, context.night, "identity", "people", sort=["customer_id"])
    write_staged(views.order_totals(work.lines), context.night, "totals")
    write_staged(work.all_orders, context.night, "orders")
    write_staged(views.purchases(work.lines, work.orders, work.clean("products")), context.night, "purchases")
    _write_days(context, work)
    _write_features(context, work)
    record = {"net_revenue_cents": work.ties()}
    context.night.record("features", record)
    return record


def _write_days(context: Context, work: _Work) -> None:
    publish(context, days.customer_days(work.orders), CUSTOMER_DAYS)


def _write_features(context: Context, work: _Work) -> None:
    found = views.views(work.orders, work.purchases, feeds.events(context, "feedback", work.profiled), context.hours)
    found["stores"] = feed_views.placed(found["stores"], work.clean("stores"))
    found |= feeds.views(context, work.profiled)
    people = work.profiled_people.withColumn("snapshot_date", F.lit(context.day))
    publish(context, customer_features(people, found, FEATURES, feeds.absent(context)), CUSTOMER_FEATURES)


class _Work:
    """The frames that the features of one night are made from."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def clean(self, name: str) -> DataFrame:
        """A clean table."""
        return self.context.clean(name)

    @cached_property
    def dates(self) -> Any:
        """One row per date from the first order to the snapshot."""
        first = self.clean("orders").agg(F.min("business_date").alias("first")).collect()[0]["first"]
        start: date = min(first or self.context.day, self.context.day)
        settings = self.context.settings
        return calendar.dates(start, self.context.day, settings.country, settings.own_calendar)

    @cached_property
    def records(self) -> DataFrame:
        """source, source_customer_id, customer_id."""
        path = str(self.context.night.table("identity", "records"))
        return self.context.spark.read.parquet(path).withColumnRenamed("known_customer_id", "customer_id")

    @cached_property
    def people(self) -> DataFrame:
        """One row per known person, with consent and what the sources say of them."""
        return consent.people(
            self.records, self.clean("customers"), str(self.context.day), self.context.settings.time_zone
        )

    @cached_property
    def lines(self) -> DataFrame:
        """Order lines in cents, restated by the refunds that belong to them."""
        lines = self.clean("order_lines")
        if self.has_refunds:
            lines = refunds.restated(lines, self.clean("refund_matches"))
        return views.order_lines_with_net(lines)

    @property
    def has_refunds(self) -> bool:
        """Some source says of refunds beside its order lines."""
        return bool(self.context.night.parts("clean", "refund_matches"))

    @property
    def totals(self) -> DataFrame:
        """One row per order: sums of its lines."""
        return read_staged(self.context.spark, self.context.night, "totals")

    @cached_property
    def all_orders(self) -> DataFrame:
        """Every completed order up to the snapshot, with the person it belongs to, if any, and their consent."""
        spark, night = self.context.spark, self.context.night
        dates = spark.read.parquet(str(night.table("features", "dates")))
        identifiers = spark.read.parquet(str(night.table("identity", "identifiers")))
        orders = views.completed_orders(
            self.clean("orders"), self.totals, dates, self.context.hours,
            str(self.context.day),
        )  # fmt: skip
        owned = views.attributed(orders, self.records, identifiers, IDENTIFIERS)
        people = spark.read.parquet(str(night.table("identity", "people"))).select("customer_id", "is_profiled")
        return owned.join(people, "customer_id", "left")

    @cached_property
    def orders(self) -> DataFrame:
        """Orders of people who allow profiling."""
        return read_staged(self.context.spark, self.context.night, "orders").where("is_profiled")

    @cached_property
    def purchases(self) -> DataFrame:
        """Purchases of people who allow profiling."""
        return read_staged(self.context.spark, self.context.night, "purchases")

    @cached_property
    def profiled_people(self) -> DataFrame:
        """Of :attr:`people`, as they were written, those who allow profiling."""
        path = str(self.context.night.table("identity", "people"))
        return self.context.spark.read.parquet(path).where("is_profiled")

    @cached_property
    def profiled(self) -> DataFrame:
        """The records of people who allow profiling."""
        return self.records.join(self.profiled_people.select("customer_id"), "customer_id")

    def ties(self) -> dict[str, int]:
        """Cents of net revenue: all of completed orders, and how they divide."""
        orders = read_staged(self.context.spark, self.context.night, "orders")
        sums = {
            "completed": "sum(net_cents)",
            "guests": "sum(net_cents) FILTER (WHERE customer_id IS NULL)",
            "not_profiled": "sum(net_cents) FILTER (WHERE customer_id IS NOT NULL AND NOT is_profiled)",
            "profiled": "sum(net_cents) FILTER (WHERE is_profiled)",
        }
        row = orders.agg(*(F.expr(f"coalesce({sql}, 0)").alias(name) for name, sql in sums.items())).collect()[0]
        found = {name: int(row[name]) for name in sums}
        daily = published(self.context, CUSTOMER_DAYS)
        cents = "coalesce(CAST(sum(net_revenue) * 100 AS BIGINT), 0)"
        found["customer_days"] = int(daily.agg(F.expr(cents).alias("n")).collect()[0]["n"])
        lines = self.totals.agg(F.expr("coalesce(sum(net_cents), 0)").alias("n")).collect()[0]["n"]
        later = self.clean("refund_matches").agg(F.expr("coalesce(CAST(sum(amount) * 100 AS BIGINT), 0)").alias("n"))
        return {**found, "clean_lines": int(lines), "matched_refunds": int(later.collect()[0]["n"])}
