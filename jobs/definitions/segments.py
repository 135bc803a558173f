"""Segment schemes: the rules, in priority order, and the words for people.

A rule is an SQL condition over a customer's features and scores; the first that holds decides. A
scheme's last rule always holds, so every customer has exactly one segment in each. ``because`` is an
SQL expression that makes the reason: the customer's own numbers beside the thresholds.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from jobs.definitions import rfm

#: codes of every scheme where there is no answer
NO_CONSENT = "no_profiling_consent"
NOT_SCORED = "not_scored"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Segment:
    """One segment of a scheme and its rule."""

    code: str
    label_en: str
    label_zh: str
    description_en: str
    description_zh: str
    when: str  #: SQL condition; ``true`` for the last
    action: str


@dataclass(frozen=True)
class Scheme:
    """One way to divide all customers."""

    name: str
    label_en: str
    label_zh: str
    description_en: str
    description_zh: str
    because: str  #: SQL expression: one sentence with the customer's numbers
    segments: tuple[Segment, ...]
    kind: str = "rule"  #: rule, or score where frozen cut points take part

    @property
    def column(self) -> str:
        """Its column in customer_segments."""
        return COLUMN_OF_SCHEME.get(self.name, f"{self.name}_segment")

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code it can give, no_profiling_consent included."""
        return (*(segment.code for segment in self.segments), NO_CONSENT)


#: schemes whose promised column does not end in ``_segment``
COLUMN_OF_SCHEME = {
    "lifecycle_stage": "lifecycle_stage",
    "value_tier": "value_tier",
    "channel_preference": "channel_preference",
    "consumption_occasion": "consumption_occasion",
}


def _unscored(action: str = "Wait until there is enough history.") -> Segment:
    return Segment(NOT_SCORED, "Not scored", "未评分", "No order in 365 days, or too little data to score.",
                   "365天内无订单，或数据不足以评分。", "true", action)  # fmt: skip


def _unknown() -> Segment:
    return Segment(UNKNOWN, "Unknown", "未知", "No order in 365 days to judge by.", "365天内无订单可供判断。",
                   "orders_365d = 0", "None.")  # fmt: skip


def _cells(code: str) -> str:
    quoted = ", ".join(f"'{cell}'" for cell in rfm.CELLS[code].split())
    return f"rfm_cell IN ({quoted})"


def _eight(high: tuple[bool, bool, bool]) -> str:
    words = ("is_recent", "is_frequent", "is_big")
    return " AND ".join(word if flag else f"NOT {word}" for word, flag in zip(words, high, strict=True))


_RFM_WORDS: tuple[tuple[str, str, str, str, str, str], ...] = (
    ("champions", "Champions", "冠军客户", "Bought lately, often and most.", "近期、频繁且高额购买。",
     "Thank them; early access."),
    ("loyal", "Loyal", "忠诚客户", "Buy regularly and well.", "购买稳定且金额可观。", "Offer membership benefits."),
    ("potential_loyalist", "Potential Loyalist", "潜在忠诚客户", "Recent, with some frequency.", "近期购买，频次尚可。",
     "Recommend; invite to the programme."),
    ("new_customers", "New Customers", "新客户", "Bought lately, not often yet.", "近期首购，频次尚低。",
     "Welcome them."),
    ("promising", "Promising", "有希望客户", "Recent with good spend, few orders.", "近期购买且消费较高，次数不多。",
     "Build the habit."),
    ("need_attention", "Need Attention", "需关注客户", "Good values, recency slipping.", "各项良好，但近期性下滑。",
     "A limited offer."),
    ("about_to_sleep", "About To Sleep", "即将沉睡客户", "Below average and fading.", "低于平均且逐渐减少。",
     "Remind them what they liked."),
    ("at_risk", "At Risk", "有流失风险客户", "Bought often and well, long ago.", "曾频繁高额购买，但久未光临。",
     "Win back personally."),
    ("cannot_lose_them", "Cannot Lose Them", "不可失去客户", "Spent most, gone quiet.", "曾是最高消费者，现已沉寂。",
     "Call them; ask why."),
    ("hibernating", "Hibernating", "休眠客户", "Last order long ago, few and small.", "上次购买已久，次数少金额低。",
     "A cheap reminder at most."),
    ("lost", "Lost", "流失客户", "Lowest in all.", "各项最低。", "Leave or ask once."),
)  # fmt: skip

RFM = Scheme(
    "rfm", "RFM", "RFM分群", "Eleven groups by recency, frequency and money.", "按近度、频度、额度分为十一类。",
    "concat('recency ', recency_days, ' days scores ', recency_score, ', ', orders_365d, ' orders score ', "
    "frequency_score, ', net revenue ', net_revenue_365d, ' scores ', monetary_score, ' (5 is best)')",
    (*(Segment(code, en, zh, den, dzh, _cells(code), action) for code, en, zh, den, dzh, action in _RFM_WORDS),
     _unscored()),
    kind="score",
)  # fmt: skip

