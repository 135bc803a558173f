"""Segments as groups: what their customers are like together, and what sets them apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.definitions.model import in_cents, rounded
from jobs.definitions.segments import OTHER, Scheme
from jobs.transforms.segments import codes_of

_KEY = ("scheme", "segment")
#: features that a profile compares
COMPARED = (
    "recency_days", "orders_365d", "net_revenue_365d", "average_order_value", "median_gap_days", "average_items",
    "discount_share", "coupon_order_share", "online_share", "delivery_share", "weekday_lunch_share", "weekend_share",
    "evening_share", "late_night_share", "average_party_size", "distinct_categories", "top_category_share",
    "average_rating",
)  # fmt: skip
_MODES = {"top_category": "top_category", "top_product_id": "top_product_id", "peak_daypart": "preferred_daypart"}


#: what somebody is expected to buy, and that it does not come
AT_RISK = in_cents("predicted_clv_365d * churn_probability_90d")


def profiles(told: DataFrame, schemes: Sequence[Scheme], least: int) -> DataFrame:
    """One row per (scheme, segment): its size, its share, its habits, its portrait in words.

    Args:
        told: of every known customer the schemes' columns, the features of who allows profiling, churn_risk_band,
            at_risk (:data:`AT_RISK`).
        schemes: those to tell of.
        least: of groups smaller than this nothing is said.
    """
    needed = ("net_revenue_365d", "orders_365d", "recency_days", *_MODES.values(), "at_risk")
    known = codes_of(told, schemes, "churn_risk_band", *needed)
    sums = known.groupBy(*_KEY).agg(
        F.count("*").alias("customers"),
        F.expr("CAST(coalesce(sum(net_revenue_365d), 0) AS DECIMAL(18,2))").alias("net_revenue_365d"),
        F.sum("orders_365d").alias("orders"),
        F.expr(rounded("median(recency_days)", unit="days")).alias("median_recency_days"),
        F.expr(rounded("CAST(sum(orders_365d) AS DOUBLE) / nullif(count(orders_365d), 0)", unit="orders")).alias(
            "mean_orders_365d"
        ),
        F.count_if(F.col("churn_risk_band") == "high").alias("at_risk_customers"),
        F.expr("CAST(sum(at_risk) AS DECIMAL(18,2))").alias("value_at_risk"),
    )
    for name, feature in _MODES.items():
        counted = known.where(f"{feature} IS NOT NULL").groupBy(*_KEY, feature).count()
        most = F.expr(f"min_by({feature}, struct(-count, {feature}))").alias(name)
        sums = sums.join(counted.groupBy(*_KEY).agg(most), [*_KEY], "left")
    totals = sums.groupBy("scheme").agg(
        F.sum("customers").alias("everybody"), F.sum("net_revenue_365d").alias("everything")
    )
    whole = sums.join(F.broadcast(totals), "scheme").withColumns(
        {
            "customer_share": F.expr(rounded("customers / everybody")),
            "revenue_share": F.expr(
                rounded("CAST(net_revenue_365d AS DOUBLE) / nullif(CAST(everything AS DOUBLE), 0)")
            ),
            "average_order_value": F.expr("CAST(net_revenue_365d / nullif(orders, 0) AS DECIMAL(18,2))"),
            "at_risk_share": F.expr(rounded("at_risk_customers / customers")),
            "is_suppressed": F.col("customers") < least,
        }
    )
    told = whole.withColumns({"portrait": _portrait(), "portrait_zh": _portrait_zh()})
    said = [name for name in told.columns if name not in (*_KEY, "is_suppressed")]
    hidden = told.withColumns({name: F.when(~F.col("is_suppressed"), F.col(name)) for name in said})
    return hidden.withColumn("segment_key", F.concat_ws(":", *_KEY))


def _percent(share: str) -> str:
    return f"concat({_one_decimal(f'100 * {share}')}, '%')"


def _one_decimal(number: str) -> str:
    """A number in words."""
    return f"CAST(CAST(CAST({number} AS DECIMAL(28,6)) AS DECIMAL(28,1)) AS STRING)"


def _portrait() -> SparkColumn:
    """A few sentences; what is not known is not said."""
    dayparts = {
        "breakfast": "at breakfast", "lunch": "at lunch", "afternoon": "in the afternoon", "evening": "in the evening",
        "late_night": "late at night",
    }  # fmt: skip
    return F.expr(
        "concat_ws(' ',"
        f" concat(customers, ' customers, ', {_percent('customer_share')}, ' of all who are known.'),"
        f" concat('They order ', {_one_decimal('mean_orders_365d')}, ' times a year',"
        f"  coalesce(concat(' for ', average_order_value, ' each, ', {_percent('revenue_share')},"
        "  ' of the net revenue'), ''), '.'),"
        " concat('Half of them were here within ', CAST(median_recency_days AS BIGINT), ' days.'),"
        f" concat('Most come ', {_worded('peak_daypart', dayparts)}, '.'),"
        " concat('Most buy ', top_category, '.'),"
        f" CASE WHEN at_risk_customers > 0 THEN concat({_percent('at_risk_share')}, ' are about to stop.') END)"
    )


def _portrait_zh() -> SparkColumn:
    dayparts = {"breakfast": "早餐", "lunch": "午餐", "afternoon": "下午", "evening": "晚间", "late_night": "深夜"}
    return F.expr(
        "concat_ws('',"
        f" concat('共', customers, '人，占全部顾客', {_percent('customer_share')}, '。'),"
        f" concat('年均下单', {_one_decimal('mean_orders_365d')}, '次',"
        f"  coalesce(concat('，每单', average_order_value, '，贡献净收入', {_percent('revenue_share')}), ''), '。'),"
        " concat('半数人在', CAST(median_recency_days AS BIGINT), '天内来过。'),"
        f" concat('多在', {_worded('peak_daypart', dayparts)}, '光顾。'),"
        " concat('最常购买', top_category, '。'),"
        f" CASE WHEN at_risk_customers > 0 THEN concat({_percent('at_risk_share')}, '有流失风险。') END)"
    )


def _worded(column: str, words: Mapping[str, str]) -> str:
    cases = " ".join(f"WHEN '{code}' THEN '{word}'" for code, word in words.items())
    return f"CASE {column} {cases} END"


def profile_features(told: DataFrame, schemes: Sequence[Scheme], least: int) -> DataFrame:
    """One row per (scheme, segment, feature) of those who allow profiling: mean, median, mean over everybody's.

    Args:
        told: of every known customer the schemes' columns, is_profiled, and the features of who is.
        schemes: those to tell of.
        least: segments of fewer profiled customers than this are taken together.
    """
    profiled = told.where("is_profiled")
    known = codes_of(profiled, schemes, *COMPARED)
    sizes = known.groupBy(*_KEY).agg((F.count("*") < least).alias("is_small"))
    folded = F.when(F.col("is_small"), F.lit(OTHER)).otherwise(F.col("segment"))
    shown = known.join(F.broadcast(sizes), [*_KEY]).withColumn("segment", folded)
    means = [F.expr(_mean(name)).alias(f"mean_{name}") for name in COMPARED]
    medians = [F.expr(_median(name)).alias(f"median_{name}") for name in COMPARED]
    triples = ", ".join(f"'{name}', mean_{name}, median_{name}, all_{name}" for name in COMPARED)
    overall = profiled.agg(*(F.expr(_mean(name)).alias(f"all_{name}") for name in COMPARED))
    wide = shown.groupBy(*_KEY).agg(*means, *medians).crossJoin(F.broadcast(overall))
    long = wide.selectExpr(*_KEY, f"stack({len(COMPARED)}, {triples}) AS (feature, mean, median, overall)")
    return long.where("mean IS NOT NULL").select(
        *_KEY,
        F.concat_ws(":", *_KEY).alias("segment_key"),
        "feature",
        F.expr(rounded("mean", unit=None)).alias("mean"),
        "median",
        F.expr(rounded("mean / nullif(overall, 0)", unit="ratio")).alias("index_to_all"),
    )


def _median(name: str) -> str:
    """Exact, half up: of whole millionths, none of them negative."""
    return f"floor(median(CAST(CAST({name} AS DECIMAL(28,6)) * 1000000BD AS BIGINT)) + 0.5D) / 1000000D"


def _mean(name: str) -> str:
    """Exact up to the division: features have six decimals at most."""
    return f"CAST(sum(CAST({name} AS DECIMAL(28,6))) AS DOUBLE) / nullif(count({name}), 0)"


#: measure -> SQL over the customers of a segment who allow profiling
_KPIS = {
    "retention_rate_90d": "count_if(orders_prev_90d > 0 AND orders_90d > 0) / nullif(count_if(orders_prev_90d > 0), 0)",
    "repeat_rate_90d": "count_if(orders_90d > 1) / nullif(count_if(orders_90d > 0), 0)",
    "new_to_repeat_rate_90d": "count_if(is_new AND orders_total > 1) / nullif(count_if(is_new), 0)",
    "win_back_rate_90d": "count_if(came_back) / nullif(count_if(came_back OR recency_days > 270), 0)",
    "revenue_growth_90d": "CAST(sum(net_revenue_90d) AS DOUBLE)"
    " / nullif(CAST(sum(net_revenue_prev_90d) AS DOUBLE), 0) - 1",
    "satisfaction": f"{_mean('average_rating')}",
    "service_response_hours": f"{_mean('response_hours')}",
    "complaint_rate": "CAST(sum(complaint_count) AS DOUBLE) / nullif(CAST(sum(orders_365d) AS DOUBLE), 0)",
    "revenue_share": "CAST(sum(net_revenue_90d) AS DOUBLE) / nullif(CAST(max(all_90d) AS DOUBLE), 0)",
    "revenue_share_prev": "CAST(sum(net_revenue_prev_90d) AS DOUBLE) / nullif(CAST(max(all_prev_90d) AS DOUBLE), 0)",
}


def kpis(told: DataFrame, schemes: Sequence[Scheme], least: int) -> DataFrame:
    """One row per (scheme, segment): how its customers of tonight did over their last 270 days.

    Args:
        told: of every known customer the schemes' columns, and the features of who allows profiling.
        schemes: those to tell of.
        least: of groups smaller than this nothing is said.
    """
    sums = {name: F.sum(f"net_revenue_{name.removeprefix('all_')}") for name in ("all_90d", "all_prev_90d")}
    overall = told.agg(*(total.alias(name) for name, total in sums.items()))
    marks = {
        "is_new": "orders_total > 0 AND tenure_days < 90",
        "came_back": "coalesce(comeback_gap_days, 0) > 180",
    }
    needed = (
        "orders_90d", "orders_prev_90d", "orders_365d", "orders_total", "recency_days", "net_revenue_90d",
        "net_revenue_prev_90d", "average_rating", "complaint_count", "response_hours",
    )  # fmt: skip
    marked = told.withColumns({name: F.expr(sql) for name, sql in marks.items()}).crossJoin(F.broadcast(overall))
    known = codes_of(marked, schemes, *marks, *needed, *sums)
    measures = [F.expr(rounded(sql)).alias(name) for name, sql in _KPIS.items()]
    found = known.groupBy(*_KEY).agg((F.count("*") >= least).alias("is_shown"), *measures)
    hidden = found.withColumns({name: F.when(F.col("is_shown"), F.col(name)) for name in _KPIS})
    return hidden.withColumn("segment_key", F.concat_ws(":", *_KEY))


def watchlist(assigned: DataFrame, value: DataFrame) -> DataFrame:
    """One row per customer who is about to stop, the surest first by band: what changed, in the customer's numbers.

    Args:
        assigned: features, churn_risk_band and churn_risk_band_reason of everyone, is_marketing_allowed.
        value: customer_value.
    """
    warned = assigned.where("churn_risk_band IN ('high', 'middle')")
    worth = value.select("customer_id", F.expr(AT_RISK).alias("value_at_risk"))
    return warned.join(worth, "customer_id", "left").select(
        "customer_id",
        "churn_risk_band",
        F.col("churn_risk_band_reason").alias("reason"),
        F.col("median_gap_days").alias("personal_gap_days"),
        F.col("recency_days").alias("days_since_last_order"),
        F.expr(rounded("1 - orders_90d / nullif(orders_prev_90d, 0)")).alias("frequency_drop"),
        "value_at_risk",
        "is_marketing_allowed",
    )
