"""What a scheme is: segments in priority order, each with its rule, and the words for people.

A rule is an SQL condition over a customer's features and scores and the columns of earlier schemes; the first that
holds decides. A scheme's last rule always holds, so every customer has exactly one segment in each. ``because`` is an
SQL expression that makes the reason: the customer's own numbers beside the thresholds.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import Literal, get_args

Preset = Literal["restaurant", "supermarket", "online_retail"]
PRESETS: tuple[Preset, ...] = get_args(Preset)

#: where a segment or a tag is known from
BASES = ("declared", "inferred", "unknown")

#: codes of every scheme where there is no answer
NO_CONSENT = "no_profiling_consent"
NOT_SCORED = "not_scored"
UNKNOWN = "unknown"

NO_CONSENT_LABELS = (
    "No profiling consent", "不同意画像", "Asked not to be profiled, or was not asked.", "未同意或未征询画像授权。",
)  # fmt: skip
NO_CONSENT_REASON = "profiling_consent is not true"

#: segments of tables about orders and of tables that show no small group; nobody is in one
GUEST, OTHER = "guest", "other"
GUEST_LABELS = ("Guests", "散客", "Orders of nobody known.", "无法识别顾客的订单。")
OTHER_LABELS = (
    "Small groups", "其他小群体", "Groups too small to be shown, together.", "人数过少不单独展示的群体合计。",
)  # fmt: skip


@dataclass(frozen=True)
class Segment:
    """One segment of a scheme and its rule."""

    code: str
    label_en: str
    label_zh: str
    description_en: str
    description_zh: str
    when: str  #: SQL condition; ``true`` for the last
    action: str
    presets: tuple[Preset, ...] = ()  #: the only ones that give it; () for all

    def is_given(self, preset: Preset) -> bool:
        """Chains of a preset can have it."""
        return not self.presets or preset in self.presets


@dataclass(frozen=True)
class Scheme:
    """One way to divide all customers."""

    name: str
    label_en: str
    label_zh: str
    description_en: str
    description_zh: str
    because: str  #: SQL expression: one sentence with the customer's numbers
    segments: tuple[Segment, ...]
    kind: str = "rule"  #: rule; score where frozen cut points take part; model where a model finds the segments
    rests_on: tuple[str, ...] = ()  #: versions of the schemes that its rules ask for
    basis: str = ""  #: SQL expression over the scheme's column too: where a segment is known from, one of BASES

    @property
    def column(self) -> str:
        """Its column in customer_segments."""
        return self.name if self.name in UNSUFFIXED else f"{self.name}_segment"

    @property
    def version(self) -> str:
        """Version of its rules and of those they rest on: ``r-`` and eight hex digits."""
        return version_of(self)

    @property
    def basis_column(self) -> str:
        """The column that says where a segment is known from, if it has a basis."""
        return f"{self.name}_basis"

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code it can give, no_profiling_consent included."""
        return (*(segment.code for segment in self.segments), NO_CONSENT)

    def asks_for(self, column: str) -> bool:
        """Some rule names the column."""
        return any(re.search(rf"\b{column}\b", segment.when) for segment in self.segments)

    def of(self, preset: Preset) -> Scheme:
        """The scheme with the segments that a preset gives."""
        return replace(self, segments=tuple(one for one in self.segments if one.is_given(preset)))


def version_of(*schemes: Scheme) -> str:
    """Version of the rules of schemes."""
    return "r-" + hashlib.sha256(repr(schemes).encode()).hexdigest()[:8]


#: schemes whose promised column does not end in ``_segment``
UNSUFFIXED = frozenset(
    {
        "lifecycle_stage", "value_tier", "churn_risk_band", "consumption_occasion", "price_sensitivity",
        "channel_preference", "category_affinity", "brand_loyalty", "persona", "behaviour_cluster", "som_cluster",
        "purchase_topic", "predicted_lifecycle_30d",
    }
)  # fmt: skip


def unscored(action: str = "Wait until there is enough history.") -> Segment:
    """The last segment of a scheme that needs scores."""
    return Segment(NOT_SCORED, "Not scored", "未评分", "No order in 365 days, or too little data to score.",
                   "365天内无订单，或数据不足以评分。", "true", action)  # fmt: skip


def without_orders() -> Segment:
    """The first segment of a scheme that asks how somebody orders."""
    return Segment(UNKNOWN, "Unknown", "未知", "No order in 365 days to judge by.", "365天内无订单可供判断。",
                   "orders_365d = 0", "None.")  # fmt: skip


def untold(what_en: str, what_zh: str) -> Segment:
    """The last segment of a scheme that asks what is known of somebody."""
    return Segment(UNKNOWN, "Unknown", "未知", what_en, what_zh, "true", "Ask, where there is a reason to.")
