"""When the features of a customer change though nothing happens: as what is old leaves a window."""

from __future__ import annotations

import re
from collections.abc import Iterable

from jobs.definitions.features.feature import FROM_RECEIPTS, HALF_LIFE_DAYS, YEAR, Feature

#: ``days_ago < 90`` and the like
_COMPARED = re.compile(r"days_ago (?:(<|<=|>|>=) (\d+)|BETWEEN (\d+) AND (\d+))")


def bounds(features: Iterable[Feature]) -> tuple[int, ...]:
    """Every n such that some feature over receipts tells ``days_ago < n`` from the rest, ascending.

    A customer none of whose receipts changed has the features of the night before as long as none of them crossed such
    a bound, those that age aside.

    Raises:
        ValueError: a feature asks ``days_ago`` for something that no bound can tell.
    """
    found = {YEAR, *range(HALF_LIFE_DAYS, YEAR, HALF_LIFE_DAYS)}
    for feature in features:
        if feature.over in FROM_RECEIPTS:
            found |= _of(feature)
    return tuple(sorted(found))


def _of(feature: Feature) -> set[int]:
    rest = _COMPARED.sub("", feature.sql)
    if feature.ages:
        rest = re.sub(r"(min|max)\(days_ago\)", "", rest)
    if "days_ago" in rest:
        raise ValueError(f"{feature.name}: compare days_ago with a number, or let min or max of it age: {feature.sql}")
    found = set()
    for sign, bound, first, last in _COMPARED.findall(feature.sql):
        if sign:
            found.add(int(bound) + (sign in ("<=", ">")))
        else:
            found |= {int(first), int(last) + 1}
    return found
