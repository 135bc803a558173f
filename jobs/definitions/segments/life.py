"""Schemes over a customer's life with the chain: where it stands, and whether it is about to end."""

from __future__ import annotations

from jobs.definitions.segments.scheme import Scheme, Segment

LIFECYCLE = Scheme(
    "lifecycle_stage", "Life cycle", "生命周期", "Where a customer stands between first and last order.",
    "客户处于首购与流失之间的哪个阶段。",
    "concat(orders_total, ' orders so far, the last ', coalesce(CAST(recency_days AS STRING), 'never'), "
    "' days ago, the first ', tenure_days, ' days ago, usual gap ', coalesce(CAST(median_gap_days AS STRING), "
    "'unknown'), ' days')",
    (
        Segment("prospect", "Prospect", "潜在客户", "Known, no order yet.", "已知但尚未下单。",
                "orders_total = 0", "Invite to a first order."),
        Segment("lost", "Lost", "流失", "No order for more than 365 days.", "超过365天无订单。",
                "recency_days > 365", "Ask once, then leave."),
        Segment("lapsed", "Lapsed", "已流失边缘", "No order for more than 180 days.", "超过180天无订单。",
                "recency_days > 180", "Win back."),
        Segment("won_back", "Won back", "赢回", "Came back in the last 90 days after a pause of over 180.",
                "停顿超过180天后，近90天内回归。", "coalesce(comeback_gap_days, 0) > 180", "Welcome back."),
        Segment("new", "New", "新客", "First order in the last 90 days.", "首单在近90天内。",
                "tenure_days < 90", "Bring to the second order."),
        Segment("cooling", "Cooling", "降温", "Over 90 days, or over 30 days and three usual gaps, without an order.",
                "超过90天，或超过30天且为通常间隔三倍未下单。",
                "recency_days > 90 OR (recency_days > 30 AND recency_days > 3 * coalesce(median_gap_days, 30))",
                "Remind while it is easy."),
        Segment("loyal", "Loyal", "忠诚", "Twelve or more orders in 365 days, three or more in 90.",
                "365天内不少于12单，90天内不少于3单。", "orders_365d >= 12 AND orders_90d >= 3", "Keep and thank."),
        Segment("active", "Active", "活跃", "Orders, and none of the above.", "有订单，且不属于以上各类。",
                "true", "Build the habit."),
    ),
)  # fmt: skip

#: the customer's own usual gap
_GAP = "coalesce(median_gap_days, 30)"
#: an order in the next 30 days is more likely than not: the own gap is no longer, and the last order not too old for it
_COMES = f"({_GAP} <= 30 AND recency_days <= greatest(21, 4.3 * {_GAP}))"

PREDICTED = Scheme(
    "predicted_lifecycle_30d", "Life cycle in 30 days", "30天后生命周期",
    "The stage that a customer will have reached in 30 days, if the own usual gap goes on.",
    "若按自身通常间隔继续，30天后所处阶段。",
    "concat('last order ', coalesce(CAST(recency_days AS STRING), 'never'), ' days ago, usual gap ', "
    "coalesce(CAST(median_gap_days AS STRING), 'unknown'), ' days, now ', lifecycle_stage)",
    (
        Segment("prospect", "Prospect", "潜在客户", "No order yet.", "尚未下单。", "orders_total = 0",
                "Invite to a first order."),
        Segment("lost", "Lost", "流失", "By then without an order for more than 365 days.", "届时超过365天无订单。",
                "recency_days > 335", "Ask once, then leave."),
        Segment("lapsed", "Lapsed", "已流失边缘", "By then without an order for more than 180 days.",
                "届时超过180天无订单。", "recency_days > 150", "Win back before."),
        Segment("won_back", "Won back", "赢回", "Came back lately after a pause of over 180 days.",
                "停顿超过180天后近期回归。", "lifecycle_stage = 'won_back'", "Welcome back."),
        Segment("new", "New", "新客", "First order still in the last 90 days by then.", "届时首单仍在90天内。",
                "tenure_days < 60", "Bring to the second order."),
        Segment("cooling", "Cooling", "降温", "Too long without an order, now or by then.", "现已或届时过久未下单。",
                f"lifecycle_stage = 'cooling' OR (NOT {_COMES} AND (recency_days > 60 OR recency_days + 30 > 3 * "
                f"{_GAP}))",
                "Remind now, before it is so."),
        Segment("loyal", "Loyal", "忠诚", "Twelve or more orders in 365 days, three or more in 90.",
                "365天内不少于12单，90天内不少于3单。", "orders_365d >= 12 AND orders_90d >= 3", "Keep and thank."),
        Segment("active", "Active", "活跃", "Orders, and none of the above.", "有订单，且不属于以上各类。",
                "true", "Build the habit."),
    ),
)  # fmt: skip

#: without a model: longer than nineteen in twenty of the own gaps would be, if they are as an exponential has them
_OVERDUE = f"churn_probability_90d IS NULL AND recency_days > 21 AND recency_days > 4.3 * {_GAP}"

CHURN_RISK = Scheme(
    "churn_risk_band", "Churn risk", "流失风险", "Whether somebody is about to stop: by churn_probability_90d, which "
    "goes by the customer's own rhythm; without a model, by the own usual gap alone.",
    "根据客户自身节奏判断是否即将流失。",
    "concat('last order ', recency_days, ' days ago, own usual gap ', coalesce(CAST(median_gap_days AS STRING), "
    "'unknown'), ' days, ', orders_90d, ' orders in 90 days after ', orders_prev_90d, ' in the 90 before', "
    "coalesce(concat(', no order in the next 90 with a probability of ', churn_probability_90d), ''))",
    (
        Segment("none", "No order yet", "尚无订单", "Nothing to lose yet.", "尚未下单，无从流失。", "orders_total = 0",
                "Invite to a first order."),
        Segment("gone", "Gone", "已流失", "No order for more than 180 days.", "超过180天无订单。",
                "recency_days > 180", "Win back, or leave."),
        Segment("high", "High", "高风险", "More likely than not without an order in the next 90 days; without a "
                "model, unseen for over 4.3 own gaps and 21 days.",
                "未来90天不再下单的可能性过半；无模型时超过4.3倍自身间隔且超过21天。",
                f"churn_probability_90d >= 0.5 OR ({_OVERDUE})", "Call or write personally, now."),
        Segment("middle", "Middle", "中风险", "Without an order in the next 90 days with a probability of a quarter or "
                "more; or orders of 90 days down by more than chance does.",
                "未来90天不再下单的可能性达四分之一，或90天订单下降超出偶然。",
                "churn_probability_90d >= 0.25 OR orders_prev_90d - orders_90d > "
                "2.6 * sqrt(orders_prev_90d + orders_90d)", "Remind, with what they like."),
        Segment("low", "Low", "低风险",
                "Likely to come again within 90 days; orders are not down by more than chance does.",
                "很可能在90天内再次光顾，且未超出偶然地减少。", "true", "Nothing."),
    ),
)  # fmt: skip
