"""The people of a generated restaurant chain: who they are, how they come, which systems know them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.sample import restaurant_words as words
from jobs.sample.files import utc_seconds_text

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Row = tuple[Any, ...]

ACCOUNT_SHARE = 0.10
ONLINE_ONLY_SHARE = 0.20  #: of those with an account
SECOND_RECORD_SHARE = 0.02
SHARED_PHONE_SHARE = 0.01
RECENT_CHANGE_SHARE = 0.02
FIRST_MEMBER_ID = 100_001
#: later than any day that is generated
NEVER = 1_000_000
SECONDS_PER_DAY = 86_400
#: China has had no other offset since 1991
UTC_OFFSET = 8 * 3_600


@dataclass(frozen=True)
class People:
    """One element per person; days count from the first generated day, which is 0."""

    archetype: Ints
    rate: Floats  #: visits a day
    joined: Ints  #: day of registration, negative before the first day
    stopped: Ints  #: first day without visits, NEVER for those who stay
    store: Ints
    favourite: Ints  #: index of a dish
    is_member: Bools
    has_account: Bools
    has_second_record: Bools  #: the CRM holds the person twice
    name: list[str]
    latin_name: list[str]
    email: list[str]
    phone: list[str]  #: eleven digits

    def __len__(self) -> int:
        """How many people."""
        return len(self.archetype)

    @property
    def member_ids(self) -> Ints:
        """CRM id of each person (of those who are members)."""
        return np.arange(len(self)) + FIRST_MEMBER_ID

    @property
    def second_member_ids(self) -> Ints:
        """CRM id of the second record of those who have one."""
        return self.member_ids + len(self)


def card_number(member_id: int) -> str:
    """The loyalty card of a CRM record."""
    return f"88{member_id:010d}"


def account_id(person: int) -> str:
    """The online account of a person."""
    return f"A{person + 1:08d}"


def draw_people(rng: np.random.Generator, customers: int, days: int, stores: int, dishes: int) -> People:
    """Draw everybody; the rate scatters around the archetype's by a gamma distribution of shape 4."""
    archetype = rng.choice(len(words.ARCHETYPES), customers, p=words.ARCHETYPE_SHARES)
    joined = np.where(rng.random(customers) < 0.7, -rng.integers(1, 600, customers), rng.integers(0, days, customers))
    has_account = rng.random(customers) < ACCOUNT_SHARE
    is_member = ~(has_account & (rng.random(customers) < ONLINE_ONLY_SHARE))
    names, latin = _names(rng, customers)
    phone = _phones(rng, customers)
    return People(
        archetype=archetype,
        rate=np.minimum(words.RATES[archetype] * rng.gamma(4.0, 0.25, customers), 0.6),
        joined=joined,
        stopped=_stop_days(rng, archetype, joined, days),
        store=rng.integers(0, stores, customers),
        favourite=rng.integers(0, dishes, customers),
        is_member=is_member,
        has_account=has_account,
        has_second_record=is_member & (rng.random(customers) < SECOND_RECORD_SHARE),
        name=names,
        latin_name=latin,
        email=[f"{n.replace(' ', '.')}{i + 1}@example.com" for i, n in enumerate(latin)],
        phone=phone,
    )


def _stop_days(rng: np.random.Generator, archetype: Ints, joined: Ints, days: int) -> Ints:
    """When churners stop: 30 days after they joined or later; NEVER if that is past the last day."""
    stops = rng.random(len(archetype)) < words.CHURN_SHARES[archetype]
    earliest = np.maximum(joined + 30, 1)
    day = earliest + (rng.random(len(archetype)) * np.maximum(days - earliest, 0)).astype(np.int64)
    return np.where(stops & (day < days), day, NEVER)


def _names(rng: np.random.Generator, customers: int) -> tuple[list[str], list[str]]:
    surnames = rng.integers(0, len(words.SURNAMES), customers).tolist()
    given = rng.integers(0, len(words.GIVEN), (customers, 2)).tolist()
    single = (rng.random(customers) < 0.3).tolist()
    chinese, latin = [], []
    for surname, (first, second), is_single in zip(surnames, given, single, strict=True):
        family, syllables = words.SURNAMES[surname], [words.GIVEN[first]]
        if not is_single:
            syllables.append(words.GIVEN[second])
        chinese.append(family[0] + "".join(character for character, _ in syllables))
        latin.append("".join(sound for _, sound in syllables) + " " + family[1])
    return chinese, latin


def _phones(rng: np.random.Generator, customers: int) -> list[str]:
    """A number each, but for a few that share that of the person before them, as families do."""
    # the factor has no divisor in common with 10**8, so no two people have the same number by chance
    numbers = (np.arange(customers) * 48_271 + 31_415_926) % 10**8
    shares_phone = rng.random(customers) < SHARED_PHONE_SHARE
    shares_phone[:1] = False
    numbers[shares_phone] = numbers[np.flatnonzero(shares_phone) - 1]
    return [f"138{number:08d}" for number in numbers.tolist()]


