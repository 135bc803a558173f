"""The money that ties published tables to the sources, in cents of net revenue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.compute as pc
from pyspark.sql import functions as F

from jobs.definitions.published import CUSTOMER_DAYS
from jobs.steps import receipts
from jobs.steps.context import Context
from jobs.steps.publishing import published
from jobs.storage.parquet import read_arrow

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_SUMS = {
    "completed": "sum(cents)",
    "guests": "sum(cents) FILTER (WHERE customer_id IS NULL)",
    "not_profiled": "sum(cents) FILTER (WHERE customer_id IS NOT NULL AND NOT is_profiled)",
    "profiled": "sum(cents) FILTER (WHERE is_profiled)",
}


def found(context: Context, owners: DataFrame) -> dict[str, int]:
    """Of all order lines, of completed orders and how these divide, of customer_days, and what refunds took back.

    Args:
        context: of a night whose features are written.
        owners: buyer, customer_id, is_profiled.
    """
    by_buyer = receipts.of_dates(context.spark, context.night).groupBy("buyer").agg(F.sum("net_cents").alias("cents"))
    sums = [F.expr(f"coalesce({sql}, 0)").alias(name) for name, sql in _SUMS.items()]
    row = by_buyer.join(owners, "buyer", "left").agg(*sums).collect()[0]
    lines = read_arrow(context.night, "features", receipts.LINE_TOTALS, receipts.LINE_TOTALS_SCHEMA)
    return {
        **{name: int(row[name]) for name in _SUMS},
        "customer_days": _cents(published(context, CUSTOMER_DAYS), "net_revenue"),
        "clean_lines": pc.sum(lines["net_cents"]).as_py() or 0,
        "matched_refunds": _cents(context.clean("refund_matches"), "amount"),
    }


def _cents(rows: DataFrame, column: str) -> int:
    total = F.expr(f"coalesce(CAST(sum({column}) * 100 AS BIGINT), 0)").alias("cents")
    return int(rows.agg(total).collect()[0]["cents"])
