"""Schemes whose segments a model finds: what they are made over, and the words that their segments are named with.

Which segments there are is known when a model is fitted; here stands what holds of every fit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from jobs.definitions.segments.scheme import UNKNOWN, Scheme, Segment, unscored


@dataclass(frozen=True)
class Dimension:
    """A feature that says how somebody buys, and what a group is called that has much or little of it."""

    feature: str  #: column of customer_features
    noun: str  #: what its number is
    high: tuple[str, str, str]  #: code, English, Chinese
    low: tuple[str, str, str]
    is_skewed: bool = False  #: a few have very much: looked at by the logarithm of 1 and the number


DIMENSIONS: tuple[Dimension, ...] = (
    Dimension("orders_365d", "orders in 365 days", ("frequent", "frequent", "高频"), ("rare", "rare", "低频"), True),
    Dimension("recency_days", "days since the last order", ("long_unseen", "long unseen", "久未光顾"),
              ("recent", "recent", "近期光顾"), True),
    Dimension("average_order_value", "net revenue per order", ("large_orders", "large orders", "高客单"),
              ("small_orders", "small orders", "低客单"), True),
    Dimension("average_party_size", "people at the table", ("groups", "groups", "多人聚餐"),
              ("alone", "alone or in pairs", "单人或双人"), True),
    Dimension("weekday_lunch_share", "share of orders at weekday lunch",
              ("weekday_lunch", "weekday lunch", "工作日午餐"),
              ("no_weekday_lunch", "no weekday lunch", "少工作日午餐")),
    Dimension("evening_share", "share of orders in the evening", ("evening", "evening", "晚间"),
              ("not_evening", "not in the evening", "少晚间")),
    Dimension("late_night_share", "share of orders late at night", ("late_night", "late night", "深夜"),
              ("not_late", "not late at night", "少深夜")),
    Dimension("weekend_share", "share of orders on weekends", ("weekend", "weekend", "周末"),
              ("weekday", "weekday", "平日")),
    Dimension("online_share", "share of orders online", ("online", "online", "线上"), ("in_store", "in store", "门店")),
    Dimension("delivery_share", "share of orders delivered", ("delivered", "delivered", "外送"),
              ("not_delivered", "not delivered", "非外送")),
    Dimension("discount_share", "discounts over gross", ("reduced", "reduced prices", "折扣"),
              ("full_price", "full price", "正价")),
    Dimension("coupon_order_share", "share of orders with a coupon", ("coupons", "coupons", "用券"),
              ("no_coupons", "no coupons", "不用券")),
    Dimension("distinct_categories", "categories bought", ("varied", "varied", "多品类"),
              ("few_categories", "few categories", "少品类"), True),
)  # fmt: skip

#: the rule of a segment that an earlier fit had and this one has not
NEVER = "false"

#: what nothing sets apart
PLAIN = ("typical", "typical", "一般")

_NOTHING = "CAST(NULL AS STRING)"

CLUSTER = Scheme(
    "behaviour_cluster", "Behaviour", "行为聚类", "Groups of customers who buy alike, found by K-means.",
    "由K均值算法得出的购买行为相似人群。", _NOTHING, (unscored(),), kind="model",
)  # fmt: skip

MAP = Scheme(
    "som_cluster", "Behaviour, by map", "行为地图聚类",
    "Groups of customers who buy alike, found by a self-organising map, a neural network.",
    "由自组织映射神经网络得出的购买行为相似人群。", _NOTHING, (unscored(),), kind="model",
)  # fmt: skip

TOPIC = Scheme(
    "purchase_topic", "What is bought together", "购买主题",
    "The theme that most of a customer's purchases in 365 days belong to, found by latent Dirichlet allocation over "
    "categories.", "由潜在狄利克雷分配得出的品类购买主题。",
    _NOTHING,
    (Segment(UNKNOWN, "Unknown", "未知", "No purchase of a known category in 365 days, or no model yet.",
             "365天内无已知品类的购买，或尚无模型。", "true", "None."),), kind="model",
)  # fmt: skip


#: the reason of a topic
OF_TOPIC = (
    "concat('it has ', purchase_topic_share, ' of the purchases in 365 days; of most net revenue is ', "
    "coalesce(top_category, 'no known category'))"
)


@dataclass(frozen=True)
class Found:
    """A segment that a model found."""

    code: str
    label_en: str
    label_zh: str
    description_en: str
    description_zh: str

    def segment(self, when: str) -> Segment:
        """It as a segment of a scheme."""
        action = "See segment_profile_features for what sets it apart."
        return Segment(self.code, self.label_en, self.label_zh, self.description_en, self.description_zh, when, action)


def place_column(scheme: Scheme) -> str:
    """The column of the number of the segment that the model gives: 0 for its first; null without."""
    return f"{scheme.name}_place"


def with_found(scheme: Scheme, found: tuple[Found, ...], gone: tuple[Found, ...], because: str, version: str) -> Scheme:
    """A scheme with the segments of a fit, and, never given again, those of earlier fits that it has no more."""
    place = place_column(scheme)
    given = tuple(one.segment(f"{place} = {number}") for number, one in enumerate(found))
    former = tuple(one.segment(NEVER) for one in gone)
    segments = (*given, *former, *scheme.segments)
    return replace(scheme, segments=segments, because=because, rests_on=(version,))
