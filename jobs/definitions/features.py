"""Features: one entry each, from which everything else follows.

A feature is an SQL expression over one *view* of a customer's history. The views are built in
``jobs.transforms.views``; each has ``customer_id`` and the columns listed in :data:`VIEWS`. Money in
views is in whole cents (BIGINT), so sums are exact in any order; ``days_ago`` is the business date of
the snapshot minus the row's; ``place`` is 1 for the customer's own first. An entry's expression is an
aggregate over its view's rows of one customer, or, for the view ``features``, a scalar expression over
the features above it.

To add a feature add an entry: the Spark aggregate, the Arrow schema, the structural suite, the data
dictionary and the column order are made from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jobs.definitions.model import MONEY, Column, Type

View = Literal["orders", "gaps", "categories", "products", "brands", "stores", "dayparts", "feedback"]

#: view -> what one row of it is, and its columns behind ``customer_id``
VIEWS: dict[str, tuple[str, str]] = {
    "orders": (
        "one completed order that was not refunded in full, any date up to the snapshot",
        "days_ago, channel, fulfilment, daypart, day_type, party_size, gross_cents, discount_cents, "
        "coupon_discount_cents, refunded_cents, net_cents, cost_cents (null if any line lacks a cost), has_coupon",
    ),
    "gaps": ("two consecutive distinct order dates", "gap_days, days_ago (of the later date)"),
    "categories": ("one category bought in 365 days", "category, net_cents, customer_net_cents, place"),
    "products": ("one product bought in 365 days", "product_id, net_cents, customer_net_cents, place"),
    "brands": ("one brand bought in 365 days", "brand, net_cents, customer_net_cents, place"),
    "stores": ("one store visited in 365 days", "store_id, orders, net_cents, place"),
    "dayparts": ("one daypart visited in 365 days", "daypart, orders, net_cents, place"),
    "feedback": ("one note given in 365 days", "days_ago, rating, is_complaint"),
}


@dataclass(frozen=True)
class Feature:
    """One column of customer_features and how it is computed."""

    name: str
    type: Type
    unit: str | None
    description: str
    over: View | Literal["features", "profile", "nothing"]
    sql: str
    if_none: str = "NULL"  #: value for a customer without any row in the view
    minimum: float | None = None
    maximum: float | None = None

    @property
    def column(self) -> Column:
        """The published column."""
        return Column(
            self.name, self.type, self.description, minimum=self.minimum, maximum=self.maximum, unit=self.unit
        )


def _count(name: str, condition: str, description: str) -> Feature:
    return Feature(name, "BIGINT", "orders", description, "orders", f"count_if({condition})", "0", minimum=0)


def _money(name: str, view: View, cents: str, description: str, if_none: str = "NULL") -> Feature:
    return Feature(name, MONEY, "currency", description, view, f"CAST(({cents}) / 100BD AS DECIMAL(18,2))", if_none)


def _order_share(name: str, condition: str, description: str) -> Feature:
    sql = f"round(count_if(days_ago < 365 AND {condition}) / nullif(count_if(days_ago < 365), 0), 6)"
    return Feature(name, "DOUBLE", "share", description, "orders", sql, minimum=0, maximum=1)


def _money_share(name: str, cents: str, description: str) -> Feature:
    sums = f"sum({cents}) FILTER (WHERE days_ago < 365)", "sum(gross_cents) FILTER (WHERE days_ago < 365)"
    sql = f"round({sums[0]} / nullif({sums[1]}, 0), 6)"
    return Feature(name, "DOUBLE", "share", description, "orders", sql, minimum=0, maximum=1)


def _top(name: str, view: View, column: str, description: str) -> Feature:
    return Feature(name, "STRING", None, description, view, f"max({column}) FILTER (WHERE place = 1)")


def _top_share(name: str, view: View, description: str) -> Feature:
    sql = "round(max(net_cents) FILTER (WHERE place = 1) / nullif(max(customer_net_cents), 0), 6)"
    return Feature(name, "DOUBLE", "share", description, view, sql)


FEATURES: tuple[Feature, ...] = (
    Feature("recency_days", "INT", "days", "Snapshot date minus the last order's business date, over all history.",
            "orders", "min(days_ago)", minimum=0),
    _count("orders_365d", "days_ago < 365", "Completed orders in 365 days; one that was refunded in full is none."),
    _money("net_revenue_365d", "orders", "coalesce(sum(net_cents) FILTER (WHERE days_ago < 365), 0)",
           "Net revenue in 365 days.", "0.00"),
    _money("gross_margin_365d", "orders",
           "CASE WHEN count_if(days_ago < 365 AND cost_cents IS NULL) = 0 "
           "THEN sum(net_cents - cost_cents) FILTER (WHERE days_ago < 365) END",
           "Net revenue minus unit cost times quantity in 365 days; null if any line lacks a cost."),
    Feature("average_order_value", MONEY, "currency", "Net revenue per order in 365 days, halves rounded up.",
            "orders",
            "CAST(round(CAST(sum(net_cents) FILTER (WHERE days_ago < 365) AS DECIMAL(20,0)) "
            "/ nullif(count_if(days_ago < 365), 0), 0) / 100BD AS DECIMAL(18,2))"),
    Feature("tenure_days", "INT", "days", "Snapshot date minus the first order's date, else the registration's.",
            "orders", "max(days_ago)", "registered_days_ago", minimum=0),
    _count("orders_30d", "days_ago < 30", "Orders in 30 days."),
    _count("orders_90d", "days_ago < 90", "Orders in 90 days."),
    _count("orders_prev_90d", "days_ago BETWEEN 90 AND 179", "Orders in the 90 days before those of orders_90d."),
    _count("orders_total", "true", "Orders over all history."),
    Feature("frequency_trend", "DOUBLE", "share", "(orders_90d - orders_prev_90d) / (orders_90d + orders_prev_90d).",
            "features",
            "round((orders_90d - orders_prev_90d) / nullif(orders_90d + orders_prev_90d, 0), 6)",
            minimum=-1, maximum=1),
    Feature("median_gap_days", "DOUBLE", "days", "Median days between consecutive distinct order dates, all history.",
            "gaps", "round(median(gap_days), 6)", minimum=0),
    Feature("comeback_gap_days", "INT", "days", "Longest pause that ended in the last 90 days.",
            "gaps", "max(gap_days) FILTER (WHERE days_ago < 90)", minimum=1),
    _order_share("online_share", "channel IN ('web', 'app', 'marketplace')", "Orders by web, app or marketplace."),
    _order_share("weekday_lunch_share", "day_type = 'weekday' AND daypart = 'lunch'", "Lunch orders on weekdays."),
    _order_share("weekend_share", "day_type = 'weekend'", "Orders on weekends that are no holiday."),
    _order_share("evening_share", "daypart = 'evening'", "Orders in the evening."),
    _order_share("late_night_share", "daypart = 'late_night'", "Orders late at night."),
    _order_share("holiday_share", "day_type = 'holiday'", "Orders on public holidays."),
    _top("preferred_daypart", "dayparts", "daypart", "Daypart of most orders in 365 days, then the later in the day."),
    Feature("average_party_size", "DOUBLE", "people", "Mean party size in 365 days, of orders that state one.",
            "orders",
            "round(sum(party_size) FILTER (WHERE days_ago < 365) "
            "/ nullif(count(party_size) FILTER (WHERE days_ago < 365), 0), 6)", minimum=1),
    _money_share("discount_share", "discount_cents + coupon_discount_cents", "Discounts over gross in 365 days."),
    _order_share("coupon_order_share", "has_coupon", "Orders with a coupon or a coupon discount."),
    _money_share("refund_share", "refunded_cents", "Refunded over gross in 365 days."),
    Feature("distinct_categories", "BIGINT", "categories", "Different categories bought in 365 days.",
            "categories", "count(category)", "0", minimum=0),
    _top("top_category", "categories", "category", "Category of most net revenue in 365 days, ties by smallest."),
    _top_share("top_category_share", "categories", "Net revenue of top_category over all."),
    _top("top_product_id", "products", "product_id", "Product of most net revenue in 365 days, ties by smallest id."),
    _top_share("top_brand_share", "brands", "Net revenue of the brand with most of it, over all."),
    _top("home_store_id", "stores", "store_id", "Store of most orders, then most net revenue, then smallest id."),
    Feature("average_rating", "DOUBLE", "stars", "Mean rating in 365 days.", "feedback",
            "round(sum(rating) / nullif(count(rating), 0), 6)", minimum=1, maximum=5),
    Feature("complaint_count", "BIGINT", "complaints", "Complaints in 365 days; null where there is no feedback feed.",
            "feedback", "count_if(is_complaint)", "0", minimum=0),
    Feature("last_visit_days", "INT", "days", "Snapshot date minus the last web or app session's; no feed yet.",
            "nothing", "CAST(NULL AS INT)", minimum=0),
    Feature("sessions_30d", "BIGINT", "sessions", "Web and app sessions in 30 days; no feed yet.",
            "nothing", "CAST(NULL AS BIGINT)", minimum=0),
)  # fmt: skip
