"""Tables about segments: who is in which, where they went, what they are like."""

from __future__ import annotations

from jobs.definitions.model import MONEY, Column, Table, Type
from jobs.definitions.published.columns import (
    AT_RISK,
    CAUSES,
    CUSTOMER,
    OUTSIDE,
    SCHEME,
    SEGMENT,
    SEGMENT_KEY,
    SNAPSHOT,
    TO_SEGMENT,
)
from jobs.definitions.segments import OTHER

SEGMENT_MEMBERSHIPS = Table(
    "segment_memberships", ("customer_id", "scheme", "valid_from"),
    (
        CUSTOMER, SNAPSHOT, SCHEME, SEGMENT, SEGMENT_KEY,
        Column("reason", "STRING", "One sentence: the rule and the customer's own numbers.", required=True),
        Column("rule_version", "STRING", "Version of the rules that gave it.", required=True),
        Column("valid_from", "DATE", "First business date, inclusive.", required=True),
        Column("valid_to", "DATE", "Business date it ended, exclusive; 9999-12-31 while it lasts.", required=True),
        Column("is_current", "BOOLEAN", "It lasts.", required=True),
    ),
    "Who was in which segment, from when to when.",
    references=(TO_SEGMENT,),
)  # fmt: skip

SEGMENT_MIGRATIONS = Table(
    "segment_migrations", ("scheme", "from_segment", "to_segment", "cause"),
    (
        SNAPSHOT, SCHEME,
        Column("from_segment", "STRING", f"Segment before; {OUTSIDE} for who joined.", required=True),
        Column("to_segment", "STRING", f"Segment now; {OUTSIDE} for who left.", required=True),
        Column("cause", "STRING", "Why: by themselves (moved), their consent, an order or refund of days already told "
               "(correction), ids that became one or two (merged, split), another rule or model; joined or left.",
               required=True, values=CAUSES),
        Column("previous_snapshot_date", "DATE", "The snapshot compared with.", required=True),
        Column("customers", "BIGINT", "Customers.", required=True, minimum=1),
        Column("net_revenue_365d", MONEY, "Their net revenue in 365 days, as of the newer snapshot that knows them.",
               required=True, unit="currency"),
    ),
    "Who went where since the previous snapshot, and why. Empty on the first night.",
)  # fmt: skip

SEGMENT_TREND = Table(
    "segment_trend", ("scheme", "segment", "snapshot_date"),
    (
        SCHEME, SEGMENT, SNAPSHOT, SEGMENT_KEY,
        Column("customers", "BIGINT", "Customers.", required=True, minimum=0),
        Column("net_revenue_365d", MONEY, "Their net revenue in 365 days.", required=True, unit="currency"),
    ),
    "Size of every segment on every night up to this one.", load="merge",
    references=(TO_SEGMENT,),
)  # fmt: skip


def _measure(name: str, type_: Type, unit: str | None, description: str) -> Column:
    return Column(name, type_, f"{description} Null where the group is too small to be shown.", unit=unit)


SEGMENT_PROFILES = Table(
    "segment_profiles", ("scheme", "segment"),
    (
        SCHEME, SEGMENT, SNAPSHOT, SEGMENT_KEY,
        _measure("customers", "BIGINT", "customers", "Customers."),
        _measure("customer_share", "DOUBLE", "share", "Customers over all who are known."),
        _measure("net_revenue_365d", MONEY, "currency", "Their net revenue in 365 days; 0 of those not profiled."),
        _measure("revenue_share", "DOUBLE", "share", "Their net revenue over that of all."),
        _measure("average_order_value", MONEY, "currency", "Net revenue per order in 365 days, halves rounded up."),
        _measure("median_recency_days", "DOUBLE", "days", "Median of recency_days."),
        _measure("mean_orders_365d", "DOUBLE", "orders", "Mean of orders_365d."),
        _measure("at_risk_customers", "BIGINT", "customers", "Customers whose churn_risk_band is high."),
        _measure("at_risk_share", "DOUBLE", "share", "at_risk_customers over customers."),
        _measure("value_at_risk", MONEY, "currency", f"Sum of {AT_RISK} over its customers."),
        _measure("top_category", "STRING", None, "The category that is top_category of most, ties by smallest."),
        _measure("top_product_id", "STRING", None, "The product that is top_product_id of most, ties by smallest."),
        _measure("peak_daypart", "STRING", None, "The daypart that is preferred_daypart of most, ties by smallest."),
        _measure("portrait", "STRING", None, "The segment in a few sentences, English."),
        _measure("portrait_zh", "STRING", None, "The segment in a few sentences, Chinese."),
        Column("is_suppressed", "BOOLEAN", "The group is smaller than privacy.min_group_size, so nothing is said.",
               required=True),
    ),
    "What the customers of a segment are like together.",
    references=(TO_SEGMENT,),
)  # fmt: skip

SEGMENT_PROFILE_FEATURES = Table(
    "segment_profile_features", ("scheme", "segment", "feature"),
    (
        SCHEME, SEGMENT, SNAPSHOT, SEGMENT_KEY,
        Column("feature", "STRING", "Column of customer_features.", required=True),
        Column("mean", "DOUBLE", "Mean over the customers of the segment who have a value.", required=True),
        Column("median", "DOUBLE", "Median over the same, of an even count the mean of the middle two.", required=True),
        Column("index_to_all", "DOUBLE", "Mean over that of everybody: 1 is like all; null where that is 0.",
               unit="ratio"),
    ),
    f"What sets a segment apart; segments smaller than privacy.min_group_size are together as {OTHER}.",
    references=(TO_SEGMENT,),
)  # fmt: skip


def _rate(name: str, description: str) -> Column:
    return _measure(name, "DOUBLE", "share", f"{description} Null where there is nobody to count.")


SEGMENT_KPIS = Table(
    "segment_kpis", ("scheme", "segment"),
    (
        SCHEME, SEGMENT, SNAPSHOT, SEGMENT_KEY,
        _rate("retention_rate_90d", "Of those with an order in the 90 days before the last 90, who has one now."),
        _rate("repeat_rate_90d", "Of those with an order in 90 days, who has two or more."),
        _rate("new_to_repeat_rate_90d", "Of those whose first order was in 90 days, who has two or more."),
        _rate("win_back_rate_90d", "Of those who 90 days ago had been silent for over 180 days, who came back."),
        _measure("revenue_growth_90d", "DOUBLE", "ratio", "Net revenue of 90 days over that of 90 before, less 1."),
        _measure("satisfaction", "DOUBLE", "stars", "Mean of average_rating over the customers who rated in 365 days."),
        _measure("service_response_hours", "DOUBLE", "hours", "Mean of response_hours over the customers who had an "
                 "answer in 365 days."),
        _rate("complaint_rate", "Complaints over orders in 365 days."),
        _rate("revenue_share", "Net revenue of 90 days over that of everybody who allows profiling."),
        _rate("revenue_share_prev", "The same of the 90 days before."),
    ),
    "How a segment does; the customers who are in it tonight, looked at over their last 270 days.",
    references=(TO_SEGMENT,),
)  # fmt: skip
