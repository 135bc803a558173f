"""Groups of customers who buy alike: points that stand for them, and the nearest one decides.

K-means (Lloyd; scikit-learn's, the best of several starts) has a point per group; the number of groups is the one of
highest mean silhouette (Rousseeuw 1987) on a part of the sample. The self-organising map (Kohonen 1982; MiniSom's) has
a grid of points, which are grouped by Ward's method in their turn (Vesanto and Alhoniemi 2000), again by silhouette.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.definitions.model import is_share
from jobs.definitions.segments.fitted import Found
from jobs.models.naming import names, strongest
from jobs.models.space import Axis, Floats, column, points, scaled
from jobs.models.stability import counted, stability_index, tenths

Places = NDArray[np.int64]
Method = Callable[[Floats], tuple[Floats, Places]]

#: how many groups are tried
GROUPS = range(3, 11)
#: customers whose silhouettes are looked at: it compares each with each
_LOOKED_AT = 2_000
_STARTS, _SEED = 5, 7
#: sides of the map, how many customers it is shown, and each how often at most
_SIDE, _SHOWN, _AGAIN = 4, 50_000, 20
#: features that a reason names
_SAID = 3


@dataclass(frozen=True)
class Drawn:
    """What a sample was like, to tell later ones that have drifted."""

    edges: tuple[tuple[float, ...], ...]  #: of the bins of every axis
    counts: tuple[tuple[int, ...], ...]  #: customers in each, last those of whom nothing is known
    sizes: tuple[int, ...]  #: members of every group
    every: int  #: it was one in so many of the buyers, by their ids


@dataclass(frozen=True)
class Prototypes:
    """A fit, as it is kept."""

    version: str
    axes: tuple[Axis, ...]
    points: tuple[tuple[float, ...], ...]  #: along the axes
    groups: tuple[int, ...]  #: group of every point
    found: tuple[Found, ...]  #: one per group
    means: tuple[tuple[float, ...], ...]  #: of every group, of the features themselves
    middles: tuple[tuple[float, ...], ...]  #: of every group, along the axes
    drawn: Drawn  #: what the sample was like
    metrics: dict[str, float] = field(default_factory=dict)
    gone: tuple[Found, ...] = ()  #: of earlier fits, given to nobody now

    def to_json(self) -> str:
        """The model file."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Prototypes:
        """Read a model file."""
        content: dict[str, Any] = json.loads(text)
        content["axes"] = tuple(Axis(**axis) for axis in content["axes"])
        for name in ("found", "gone"):
            content[name] = tuple(Found(**one) for one in content[name])
        for name in ("points", "means", "middles"):
            content[name] = tuple(map(tuple, content[name]))
        drawn = content["drawn"]
        edges, counts = (tuple(map(tuple, drawn[name])) for name in ("edges", "counts"))
        content["drawn"] = Drawn(edges, counts, tuple(drawn["sizes"]), drawn["every"])
        return cls(**{**content, "groups": tuple(content["groups"])})

    def because(self, place: str, least: int) -> str:
        """SQL for a reason: the features that weigh most for the group, of the customer, of the group, of everybody.

        Args:
            place: the column of the group.
            least: of a group of fewer customers of the sample nothing is said.
        """
        cases = " ".join(f"WHEN {group} THEN {self._sentence(group, least)}" for group in range(len(self.found)))
        return f"CASE {place} {cases} END"

    def _sentence(self, group: int, least: int) -> str:
        parts = []
        for place in strongest(np.asarray(self.middles[group]), _SAID):
            axis = self.axes[place]
            mean, plain = (_number(one, axis.feature) for one in (self.means[group][place], axis.plain_mean))
            groups = f"{mean} in this group, " if self.drawn.sizes[group] >= least else ""
            beside = f"({groups}{plain} of all)"
            value = f"coalesce(CAST({axis.feature} AS STRING), 'unknown')"
            parts.append(f"'{axis.dimension.noun} ', {value}, ' {beside}'")
        between = ", ', ', "
        return f"concat({between.join(parts)})"

    def places(self, sample: pa.Table) -> Places:
        """The group of every customer of a sample."""
        return np.asarray(self.groups)[nearest(points(sample, self.axes), np.asarray(self.points))]

    def drift(self, sample: pa.Table) -> dict[str, float]:
        """Population stability index of every feature, and of the sizes of the groups, since the fit."""
        found = {}
        for axis, edges, then in zip(self.axes, self.drawn.edges, self.drawn.counts, strict=True):
            found[axis.feature] = stability_index(then, counted(column(sample, axis.feature), edges))
        sizes = np.bincount(self.places(sample), minlength=len(self.found))
        return {
            **{name: round(one, 4) for name, one in found.items()},
            "groups": round(stability_index(self.drawn.sizes, sizes), 4),
        }


def with_places(features: DataFrame, model: Prototypes | None, place: str) -> DataFrame:
    """Add the group of every customer with an order in 365 days, as the column ``place``; null of others.

    The nearest point is the one of least |point|^2 - 2 (point . customer), of equally near ones the first.
    """
    if model is None:
        return features.withColumn(place, F.lit(None).cast("int"))
    axes = {f"_axis_{n}": F.expr(axis.sql) for n, axis in enumerate(model.axes)}
    far = {f"_far_{n}": F.expr(_distance(point, list(axes))) for n, point in enumerate(model.points)}
    least = f"least({', '.join(far)})"
    cases = " ".join(f"WHEN {name} = _least THEN {group}" for name, group in zip(far, model.groups, strict=True))
    wide = features.withColumns(axes).withColumns(far).withColumn("_least", F.expr(least))
    rows = wide.withColumn(place, F.expr(f"CASE WHEN orders_365d > 0 THEN CASE {cases} END END"))
    return rows.drop(*axes, *far, "_least")


