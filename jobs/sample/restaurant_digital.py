"""What members of the generated chain do beside visits: the app, referrals, surveys; and what a panel says of them.

Each feed has random numbers of its own, so that none changes the trade.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from jobs.sample import restaurant_people, restaurant_words
from jobs.sample.files import utc_seconds_text
from jobs.sample.restaurant_people import Ints, Row
from jobs.sample.restaurant_tables import Chain
from jobs.sample.restaurant_visits import choose

SESSIONS_A_DAY = 0.06
EVENTS_A_DAY = 0.0004
ANSWER_SHARE = 0.08
PANEL_SHARE = 0.08
DEVICES = ("phone", "desktop", "tablet")
KINDS = ("referral", "share", "review")
REASONS = ("close to work", "the noodles", "friends", "the price")
#: by archetype, what the panel takes to be a person's interest
INTERESTS = ("fine food", "digital", "family", "fashion")
PANEL = "city panel"

TABLES = {
    "web_sessions": {
        "session_id": "INTEGER PRIMARY KEY", "member_id": "INTEGER NOT NULL", "started_at": "TEXT NOT NULL",
        "minutes": "TEXT NOT NULL", "device": "TEXT NOT NULL", "pages": "INTEGER NOT NULL",
        "favourites": "INTEGER NOT NULL", "abandoned_carts": "INTEGER NOT NULL", "updated_at": "TEXT NOT NULL",
    },
    "social_events": {
        "member_id": "INTEGER NOT NULL", "kind": "TEXT NOT NULL", "occurred_at": "TEXT NOT NULL",
        "referred_member_id": "INTEGER", "updated_at": "TEXT NOT NULL",
    },
    "survey_answers": {
        "member_id": "INTEGER NOT NULL", "question": "TEXT NOT NULL", "answer": "TEXT NOT NULL",
        "answered_at": "TEXT NOT NULL", "updated_at": "TEXT NOT NULL",
    },
    "customer_attributes": {
        "member_id": "INTEGER NOT NULL", "name": "TEXT NOT NULL", "provider": "TEXT NOT NULL",
        "value": "TEXT NOT NULL", "observed_on": "TEXT NOT NULL", "updated_at": "TEXT NOT NULL",
    },
}  # fmt: skip


@dataclass(frozen=True)
class _Moments:
    """Instants of people who were there then, in the order of time."""

    person: Ints
    second: Ints  #: since 1970


def digital_rows(chain: Chain, seed: int) -> dict[str, Iterator[Row]]:
    """Rows of every table of :data:`TABLES`."""
    makers = (_sessions, _events, _answers, _attributes)
    return {
        name: maker(np.random.default_rng([seed, place]), chain)
        for place, (name, maker) in enumerate(zip(TABLES, makers, strict=True), start=1)
    }


def _sessions(rng: np.random.Generator, chain: Chain) -> Iterator[Row]:
    """Sessions of members with an account."""
    people = chain.people
    moments = _drawn(rng, chain, np.flatnonzero(people.is_member & people.has_account), SESSIONS_A_DAY)
    count = len(moments.person)
    tenths = rng.integers(5, 300, count)
    details = zip(
        people.member_ids[moments.person].tolist(), moments.second.tolist(), tenths.tolist(),
        choose(rng, np.tile([0.5, 0.35, 0.15], (count, 1))).tolist(), (1 + tenths // 12).tolist(),
        rng.poisson(0.15, count).tolist(), (rng.random(count) < 0.12).astype(int).tolist(), strict=True,
    )  # fmt: skip
    for number, (member, second, minutes, device, pages, favourites, carts) in enumerate(details, start=1):
        started, ended = utc_seconds_text(second), utc_seconds_text(min(second + 6 * minutes, chain.end - 1))
        yield number, member, started, str(minutes / 10), DEVICES[device], pages, favourites, carts, ended


def _events(rng: np.random.Generator, chain: Chain) -> Iterator[Row]:
    """Referrals, shares and reviews; a referral brings in the member with the next id."""
    people = chain.people
    moments = _drawn(rng, chain, np.flatnonzero(people.is_member), EVENTS_A_DAY)
    kinds = choose(rng, np.tile([0.4, 0.35, 0.25], (len(moments.person), 1))).tolist()
    for person, second, kind in zip(moments.person.tolist(), moments.second.tolist(), kinds, strict=True):
        other = (person + 1) % len(people)
        brings = KINDS[kind] == "referral" and people.is_member[other]
        when = utc_seconds_text(second)
        member = int(people.member_ids[person])
        yield member, KINDS[kind], when, int(people.member_ids[other]) if brings else None, when


def _answers(rng: np.random.Generator, chain: Chain) -> Iterator[Row]:
    """Two answers of each member who took part in the survey."""
    people = chain.people
    moments = _once(rng, chain, ANSWER_SHARE)
    ratings = choose(rng, restaurant_words.RATINGS[people.archetype[moments.person]]) + 1
    reasons = rng.integers(0, len(REASONS), len(moments.person))
    details = zip(
        people.member_ids[moments.person].tolist(), moments.second.tolist(), ratings.tolist(), reasons.tolist(),
        strict=True,
    )  # fmt: skip
    for member, second, rating, reason in details:
        when = utc_seconds_text(second)
        yield member, "satisfaction", str(rating), when, when
        yield member, "reason", REASONS[reason], when, when


def _attributes(rng: np.random.Generator, chain: Chain) -> Iterator[Row]:
    """The interest of each member whom the panel knows."""
    people = chain.people
    moments = _once(rng, chain, PANEL_SHARE)
    for person, second in zip(moments.person.tolist(), moments.second.tolist(), strict=True):
        when = utc_seconds_text(second)
        interest = INTERESTS[int(people.archetype[person])]
        yield int(people.member_ids[person]), "interest", PANEL, interest, when[:10], when


def _once(rng: np.random.Generator, chain: Chain, share: float) -> _Moments:
    """One moment each of a share of the members."""
    chosen = np.flatnonzero(chain.people.is_member & (rng.random(len(chain.people)) < share))
    return _placed(rng, chain, chosen[_stay(chain, chosen) > 0])


def _drawn(rng: np.random.Generator, chain: Chain, people: Ints, a_day: float) -> _Moments:
    """So many moments a day, on average, of each of these people."""
    return _placed(rng, chain, np.repeat(people, rng.poisson(_stay(chain, people) * a_day)))


def _first_day(chain: Chain, people: Ints) -> Ints:
    """The day after registration, if it is generated; else the first generated one."""
    first: Ints = np.maximum(chain.people.joined[people] + 1, 0)
    return first


def _stay(chain: Chain, people: Ints) -> Ints:
    """Generated days after registration until they stopped."""
    stay: Ints = np.maximum(np.minimum(chain.people.stopped[people], chain.days) - _first_day(chain, people), 0)
    return stay


def _placed(rng: np.random.Generator, chain: Chain, people: Ints) -> _Moments:
    """A moment of each person's stay, between eight and midnight."""
    day = _first_day(chain, people) + (rng.random(len(people)) * _stay(chain, people)).astype(np.int64)
    start = restaurant_people.seconds(chain.first_day, 0, 0)
    second = start + day * restaurant_people.SECONDS_PER_DAY + 28_800 + rng.integers(0, 57_600, len(people))
    order = np.lexsort((people, second))
    return _Moments(people[order], second[order])
