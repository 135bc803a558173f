"""What a feature is, the views that one may be computed over, and the forms that many of them have.

Windows are parameters: a feature over 30 days and one over 90 differ by a number in their entries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jobs.definitions.model import MONEY, Column, Type

View = Literal[
    "orders", "gaps", "habits", "purchases", "profile", "feedback", "sessions", "devices", "social", "answers",
    "attributes",
]  # fmt: skip
#: what an order is like in ways of which a customer has a favourite
Habit = Literal["month", "channel", "fulfilment", "daypart", "store"]
#: what a product is
Taste = Literal["category", "department", "product", "brand"]

#: days that a feature without a window in its name looks back
YEAR = 365
#: recent revenue counts 16 times in the first so many days, 8 times in as many before, and so on: whole numbers, so
#: that sums are exact
HALF_LIFE_DAYS = 90
FIRST_WEIGHT = 16

#: view -> what one row of it is, and its columns behind ``customer_id``
VIEWS: dict[View, tuple[str, str]] = {
    "orders": (
        "one completed order that was not refunded in full, any date up to the snapshot",
        "days_ago, channel, fulfilment, daypart, day_type, is_own_day, party_size, gross_cents, discount_cents, "
        "coupon_discount_cents, refunded_cents, net_cents, cost_cents (null if any line lacks a cost), "
        "cut_gross_cents (gross of lines with a discount), has_coupon, lines, items (pieces, or weight)",
    ),
    "gaps": ("one distinct order date", "gap_days (since the order date before; null of the first), days_ago"),
    "habits": (
        "the months, channels, fulfilments, dayparts or stores (``kind``) of orders in 365 days",
        "kind, choices (how many different), usual (that of most orders; ties by a store's net revenue or the later "
        "daypart, then by smallest), usual_orders, orders, and of the usual store region, city, city_tier, climate",
    ),
    "purchases": (
        "the categories, departments, products or brands (``kind``) bought in 365 days",
        "kind, choices (how many different), favourite (of most net revenue, ties by smallest), favourite_cents, "
        "net_cents (of what is of none too), recent_favourite, recent_favourite_cents, recent_cents (the same with net "
        "revenue by weight of age)",
    ),
    "profile": (
        "one person",
        "snapshot_date, registered_on, registered_days_ago, birth_year, birth_month, age_band, household_size, "
        "kids_count, marital_status, education, occupation, declared_lifestyle, declared_interests",
    ),
    "feedback": ("one note given in 365 days", "days_ago, given_at, responded_at, feedback_id, rating, is_complaint, "
        "sentiment (-1 against, 0, 1 for; by words), topic (what its words are about)"),
    "sessions": (
        "one web or app session, any date up to the snapshot", "days_ago, minutes, pages, favourites, abandoned_carts",
    ),
    "devices": ("one device used in 90 days", "device, sessions"),
    "social": ("one social event, any date up to the snapshot", "days_ago, kind"),
    "answers": ("one question of a survey, the answer of 365 days given last", "question, answer"),
    "attributes": ("one attribute said by third parties, the value observed last", "name, value"),
}  # fmt: skip

#: views over receipts; what is aggregated from them is kept from night to night for everyone whom nothing touched
FROM_RECEIPTS: tuple[View, ...] = ("orders", "gaps", "habits", "purchases")

#: optional entity -> the views that are made from it; without a feed of it their features are null
OF_FEED: dict[str, tuple[View, ...]] = {
    "feedback": ("feedback",),
    "web_sessions": ("sessions", "devices"),
    "social_events": ("social",),
    "survey_answers": ("answers",),
    "customer_attributes": ("attributes",),
}


@dataclass(frozen=True)
class Feature:
    """One column of customer_features and how it is computed."""

    name: str
    type: Type
    unit: str | None
    description: str
    over: View | Literal["features"]
    sql: str  #: a DOUBLE is rounded to six decimals when it is computed
    if_none: str = "NULL"  #: value for a customer without any row in the view
    minimum: float | None = None
    maximum: float | None = None
    ages: bool = False  #: of a customer to whom nothing happens it grows by one a day

    @property
    def feed(self) -> str | None:
        """The optional entity without which it is null."""
        return next((entity for entity, views in OF_FEED.items() if self.over in views), None)

    @property
    def column(self) -> Column:
        """The published column."""
        said = f"{self.description} Null without a feed of {self.feed}." if self.feed else self.description
        return Column(self.name, self.type, said, minimum=self.minimum, maximum=self.maximum, unit=self.unit)


def orders_counted(name: str, condition: str, description: str) -> Feature:
    """How many orders there are for which a condition is true."""
    return Feature(name, "BIGINT", "orders", description, "orders", f"count_if({condition})", "0", minimum=0)


def orders_within(days: int) -> Feature:
    """``orders_<days>d``."""
    said = f"Completed orders in {days} days; one that was refunded in full is none."
    return orders_counted(f"orders_{days}d", f"days_ago < {days}", said)


def revenue_within(days: int) -> Feature:
    """``net_revenue_<days>d``."""
    cents = f"coalesce(sum(net_cents) FILTER (WHERE days_ago < {days}), 0)"
    return money(f"net_revenue_{days}d", "orders", cents, f"Net revenue in {days} days.", "0.00")


def counted(stem: str, days: int, view: View, condition: str, what: str) -> Feature:
    """``<stem>_<days>d``: how many rows of a view there are in so many days for which a condition is true."""
    sql = f"count_if(days_ago < {days} AND {condition})"
    return Feature(f"{stem}_{days}d", "BIGINT", stem, f"{what} in {days} days.", view, sql, "0", minimum=0)


def summed(stem: str, days: int, view: View, type_: Type, what: str) -> Feature:
    """``<stem>_<days>d``: the sum of the column ``stem`` over a view's rows of so many days."""
    sql = f"CAST(coalesce(sum({stem}) FILTER (WHERE days_ago < {days}), 0) AS {type_})"
    return Feature(f"{stem}_{days}d", type_, stem, f"{what} in {days} days.", view, sql, "0", minimum=0)


