"""What a customer will buy: BG/NBD for orders, Gamma-Gamma for their value; fitted on counts, scored in closed form.

Fader, Hardie, Lee, "Counting your customers the easy way: an alternative to the Pareto/NBD model", Marketing Science 24
(2005); Fader, Hardie, "The Gamma-Gamma model of monetary value" (2013). A fit is checked, and where it fails the model
says why and stands aside: orders and values are then averages that are drawn towards everybody's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, minimize
from scipy.special import betaln, gammaln, hyp2f1

Floats = NDArray[np.float64]

WEEK = 7
#: no parameter of a plausible fit is outside
_PLAUSIBLE = (1e-3, 1e4)
#: orders with which everybody's average weighs on one's own where there is no model
PRIOR_ORDERS = 5.0


@dataclass(frozen=True)
class Histories:
    """Customers with the same history, one element each; times in weeks.

    Args:
        repeats: orders after the first.
        last: from the first order to the last.
        observed: from the first order to the snapshot.
        customers: how many there are of the kind.
    """

    repeats: Floats
    last: Floats
    observed: Floats
    customers: Floats


@dataclass(frozen=True)
class OrderModel:
    """Parameters of BG/NBD, weeks."""

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float

    def probability_alive(self, of: Histories) -> Floats:
        """That a customer has not stopped; 1 without a repeat, for only an order can be the last."""
        alive: Floats = 1.0 / (1.0 + self._odds_of_death(of))
        return alive

    def expected_orders(self, of: Histories, weeks: float) -> Floats:
        """Orders in the next weeks (equation 10 of the paper)."""
        r, alpha, a, b = self.r, self.alpha, self.a, self.b
        x, observed = of.repeats, of.observed
        shrink = (alpha + observed) / (alpha + observed + weeks)
        z = weeks / (alpha + observed + weeks)
        grown = 1.0 - shrink ** (r + x) * hyp2f1(r + x, b + x, a + b + x - 1.0, z)
        orders: Floats = (a + b + x - 1.0) / (a - 1.0) * grown / (1.0 + self._odds_of_death(of))
        return orders

    def probability_of_none(self, of: Histories, weeks: float) -> Floats:
        """That no order comes in the next weeks: dead, or alive and none drawn (gamma-Poisson; stops follow orders)."""
        quiet = ((self.alpha + of.observed) / (self.alpha + of.observed + weeks)) ** (self.r + of.repeats)
        alive = self.probability_alive(of)
        none: Floats = 1.0 - alive * (1.0 - quiet)
        return none

    def _odds_of_death(self, of: Histories) -> Floats:
        x = of.repeats
        ratio = ((self.alpha + of.observed) / (self.alpha + of.last)) ** (self.r + x)
        odds: Floats = np.where(x > 0, self.a / np.maximum(self.b + x - 1.0, 1e-12) * ratio, 0.0)
        return odds


@dataclass(frozen=True)
class ValueModel:
    """Parameters of Gamma-Gamma, in the unit of the values."""

    p: float
    q: float
    v: float


@dataclass(frozen=True)
class LifetimeFit:
    """What is kept: the models that hold, why others do not, and everybody's averages."""

    version: str
    orders: OrderModel | None
    value: ValueModel | None
    orders_per_week: float
    order_value: float
    reasons: tuple[str, ...] = ()

    @property
    def order_value_sql(self) -> str:
        """What an order is expected to be worth, over orders_365d and average_order_value.

        Without a model: the own mean, drawn to everybody's as :data:`PRIOR_ORDERS` orders would draw it.
        """
        orders, mean = "CAST(orders_365d AS DOUBLE)", "CAST(coalesce(average_order_value, 0) AS DOUBLE)"
        if self.value is None:
            return f"({orders} * {mean} + {PRIOR_ORDERS}D * {self.order_value!r}D) / ({orders} + {PRIOR_ORDERS}D)"
        p, q, v = (f"{parameter!r}D" for parameter in (self.value.p, self.value.q, self.value.v))
        return f"{p} * ({v} + {orders} * {mean}) / ({p} * {orders} + {q} - 1D)"

    def to_json(self) -> str:
        """The model file."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> LifetimeFit:
        """Read a model file."""
        said = json.loads(text)
        orders = OrderModel(**said.pop("orders")) if said["orders"] else said.pop("orders")
        value = ValueModel(**said.pop("value")) if said["value"] else said.pop("value")
        reasons = tuple(said.pop("reasons"))
        return cls(orders=orders, value=value, reasons=reasons, **said)


def fit_orders(of: Histories) -> OrderModel:
    """Maximum likelihood of BG/NBD.

    Raises:
        ValueError: there is no time to go by; the search did not end, or at parameters that nobody would believe.
    """
    if not of.observed.size or not of.observed.max() > 0:
        raise ValueError("BG/NBD has no time to go by")
    scale = 1.0 / float(of.observed.max())  # the search is better conditioned when times are about one

    def minus_log_likelihood(logs: Floats) -> float:
        r, alpha, a, b = np.exp(logs)
        return -_log_likelihood(r, alpha, a, b, of, scale)

    found = _best(minus_log_likelihood, 4)
    r, alpha, a, b = (float(value) for value in np.exp(found.x))
    alpha /= scale
    _believed("BG/NBD", {"r": r, "alpha": alpha, "a": a, "b": b})
    if abs(a - 1.0) < 1e-6:
        a += 1e-6  # the expectation has a removable pole there
    return OrderModel(r, alpha, a, b, _log_likelihood(r, alpha, a, b, of, 1.0))


def _log_likelihood(r: float, alpha: float, a: float, b: float, of: Histories, scale: float) -> float:
    x, last, observed = of.repeats, of.last * scale, of.observed * scale
    common = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b)
    alive = -(r + x) * np.log(alpha + observed)
    stopped = np.log(a) - np.log(np.maximum(b + x - 1.0, 1e-12)) - (r + x) * np.log(alpha + last)
    each = common + np.where(x > 0, np.logaddexp(alive, stopped), alive)
    return float(np.sum(of.customers * each))


def fit_value(orders: Floats, mean_value: Floats, customers: Floats) -> ValueModel:
    """Maximum likelihood of Gamma-Gamma, of customers with orders and values above nothing.

    Raises:
        ValueError: the search did not end, or at parameters that nobody would believe; or less than two customers.
    """
    if customers.sum() < 2:
        raise ValueError("Gamma-Gamma has nobody to go by")
    scale = 1.0 / float(np.average(mean_value, weights=customers))
    m, x = mean_value * scale, orders

    def minus_log_likelihood(logs: Floats) -> float:
        p, q, v = np.exp(logs)
        each = (
            gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
            + (p * x - 1.0) * np.log(m) + p * x * np.log(x) - (p * x + q) * np.log(x * m + v)
        )  # fmt: skip
        return -float(np.sum(customers * each))

    found = _best(minus_log_likelihood, 3)
    p, q, v = (float(value) for value in np.exp(found.x))
    v /= scale
    _believed("Gamma-Gamma", {"p": p, "q": q})
    if q <= 1.0:
        raise ValueError(f"Gamma-Gamma has no mean: q is {q:.3g}")
    return ValueModel(p, q, v)


def _best(objective: Callable[[Floats], float], parameters: int) -> OptimizeResult:
    """The best end of searches from three starts, each without and then with derivatives."""
    ends = []
    for start in (0.0, -1.0, 1.0):
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            first = minimize(objective, np.full(parameters, start), method="Nelder-Mead", options={"maxiter": 4000})
            ends.append(minimize(objective, first.x, method="L-BFGS-B", bounds=[(-12.0, 12.0)] * parameters))
    good = [end for end in ends if np.isfinite(end.fun)]
    if not good:
        raise ValueError("the likelihood is not finite anywhere that was tried")
    return min(good, key=lambda end: float(end.fun))


def _believed(model: str, parameters: dict[str, float]) -> None:
    low, high = _PLAUSIBLE
    odd = [f"{name} = {value:.3g}" for name, value in parameters.items() if not low < value < high]
    if odd:
        raise ValueError(f"{model} is not plausible: {', '.join(odd)}")


def fit(histories: Histories, values: Sequence[Floats], version: str) -> LifetimeFit:
    """Fit both models and check them; where one fails its reason is kept.

    Args:
        histories: of everybody who ever ordered.
        values: orders, mean value, customers: of those with an order in 365 days and a mean value above nothing.
        version: name of the fit.
    """
    reasons = []
    orders_model: OrderModel | None = None
    value_model: ValueModel | None = None
    try:
        orders_model = fit_orders(histories)
    except ValueError as error:
        reasons.append(str(error))
    orders, mean_value, customers = values
    try:
        value_model = fit_value(orders, mean_value, customers)
    except ValueError as error:
        reasons.append(str(error))
    weeks = float(np.sum(histories.customers * np.maximum(histories.observed, 1.0)))
    rate = float(np.sum(histories.customers * (histories.repeats + 1.0))) / weeks if weeks else 0.0
    total = float(np.sum(customers * orders))
    mean = float(np.sum(customers * orders * mean_value)) / total if total else 0.0
    return LifetimeFit(version, orders_model, value_model, rate, mean, tuple(reasons))


def score_orders(model: LifetimeFit, of: Histories, days: Sequence[int]) -> dict[str, Floats]:
    """``expected_orders_<days>d`` of each kind of history; with a model also probability_alive and that of no order.

    Without a model: own orders and everybody's rate over :data:`PRIOR_ORDERS` orders, per week observed.
    """
    if model.orders is None:
        prior_weeks = PRIOR_ORDERS / model.orders_per_week
        rate = (of.repeats + 1.0 + PRIOR_ORDERS) / (np.maximum(of.observed, 1.0) + prior_weeks)
        return {f"expected_orders_{n}d": rate * n / WEEK for n in days}
    found = {f"expected_orders_{n}d": model.orders.expected_orders(of, n / WEEK) for n in days}
    none = {f"probability_of_none_{n}d": model.orders.probability_of_none(of, n / WEEK) for n in days}
    return found | none | {"probability_alive": model.orders.probability_alive(of)}
