"""Clean tables and people -> receipts, daily aggregates and customer features; only what changed is computed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pyspark.sql import Window
from pyspark.sql import functions as F

from jobs import calendar
from jobs.definitions import clean
from jobs.definitions.features import FEATURES
from jobs.definitions.features.windows import bounds
from jobs.definitions.model import Column
from jobs.definitions.published import CUSTOMER_DAYS, CUSTOMER_FEATURES
from jobs.steps import feeds, receipts, ties
from jobs.steps.context import Context
from jobs.steps.publishing import publish, published
from jobs.storage.night import Night
from jobs.storage.parquet import read, read_staged, write, write_arrow, write_staged
from jobs.transforms import consent, days, touched, views
from jobs.transforms.features import aggregated, carried, customer_features
from jobs.transforms.owners import OWNERS_DDL, owners

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

OWNERS = "owners"
#: what the way receipts are made and aggregated is called; another name makes everything anew
_MADE = "receipts-2"
#: what features over receipts take from the clean products and stores
_SAID = {"products": ("category", "department", "brand"), "stores": views.PLACE}


def run(context: Context) -> dict[str, Any]:
    """Compute the published customer_days and customer_features.

    Returns:
        the business dates and the customers that were computed anew, and the money that ties the tables to the sources:
        clean, guests, not profiled, customer_days.
    """
    work = _Work(context)
    dates = work.keep_dates()
    work.keep_people()
    changed = receipts.refresh(context, work.base, dates)
    work.keep_owners()
    count = work.find_touched(changed)
    # made anew a count is never null, and kept it might be: files say the same of both
    columns = [column for column in CUSTOMER_DAYS.columns if column.name != "snapshot_date"]
    publish(context, work.made_once("days", work.days(), columns), CUSTOMER_DAYS)
    publish(context, work.made_once("features", work.features()), CUSTOMER_FEATURES)
    money = ties.found(context, work.owners(context.night).join(work.people, "customer_id"))
    record = {"made": work.made, "dates": changed, "customers": count, "net_revenue_cents": money}
    context.night.record("features", record)
    return record


class _Work:
    """The frames that the features of one night are made from."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.spark, self.night = context.spark, context.night

    @cached_property
    def made(self) -> str:
        """A name for how features are made: by these definitions, dayparts and holidays."""
        settings = self.context.settings
        said = [
            _MADE,
            repr(FEATURES),
            self.context.hours,
            settings.country,
            settings.time_zone,
            repr(settings.own_calendar),
        ]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]

    @cached_property
    def base(self) -> Night | None:
        """The night from which features may be kept: the one before, if it made them in the same way."""
        base = self.context.base
        if base is None or self.context.full:
            return None
        return base if base.records()["features"].get("made") == self.made else None

    def keep_dates(self) -> DataFrame:
        """Write one row per date from the first order to the snapshot."""
        held, settings = self.night.partitions("clean", "orders"), self.context.settings
        first = min([self.context.day, *map(date.fromisoformat, held[:1])])
        rows = calendar.dates(first, self.context.day, settings.country, settings.own_calendar)
        write_arrow(rows, self.night, "features", "dates", sort=["business_date"])
        return self.spark.read.parquet(str(self.night.table("features", "dates")))

    @cached_property
    def records(self) -> DataFrame:
        """source, source_customer_id, customer_id."""
        path = str(self.night.table("identity", "records"))
        return self.spark.read.parquet(path).withColumnRenamed("known_customer_id", "customer_id")

    def keep_people(self) -> None:
        """Write one row per known person, with consent and what the sources say of them."""
        customers, zone = self.context.clean("customers"), self.context.settings.time_zone
        people = consent.people(self.records, customers, str(self.context.day), zone)
        write(people, self.night, "identity", "people")

    @property
    def people(self) -> DataFrame:
        """One row per known person, with consents and what the sources say."""
        return self.spark.read.parquet(str(self.night.table("identity", "people")))

    @property
    def profiled(self) -> DataFrame:
        """Those of :attr:`people` who allow profiling."""
        return self.people.where("is_profiled")

    def made_once(self, name: str, rows: DataFrame, columns: Sequence[Column] = ()) -> DataFrame:
        """Rows written as they come, so that sorting them does not compute them twice; see :func:`read_staged`."""
        write_staged(rows, self.night, name)
        return read_staged(self.spark, self.night, name, columns)

    def keep_owners(self) -> None:
        """Write whose each buyer is tonight."""
        identifiers = self.spark.read.parquet(str(self.night.table("identity", "identifiers")))
        write(owners(receipts.buyers(self.context), self.records, identifiers), self.night, "features", OWNERS)

    def owners(self, night: Night) -> DataFrame:
        """Whose each buyer was on a night: buyer, customer_id."""
        return receipts.read_kept(self.context.spark, night, OWNERS, OWNERS_DDL)

    @cached_property
    def owned(self) -> DataFrame:
        """Tonight's owners who allow profiling: buyer, customer_id, and ``number``, which is the person's tonight.

        What is summed by number moves and compares an eighth of what it would by id.
        """
        profiled = self.profiled.select("customer_id")
        known = self.owners(self.night).join(profiled, "customer_id", "left_semi")
        numbered = known.withColumn("number", F.min("buyer").over(Window.partitionBy("customer_id")))
        # as a file its size is known, and an engine that guesses moves the receipts to it and not it to the receipts
        return self.made_once("owned", numbered)

    @cached_property
    def touched(self) -> DataFrame | None:
        """Who has to be computed anew: customer_id; None for everyone."""
        return None if self.base is None else read_staged(self.spark, self.night, "touched")

    @cached_property
    def orders(self) -> DataFrame:
        """Receipts of everyone who is computed anew, by their person's number in the place of customer_id."""
        of = self.owned if self.touched is None else self.owned.join(self.touched, "customer_id", "left_semi")
        by_number = of.select("buyer", F.col("number").alias("customer_id"))
        rows = views.of_people(receipts.of_dates(self.spark, self.night), by_number, str(self.context.day))
        # of a few the receipts are looked for once, not once per view
        return rows if self.touched is None else self.made_once("orders", rows)

    def named(self, rows: DataFrame) -> DataFrame:
        """Rows by number, by customer_id again."""
        names = self.owned.where("buyer = number").select("customer_id", "number")
        return rows.withColumnRenamed("customer_id", "number").join(names, "number").drop("number")

    def days(self) -> DataFrame:
        """customer_days of everyone who allows profiling."""
        rows = self.named(days.customer_days(self.orders))
        if self.touched is None:
            return rows
        kept = published(self.context, CUSTOMER_DAYS, base=True).join(self.touched, "customer_id", "left_anti")
        return rows.unionByName(kept.drop("snapshot_date"))

    def find_touched(self, changed: list[str]) -> int | None:
        """Write of whom nothing can be kept, if not of everyone.

        Returns:
            how many they are; None for everyone.
        """
        if self.base is None:
            return None
        dates = sorted({*changed, *map(str, touched.crossed(bounds(FEATURES), self.base.date, self.context.day))})
        kept, now = self.owners(self.base), self.owners(self.night)
        buyers = receipts.of_dates(self.context.spark, self.night, dates).select("buyer")
        buyers = buyers.union(receipts.of_dates(self.context.spark, self.base, changed).select("buyer"))
        people = now.join(buyers.distinct(), "buyer").select("customer_id")
        people = people.union(touched.moved(kept, now)).union(self._asked_again()).union(self._redescribed(now))
        write_staged(people.distinct(), self.night, "touched")
        return read_staged(self.spark, self.night, "touched").count()

    def _asked_again(self) -> DataFrame:
        """Everyone who allows profiling since the earlier night, or no longer does."""
        before = published(self.context, CUSTOMER_FEATURES, base=True).select("customer_id")
        now = self.profiled.select("customer_id")
        return now.exceptAll(before).union(before.exceptAll(now))

    def _redescribed(self, now: DataFrame) -> DataFrame:
        """Everyone who bought a product or visited a store of which something else is said than was."""
        everything = receipts.of_dates(self.context.spark, self.night)
        bought = everything.select("buyer", F.explode("basket.product_id").alias("product_id"))
        found = now.select("customer_id").limit(0)
        for table, rows, key in (("products", bought, "product_id"), ("stores", everything, "store_id")):
            changed = self._changed(table, key)
            if changed is not None:
                found = found.union(rows.join(changed, key).join(now, "buyer").select("customer_id"))
        return found

    def _changed(self, table: str, key: str) -> DataFrame | None:
        if self.base is None or not self.night.changed(self.base, "clean", table):
            return None
        before = read(self.spark, self.base, "clean", table, clean.table(table))
        changed = touched.redescribed(before, self.context.clean(table), key, _SAID[table])
        return changed if changed.take(1) else None

    def features(self) -> DataFrame:
        """One row per person who allows profiling."""
        context = self.context
        products, stores = context.clean("products"), context.clean("stores")
        parts = self.named(aggregated(views.of_receipts(self.orders, products, stores, context.hours), FEATURES))
        if self.base is not None and self.touched is not None:
            before = published(context, CUSTOMER_FEATURES, base=True)
            parts = parts.unionByName(carried(before, self.touched, FEATURES, (context.day - self.base.date).days))
        absent = feeds.absent(context)
        said = [aggregated({name: rows}, FEATURES) for name, rows in self._of_feeds().items() if name not in absent]
        people = self.profiled.withColumn("snapshot_date", F.lit(context.day))
        return customer_features(people, [parts, *said], FEATURES, absent)

    def _of_feeds(self) -> dict[str, DataFrame]:
        mine = self.records.join(self.profiled.select("customer_id"), "customer_id")
        feedback = views.of_feedback(feeds.events(self.context, "feedback", mine))
        return {"feedback": feedback, **feeds.views(self.context, mine)}
