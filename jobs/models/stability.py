"""Whether groups found twice are the same groups, and whether what they were found in has drifted.

Adjusted Rand index: Hubert and Arabie 1985 (scikit-learn's). Cluster-wise Jaccard under bootstrap: Hennig 2007, stable
above 0.75. Population stability index: sum of (now - then) ln(now / then) over bins, below 0.1 stable, above 0.25 a
major shift (Siddiqi 2006). Labels are aligned by the Hungarian method on centroids (Kuhn 1955; SciPy's).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from jobs.models.order_statistics import place_of
from jobs.models.space import Floats

Labels = NDArray[np.int64]

#: bootstrap samples, and their seed
ROUNDS, _SEED = 10, 7
#: share that an empty bin counts as, so that the index is finite
_LEAST = 1e-4
#: bins of a drift
BINS = 10


def adjusted_rand_index(one: Labels, other: Labels) -> float:
    """Agreement of two groupings of the same customers: 1 is the same, 0 is what chance gives."""
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(one, other))


def aligned(before: Floats, now: Floats) -> dict[int, int]:
    """Group of now -> the group of before that it goes on from; each of before at most once, the nearest in all.

    Args:
        before: centroids, one row per group.
        now: centroids in the same dimensions and scale.
    """
    distances = np.linalg.norm(now[:, None, :] - before[None, :, :], axis=2)
    rows, columns = linear_sum_assignment(distances)
    return {int(row): int(column) for row, column in zip(rows, columns, strict=True)}


def jaccard(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Members in both over members in either; 0 of two empty groups."""
    either = int(np.sum(one | other))
    return int(np.sum(one & other)) / either if either else 0.0


def bootstrapped(labels: Labels, again: Callable[[NDArray[np.int64]], Labels], groups: int) -> list[float]:
    """Mean Jaccard of each group with the most like one of fits to bootstrap samples.

    Args:
        labels: the group of every customer.
        again: rows of a bootstrap sample -> the group of every customer by a fit to them.
        groups: how many there are.
    """
    draw = np.random.default_rng(_SEED)
    found = np.zeros(groups)
    for _ in range(ROUNDS):
        other = again(np.sort(draw.integers(0, len(labels), len(labels))))
        for group in range(groups):
            found[group] += max(jaccard(labels == group, other == one) for one in np.unique(other))
    return [round(float(one), 4) for one in found / ROUNDS]


def stability_index(then: Sequence[float] | Labels, now: Sequence[float] | Labels) -> float:
    """Population stability index of two distributions over the same bins; counts or shares."""
    shares = [
        np.maximum(np.asarray(one, dtype=np.float64) / max(float(np.sum(one)), 1e-300), _LEAST) for one in (then, now)
    ]
    return float(np.sum((shares[1] - shares[0]) * np.log(shares[1] / shares[0])))


def tenths(values: Floats) -> tuple[float, ...]:
    """Upper edges of bins that each hold a tenth of the values that are known; ties may make fewer bins."""
    known = np.sort(values[~np.isnan(values)])
    if not len(known):
        return ()
    return tuple(sorted({float(known[place_of(len(known), k, BINS) - 1]) for k in range(1, BINS)}))


def counted(values: Floats, edges: Sequence[float]) -> tuple[int, ...]:
    """How many values lie in each bin, the last for those that are null (NaN)."""
    unknown = np.isnan(values)
    bins = np.bincount(np.searchsorted(np.asarray(edges), values[~unknown], side="left"), minlength=len(edges) + 1)
    return (*(int(count) for count in bins), int(unknown.sum()))
