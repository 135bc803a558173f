"""How often a customer comes, how regularly, and whether that changes."""

from __future__ import annotations

from jobs.definitions.features.feature import YEAR, Feature, orders_counted, orders_within

RHYTHM: tuple[Feature, ...] = (
    Feature("recency_days", "INT", "days", "Snapshot date minus the last order's business date, over all history.",
            "orders", "min(days_ago)", minimum=0, ages=True),
    orders_within(365),
    Feature("tenure_days", "INT", "days", "Snapshot date minus the first order's date, else the registration's.",
            "orders", "max(days_ago)", "registered_days_ago", minimum=0, ages=True),
    orders_within(30),
    orders_within(90),
    orders_counted("orders_prev_90d", "days_ago BETWEEN 90 AND 179",
                   "Orders in the 90 days before those of orders_90d."),
    orders_counted("orders_total", "true", "Orders over all history."),
    Feature("frequency_trend", "DOUBLE", "ratio", "(orders_90d - orders_prev_90d) / (orders_90d + orders_prev_90d).",
            "features", "(orders_90d - orders_prev_90d) / nullif(orders_90d + orders_prev_90d, 0)",
            minimum=-1, maximum=1),
    Feature("order_dates_365d", "BIGINT", "days", "Distinct order dates in 365 days.",
            "gaps", f"count_if(days_ago < {YEAR})", "0", minimum=0),
    Feature("median_gap_days", "DOUBLE", "days", "Median days between consecutive distinct order dates, all history.",
            "gaps", "median(gap_days)", minimum=0),
    Feature("longest_gap_days", "INT", "days", "Most days between consecutive distinct order dates, all history.",
            "gaps", "max(gap_days)", minimum=1),
    Feature("comeback_gap_days", "INT", "days", "Longest pause that ended in the last 90 days.",
            "gaps", "max(gap_days) FILTER (WHERE days_ago < 90)", minimum=1),
    Feature("gap_variation", "DOUBLE", "ratio",
            "Standard deviation (of a population) of the gaps between distinct order dates over their mean, all "
            "history: 0 is a clock; null below two gaps.", "gaps",
            "CASE WHEN count(gap_days) > 1 THEN sqrt(count(gap_days) * sum(CAST(gap_days AS BIGINT) * gap_days) "
            "- sum(gap_days) * sum(gap_days)) / sum(gap_days) END", minimum=0),
    Feature("recency_gap_ratio", "DOUBLE", "ratio", "recency_days over median_gap_days: above 1 the customer is late.",
            "features", "recency_days / nullif(median_gap_days, 0)", minimum=0),
)  # fmt: skip
