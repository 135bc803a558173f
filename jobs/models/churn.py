"""Whether a customer stops: a logistic regression on what came after an earlier date, scored as an SQL expression.

Fitted as of the date that lies as many days back as it foretells, on what was known then
(:mod:`jobs.transforms.as_of`), to who ordered since. Its probabilities are checked on customers that a fit has not seen
(five folds); where it ranks no better than the days since the last order it is not kept.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from jobs.models.space import Floats, column

#: days that it foretells
DAYS = 90
#: days of history below which an earlier date says too little
LEAST_DAYS = 270
#: of those who stopped and of those who came again, fewest to learn from
LEAST_OF_EACH = 30
#: inverse of the strength of the ridge, as scikit-learn has it
_RIDGE = 0.1
_SEED, _FOLDS = 7, 5

_LOG = "ln(1D + CAST({} AS DOUBLE))"
#: what it goes by, over columns of customer_features; null where a customer has too few orders to tell
INPUTS: dict[str, str] = {
    "days since the last order": _LOG.format("recency_days"),
    "days since the first order": _LOG.format("tenure_days"),
    "orders in 365 days": _LOG.format("orders_365d"),
    "orders in 90 days": _LOG.format("orders_90d"),
    "orders in 30 days": _LOG.format("orders_30d"),
    "orders in the 90 days before": _LOG.format("orders_prev_90d"),
    "usual gap": _LOG.format("median_gap_days"),
    "days since the last order in usual gaps": _LOG.format("(recency_days / (median_gap_days + 1))"),
    "net revenue of an order": _LOG.format("greatest(average_order_value, 0)"),
    "only one order": "CASE WHEN orders_total = 1 THEN 1D ELSE 0D END",
    "orders times days since the last": f"{_LOG.format('orders_365d')} * {_LOG.format('recency_days')}",
}


@dataclass(frozen=True)
class Churn:
    """A fit, as it is kept: weights of the scaled inputs."""

    version: str
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float
    metrics: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> str:
        """The model file."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Churn:
        """Read a model file."""
        content: dict[str, Any] = json.loads(text)
        content |= {name: tuple(value) for name, value in content.items() if isinstance(value, list)}
        return cls(**content)

    @property
    def sql(self) -> str:
        """Probability that no order comes in :data:`DAYS` days; an input that is null counts as everybody's mean."""
        terms = [
            f"coalesce(({sql} - {mean:.9f}D) / {deviation:.9f}D, 0D) * {weight:.9f}D"
            for sql, mean, deviation, weight in zip(
                INPUTS.values(), self.means, self.deviations, self.weights, strict=True
            )
        ]
        return f"1D / (1D + exp(-({self.intercept:.9f}D + {' + '.join(terms)})))"


def fit(known: pa.Table, version: str) -> Churn:
    """Learn from customers as they were at an earlier date.

    Args:
        known: one row per customer: ``input_<n>`` of :data:`INPUTS`, recency_days, has_stopped.
        version: of the fit.

    Raises:
        ValueError: saying why nothing can be learned, or that it is no better than days since the last order.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss, roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from threadpoolctl import threadpool_limits

    stopped = column(known, "has_stopped") > 0
    fewest = int(min(stopped.sum(), (~stopped).sum()))
    if fewest < LEAST_OF_EACH:
        raise ValueError(
            f"{fewest} customers of {len(stopped)} to learn stopping or staying from, {LEAST_OF_EACH} needed"
        )
    raw = np.column_stack([column(known, f"input_{n}") for n in range(len(INPUTS))])
    means = np.nan_to_num(np.nanmean(raw, axis=0))
    deviations = np.maximum(np.nan_to_num(np.nanstd(raw, axis=0)), 1e-6)
    scaled = np.nan_to_num((raw - means) / deviations)
    model = LogisticRegression(C=_RIDGE, max_iter=2_000)
    with threadpool_limits(1):
        folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=_SEED)
        unseen = np.asarray(cross_val_predict(model, scaled, stopped, cv=folds, method="predict_proba"))[:, 1]
        model.fit(scaled, stopped)
    recency = float(roc_auc_score(stopped, column(known, "recency_days")))
    metrics = {
        "customers": float(len(stopped)), "share_stopped": float(stopped.mean()),
        "area_under_the_curve": float(roc_auc_score(stopped, unseen)), "area_of_days_since_the_last_order": recency,
        "log_loss": float(log_loss(stopped, unseen)),
        "largest_miscalibration_of_fifths": miscalibration(unseen, stopped),
    }  # fmt: skip
    if metrics["area_under_the_curve"] <= recency:
        raise ValueError(f"no better than days since the last order: area {metrics['area_under_the_curve']:.4f}")
    return Churn(
        version=version,
        means=_rounded(means),
        deviations=_rounded(deviations),
        weights=_rounded(model.coef_[0]),
        intercept=round(float(model.intercept_[0]), 9),
        metrics={name: round(value, 4) for name, value in metrics.items()},
    )


def miscalibration(probability: Floats, happened: NDArray[np.bool_]) -> float:
    """Largest difference between what was said and what came, over fifths of the customers by what was said."""
    fifths = np.array_split(np.argsort(probability, kind="stable"), 5)
    return max(abs(float(probability[part].mean() - happened[part].mean())) for part in fifths)


def _rounded(values: Floats) -> tuple[float, ...]:
    return tuple(round(float(value), 9) for value in values)