def seconds(first_day: date, day: int, second: int) -> int:
    """Seconds since 1970 of a local second of a day; the second may run past midnight."""
    whole_days = (first_day + timedelta(days=day) - date(1970, 1, 1)).days
    return whole_days * SECONDS_PER_DAY + second - UTC_OFFSET


def member_rows(rng: np.random.Generator, people: People, first_day: date, days: int) -> Iterator[Row]:
    """CRM records in the order of their ids; second records last, with a new card and the same phone."""
    ages = _ages(rng, people)
    traits = rng.integers(0, 2**31, (len(people), 9))
    recent = rng.random(len(people)) < RECENT_CHANGE_SHARE
    for is_second in (False, True):
        chosen = people.has_second_record if is_second else people.is_member
        for person in np.flatnonzero(chosen).tolist():
            joined = max(int(people.joined[person]), -600)
            registered = seconds(first_day, joined, 36_000 + int(traits[person, 0]) % 36_000)
            changed = seconds(first_day, days - 1 - int(traits[person, 1]) % 4, 60 * (person % 1_200))
            updated = max(changed, registered) if recent[person] else registered
            own = traits[person].tolist()
            born = date(first_day.year - ages[person], 1 + own[2] % 12, 1 + own[3] % 28)
            record = _card_holder(people, person, is_second)
            profile = _profile(people, person, ages[person], own)
            times = (utc_seconds_text(registered), utc_seconds_text(updated))
            yield (*record, *profile, *times, born.isoformat(), born.year, born.month, *_declared(own))


def _ages(rng: np.random.Generator, people: People) -> list[int]:
    centre = np.array([42, 33, 38, 29])[people.archetype]
    ages: list[int] = np.clip(rng.normal(centre, 8), 18, 85).astype(int).tolist()
    return ages


def _card_holder(people: People, person: int, is_second: bool) -> Row:
    """Id, card and contact of a CRM record; a second record knows the Latin name and no e-mail."""
    member = int((people.second_member_ids if is_second else people.member_ids)[person])
    name = people.latin_name[person].title() if is_second else people.name[person]
    email = None if is_second else people.email[person]
    return member, card_number(member), name, email, f"+86{people.phone[person]}"


def _profile(people: People, person: int, age: int, traits: list[int]) -> Row:
    """Address, demographics and consent; family diners have children."""
    city, region, _, _ = words.CITIES[int(people.store[person]) % len(words.CITIES)]
    kids = 1 + traits[4] % 2 if words.ARCHETYPES[people.archetype[person]] == "family_diner" else 0
    return (
        f"{words.STREETS[traits[5] % len(words.STREETS)]}{1 + traits[5] % 899}号",
        city,
        region,
        _age_band(age),
        words.INCOMES[traits[6] % len(words.INCOMES)],
        ("female", "male")[traits[7] % 2],
        "married" if kids else words.MARITAL[traits[8] % 2],
        str(2 + kids if kids else 1 + traits[8] % 2),
        str(kids),
        int(traits[0] % 100 < 70),
        int(traits[1] % 100 < 97),
    )


def _declared(traits: list[int]) -> Row:
    """Education, occupation, way in; lifestyle and interests of the fifth who filled in that part."""
    tells = traits[6] % 5 == 0
    return (
        words.EDUCATIONS[traits[2] % len(words.EDUCATIONS)],
        words.OCCUPATIONS[traits[3] % len(words.OCCUPATIONS)],
        words.ACQUISITIONS[traits[4] % len(words.ACQUISITIONS)],
        words.LIFESTYLES[traits[7] % len(words.LIFESTYLES)] if tells else None,
        words.INTERESTS[traits[8] % len(words.INTERESTS)] if tells else None,
    )


def _age_band(age: int) -> str:
    for upper, band in ((25, "18-24"), (35, "25-34"), (45, "35-44"), (55, "45-54"), (65, "55-64")):
        if age < upper:
            return band
    return "65+"


def account(people: People, person: int, first_day: date) -> dict[str, Any]:
    """The online account: the same person in another spelling, with one contact in common at least."""
    kind = person % 4 if people.is_member[person] else 3
    phone = people.phone[person]
    spelled = (f"{phone[:3]} {phone[3:7]} {phone[7:]}", f"0086-{phone}", f"86 {phone}")[person % 3]
    email, latin = people.email[person], people.latin_name[person]
    created = utc_seconds_text(seconds(first_day, int(people.joined[person]), 72_000))
    return {
        "account_id": account_id(person),
        "name": (latin, people.name[person], latin.upper())[person % 3],
        "email": f"eat{person + 1}@example.org" if kind == 0 else (email.upper(), f" {email} ")[person % 2],
        "phone": None if kind == 1 else spelled,
        "marketing_consent": person % 10 < 7,
        "profiling_consent": person % 50 != 7,
        "created_at": created,
        "updated_at": created,
    }
