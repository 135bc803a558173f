"""How alike two partitions of the same records are: the true one and the found one.

A partition is an array of shape (records,) of integers: records with the same number are together; the numbers
themselves mean nothing. All is computed from the sizes of the parts and of what each true part has in common with each
found part, in O(n log n).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Agreement:
    """Shares between 0 and 1, but for the adjusted Rand index, which is 0 for chance and 1 for the same partition.

    Attributes:
        true_pairs, found_pairs, right_pairs: pairs of records that are together in truth, as found, and in both.
        precision, recall, f1: of those pairs; 1 where there are none to be right about.
        b_precision, b_recall, b_f1: B-cubed, the mean over records of the share of its found part that is its true
            part's, and of its true part that is in its found part, and the harmonic mean of the two means.
        rand: adjusted Rand index.
    """

    true_pairs: int
    found_pairs: int
    right_pairs: int
    precision: float
    recall: float
    f1: float
    b_precision: float
    b_recall: float
    b_f1: float
    rand: float


def agreement(truth: ArrayLike, found: ArrayLike) -> Agreement:
    """All figures of two partitions, arrays of shape (records,) of the same records in the same order."""
    from sklearn.metrics import adjusted_rand_score

    true_part, true_sizes = _parts(truth)
    found_part, found_sizes = _parts(found)
    if len(true_part) != len(found_part):
        raise ValueError(f"{len(true_part)} records in truth, {len(found_part)} found")
    common, counts = np.unique(true_part * len(found_sizes) + found_part, return_counts=True)
    true_size, found_size = true_sizes[common // len(found_sizes)], found_sizes[common % len(found_sizes)]
    right = _pairs(counts)
    precision, recall = _share(right, _pairs(found_sizes)), _share(right, _pairs(true_sizes))
    b_precision = _share(float((counts * (counts / found_size)).sum()), len(true_part))
    b_recall = _share(float((counts * (counts / true_size)).sum()), len(true_part))
    return Agreement(
        _pairs(true_sizes), _pairs(found_sizes), right,
        precision, recall, harmonic(precision, recall),
        b_precision, b_recall, harmonic(b_precision, b_recall),
        float(adjusted_rand_score(true_part, found_part)),
    )  # fmt: skip


def pair_agreement(true_pairs: int, found_pairs: int, right_pairs: int) -> tuple[float, float, float]:
    """Precision, recall and F1 of pairs that need not form a partition."""
    precision, recall = _share(right_pairs, found_pairs), _share(right_pairs, true_pairs)
    return precision, recall, harmonic(precision, recall)


def harmonic(precision: float, recall: float) -> float:
    """F1 of the two; 0 where both are."""
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _parts(labels: ArrayLike) -> tuple[Ints, Ints]:
    """The number of each record's part, counted from 0, of shape (records,), and sizes of shape (parts,)."""
    _, part, sizes = np.unique(np.asarray(labels), return_inverse=True, return_counts=True)
    return part.astype(np.int64), sizes.astype(np.int64)


def _pairs(sizes: Ints) -> int:
    return int((sizes * (sizes - 1) // 2).sum())


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0
