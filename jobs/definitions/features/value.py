"""What a customer is worth, what is in the basket, and what price cuts, coupons and refunds take."""

from __future__ import annotations

from jobs.definitions.features.feature import (
    Feature,
    gross_share,
    money,
    order_mean,
    order_share,
    orders_counted,
    revenue_within,
)
from jobs.definitions.model import MONEY

VALUE: tuple[Feature, ...] = (
    revenue_within(365),
    revenue_within(90),
    money("net_revenue_prev_90d", "orders",
          "coalesce(sum(net_cents) FILTER (WHERE days_ago BETWEEN 90 AND 179), 0)",
          "Net revenue in the 90 days before those of net_revenue_90d.", "0.00"),
    Feature("revenue_trend", "DOUBLE", "ratio",
            "(net_revenue_90d - net_revenue_prev_90d) / (net_revenue_90d + net_revenue_prev_90d).", "features",
            "CAST((net_revenue_90d - net_revenue_prev_90d) * 100 AS BIGINT) "
            "/ nullif(CAST((net_revenue_90d + net_revenue_prev_90d) * 100 AS BIGINT), 0)"),
    money("gross_margin_365d", "orders",
          "CASE WHEN count_if(days_ago < 365 AND cost_cents IS NULL) = 0 "
          "THEN sum(net_cents - cost_cents) FILTER (WHERE days_ago < 365) END",
          "Net revenue minus unit cost times quantity in 365 days; null if any line lacks a cost."),
    Feature("average_order_value", MONEY, "currency", "Net revenue per order in 365 days, halves rounded up.",
            "orders",
            "CAST(round(CAST(sum(net_cents) FILTER (WHERE days_ago < 365) AS DECIMAL(20,0)) "
            "/ nullif(count_if(days_ago < 365), 0), 0) / 100BD AS DECIMAL(18,2))"),
    order_mean("average_lines", "lines", "lines", "Mean lines per order in 365 days.", 1),
    order_mean("average_items", "items", "pieces", "Mean of the quantities of an order, summed, in 365 days.", 0),
    gross_share("discount_share", "discount_cents + coupon_discount_cents", "Discounts over gross in 365 days."),
    gross_share("coupon_discount_share", "coupon_discount_cents", "Coupon discounts over gross in 365 days."),
    gross_share("price_cut_revenue_share", "cut_gross_cents",
                "Response to price cuts: gross of lines that the chain had discounted, over gross, in 365 days."),
    order_share("coupon_order_share", "has_coupon", "Orders with a coupon or a coupon discount."),
    order_share("full_price_share", "discount_cents = 0 AND NOT has_coupon",
                "Orders without any discount or coupon."),
    gross_share("refund_share", "refunded_cents", "Refunded over gross in 365 days."),
    orders_counted("refunded_orders_365d", "days_ago < 365 AND refunded_cents > 0",
                   "Orders in 365 days of which a part was paid back; one that was refunded in full is none."),
)  # fmt: skip
