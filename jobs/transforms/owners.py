"""Whose an order is.

Orders name their buyer in some way: by the source's own id, by a card, by an e-mail. Each distinct way is a *buyer*, a
64-bit hash, and stays with the order for ever; which person a buyer is may change every night. So an order is never
rewritten because people were merged, split or recognised.
"""

from __future__ import annotations

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.definitions.identity import IDENTIFIERS

#: how an order names its buyer
NAMED_BY = ("source_customer_id", *IDENTIFIERS)
#: columns of the kept buyers
BUYERS_DDL = f"buyer BIGINT, source STRING, {', '.join(f'{name} STRING' for name in NAMED_BY)}"
OWNERS_DDL = "buyer BIGINT, customer_id STRING"


def buyer() -> SparkColumn:
    """The way in which an order names its buyer, as a 64-bit hash; null where it names nobody.

    With a million buyers the odds that two of them share a hash are one in thirty-seven million (n squared over 2^65).
    """
    named = F.coalesce(*NAMED_BY).isNotNull()
    return F.when(named, F.xxhash64("source", *(F.coalesce(name, F.lit("")) for name in NAMED_BY)))


def buyers(orders: DataFrame) -> DataFrame:
    """One row per way in which orders name somebody: ``buyer`` and what it stands for."""
    known = orders.select(buyer().alias("buyer"), "source", *NAMED_BY).where("buyer IS NOT NULL")
    return known.dropDuplicates(["buyer"])


def owners(known: DataFrame, records: DataFrame, identifiers: DataFrame) -> DataFrame:
    """One row per buyer who is somebody: ``buyer``, ``customer_id``.

    The source's own id decides, else the first identifier that leads to somebody.

    Args:
        known: rows of :func:`buyers`.
        records: source, source_customer_id, customer_id.
        identifiers: name, hash, customer_id; one row per (name, hash).
    """
    ids = records.select("source", "source_customer_id", F.col("customer_id").alias("_by_id"))
    found = known.join(ids, ["source", "source_customer_id"], "left")
    for name in IDENTIFIERS:
        one = identifiers.where(F.col("name") == name).select(
            F.col("hash").alias(name), F.col("customer_id").alias(f"_by_{name}")
        )
        found = found.join(one, name, "left")
    tried = ["_by_id", *(f"_by_{name}" for name in IDENTIFIERS)]
    return found.select("buyer", F.coalesce(*tried).alias("customer_id")).where("customer_id IS NOT NULL")
