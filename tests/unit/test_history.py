"""What is usual, worked out by hand, and what the policies make of what is not."""

from __future__ import annotations

import math
from datetime import date, timedelta

import pytest

from expectations.breakers import Breakers, Policy
from expectations.history import Judgement, usual
from expectations.verdict import Verdict

MONDAY = date(2026, 6, 1)
HOW = Judgement(min_nights=7, deviations=5.0)


def nights(*values: float, before: date = MONDAY) -> dict[date, float]:
    """Measures of the nights that end the day before a date, oldest first."""
    return {before - timedelta(days=back): value for back, value in zip(range(len(values), 0, -1), values, strict=True)}


def test_too_few_nights_say_nothing() -> None:
    assert usual(nights(*[100] * 6), MONDAY, "amount", HOW) is None
    assert usual(nights(*[100] * 7), MONDAY, "amount", HOW) is not None


def test_steady_counts_may_halve_or_double_and_no_more() -> None:
    found = usual(nights(*[999] * 10), MONDAY, "amount", HOW)
    assert found is not None
    # log(1000) give or take 5 x 0.15
    assert found.low == pytest.approx(1000 * math.exp(-0.75) - 1)
    assert found.high == pytest.approx(1000 * math.exp(0.75) - 1)
    assert found.low > 0.4 * 999  # down 60 %
    assert found.high < 5 * 999  # up fivefold
    assert found.low <= 500 <= found.high
    assert found.low <= 2000 <= found.high


def test_what_varies_may_vary() -> None:
    # log1p: 0, ln 2, ln 4, ln 8, ln 16 (twice each but ln 4); median ln 4; absolute deviations in units of ln 2:
    # 2 2 1 1 0 1 1 2 2 -> median 1
    found = usual(nights(0, 0, 1, 1, 3, 7, 7, 15, 15), MONDAY, "amount", HOW)
    assert found is not None
    assert found.high == pytest.approx(4 * 2 ** (5 * 1.4826) - 1)


def test_a_weekday_is_compared_with_its_own_kind_once_four_are_there() -> None:
    week = [10, 50, 50, 50, 50, 90, 90]  # Monday to Sunday
    found = usual(nights(*week * 4), MONDAY, "amount", HOW)
    assert found is not None
    assert found.nights == 4
    assert found.high == pytest.approx(11 * math.exp(0.75) - 1)
    assert found.high < 50
    pooled = usual(nights(*week * 3), MONDAY, "amount", HOW)
    assert pooled is not None
    assert pooled.nights == 21


def test_shares_are_compared_by_their_difference() -> None:
    found = usual(nights(*[0.3, 0.3, 0.31, 0.29, 0.3, 0.3, 0.3]), MONDAY, "share", HOW)
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(0.2), pytest.approx(0.4))


def verdict(action: str = "blocked", *, table: str = "raw.pos.receipts") -> Verdict:
    return Verdict(table, "pos.receipts.rows.usual", "As many as usual.", "critical", 9, 1, action == "none", action)


@pytest.mark.parametrize(
    ("breakers", "severity", "action"),
    [
        (Breakers(), "critical", "blocked"),
        (Breakers("warn"), "warning", "reported"),
        (Breakers("ask"), "critical", "asked"),
        (Breakers("block", {"pos.receipts": "warn"}), "warning", "reported"),
        (Breakers("warn", {"pos.receipts": "block"}), "critical", "blocked"),
        (Breakers("warn", {"orders": "block"}), "warning", "reported"),
        (Breakers("ask", {}, frozenset({("raw.pos.receipts", "pos.receipts.rows.usual")})), "critical", "approved"),
        (Breakers("ask", {}, frozenset({("raw.pos.receipts", "another.rule")})), "critical", "asked"),
    ],
)
def test_the_policy_says_what_follows(breakers: Breakers, severity: str, action: str) -> None:
    found = breakers.applied(verdict())
    assert (found.severity, found.action, found.is_passed) == (severity, action, False)


@pytest.mark.parametrize("policy", ["block", "warn", "ask"])
def test_what_passed_is_left_alone(policy: Policy) -> None:
    passed = verdict("none")
    assert Breakers(policy).applied(passed) == passed
