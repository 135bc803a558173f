"""The grocer's households as people: everything here is invented, by hashing the household's id."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from jobs.sample import grocer_words as words
from jobs.sample.draw import pick, share, shares, whole
from jobs.sample.files import utc_seconds_text

DAY = 86_400
NOT_MEMBER_SHARE = 0.03
ACCOUNT_SHARE = 0.25
PROFILING_SHARE = 0.98
MARKETING_SHARE = 0.70
RECENT_CHANGE_SHARE = 0.02
#: 2017-12-28 05:00 UTC, when the first of the last four nights begins in New York
LAST_NIGHTS_BEGIN = 1_514_437_200


@dataclass(frozen=True)
class Household:
    """One household and what it told the chain. Instants are seconds since 1970."""

    household_id: int
    first_name: str
    last_name: str
    gender: str
    email: str
    area_code: str
    number: str  #: the last four digits; all numbers are 555-01xx
    card_number: str
    street: str
    city: str
    region: str
    is_member: bool
    has_account: bool
    marketing_consent: bool
    profiling_consent: bool
    registered: int
    updated: int

    @property
    def full_name(self) -> str:
        """Given name and family name."""
        return f"{self.first_name} {self.last_name}"

    @property
    def phone(self) -> str:
        """The number as the CRM writes it."""
        return f"+1{self.area_code}555{self.number}"


def invent(
    first_purchase: Mapping[int, int], home: Mapping[int, tuple[str, str]], known_to_crm: Collection[int]
) -> list[Household]:
    """Invent every household.

    Args:
        first_purchase: household -> its first purchase, seconds since 1970.
        home: household -> city and region of the store where it bought the most lines.
        known_to_crm: households with real demographics, campaigns or coupons, which are members for sure.
    """
    outsiders = _without_card(first_purchase, known_to_crm)
    return [
        _invent_one(household, first_purchase[household], home[household], household not in outsiders)
        for household in sorted(first_purchase)
    ]


def _without_card(households: Collection[int], known_to_crm: Collection[int]) -> set[int]:
    """About three in a hundred: those of the others whose hash is the smallest."""
    others = sorted((share("member", h), h) for h in households if h not in known_to_crm)
    return {h for _, h in others[: round(NOT_MEMBER_SHARE * len(households))]}


def _invent_one(household: int, first_purchase: int, home: tuple[str, str], is_member: bool) -> Household:
    gender = "female" if share("gender", household) < 0.55 else "male"
    first_name = pick(words.FIRST_NAMES[gender], "first name", household)
    last_name = pick(words.LAST_NAMES, "last name", household)
    account, marketing, profiling, recent = shares("choices", household)
    registered = first_purchase - DAY - whole(700 * DAY, "registered", household)
    changed = LAST_NIGHTS_BEGIN + whole(4 * DAY, "changed", household)
    return Household(
        household_id=household,
        first_name=first_name,
        last_name=last_name,
        gender=gender,
        email=_email(first_name, last_name, household),
        area_code=words.AREA_CODES[household // 100],
        number=f"01{household % 100:02d}",
        card_number=f"6{whole(10**7, 'card', household):07d}{household:04d}",
        street=_street(household),
        city=home[0],
        region=home[1],
        is_member=is_member,
        has_account=not is_member or account < ACCOUNT_SHARE,
        marketing_consent=marketing < MARKETING_SHARE,
        profiling_consent=profiling < PROFILING_SHARE,
        registered=registered,
        updated=changed if recent < RECENT_CHANGE_SHARE else registered,
    )


def _email(first_name: str, last_name: str, household: int) -> str:
    host = pick(words.MAIL_HOSTS, "mail host", household)
    return f"{first_name}.{last_name}{household}@{host}".lower()


def _street(household: int) -> str:
    kind = pick(words.STREET_KINDS, "street kind", household)
    return f"{whole(9_900, 'house', household) + 100} {pick(words.STREETS, 'street', household)} {kind}"


def account(household: Household) -> dict[str, Any]:
    """The household's online account: the same person in another spelling.

    Of the accounts of members a quarter share only the phone with the CRM and a quarter only the e-mail,
    so each has exactly one member that it belongs to.
    """
    key = household.household_id
    kind = share("account kind", key) if household.is_member else 1.0
    created = household.registered + whole(DAY, "created", key)
    return {
        "account_id": f"A{whole(10**5, 'account', key):05d}{key:04d}",
        "name": _name_spelled(household),
        "email": f"shop.{key * 7 + 3}@example.net" if kind < 0.25 else _email_spelled(household),
        "phone": _other_phone(key) if 0.25 <= kind < 0.5 else _phone_spelled(household.area_code, household),
        "marketing_consent": household.marketing_consent,
        "profiling_consent": household.profiling_consent,
        "created_at": utc_seconds_text(created),
        "updated_at": utc_seconds_text(created),
    }


def _name_spelled(household: Household) -> str:
    first, last = household.first_name, household.last_name
    plain = f"{first} {last}"
    spellings = (plain, f"{last}, {first}", plain.upper(), f" {first}  {last}".lower())
    return pick(spellings, "name spelling", household.household_id)


def _email_spelled(household: Household) -> str:
    spellings = (household.email.upper(), f" {household.email} ", household.email.title())
    return pick(spellings, "email spelling", household.household_id)


def _phone_spelled(area_code: str, household: Household) -> str:
    pattern = pick(words.PHONE_SPELLINGS, "phone spelling", household.household_id)
    return pattern.format(area_code, "555", household.number)


def _other_phone(household: int) -> str | None:
    """No number, or one out of area codes that no member's number has."""
    if share("second phone", household) < 0.5:
        return None
    return f"({words.AREA_CODES[30 + household // 100]}) 555-01{household % 100:02d}"