_EIGHT_WORDS: dict[str, tuple[str, str, str]] = {
    "important_value": ("Important: value", "重要价值客户", "Recent, frequent, big."),
    "important_develop": ("Important: develop", "重要发展客户", "Recent and big, not frequent."),
    "important_keep": ("Important: keep", "重要保持客户", "Frequent and big, not recent."),
    "important_win_back": ("Important: win back", "重要挽留客户", "Big, neither recent nor frequent."),
    "general_value": ("General: value", "一般价值客户", "Recent and frequent, not big."),
    "general_develop": ("General: develop", "一般发展客户", "Recent only."),
    "general_keep": ("General: keep", "一般保持客户", "Frequent only."),
    "general_win_back": ("General: win back", "一般挽留客户", "None of the three."),
}

RFM8 = Scheme(
    "rfm8", "RFM, eight classes", "RFM八分法", "High or low in each of recency, frequency and money.",
    "近度、频度、额度各分高低。",
    "concat('recency ', recency_days, ' days against a median of ', recency_median, ', ', orders_365d, "
    "' orders against ', frequency_median, ', net revenue ', net_revenue_365d, ' against ', monetary_median)",
    (*(Segment(code, *_EIGHT_WORDS[code][:2], _EIGHT_WORDS[code][2], _EIGHT_WORDS[code][1] + "。", _eight(high),
               "See the eleven groups.") for high, code in rfm.EIGHT.items()),
     _unscored()),
    kind="score",
)  # fmt: skip

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

VALUE_TIER = Scheme(
    "value_tier", "Value", "价值层级", "High, middle or low by net revenue in 365 days.", "按365天净收入分高、中、低。",
    "concat('net revenue ', net_revenue_365d, ' in 365 days scores ', monetary_score, ' of 5')",
    (
        Segment("high", "High", "高价值", "Money score 5.", "额度评分5。", "monetary_score = 5", "Serve personally."),
        Segment("middle", "Middle", "中价值", "Money score 3 or 4.", "额度评分3或4。", "monetary_score >= 3",
                "Upgrade."),
        Segment("low", "Low", "低价值", "Money score 1 or 2.", "额度评分1或2。", "monetary_score >= 1",
                "Serve cheaply."),
        _unscored(),
    ),
    kind="score",
)  # fmt: skip

CHANNEL = Scheme(
    "channel_preference", "Channel preference", "渠道偏好", "Where the customer orders.", "客户在哪里下单。",
    "concat('share of orders online ', online_share, ' of ', orders_365d, ' orders in 365 days')",
    (
        _unknown(),
        Segment("online", "Online", "线上", "Four in five orders or more online.", "八成以上线上下单。",
                "online_share >= 0.8", "Reach by app or e-mail."),
        Segment("store", "Store", "门店", "One in five orders or fewer online.", "线上订单不超过两成。",
                "online_share <= 0.2", "Reach at the till."),
        Segment("omnichannel", "Omnichannel", "全渠道", "Both.", "线上线下兼有。", "true", "Reach by either."),
    ),
)  # fmt: skip

OCCASION = Scheme(
    "consumption_occasion", "Occasion", "消费场景", "When and with whom the customer usually comes.",
    "客户通常在何时、与谁一起消费。",
    "concat('of ', orders_365d, ' orders in 365 days: weekday lunch ', weekday_lunch_share, ', weekend ', "
    "weekend_share, ', evening ', evening_share, ', late night ', late_night_share, ', people at the table ', "
    "coalesce(CAST(average_party_size AS STRING), 'unknown'))",
    (
        _unknown(),
        Segment("late_night", "Late night", "深夜", "Two in five orders or more late at night.", "深夜订单占四成以上。",
                "late_night_share >= 0.4", "Late offers."),
        Segment("workday_lunch", "Workday lunch", "工作日午餐", "Half of the orders or more at weekday lunch.",
                "工作日午餐订单占一半以上。", "weekday_lunch_share >= 0.5", "Quick-lunch offers."),
        Segment("weekend_family", "Weekend family", "周末家庭", "Two in five orders or more on weekends, for three or "
                "more people.", "周末订单四成以上且三人及以上。",
                "weekend_share >= 0.4 AND average_party_size >= 3", "Family menus."),
        Segment("weekend", "Weekend", "周末", "Half of the orders or more on weekends.", "周末订单占一半以上。",
                "weekend_share >= 0.5", "Weekend offers."),
        Segment("evening", "Evening", "晚间", "Half of the orders or more in the evening.", "晚间订单占一半以上。",
                "evening_share >= 0.5", "Evening offers."),
        Segment("mixed", "Mixed", "混合", "No occasion stands out.", "无突出场景。", "true", "None."),
    ),
)  # fmt: skip

SCHEMES: tuple[Scheme, ...] = (RFM, RFM8, LIFECYCLE, VALUE_TIER, CHANNEL, OCCASION)

NO_CONSENT_LABELS = (
    "No profiling consent", "不同意画像", "Asked not to be profiled, or was not asked.", "未同意或未征询画像授权。",
)  # fmt: skip
NO_CONSENT_REASON = "profiling_consent is not true"


def rules_version() -> str:
    """Version of all rules: the same words, the same version; ``r-`` and eight hex digits."""
    return "r-" + hashlib.sha256(repr(SCHEMES).encode()).hexdigest()[:8]
