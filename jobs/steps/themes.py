"""What customers buy by category, and the topic of each; kept from night to night for everyone whom nothing touched."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyspark.sql import Window
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
        lines, names = _lines(spark, night, customers)
        return _named(topics.bought_by(lines, _products(spark, night)), names)

    return bought


def of_everyone(spark: SparkSession, night: Night, customers: DataFrame, model: Topics | None) -> DataFrame:
    """The topic of each customer on a night, computed anew: one row per customer who bought of a known category."""
    if model is None:
        return spark.createDataFrame([], DDL)
    lines, names = _lines(spark, night, customers)
    weights = spark.createDataFrame(model.table)
    return _named(topics.scored(lines, _products(spark, night), weights, len(model.found)), names)


def _lines(spark: SparkSession, night: Night, customers: DataFrame) -> tuple[DataFrame, DataFrame]:
    """Lines of 365 days with the customer's number in the place of customer_id; whose number it is.

    What is summed by number moves and compares an eighth of what it would by id.
    """
    owned = receipts.read_kept(spark, night, OWNERS, OWNERS_DDL).join(customers, "customer_id", "left_semi")
    numbered = owned.withColumn("number", F.min("buyer").over(Window.partitionBy("customer_id")))
    by_number = numbered.select("buyer", F.col("number").alias("customer_id"))
    seen = views.of_people(receipts.of_dates(spark, night), by_number, str(night.date)).where(f"days_ago < {YEAR}")
    lines = seen.select("customer_id", F.explode("basket.product_id").alias("product_id"))
    return lines, numbered.where("buyer = number").select("customer_id", "number")


def _named(rows: DataFrame, names: DataFrame) -> DataFrame:
    """Rows by number, by customer_id again."""
    return rows.withColumnRenamed("customer_id", "number").join(names, "number").drop("number")


def _products(spark: SparkSession, night: Night) -> DataFrame:
    return read(spark, night, "clean", "products", clean.table("products"))


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
