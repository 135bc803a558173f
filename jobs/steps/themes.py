"""What customers buy by category, and the topic of each; kept from night to night for everyone whom nothing touched."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.definitions import clean
from jobs.definitions.features.feature import YEAR
from jobs.definitions.published import CUSTOMER_FEATURES
from jobs.models import topics
from jobs.models.topics import Topics
from jobs.steps import receipts
from jobs.steps.context import Context
from jobs.steps.features import OWNERS
from jobs.steps.publishing import published
from jobs.storage.night import Night
from jobs.storage.parquet import read, read_staged, write
from jobs.transforms import views
from jobs.transforms.owners import OWNERS_DDL

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

TABLE = "topics"
DDL = "customer_id STRING, purchase_topic_place INT, purchase_topic_share DOUBLE"


def bought_on(spark: SparkSession, night: Night) -> Callable[[DataFrame], DataFrame]:
    """What customers had bought by category in the 365 days up to a night, as a function of who is asked for."""

    def bought(customers: DataFrame) -> DataFrame:
        owned = receipts.read_kept(spark, night, OWNERS, OWNERS_DDL).join(customers, "customer_id", "left_semi")
        seen = views.of_people(receipts.of_dates(spark, night), owned, str(night.date)).where(f"days_ago < {YEAR}")
        products = read(spark, night, "clean", "products", clean.table("products"))
        return topics.bought_by(seen.select("customer_id", "basket"), products)

    return bought


def of_everyone(spark: SparkSession, night: Night, customers: DataFrame, model: Topics | None) -> DataFrame:
    """The topic of each customer on a night, computed anew: one row per customer who bought of a known category."""
    if model is None:
        return spark.createDataFrame([], DDL)
    weights = spark.createDataFrame(model.table)
    return topics.scored(bought_on(spark, night)(customers), weights, len(model.found))


def keep(context: Context, model: Topics | None, *, as_before: bool) -> None:
    """Write the topic of everyone who allows profiling.

    Args:
        context: tonight.
        model: the topics.
        as_before: the night before had the same ones.
    """
    everyone = published(context, CUSTOMER_FEATURES).select("customer_id")
    if not as_before or context.base is None or context.night.records()["features"]["customers"] is None:
        rows = of_everyone(context.spark, context.night, everyone, model)
    else:
        touched = read_staged(context.spark, context.night, "touched")
        anew = of_everyone(context.spark, context.night, everyone.join(touched, "customer_id", "left_semi"), model)
        before = kept(context.spark, context.base).join(touched, "customer_id", "left_anti")
        rows = before.join(everyone, "customer_id", "left_semi").unionByName(anew)
    typed = rows.select("customer_id", F.col("purchase_topic_place").cast("int"), "purchase_topic_share")
    write(typed, context.night, "features", TABLE, sort=["customer_id"])


def kept(spark: SparkSession, night: Night) -> DataFrame:
    """The topic of everyone on a night."""
    return receipts.read_kept(spark, night, TABLE, DDL)
