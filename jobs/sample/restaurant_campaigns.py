"""The generated chain's menu, stores and campaigns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from jobs.sample import restaurant_words as words
from jobs.sample.files import utc_seconds_text
from jobs.sample.restaurant_people import Bools, Ints, People, Row, seconds

TARGET_SHARE = 0.30
HOLDOUT_SHARE = 0.20
#: those who are treated come this many times as often while the campaign runs
TRUE_LIFT = 1.25
CAMPAIGN_DAYS = 21
FIRST_PRODUCT_ID = 2_001
FIRST_STORE_ID = 101


@dataclass(frozen=True)
class Menu:
    """One element per dish; money in fen."""

    name: list[str]
    category: list[int]
    price: Ints
    cost: Ints
    cumulative_taste: np.ndarray[tuple[int, int], np.dtype[np.float64]]  #: archetype x dish


@dataclass(frozen=True)
class Campaign:
    """One campaign; days count from the first generated one."""

    campaign_id: int
    kind: str
    starts: int
    ends: int
    is_treated: Bools  #: per person
    is_holdout: Bools
    dishes: list[int]
    lift: float = TRUE_LIFT

    @property
    def coupon_id(self) -> int:
        """The one coupon that the campaign hands out."""
        return 5_000 + self.campaign_id


def menu() -> Menu:
    """The dishes: the same in every generated chain."""
    names, categories, prices = [], [], []
    for category, label in enumerate(words.CATEGORIES):
        first_price, dishes = words.DISHES[label]
        for place, dish in enumerate(dishes):
            names.append(dish)
            categories.append(category)
            prices.append(first_price * 100 + place * (first_price * 8) // 100 * 100)
    price = np.array(prices)
    cost_share = 28 + np.arange(len(prices)) * 7 % 15
    counts = np.bincount(categories)
    taste = words.TASTES[:, categories] / counts[categories]
    return Menu(names, categories, price, price * cost_share // 100, np.cumsum(taste, axis=1))


def draw_campaigns(rng: np.random.Generator, people: People, days: int, dishes: int) -> list[Campaign]:
    """One campaign a month for 30 in 100 of the members of that day, a fifth of whom are held out."""
    campaigns = []
    for number, starts in enumerate(range(10, max(days - 7, 11), 30)):
        aim = people.is_member & (people.joined < starts) & (rng.random(len(people)) < TARGET_SHARE)
        held = rng.random(len(people)) < HOLDOUT_SHARE
        campaigns.append(
            Campaign(
                campaign_id=number + 1,
                kind=words.CAMPAIGN_KINDS[number % len(words.CAMPAIGN_KINDS)],
                starts=starts,
                ends=starts + CAMPAIGN_DAYS - 1,
                is_treated=aim & ~held,
                is_holdout=aim & held,
                dishes=sorted(rng.choice(dishes, 3, replace=False).tolist()),
            )
        )
    return campaigns


def yuan_text(fen: int) -> str:
    """Fen, not negative, as yuan with two places."""
    return f"{fen // 100}.{fen % 100:02d}"


def campaign_rows(campaigns: list[Campaign], first_day: date) -> Iterator[Row]:
    """Rows of the CRM's ``campaigns``; 0.30 yuan for each person addressed."""
    for c in campaigns:
        starts, ends = (first_day + timedelta(days=day) for day in (c.starts, c.ends))
        told = utc_seconds_text(seconds(first_day, c.starts - 7, 36_000))
        cost = yuan_text(int(c.is_treated.sum()) * 30)
        name = f"{c.kind} {starts:%Y-%m}"
        yield c.campaign_id, name, c.kind, starts.isoformat(), ends.isoformat(), told, cost


def campaign_member_rows(campaigns: list[Campaign], people: People) -> Iterator[Row]:
    """Rows of ``campaign_members``, held out or not."""
    ids = people.member_ids
    for c in campaigns:
        for person in np.flatnonzero(c.is_treated | c.is_holdout).tolist():
            yield c.campaign_id, int(ids[person]), int(c.is_holdout[person])


def coupon_rows(campaigns: list[Campaign]) -> Iterator[Row]:
    """Rows of ``coupons``: three dishes each."""
    for c in campaigns:
        for dish in c.dishes:
            yield c.coupon_id, c.campaign_id, FIRST_PRODUCT_ID + dish, "10.00"


def product_rows(dishes: Menu, known_at: str) -> Iterator[Row]:
    """Rows of ``products``."""
    for index, name in enumerate(dishes.name):
        category = dishes.category[index]
        label = words.CATEGORIES[category]
        yield (
            FIRST_PRODUCT_ID + index,
            label,
            words.DEPARTMENTS[category],
            words.BRANDS[category],
            name,
            known_at,
            int(label == "set_meal"),
            yuan_text(int(dishes.cost[index])),
        )


def store_rows(stores: int, known_at: str) -> Iterator[Row]:
    """Rows of ``stores``, spread over the cities."""
    for index in range(stores):
        city, region, tier, climate = words.CITIES[index % len(words.CITIES)]
        name = f"和味{city}{words.STREETS[index % len(words.STREETS)]}店{index + 1}"
        yield FIRST_STORE_ID + index, name, region, city, tier, climate, "Asia/Shanghai", known_at
