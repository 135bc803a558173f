"""Agreement of groupings and drift, against values worked out by hand and published ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

from jobs.models.stability import adjusted_rand_index, aligned, bootstrapped, counted, jaccard, stability_index, tenths


def test_adjusted_rand_index_of_a_worked_example() -> None:
    # Hubert and Arabie's index by hand: pairs together in both 2, in the one 6, in the other 6, of 15:
    # (2 - 6 * 6 / 15) / ((6 + 6) / 2 - 6 * 6 / 15) = -0.4 / 3.6
    one, other = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 1, 0])
    assert adjusted_rand_index(one, other) == pytest.approx(-0.4 / 3.6)
    assert adjusted_rand_index(one, np.array([5, 5, 5, 2, 2, 2])) == 1.0


def test_groups_are_aligned_so_that_all_are_near_together() -> None:
    before = np.array([[0.0, 0.0], [1.0, 0.0], [9.0, 9.0]])
    now = np.array([[0.9, 0.0], [2.0, 0.0], [9.0, 8.0]])
    # each to its nearest would give group 1 of before twice
    assert aligned(before, now) == {0: 0, 1: 1, 2: 2}
    assert aligned(before, now[[2, 0]]) == {0: 2, 1: 1}


def test_jaccard() -> None:
    assert jaccard(np.array([True, True, False]), np.array([False, True, True])) == pytest.approx(1 / 3)
    assert jaccard(np.array([False]), np.array([False])) == 0.0


def test_groups_that_any_sample_finds_again_are_stable_and_others_are_not() -> None:
    labels = np.repeat([0, 1], 50)
    assert bootstrapped(labels, lambda rows: labels, 2) == [1.0, 1.0]
    assert max(bootstrapped(labels, lambda rows: np.arange(100) % 4, 2)) < 0.4


def test_stability_index_by_hand() -> None:
    expected = (0.6 - 0.5) * math.log(0.6 / 0.5) + (0.4 - 0.5) * math.log(0.4 / 0.5)
    assert stability_index([50, 50], [60, 40]) == pytest.approx(expected)
    assert stability_index([1, 0], [10, 0]) == 0.0
    assert stability_index([100, 0], [0, 100]) > 0.25


def test_bins_hold_a_tenth_each_and_what_is_unknown_has_its_own() -> None:
    values = np.array([*range(1, 101), np.nan], dtype=float)
    edges = tenths(values)
    assert edges == tuple(float(n) for n in range(10, 100, 10))
    assert counted(values, edges) == (*(10,) * 10, 1)
    assert counted(np.array([500.0]), edges) == (*(0,) * 9, 1, 0)
    assert tenths(np.array([np.nan])) == ()