def money(name: str, view: View, cents: str, description: str, if_none: str = "NULL") -> Feature:
    """An amount, from whole cents."""
    return Feature(name, MONEY, "currency", description, view, f"CAST(({cents}) / 100BD AS DECIMAL(18,2))", if_none)


def order_share(name: str, condition: str, description: str, of: str = "true") -> Feature:
    """A share of the orders in 365 days, or of those of them for which ``of`` is true."""
    base = f"days_ago < {YEAR}" if of == "true" else f"days_ago < {YEAR} AND {of}"
    sql = f"count_if({base} AND {condition}) / nullif(count_if({base}), 0)"
    return Feature(name, "DOUBLE", "share", description, "orders", sql, minimum=0, maximum=1)


def gross_share(name: str, cents: str, description: str) -> Feature:
    """A share of gross in 365 days."""
    sums = (f"sum({part}) FILTER (WHERE days_ago < {YEAR})" for part in (cents, "gross_cents"))
    sql = "{} / nullif({}, 0)".format(*sums)
    return Feature(name, "DOUBLE", "share", description, "orders", sql, minimum=0, maximum=1)


def order_mean(name: str, column: str, unit: str, description: str, minimum: float) -> Feature:
    """The mean of a column over the orders in 365 days that have one."""
    within = f"FILTER (WHERE days_ago < {YEAR})"
    sql = f"CAST(sum({column}) {within} AS DOUBLE) / nullif(count({column}) {within}, 0)"
    return Feature(name, "DOUBLE", unit, description, "orders", sql, minimum=minimum)


def distinct(name: str, view: View, kind: Habit | Taste, unit: str, description: str) -> Feature:
    """How many different choices of a kind there are."""
    return Feature(name, "BIGINT", unit, description, view, _of(kind, "choices"), "0", minimum=0)


def usual(name: str, kind: Habit, description: str, type_: Type = "STRING", says: str = "usual") -> Feature:
    """What most orders have in common, or what is known of that."""
    return Feature(name, type_, None, description, "habits", _of(kind, says))


def usual_share(name: str, kind: Habit, description: str) -> Feature:
    """Orders with what most have in common, over all."""
    sql = f"{_of(kind, 'usual_orders')} / nullif({_of(kind, 'orders')}, 0)"
    return Feature(name, "DOUBLE", "share", description, "habits", sql, minimum=0, maximum=1)


def favourite(name: str, kind: Taste, description: str, by: str = "") -> Feature:
    """The choice of most net revenue; ``by`` is ``recent_`` for net revenue by weight of age."""
    return Feature(name, "STRING", None, description, "purchases", _of(kind, f"{by}favourite"))


def favourite_share(name: str, kind: Taste, description: str, by: str = "") -> Feature:
    """What the favourite has of the net revenue, over all."""
    over = _of(kind, "recent_cents" if by else "net_cents")
    sql = f"{_of(kind, f'{by}favourite_cents')} / nullif({over}, 0)"
    return Feature(name, "DOUBLE", "share", description, "purchases", sql)


def _of(kind: str, column: str) -> str:
    """A column of the row of one kind."""
    return f"max({column}) FILTER (WHERE kind = '{kind}')"
