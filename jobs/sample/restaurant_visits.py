"""Visits and what was ordered at them, drawn for a few days of all people at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from jobs.sample import restaurant_words as words
from jobs.sample.restaurant_campaigns import Campaign, Menu
from jobs.sample.restaurant_people import Bools, Floats, Ints, People

#: people whose days are drawn at once: bounds memory to about 30 MB for a month
BLOCK = 50_000
#: before they stop, people come ever less often
FADE_DAYS = 45
#: a registered person shows no card at this share of visits to a store
NO_CARD_SHARE = 0.26
ONLINE_SHARE = 0.45
COUPON_SHARE = 0.25
CANCELLED_SHARE = 0.015
FEEDBACK_SHARE = 0.02


@dataclass(frozen=True)
class Visits:
    """One element per order, in the order of time."""

    person: Ints
    day: Ints  #: business day, counted from the first
    second: Ints  #: local second of that day; past 86400 after midnight
    party: Ints
    store: Ints
    is_online: Bools
    is_named: Bools  #: a card was shown or an account used
    uses_second_card: Bools
    is_dine_in: Bools
    is_cancelled: Bools
    campaign: Ints  #: index of the campaign whose coupon was used, -1 for none
    has_feedback: Bools

    def __len__(self) -> int:
        """How many orders."""
        return len(self.person)


@dataclass(frozen=True)
class Lines:
    """One element per line, in the order of the orders; money in fen."""

    order: Ints  #: index of the visit
    number: Ints  #: from 1 within the order
    dish: Ints
    quantity: Ints
    gross: Ints
    discount: Ints
    coupon_discount: Ints
    refunded: Ints


def draw_visits(
    rng: np.random.Generator,
    people: People,
    campaigns: list[Campaign],
    first_date: date,
    days: Ints,
    stores: int,
) -> Visits:
    """Who comes on which of ``days``, at most once a day, and how."""
    weekday = np.array([(first_date + timedelta(days=int(day))).weekday() for day in days])
    found = [_block(rng, people, campaigns, days, weekday, start) for start in range(0, len(people), BLOCK)]
    person = np.concatenate([who for who, _ in found])
    offset = np.concatenate([when for _, when in found])
    archetype = people.archetype[person]
    second = _seconds(rng, archetype, weekday[offset] >= 5)
    order = np.lexsort((person, second, offset))
    return _details(rng, people, campaigns, person[order], days[offset[order]], second[order], stores)


def _block(
    rng: np.random.Generator,
    people: People,
    campaigns: list[Campaign],
    days: Ints,
    weekday: Ints,
    start: int,
) -> tuple[Ints, Ints]:
    part = slice(start, start + BLOCK)
    chance = people.rate[part, None] * words.WEEKDAYS[people.archetype[part]][:, weekday]
    left = people.stopped[part, None] - days
    chance *= np.clip(left / FADE_DAYS, 0.0, 1.0) * (left > 0) * (days >= people.joined[part, None])
    for campaign in campaigns:
        running = (days >= campaign.starts) & (days <= campaign.ends)
        if running.any():
            treated = campaign.is_treated[part, None] & running
            chance *= np.where(treated, campaign.lift, 1.0)
    who, when = np.nonzero(rng.random(chance.shape) < chance)
    return who + start, when


def _seconds(rng: np.random.Generator, archetype: Ints, is_weekend: Bools) -> Ints:
    """Local second of the day: a daypart by habit, and most often near its middle."""
    daypart = choose(rng, words.DAYPARTS[archetype, is_weekend.astype(int)])
    start = words.DAYPART_STARTS[daypart] * 60
    length = words.DAYPART_ENDS[daypart] * 60 - start
    middle = (rng.random(len(archetype)) + rng.random(len(archetype))) / 2
    second: Ints = start + (middle * length).astype(np.int64)
    return second


def choose(rng: np.random.Generator, weights: Floats) -> Ints:
    """One column index per row, with the row's weights as probabilities."""
    bounds = np.cumsum(weights, axis=1)
    column: Ints = (rng.random(len(weights))[:, None] * bounds[:, -1:] >= bounds).sum(axis=1)
    return column


def _details(
    rng: np.random.Generator,
    people: People,
    campaigns: list[Campaign],
    person: Ints,
    day: Ints,
    second: Ints,
    stores: int,
) -> Visits:
    count = len(person)
    archetype = people.archetype[person]
    orders_online = people.has_account[person] & (rng.random(count) < ONLINE_SHARE)
    is_online = orders_online | ~people.is_member[person]
    is_named = is_online | (rng.random(count) >= NO_CARD_SHARE)
    elsewhere = rng.random(count) < 0.15
    return Visits(
        person=person,
        day=day,
        second=second,
        party=choose(rng, words.PARTIES[archetype]) + 1,
        store=np.where(elsewhere, rng.integers(0, stores, count), people.store[person]),
        is_online=is_online,
        is_named=is_named,
        uses_second_card=people.has_second_record[person] & (rng.random(count) < 0.5),
        is_dine_in=~is_online & (rng.random(count) < words.DINE_IN[archetype]),
        is_cancelled=rng.random(count) < CANCELLED_SHARE,
        campaign=_coupons(rng, campaigns, person, day, is_named),
        has_feedback=is_named & people.is_member[person] & (rng.random(count) < FEEDBACK_SHARE),
    )


def _coupons(rng: np.random.Generator, campaigns: list[Campaign], person: Ints, day: Ints, is_named: Bools) -> Ints:
    used = np.full(len(person), -1)
    wants = is_named & (rng.random(len(person)) < COUPON_SHARE)
    for index, campaign in enumerate(campaigns):
        running = (day >= campaign.starts) & (day <= campaign.ends)
        used[wants & running & campaign.is_treated[person]] = index
    return used


def draw_lines(rng: np.random.Generator, people: People, menu: Menu, visits: Visits) -> Lines:
    """What was ordered: tastes of the archetype, and about a third the person's own favourite."""
    archetype = people.archetype[visits.person]
    sizes = np.minimum(1 + rng.poisson(0.4 + 0.55 * visits.party), 12)
    order = np.repeat(np.arange(len(visits)), sizes)
    number = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + 1
    dish = _dishes(rng, menu, archetype[order])
    prefers = (number == 1) & (rng.random(len(order)) < 0.6)
    dish = np.where(prefers, people.favourite[visits.person[order]], dish)
    quantity = 1 + (rng.random(len(order)) < 0.12 * visits.party[order] / 2).astype(np.int64)
    gross = menu.price[dish] * quantity
    promoted = (rng.random(len(visits)) < words.PROMOTED[archetype])[order]
    discount = np.where(promoted, gross * 12 // 100, 0)
    coupon = np.where(visits.campaign[order] >= 0, (gross - discount) // 5, 0)
    net = gross - discount - coupon
    is_refunded = (rng.random(len(visits)) < 0.003)[order] | (rng.random(len(order)) < 0.006)
    refunded = np.where(is_refunded & ~visits.is_cancelled[order], net, 0)
    return Lines(order, number, dish, quantity, gross, discount, coupon, refunded)


def _dishes(rng: np.random.Generator, menu: Menu, archetype: Ints) -> Ints:
    """Inverse of each archetype's cumulative taste, all archetypes in one sorted table."""
    table = (menu.cumulative_taste + np.arange(len(words.ARCHETYPES))[:, None]).ravel()
    place = np.searchsorted(table, archetype + rng.random(len(archetype)), side="right")
    dish: Ints = np.clip(place - archetype * len(menu.price), 0, len(menu.price) - 1)
    return dish
