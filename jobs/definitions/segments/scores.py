"""Schemes over the scores of recency, frequency and money: the eleven groups, the eight classes, the value tiers."""

from __future__ import annotations

from jobs.definitions import rfm
from jobs.definitions.segments.scheme import Scheme, Segment, unscored


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
    ("at_risk", "At Risk", "有流失风险客户", "Bought often and well, unseen for longer than most.",
     "曾频繁高额购买，未光临时间长于多数人。", "Win back personally."),
    ("cannot_lose_them", "Cannot Lose Them", "不可失去客户", "Spent most, gone quiet.", "曾是最高消费者，现已沉寂。",
     "Call them; ask why."),
    ("hibernating", "Hibernating", "休眠客户", "Unseen for longer than most, few and small orders.",
     "未光临时间长于多数人，次数少金额低。", "A cheap reminder at most."),
    ("lost", "Lost", "流失客户", "Lowest in all.", "各项最低。", "Leave or ask once."),
)  # fmt: skip

RFM = Scheme(
    "rfm", "RFM", "RFM分群", "Eleven groups by recency, frequency and money.", "按近度、频度、额度分为十一类。",
    "concat('recency ', recency_days, ' days scores ', recency_score, ', ', orders_365d, ' orders score ', "
    "frequency_score, ', net revenue ', net_revenue_365d, ' scores ', monetary_score, ' (5 is best)')",
    (*(Segment(code, en, zh, den, dzh, _cells(code), action) for code, en, zh, den, dzh, action in _RFM_WORDS),
     unscored()),
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
     unscored()),
    kind="score",
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
        unscored(),
    ),
    kind="score",
)  # fmt: skip
