"""Tags: what may be said of a customer beside the segments, many at once, each with its strength and basis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Basis = Literal["declared", "observed", "inferred"]
BASES: tuple[Basis, ...] = ("declared", "observed", "inferred")


@dataclass(frozen=True)
class Tag:
    """One tag, or one for every value of a feature, as SQL over a customer's features."""

    name: str  #: its name, or ``kind:`` before the value of the feature ``of``
    when: str  #: a customer has it for whom this is true
    strength: str  #: 0 to 1; what is beyond is cut
    basis: Basis
    because: str  #: one sentence with the customer's numbers
    of: str = ""  #: a feature whose value, as a code, is the rest of the name

    @property
    def code(self) -> str:
        """The name as an SQL expression."""
        return f"concat('{self.name}', {coded(self.of)})" if self.of else f"'{self.name}'"


def coded(value: str) -> str:
    """A text as a code, in SQL: ``Baby food`` is ``baby_food``, letters of any script stay."""
    return f"regexp_replace(lower(trim({value})), '[^\\\\p{{L}}0-9]+', '_')"


def _share(name: str, share: str, least: float, of_what: str) -> Tag:
    """A tag for a share that is large enough, and as strong as it."""
    return Tag(name, f"{share} >= {least}", share, "observed", f"concat({share}, ' of {of_what} in 365 days')")


def _favourite(kind: str, value: str, share: str, of_what: str) -> Tag:
    """A tag for the value of a feature that has a share."""
    said = f"concat({share}, ' of {of_what} in 365 days: ', {value})"
    return Tag(f"{kind}:", f"{value} IS NOT NULL AND {share} >= 0.1", share, "observed", said, of=value)


def _declared(kind: str, value: str) -> Tag:
    return Tag(f"{kind}:", f"{value} IS NOT NULL", "1", "declared", f"concat('declared: ', {value})", of=value)


def _attributed(kind: str, value: str) -> Tag:
    """What third parties say; where the customer says the same, that counts."""
    return Tag(
        f"{kind}:", f"{value} IS NOT NULL", "0.5", "inferred", f"concat('third parties say: ', {value})", of=value
    )


def _count(name: str, count: str, full: int, words: str) -> Tag:
    """A tag for something that happened, at its strongest when it happened ``full`` times."""
    return Tag(name, f"{count} >= 1", f"{count} / {full}", "observed", f"concat({count}, ' {words}')")


_REVENUE, _ORDERS = "net revenue", "orders"

TAGS: tuple[Tag, ...] = (
    _favourite("category", "top_category", "top_category_share", _REVENUE),
    _favourite("lately", "recent_category", "recent_category_share", "net revenue by weight of age"),
    _favourite("department", "top_department", "top_department_share", _REVENUE),
    _favourite("brand", "top_brand", "top_brand_share", _REVENUE),
    _favourite("home_store", "home_store_id", "home_store_share", _ORDERS),
    _favourite("region", "home_store_region", "home_store_share", _ORDERS),
    _favourite("climate", "home_store_climate", "home_store_share", _ORDERS),
    _share("breakfast", "breakfast_share", 0.2, _ORDERS),
    _share("weekday_lunch", "weekday_lunch_share", 0.2, _ORDERS),
    _share("evening", "evening_share", 0.4, _ORDERS),
    _share("late_night", "late_night_share", 0.2, _ORDERS),
    _share("weekend", "weekend_share", 0.4, _ORDERS),
    _share("holiday", "holiday_share", 0.1, _ORDERS),
    _share("online", "online_share", 0.3, _ORDERS),
    _share("delivery", "delivery_share", 0.3, _ORDERS),
    _share("dine_in", "dine_in_share", 0.5, _ORDERS),
    _share("weekend_group", "weekend_group_share", 0.3, "orders that state a party size"),
    _share("solo", "solo_share", 0.5, "orders that state a party size"),
    _share("coupons", "coupon_order_share", 0.2, _ORDERS),
    _share("price_cuts", "price_cut_revenue_share", 0.3, "gross"),
    _share("full_price", "full_price_share", 0.8, _ORDERS),
    _declared("interest", "declared_interests"),
    _attributed("interest", "attributed_interest"),
    _declared("lifestyle", "declared_lifestyle"),
    _attributed("lifestyle", "attributed_lifestyle"),
    _declared("age", "age_group"),
    Tag("parent", "kids_count >= 1", "1", "declared", "concat(kids_count, ' children in the household')"),
    Tag("birth_month", "is_birth_month", "1", "declared", "'was born in this month'"),
    Tag("anniversary_soon", "days_to_anniversary <= 30", "1 - days_to_anniversary / 31", "observed",
        "concat('registered on this day ', days_to_anniversary, ' days from now')"),
    Tag("promoter", "average_rating >= 4.5", "average_rating / 5", "observed",
        "concat('mean rating ', average_rating, ' of 5 in 365 days')"),
    Tag("detractor", "average_rating <= 2.5", "1 - average_rating / 5", "observed",
        "concat('mean rating ', average_rating, ' of 5 in 365 days')"),
    Tag("unhappy", "feedback_sentiment <= -0.5", "-feedback_sentiment", "inferred",
        "concat('notes of 365 days sound like ', feedback_sentiment, ' between -1 (against) and 1 (for)')"),
    Tag("speaks_of:", "feedback_topic IS NOT NULL", "0.5", "inferred",
        "concat('the last note that tells is about ', feedback_topic)", of="feedback_topic"),
    _count("complained", "complaint_count", 3, "complaints in 365 days"),
    _count("left_carts", "abandoned_carts_90d", 5, "carts filled and left in 90 days"),
    _count("browses", "sessions_30d", 10, "web and app sessions in 30 days"),
    _count("refers", "referrals_365d", 3, "people referred in 365 days"),
)  # fmt: skip
