"""The views that features are computed over: a customer's history at the grain each feature needs.

Columns of each are listed in ``jobs.definitions.features.VIEWS``. Money is in whole cents.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from jobs.definitions.features.feature import FIRST_WEIGHT, HALF_LIFE_DAYS, YEAR
from jobs.definitions.features.wording import SENTIMENT, TOPIC

#: what a customer's home store says of where it is
PLACE = ("region", "city", "city_tier", "climate")
_KNOWN = "FILTER (WHERE value IS NOT NULL)"


def of_people(receipts: DataFrame, owners: DataFrame, day: str) -> DataFrame:
    """Receipts of known people up to the business date ``day``: ``customer_id`` and ``days_ago`` beside.

    Args:
        receipts: rows of :func:`jobs.transforms.receipts.receipts`.
        owners: buyer, customer_id.
        day: business date of the snapshot; later receipts are not seen.
    """
    known = receipts.where(f"business_date <= DATE'{day}'").join(owners, "buyer")
    return known.withColumn("days_ago", F.expr(f"datediff(DATE'{day}', business_date)"))


def gaps(orders: DataFrame) -> DataFrame:
    """One row per distinct order date of a customer, with the days since the one before."""
    days = orders.select("customer_id", "days_ago").distinct()
    before = F.lead("days_ago").over(Window.partitionBy("customer_id").orderBy("days_ago"))
    return days.withColumn("gap_days", before - F.col("days_ago"))


def habits(orders: DataFrame, stores: DataFrame, hours: Mapping[str, int]) -> DataFrame:
    """One row per customer and kind: month, channel, fulfilment, daypart and store of orders in 365 days."""
    recent = orders.where(f"days_ago < {YEAR}")
    kinds = {name: F.col(name) for name in ("channel", "fulfilment", "daypart")}
    kinds |= {"month": F.lpad(F.col("month").cast("string"), 2, "0"), "store": F.col("store_id")}
    long = recent.select("customer_id", "net_cents", _each(kinds)).select("customer_id", "net_cents", "one.*")
    sums = F.count("*").alias("orders"), F.sum("net_cents").alias("net_cents")
    counted = long.groupBy("customer_id", "kind", "value").agg(*sums)
    hour = " ".join(f"WHEN '{name}' THEN {hour}" for name, hour in hours.items())
    tie = f"CASE kind WHEN 'store' THEN net_cents WHEN 'daypart' THEN CASE value {hour} END ELSE 0 END"
    of_kind = _of_kind(
        counted.withColumn("tie", F.expr(tie)),
        choices="count(value)",
        usual=f"min_by(value, struct(-orders, -tie, value)) {_KNOWN}",
        usual_orders=f"max(orders) {_KNOWN}",
        orders=f"sum(orders) {_KNOWN}",
    )
    places = stores.select(F.lit("store").alias("kind"), F.col("store_id").alias("usual"), *PLACE)
    return of_kind.join(F.broadcast(places), ["kind", "usual"], "left")


def purchases(orders: DataFrame, products: DataFrame) -> DataFrame:
    """One row per customer and kind: category, department, product and brand of what was bought in 365 days.

    All of a customer's rows lie together, so that what is summed by customer moves no row again; and values are summed
    by number, because Spark sorts the rows of every aggregate that holds a text.
    """
    weight = F.expr(f"shiftright({FIRST_WEIGHT}, days_ago DIV {HALF_LIFE_DAYS})").cast("bigint").alias("weight")
    recent = orders.where(f"days_ago < {YEAR}").select("customer_id", weight, F.explode("basket").alias("one"))
    bought = recent.select("customer_id", "weight", "one.product_id", "one.net_cents").repartition("customer_id")
    sums = F.sum("net_cents").alias("net_cents"), F.expr("sum(net_cents * weight)").alias("recent_cents")
    by_product = bought.groupBy("customer_id", "product_id").agg(*sums)
    numbers = _numbered(products)
    long = by_product.join(F.broadcast(numbers.drop("value")), "product_id")
    amounts = ("net_cents", "recent_cents")
    by_value = long.groupBy("customer_id", "kind", "number").agg(*(F.sum(name).alias(name) for name in amounts))
    of_kind = _of_kind(
        by_value,
        choices=f"count_if({_IS_ONE})",
        best=f"max({_ordered('net_cents')}) FILTER (WHERE {_IS_ONE})",
        favourite_cents=f"max(net_cents) FILTER (WHERE {_IS_ONE})",
        net_cents="sum(net_cents)",
        recent_best=f"max({_ordered('recent_cents')}) FILTER (WHERE {_IS_ONE})",
        recent_favourite_cents=f"max(recent_cents) FILTER (WHERE {_IS_ONE})",
        recent_cents="sum(recent_cents)",
    )
    names = F.broadcast(numbers.select("kind", "number", "value").where(_IS_ONE).distinct())
    for by in ("", "recent_"):
        number = F.expr(f"CAST({_scaled(f'{by}favourite_cents')} - {by}best AS INT)").alias("number")
        of_kind = of_kind.withColumn("number", number)
        of_kind = of_kind.join(names.withColumnRenamed("value", f"{by}favourite"), ["kind", "number"], "left")
    return of_kind.drop("number", "best", "recent_best")


#: more than there are values of a kind
_STEP = 2**31
#: a product may have no value of a kind; it is numbered 0
_IS_ONE = "number > 0"


def _scaled(cents: str) -> str:
    return f"CAST({cents} AS DECIMAL(20,0)) * {_STEP}BD"


def _ordered(cents: str) -> str:
    """A whole number that is the greater the more net revenue a value has and, of equal ones, the smaller it is."""
    return f"({_scaled(cents)} - number)"


def _numbered(products: DataFrame) -> DataFrame:
    """One row per product and kind: its value, and the number of that in the order of the kind's values, from 1."""
    kinds = {name: F.col(name) for name in ("category", "department", "brand")} | {"product": F.col("product_id")}
    long = products.select("product_id", _each(kinds)).select("product_id", "one.*")
    values = long.select("kind", "value").where("value IS NOT NULL").distinct()
    number = F.row_number().over(Window.partitionBy("kind").orderBy("value"))
    numbered = values.withColumn("number", number)
    return long.join(numbered, ["kind", "value"], "left").fillna({"number": 0})


