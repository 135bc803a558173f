"""How values are mistyped, misheard and misread: one value and numbers drawn for it in, the value as written out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: what a hand strikes beside the key it means, and what a reader takes for another
NEAR = dict(zip("qwertyuiopasdfghjklzxcvbnm", "wertyuiopoasdfghjkkxzcvbnn", strict=True))
MISREAD_PAIRS = "rn:m m:rn cl:d l:i e:c u:v h:b g:q nn:m"
MISREAD = tuple(pair.split(":") for pair in MISREAD_PAIRS.split())


def mistyped(text: str, numbers: NDArray[np.float64]) -> str:
    """One letter left out, doubled or put in, struck beside, misread, or two turned."""
    at, kind, other = int(numbers[0] * len(text)), int(numbers[1] * 6), chr(97 + int(numbers[2] * 26))
    if kind == 0 and len(text) > 2:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + (text[at] if numbers[3] < 0.4 else other) + text[at:]
    if kind == 2 and at + 1 < len(text):
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if kind == 3:
        read, as_ = MISREAD[int(numbers[2] * len(MISREAD))]
        if read in text:
            return text.replace(read, as_, 1)
    return text[:at] + (NEAR.get(text[at], other) if numbers[3] < 0.6 else other) + text[at + 1 :]


def mistyped_email(text: str, numbers: NDArray[np.float64]) -> str:
    local, domain = text.split("@")
    if numbers[3] < 0.2:
        return f"{local}@{domain[:2]}{domain[3]}{domain[2]}{domain[4:]}"
    return f"{mistyped(local, numbers)}@{domain}"


def misdialled(text: str, numbers: NDArray[np.float64]) -> str:
    """A wrong digit, or two turned, after the area code."""
    at = 5 + int(numbers[0] * 6)
    if numbers[1] < 0.4:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + str(int(numbers[2] * 10)) + text[at + 1 :]


def misdated(text: str, numbers: NDArray[np.float64]) -> str:
    """Day and month turned, the first of January, or another day, month or year."""
    year, month, day = (int(part) for part in text.split("-"))
    kind = int(numbers[0] * 4)
    if kind == 0 and day <= 12:
        month, day = day, month
    elif kind == 1:
        year, month, day = year if numbers[1] < 0.7 else 1900, 1, 1
    elif kind == 2:
        year += (1, -1, 10, -10)[int(numbers[1] * 4)]
        day = min(day, 28)
    else:
        day = 1 + int(numbers[1] * 28)
    return f"{year:04d}-{month:02d}-{day:02d}"


def abbreviated(text: str, numbers: NDArray[np.float64]) -> str:
    """Another way to write the same address."""
    shorter = text.replace("Street", "St").replace("Road", "Rd").replace("Avenue", "Ave").replace("Drive", "Dr")
    return shorter if numbers[0] < 0.7 else shorter.lower() if numbers[0] < 0.8 else text.upper()
