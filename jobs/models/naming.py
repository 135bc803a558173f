"""Names of the groups that a model finds: from what sets them apart, no two alike, none that means something else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from jobs.definitions.segments import GUEST, NO_CONSENT, NOT_SCORED, OTHER, UNKNOWN
from jobs.definitions.segments.fitted import PLAIN, Found
from jobs.models.space import Axis, Floats

TAKEN = frozenset({GUEST, NO_CONSENT, NOT_SCORED, OTHER, UNKNOWN})
#: standard deviations from everybody's mean at which a group is called by a dimension
_STANDS_OUT = 0.35
#: words of a name, before another group has it too
_WORDS = 2


def names(middles: Floats, axes: Sequence[Axis], sizes: Sequence[int]) -> tuple[Found, ...]:
    """A name per group: the largest choose first.

    Args:
        middles: mean place of every group along every axis.
        axes: what the places are along.
        sizes: members of every group.
    """
    used: set[str] = set()
    found: dict[int, Found] = {}
    for group in sorted(range(len(middles)), key=lambda g: (-sizes[g], g)):
        words = _words(middles[group], axes)
        found[group] = free(
            [_found(words[:count]) for count in range(min(_WORDS, len(words)), len(words) + 1)], used, _found(words)
        )
    return tuple(found[group] for group in range(len(middles)))


def strongest(middle: Floats, count: int) -> list[int]:
    """The axes along which a group lies furthest from everybody, the furthest first."""
    return [int(place) for place in np.argsort(-np.abs(middle), kind="stable")[:count]]


def free(candidates: Iterable[Found], used: set[str], last: Found) -> Found:
    """The first of several names that nothing has yet, or the last one with a number; it is taken from now on."""
    for one in candidates:
        if one.code not in used:
            used.add(one.code)
            return one
    number = next(n for n in range(2, len(used) + 3) if f"{last.code}_{n}" not in used)
    used.add(f"{last.code}_{number}")
    return Found(
        f"{last.code}_{number}", f"{last.label_en} {number}", f"{last.label_zh}{number}", last.description_en,
        last.description_zh,
    )  # fmt: skip


def _words(middle: Floats, axes: Sequence[Axis]) -> list[tuple[str, str, str]]:
    said = [
        (axes[place].dimension.high if middle[place] > 0 else axes[place].dimension.low)
        for place in strongest(middle, len(axes))
        if abs(middle[place]) >= _STANDS_OUT
    ]
    return said or [PLAIN]


def _found(words: Sequence[tuple[str, str, str]]) -> Found:
    codes, english, chinese = zip(*words, strict=True)
    label = ", ".join(english)
    return Found(
        "_and_".join(codes), label[:1].upper() + label[1:], "、".join(chinese),
        f"Customers who buy alike: {label}.", f"购买行为相似：{'、'.join(chinese)}。",
    )  # fmt: skip
