"""Agreement of partitions against cases counted by hand and against the definitions, pair by pair."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from tests.validation.partition import agreement, harmonic


def test_one_record_too_many_in_a_part_and_one_too_few() -> None:
    # truth {0 1 2} {3 4} {5}, found {0 1} {2 3 4} {5}: of 4 true and 4 found pairs 2 are right, (0 1) and (3 4)
    made = agreement([7, 7, 7, 9, 9, 0], [1, 1, 4, 4, 4, 3])
    assert (made.true_pairs, made.found_pairs, made.right_pairs) == (4, 4, 2)
    assert (made.precision, made.recall, made.f1) == (0.5, 0.5, 0.5)
    # records 0 1: 2/2 and 2/3; record 2: 1/3 and 1/3; records 3 4: 2/3 and 2/2; record 5: 1 and 1
    assert made.b_precision == pytest.approx((1 + 1 + 1 / 3 + 2 / 3 + 2 / 3 + 1) / 6)
    assert made.b_recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1 + 1) / 6)
    # (2 - 4 * 4 / 15) / (4 - 4 * 4 / 15)
    assert made.rand == pytest.approx((2 - 16 / 15) / (4 - 16 / 15))


def test_the_same_nothing_joined_and_other_lengths() -> None:
    same = agreement([5, 5, 1], [2, 2, 8])
    assert (same.f1, same.b_f1, same.rand) == (1, 1, 1)
    apart = agreement([5, 5, 1], [0, 1, 2])
    assert (apart.precision, apart.recall, apart.f1) == (1, 0, 0)
    assert (apart.b_precision, apart.b_recall) == (1, pytest.approx(2 / 3))
    with pytest.raises(ValueError, match="2 records in truth, 1 found"):
        agreement([0, 0], [0])


@pytest.mark.parametrize("seed", range(20))
def test_counts_agree_with_the_definitions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, found = rng.integers(0, 5, (2, 12))
    made = agreement(truth, found)
    true_pairs, found_pairs = (
        {(a, b) for a, b in combinations(range(12), 2) if labels[a] == labels[b]} for labels in (truth, found)
    )
    right = len(true_pairs & found_pairs)
    assert made.precision == pytest.approx(right / len(found_pairs))
    assert made.recall == pytest.approx(right / len(true_pairs))
    assert made.f1 == pytest.approx(2 * right / (len(found_pairs) + len(true_pairs)))
    together = (truth == truth[:, None]) & (found == found[:, None])
    precision = np.mean([together[n].sum() / (found == found[n]).sum() for n in range(12)])
    recall = np.mean([together[n].sum() / (truth == truth[n]).sum() for n in range(12)])
    assert (made.b_precision, made.b_recall) == (pytest.approx(precision), pytest.approx(recall))
    assert made.b_f1 == pytest.approx(harmonic(precision, recall))
