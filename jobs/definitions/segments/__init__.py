"""Segment schemes: every way in which customers are divided.

A new segment is an entry of its scheme, a new scheme an entry of ``SCHEMES``; a scheme may ask for the columns of those
before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from jobs.definitions.segments.fitted import CLUSTER, MAP, TOPIC
from jobs.definitions.segments.habits import BRAND, CATEGORY, CHANNEL, NEED, OCCASION, PRICE
from jobs.definitions.segments.life import CHURN_RISK, LIFECYCLE, PREDICTED
from jobs.definitions.segments.person import DEMOGRAPHIC, GEOGRAPHIC, LIFESTYLE
from jobs.definitions.segments.persona import PERSONA
from jobs.definitions.segments.scheme import (
    BASES,
    GUEST,
    GUEST_LABELS,
    NO_CONSENT,
    NO_CONSENT_LABELS,
    NO_CONSENT_REASON,
    NOT_SCORED,
    OTHER,
    OTHER_LABELS,
    UNKNOWN,
    Preset,
    Scheme,
    Segment,
    version_of,
)
from jobs.definitions.segments.scores import RFM, RFM8, VALUE_TIER

__all__ = [
    "BASES", "GUEST", "GUEST_LABELS", "NOT_SCORED", "NO_CONSENT", "NO_CONSENT_LABELS", "NO_CONSENT_REASON", "OTHER",
    "OTHER_LABELS", "SCHEMES", "UNKNOWN", "OwnRules", "Preset", "Scheme", "Segment", "schemes", "version_of",
]  # fmt: skip

#: scheme -> segment -> field -> text
OwnRules = Mapping[str, Mapping[str, Mapping[str, Any]]]

#: every segment of every preset
SCHEMES: tuple[Scheme, ...] = (
    RFM, RFM8, LIFECYCLE, PREDICTED, VALUE_TIER, CHURN_RISK, CHANNEL, OCCASION, PRICE, CATEGORY, BRAND, NEED,
    DEMOGRAPHIC, GEOGRAPHIC, LIFESTYLE, PERSONA, CLUSTER, MAP, TOPIC,
)  # fmt: skip


def schemes(preset: Preset, own: OwnRules | None = None) -> tuple[Scheme, ...]:
    """Every scheme, with the segments that chains of a preset have.

    Args:
        preset: the chain's.
        own: scheme -> segment -> what the chain says in the place of the declared rule, descriptions, action.
            Where it gives a rule and does not describe it, the rule describes itself.

    Raises:
        KeyError: naming a scheme or ``scheme.segment`` that there is not.
    """
    left = {f"{scheme}.{code}" for scheme, rules in (own or {}).items() for code in rules}
    left |= {scheme for scheme, rules in (own or {}).items() if not rules}
    left -= {f"{scheme.name}.{segment.code}" for scheme in SCHEMES for segment in scheme.segments}
    if left:
        raise KeyError(", ".join(sorted(left)))
    found: list[Scheme] = []
    for scheme in SCHEMES:
        one = _own(scheme.of(preset), (own or {}).get(scheme.name, {}))
        found.append(replace(one, rests_on=tuple(s.version for s in found if one.asks_for(s.column))))
    return tuple(found)


def _own(scheme: Scheme, rules: Mapping[str, Mapping[str, Any]]) -> Scheme:
    return replace(scheme, segments=tuple(_ruled(one, rules.get(one.code, {})) for one in scheme.segments))


def _ruled(segment: Segment, own: Mapping[str, Any]) -> Segment:
    if "when" not in own:
        return replace(segment, **own)
    itself = {
        "description_en": f"This chain's own rule: {own['when']}.",
        "description_zh": f"本店规则：{own['when']}。",
    }
    return replace(segment, **(itself | dict(own)))