def _distance(point: Sequence[float], axes: Sequence[str]) -> str:
    terms = " ".join(f"- {2 * at:.9f}D * {axis}" for at, axis in zip(point, axes, strict=True))
    return f"{sum(at * at for at in point):.9f}D {terms}"


def nearest(places: Floats, middles: Floats) -> Places:
    """Row of the nearest point of each customer."""
    return np.asarray(np.argmin((middles**2).sum(axis=1) - 2 * places @ middles.T, axis=1), dtype=np.int64)


def fit(sample: pa.Table, version: str, method: Method, every: int = 1) -> Prototypes:
    """Groups of a sample of customers with orders, in the order of their ids.

    Args:
        sample: the features that :data:`DIMENSIONS` names.
        version: of the fit.
        method: :func:`k_means` or :func:`self_organising_map`.
        every: the sample is one in so many of the buyers.

    Raises:
        ValueError: saying why nothing can be found: all buy alike.
    """
    from threadpoolctl import threadpool_limits

    axes, where = scaled(sample)
    if len(np.unique(where, axis=0)) < GROUPS.start:
        raise ValueError("fewer ways of buying than groups")
    with threadpool_limits(1):  # sums in another order end in other last bits
        middles, groups = method(where)
        middles = np.round(middles, 9)
        members = groups[nearest(where, middles)]
        order = {int(group): place for place, group in zip(count(), _largest_first(members))}
        groups = np.array([order.get(int(group), -1) for group in groups])
        middles, groups = (
            middles[groups >= 0],
            groups[groups >= 0],
        )  # a point that is nobody's nearest stands for nobody
        members = groups[nearest(where, middles)]
        quality = silhouette(where, members)
    centres = np.array([where[members == group].mean(axis=0) for group in range(len(order))])
    sizes = np.bincount(members)
    return Prototypes(
        version=version,
        axes=axes,
        points=_tuples(middles),
        groups=tuple(int(group) for group in groups),
        found=names(centres, axes, [int(size) for size in sizes]),
        means=_tuples(np.array([_plain(sample, axes, members == group) for group in range(len(order))]), 6),
        middles=_tuples(centres),
        drawn=_drawn(sample, axes, sizes, every),
        metrics={"customers": len(where), "groups": len(order), "silhouette": round(quality, 4)},
    )


def k_means(where: Floats) -> tuple[Floats, Places]:
    """Centres, each its own group."""
    from sklearn.cluster import KMeans

    def centres(groups: int) -> Floats:
        made = KMeans(groups, n_init=_STARTS, random_state=_SEED).fit(where)
        return np.asarray(made.cluster_centers_)

    tried = [centres(groups) for groups in _possible(where)]
    best = max(tried, key=lambda middles: silhouette(where, nearest(where, middles)))
    return best, np.arange(len(best))


def self_organising_map(where: Floats) -> tuple[Floats, Places]:
    """Points of the grid, and the group of each."""
    from minisom import MiniSom
    from scipy.cluster.hierarchy import fcluster, linkage

    grid = MiniSom(_SIDE, _SIDE, where.shape[1], sigma=_SIDE / 2, learning_rate=0.5, random_seed=_SEED)
    grid.pca_weights_init(where) if where.shape[1] > 1 else grid.random_weights_init(where)
    grid.train(where, min(_SHOWN, _AGAIN * len(where)), random_order=True)
    nodes = np.asarray(grid.get_weights(), dtype=np.float64).reshape(_SIDE * _SIDE, -1)
    closest = nearest(where, nodes)
    tree = linkage(nodes, "ward")
    tried = [fcluster(tree, groups, "maxclust") - 1 for groups in _possible(where)]
    best = max(tried, key=lambda groups: silhouette(where, groups[closest]))
    return nodes, np.asarray(best, dtype=np.int64)


def silhouette(where: Floats, members: Places) -> float:
    """Mean silhouette of at most so many of the customers, evenly taken; -1 of a single group."""
    from sklearn.metrics import silhouette_score

    chosen = np.unique(np.linspace(0, len(where) - 1, min(len(where), _LOOKED_AT)).astype(np.int64))
    if not 1 < len(np.unique(members[chosen])) < len(chosen):
        return -1.0
    return float(silhouette_score(where[chosen], members[chosen]))


def _drawn(sample: pa.Table, axes: Sequence[Axis], sizes: Places, every: int) -> Drawn:
    values = [column(sample, axis.feature) for axis in axes]
    edges = [tenths(one) for one in values]
    counts = tuple(counted(one, bounds) for one, bounds in zip(values, edges, strict=True))
    return Drawn(tuple(edges), counts, tuple(int(size) for size in sizes), every)


def _possible(where: Floats) -> list[int]:
    return [groups for groups in GROUPS if groups < len(np.unique(where, axis=0))] or [GROUPS.start]


def _largest_first(members: Places) -> list[int]:
    sizes = np.bincount(members)
    return [int(group) for group in np.lexsort((np.arange(len(sizes)), -sizes)) if sizes[group]]


def _plain(sample: pa.Table, axes: Sequence[Axis], mine: NDArray[np.bool_]) -> Floats:
    known = [column(sample, axis.feature)[mine] for axis in axes]
    return np.array([np.nanmean(one) if not np.isnan(one).all() else 0.0 for one in known])


def _tuples(rows: Floats, decimals: int = 9) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(round(float(one), decimals) for one in row) for row in rows)


def _number(value: float, feature: str) -> str:
    """A mean as people read it; a share as per cent."""
    if is_share(feature):
        return f"{100 * value:.0f}%"
    return f"{value:.2f}".rstrip("0").rstrip(".")
