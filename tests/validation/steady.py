"""Whether anybody's segment changes while nothing does that the segment goes by; time is something it may go by.

What a scheme goes by is read out of its rules: the features they name, and those behind the scores and the segments of
other schemes that they name. A scheme whose rules name no recency must not move anybody who did nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import duckdb

from jobs.definitions.features import FEATURES
from jobs.definitions.published.customers import FORETOLD
from jobs.definitions.rfm import SCORES
from jobs.definitions.segments import SCHEMES, Scheme
from jobs.definitions.segments.fitted import DIMENSIONS
from jobs.models.churn import INPUTS

_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_FEATURES = frozenset(feature.name for feature in FEATURES)
#: what each of the three scores is made from; who has no order in 365 days has none
_SCORED = {"recency": {"recency_days"}, "frequency": set[str](), "monetary": {"net_revenue_365d"}}
_FLAGS = {"is_recent": "recency", "is_frequent": "frequency", "is_big": "monetary"}
_BOUGHT = frozenset({"recency_days", "orders_365d", "net_revenue_365d"})
_FOUND = frozenset(dimension.feature for dimension in DIMENSIONS)
#: topics are over what was bought in 365 days, category by category
_THEMES = frozenset({"orders_365d", "net_revenue_365d", "distinct_categories", "top_category_share"})


def _behind_score(name: str) -> frozenset[str]:
    kind = _FLAGS.get(name, name.partition("_")[0])
    return frozenset({"orders_365d", *_SCORED[kind]}) if kind in _SCORED else _BOUGHT


_BEHIND: Mapping[str, frozenset[str]] = {
    **{name: _behind_score(name) for name in SCORES},
    **dict.fromkeys(FORETOLD, frozenset(_NAME.findall(" ".join(INPUTS.values()))) & _FEATURES | _BOUGHT),
    "behaviour_cluster_place": _FOUND,
    "som_cluster_place": _FOUND,
    "purchase_topic_place": _THEMES,
}


def goes_by(schemes: Sequence[Scheme]) -> dict[str, frozenset[str]]:
    """Scheme -> the features that can move somebody in it."""
    behind = dict(_BEHIND)
    found: dict[str, frozenset[str]] = {}
    for scheme in schemes:
        place = {f"{scheme.name}_place"} if scheme.kind == "model" else set()
        named = {*_NAME.findall(" ".join(segment.when for segment in scheme.segments)), *place}
        features = frozenset(named & _FEATURES).union(*(behind[name] for name in named & behind.keys()))
        found[scheme.name] = behind[scheme.column] = features
    return found


def moved(database: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, int, int]]:
    """Scheme -> customers nothing of whom changed that it goes by, those of them whose segment did, all whose did.

    Args:
        database: with customer_features and customer_segments of two nights, as the schemas ``before_`` and ``now_``.
    """
    counts = {}
    for scheme in SCHEMES:
        names = sorted(goes_by(SCHEMES)[scheme.name])
        old, new = (f"row({', '.join(f'{night}.{name}' for name in names)})" for night in ("was", "is_"))
        same, differs = f"{old} IS NOT DISTINCT FROM {new}", f"b.{scheme.column} <> n.{scheme.column}"
        rows = database.execute(
            f"SELECT count(*) FILTER ({same}), count(*) FILTER ({same} AND {differs}), count(*) FILTER ({differs})"
            " FROM before_.customer_features AS was JOIN now_.customer_features AS is_ USING (customer_id)"
            " JOIN before_.customer_segments AS b USING (customer_id)"
            " JOIN now_.customer_segments AS n USING (customer_id)"
        ).fetchall()
        counts[scheme.name] = rows[0]
    return counts