def _of_kind(rows: DataFrame, **columns: str) -> DataFrame:
    """One row per customer and kind, with these aggregates over its values."""
    return rows.groupBy("customer_id", "kind").agg(*(F.expr(sql).alias(name) for name, sql in columns.items()))


def _each(kinds: Mapping[str, SparkColumn]) -> SparkColumn:
    """One row per kind, with ``one.kind`` and ``one.value``."""
    pairs = (F.struct(F.lit(kind).alias("kind"), value.alias("value")) for kind, value in kinds.items())
    return F.explode(F.array(*pairs)).alias("one")


def of_receipts(
    orders: DataFrame, products: DataFrame, stores: DataFrame, hours: Mapping[str, int]
) -> dict[str, DataFrame]:
    """Every view made from receipts, by name (``jobs.definitions.features.FROM_RECEIPTS``).

    Args:
        orders: receipts of the people asked for (:func:`of_people`).
        products: clean products.
        stores: clean stores.
        hours: daypart -> local hour at which it begins.
    """
    return {
        "orders": orders,
        "gaps": gaps(orders),
        "habits": habits(orders, stores, hours),
        "purchases": purchases(orders, products),
    }


def of_feedback(notes: DataFrame) -> DataFrame:
    """Notes given in 365 days, of notes with ``days_ago`` and ``text``: what they sound like and are about beside."""
    recent = notes.where(f"days_ago BETWEEN 0 AND {YEAR - 1}")
    return recent.withColumns({"sentiment": F.expr(SENTIMENT), "topic": F.expr(TOPIC)}).drop("text")
