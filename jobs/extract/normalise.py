"""One spelling for each contact value, so that equal people hash equally. Pure functions.

Each takes the text of a source and gives the normal form, or None if the text is not such a value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date

import phonenumbers

#: regions that write the month first in a date with slashes
MONTH_FIRST = frozenset({"US", "PH", "PR", "GU", "FM", "MH", "PW"})

_EMAIL = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+\.[^@\s<>,;\".]+")
_IN_ANGLES = re.compile(r"<([^<>]*)>\s*$")
_YEAR_FIRST = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T ].*)?")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?:[T ].*)?")
_DIGITS = re.compile(r"(\d{4})(\d{2})(\d{2})")


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


def email(text: str, region: str) -> str | None:
    """Lower-case address without display name or ``mailto:``; plus-tags stay, they may be other people."""
    value = _nfkc(text)
    in_angles = _IN_ANGLES.search(value)
    value = (in_angles.group(1) if in_angles else value).strip().casefold()
    value = value.removeprefix("mailto:").strip()
    return value if _EMAIL.fullmatch(value) else None


def phone(text: str, region: str) -> str | None:
    """E.164, with ``region`` for numbers without a country code; any number of a possible length."""
    try:
        number = phonenumbers.parse(_nfkc(text), region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def loyalty_card(text: str, region: str) -> str | None:
    """Capitals, without spaces and dashes."""
    return re.sub(r"[\s\-\u2010-\u2015]+", "", _nfkc(text)).upper() or None


def payment_token(text: str, region: str) -> str | None:
    """As issued, without surrounding space: tokens may depend on case."""
    return text.strip() or None


def name(text: str, region: str) -> str | None:
    """Case folded, runs of space made one."""
    return " ".join(_nfkc(text).split()).casefold() or None


def address(text: str, region: str) -> str | None:
    """Case folded, runs of space made one."""
    return name(text, region)


def birth_date(text: str, region: str) -> str | None:
    """ISO date from year-first, digits-only, or year-last text; with slashes the region's order decides."""
    value = _nfkc(text)
    if found := _YEAR_FIRST.fullmatch(value) or _DIGITS.fullmatch(value):
        year, month, day = (int(part) for part in found.groups())
    elif found := _YEAR_LAST.fullmatch(value):
        first, second, year = int(found[1]), int(found[3]), int(found[4])
        month_first = found[2] == "/" and region in MONTH_FIRST
        month, day = (first, second) if month_first else (second, first)
    else:
        return None
    try:
        return date(year, month, day).isoformat() if year >= 1880 else None
    except ValueError:
        return None


#: canonical contact column -> its normal form
NORMALISERS: dict[str, Callable[[str, str], str | None]] = {
    "email": email,
    "phone": phone,
    "loyalty_card": loyalty_card,
    "payment_token": payment_token,
    "name": name,
    "address": address,
    "birth_date": birth_date,
}
