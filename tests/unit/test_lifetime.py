"""BG/NBD and Gamma-Gamma against the published figures of CDNOW, and against histories that were drawn."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.models import lifetime
from jobs.models.lifetime import Histories, LifetimeFit, OrderModel, ValueModel
from tests.validation import cdnow


@pytest.fixture(scope="module")
def orders() -> OrderModel:
    return lifetime.fit_orders(cdnow.calibration()[0])


def test_orders_of_cdnow(orders: OrderModel) -> None:
    # Fader, Hardie, Lee (2005), table 2
    assert (orders.r, orders.alpha) == (pytest.approx(0.2426, abs=2e-4), pytest.approx(4.4136, abs=5e-3))
    assert (orders.a, orders.b) == (pytest.approx(0.7929, abs=2e-3), pytest.approx(2.4259, abs=1e-2))
    assert orders.log_likelihood == pytest.approx(-9582.43, abs=0.01)
    one = Histories(np.array([2.0]), np.array([30.43]), np.array([38.86]), np.ones(1))
    assert orders.expected_orders(one, 39.0)[0] == pytest.approx(1.226, abs=1e-3)


def test_orders_of_cdnow_in_the_39_weeks_after(orders: OrderModel) -> None:
    kinds, after = cdnow.calibration()[0], cdnow.holdout()
    assert (len(after), after.sum()) == (2357, 1882)
    expected = orders.expected_orders(kinds, 39.0)
    # definitions.md, measured by others
    assert np.abs(expected - after).mean() == pytest.approx(0.7855, abs=5e-4)
    assert np.sqrt(((expected - after) ** 2).mean()) == pytest.approx(1.6080, abs=5e-4)
    assert expected.sum() == pytest.approx(1653, abs=2)
    bought = after > 0
    assert cdnow.area(expected[bought], expected[~bought]) == pytest.approx(0.7725, abs=1e-3)
    # who will not buy: days since the last order say so with 0.771; whether somebody is alive says the opposite
    none, alive = orders.probability_of_none(kinds, 39.0), orders.probability_alive(kinds)
    assert cdnow.area(none[~bought], none[bought]) == pytest.approx(0.757, abs=2e-3)
    assert cdnow.area(1.0 - alive[~bought], 1.0 - alive[bought]) == pytest.approx(0.316, abs=2e-3)


def test_value_of_cdnow() -> None:
    # Fader, Hardie (2013): the 946 with a repeat
    kinds, _ = cdnow.calibration()
    assert (kinds.repeats > 0).sum() == 946
    _, model = cdnow.fitted()
    assert (model.p, model.q, model.v) == (
        pytest.approx(6.25, abs=0.01), pytest.approx(3.74, abs=0.01), pytest.approx(15.44, abs=0.05),
    )  # fmt: skip


def test_counts_are_as_good_as_customers(orders: OrderModel) -> None:
    each, _ = cdnow.calibration()
    kinds, counts = np.unique(np.stack([each.repeats, each.last, each.observed], 1), axis=0, return_counts=True)
    grouped = lifetime.fit_orders(Histories(*kinds.T, counts.astype(float)))
    assert len(kinds) < 2357
    assert grouped.log_likelihood == pytest.approx(orders.log_likelihood, abs=1e-4)
    assert grouped.alpha == pytest.approx(orders.alpha, abs=1e-3)


def test_no_order_in_no_time_and_the_dead_stay_dead(orders: OrderModel) -> None:
    some = Histories(np.array([0.0, 3.0, 20.0]), np.array([0.0, 30.0, 5.0]), np.array([39.0] * 3), np.ones(3))
    assert orders.probability_of_none(some, 0.0) == pytest.approx(1.0)
    long = orders.probability_of_none(some, 1e9)
    assert long == pytest.approx(1.0 - orders.probability_alive(some), abs=0.02)
    assert orders.probability_alive(some)[0] == 1.0  # without a repeat nobody can have stopped, says the model
    assert orders.probability_alive(some)[2] < 0.01 < 0.5 < orders.probability_alive(some)[1]


def test_expectations_are_those_of_simulated_customers(orders: OrderModel) -> None:
    # customers drawn by the model's own story: what those with two repeats until late do next, on the average
    rng = np.random.default_rng(7)
    count, now, ahead = 400_000, 39.0, 13.0
    rate = rng.gamma(orders.r, 1.0 / orders.alpha, count)
    stop = rng.beta(orders.a, orders.b, count)
    repeats, last, after = (np.zeros(count) for _ in range(3))
    clock, alive = np.zeros(count), np.ones(count, dtype=bool)
    while alive.any():
        clock = clock + rng.exponential(1.0, count) / np.maximum(rate, 1e-300)
        early, late = alive & (clock <= now), alive & (clock > now) & (clock <= now + ahead)
        repeats += early
        last = np.where(early, clock, last)
        after += late
        alive &= (clock <= now + ahead) & (rng.random(count) >= stop)
    chosen = (repeats == 2) & (last > 25)
    assert chosen.sum() > 3000
    kinds = Histories(repeats[chosen], last[chosen], np.full(chosen.sum(), now), np.ones(chosen.sum()))
    assert orders.expected_orders(kinds, ahead).mean() == pytest.approx(after[chosen].mean(), rel=0.07)
    assert orders.probability_of_none(kinds, ahead).mean() == pytest.approx((after[chosen] == 0).mean(), abs=0.02)


@pytest.mark.parametrize(
    ("repeats", "last", "said"),
    [
        (np.zeros(500), np.zeros(500), "BG/NBD"),  # nobody came back
        (np.full(500, 40.0), np.full(500, 39.0), "BG/NBD"),  # clockwork, and nobody stops
    ],
)
def test_a_fit_that_nobody_believes_stands_aside(repeats: np.ndarray, last: np.ndarray, said: str) -> None:
    kinds = Histories(repeats, last, np.full(500, 39.0), np.ones(500))
    same = [repeats + 1.0, np.full(500, 20.0), np.ones(500)]  # everybody spends the same: no spread to fit
    found = lifetime.fit(kinds, same, "v")
    assert found.orders is None and found.value is None
    assert [reason for reason in found.reasons if said in reason]
    assert found.order_value == pytest.approx(20.0)
    scored = lifetime.score_orders(found, kinds, (90,))
    assert scored.keys() == {"expected_orders_90d"}
    # (own orders + 5) over (39 weeks + the weeks in which everybody makes 5)
    own = repeats[0] + 1.0
    rate = (own + 5.0) / (39.0 + 5.0 / found.orders_per_week)
    assert scored["expected_orders_90d"][0] == pytest.approx(rate * 90 / 7)


def test_the_model_file_says_all() -> None:
    for found in (
        LifetimeFit("v", OrderModel(0.2, 4.0, 0.8, 2.4, -9.0), ValueModel(6.0, 3.7, 15.0), 0.1, 20.0),
        LifetimeFit("v", None, None, 0.1, 20.0, ("why",)),
    ):
        assert LifetimeFit.from_json(found.to_json()) == found


@pytest.mark.parametrize("customers", [0, 5])
def test_a_first_day_has_no_time_to_go_by(customers: int) -> None:
    nothing = np.zeros(customers)
    found = lifetime.fit(Histories(nothing, nothing, nothing, np.ones(customers)), [nothing[:0]] * 3, "v")
    assert found.orders is None and "BG/NBD has no time to go by" in found.reasons
