"""Invention without chance: every invented value is a function of the key that it belongs to.

A hash instead of a random generator, so that a value depends neither on the order of the work nor on
a seed, and the same household has the same name on every machine and in every year.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from struct import unpack
from typing import TypeVar

T = TypeVar("T")


def shares(kind: str, key: object) -> tuple[float, float, float, float]:
    """Four independent numbers in [0, 1) that belong to ``key`` under ``kind``."""
    a, b, c, d = (number >> 11 for number in unpack(">4Q", sha256(f"{kind}:{key}".encode()).digest()))
    return a / 2**53, b / 2**53, c / 2**53, d / 2**53


def share(kind: str, key: object) -> float:
    """One number in [0, 1) that belongs to ``key`` under ``kind``."""
    return shares(kind, key)[0]


def pick(options: Sequence[T], kind: str, key: object) -> T:
    """The one of ``options`` that belongs to ``key`` under ``kind``."""
    return options[int(share(kind, key) * len(options))]


def whole(upper: int, kind: str, key: object) -> int:
    """A whole number in [0, upper) that belongs to ``key`` under ``kind``."""
    return int(share(kind, key) * upper)
