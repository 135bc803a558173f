"""Region and city out of a postal address, where its form tells them without guessing. Pure functions.

Nothing finer is ever given: no street, no postcode, and no text that stands anywhere but in the place of the city. What
is in another form, or in that of another country, is nowhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from jobs.extract.gazetteer import (
    CN_AUTONOMOUS,
    CN_CITIES,
    CN_MUNICIPALITIES,
    CN_SPECIAL_REGIONS,
    GB_COUNTIES,
    US_STATES,
    words,
)

LONGEST_CITY = 60
_LONGEST_ADDRESS = 500


class Place(NamedTuple):
    """As far as an address tells it."""

    region: str | None = None  #: state, province or county
    city: str | None = None


NOWHERE = Place()

_LETTERS = r"[^\W\d_]+"
#: letters, with single blanks, hyphens and apostrophes between them; a full stop behind a leading St alone
_CITY = re.compile(rf"(?:(?:Ste?|Ft|Mt)\. )?'?{_LETTERS}(?:[ '’-]{_LETTERS})*")
#: words of a person or a room, wherever they stand, and of a street or house, where they end it: such text is no city
_NO_CITY = words(
    "mr mrs ms miss attn herr herrn frau familie fam firma monsieur madame mme signor signora señor señora sra "
    "apt apartment suite unit flat floor room"
)
_STREETS = words(
    "street st road rd lane ln avenue ave drive dr way crescent terrace boulevard blvd highway hwy court close house "
    "cottage"
)
#: last part of an address that says no more than its country
_COUNTRY_NAMES = {
    "US": ("us", "usa", "united states", "united states of america"),
    "GB": ("uk", "gb", "united kingdom", "great britain", "england", "scotland", "wales", "northern ireland"),
    "DE": ("deutschland", "germany"),
    "AT": ("österreich", "austria"),
    "CH": ("schweiz", "suisse", "svizzera", "switzerland"),
    "FR": ("france",),
    "IT": ("italia", "italy"),
    "ES": ("españa", "spain"),
    "NL": ("nederland", "netherlands", "the netherlands"),
}
_US_END = re.compile(r"([A-Z]{2}) \d{5}(?:-\d{4})?")
_GB_POSTCODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}", re.IGNORECASE)
#: country -> its postcode and, behind it, the city; in France CEDEX, in Italy the province may follow
_BEHIND_POSTCODE = {
    country: re.compile(rf"(?:{mark}-? ?)?{postcode} (?P<city>\D+?){tail}")
    for country, mark, postcode, tail in (
        ("DE", "DE?", r"\d{5}", ""),
        ("AT", "AT?", r"\d{4}", ""),
        ("CH", "CH", r"\d{4}", ""),
        ("FR", "FR?", r"\d{5}", r"(?: CEDEX(?: \d{1,2})?)?"),
        ("IT", "IT?", r"\d{5}", r"(?<! [A-Z]{2})(?: \([A-Z]{2}\)|(?<=[a-zàèéìòù]) [A-Z]{2})?"),
        ("ES", "ES?", r"\d{5}", ""),
        ("NL", "NL", r"\d{4} ?[A-Z]{2}", ""),
    )
}
#: what may follow 市 only inside the name of a street or square
_CN_INSIDE_A_NAME = frozenset("场民政")


def place(address: str, country: str) -> Place:
    """Where an address is.

    Args:
        address: as the source has it.
        country: ISO 3166 alpha-2, by whose form it is read.
    """
    text = unicodedata.normalize("NFKC", address)
    if len(text) > _LONGEST_ADDRESS:
        return NOWHERE
    if country == "CN":
        return _chinese(text)
    parts = [" ".join(part.split()) for part in re.split(r"[,;\n\r]", text) if part.strip()]
    if parts and parts[-1].casefold() in _COUNTRY_NAMES.get(country, ()):
        parts.pop()
    if not parts:
        return NOWHERE
    if country in _BEHIND_POSTCODE:
        found = _BEHIND_POSTCODE[country].fullmatch(parts[-1])
        return Place(city=_city(found["city"])) if found else NOWHERE
    return _FORMS[country](parts) if country in _FORMS else NOWHERE


def holds_name(city: str, name: str) -> bool:
    """Whether a city is, or has in it, all the words of a person's name (folded), in whatever order."""
    return set(name.split()) <= set(city.casefold().split())


def _city(text: str) -> str | None:
    if len(text) > LONGEST_CITY or not _CITY.fullmatch(text) or any(sign.isnumeric() for sign in text):
        return None  # numerals of other scripts are letters to a pattern
    said = text.casefold().split()
    return text if said[-1] not in _STREETS and _NO_CITY.isdisjoint(said) else None


def _american(parts: Sequence[str]) -> Place:
    """``1 Main St, Springfield, IL 62701``."""
    found = _US_END.fullmatch(parts[-1])
    if found is None or found[1] not in US_STATES:
        return NOWHERE
    return Place(found[1], _city(parts[-2]) if len(parts) > 2 else None)


def _british(parts: Sequence[str]) -> Place:
    """``1 High Street, Oxford, OX1 1AA``, or with the county behind the city."""
    *before, postcode = parts
    if not _GB_POSTCODE.fullmatch(postcode):
        return NOWHERE
    county = before.pop() if before and before[-1].casefold() in GB_COUNTIES else None
    return Place(county, _city(before[-1]) if len(before) > 1 else None)


def _chinese(text: str) -> Place:
    """``广东省深圳市...``: the longest known name that it begins with, postcode and 中国 aside."""
    bare = re.sub(r"^(?:\d{6})?(?:中华人民共和国|中国)?", "", re.sub(r"[\s,、]", "", text))
    for end in range(min(len(bare), _LONGEST_CHINESE), 0, -1):
        found = _CHINESE.get(bare[:end])
        if found and not (bare[end - 1] == "市" and bare[end : end + 1] in _CN_INSIDE_A_NAME):
            return found
    return NOWHERE


def _chinese_names() -> Iterator[tuple[str, Place]]:
    for name in CN_MUNICIPALITIES:
        yield f"{name}市", Place(name, name)
    for name in CN_SPECIAL_REGIONS:
        yield f"{name}特别行政区", Place(name, name)
    for province, cities in CN_CITIES.items():
        whole = CN_AUTONOMOUS.get(province, f"{province}省")
        yield whole, Place(province)
        for city in cities:
            for before in (whole, province, ""):
                yield f"{before}{city}市", Place(province, city)


_CHINESE = dict(_chinese_names())
_LONGEST_CHINESE = max(map(len, _CHINESE))
_FORMS: dict[str, Callable[[Sequence[str]], Place]] = {"US": _american, "GB": _british}
