"""Learning who stops: from what was known, checked on customers that were not learned from, and kept only if better."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from jobs.models import churn
from jobs.models.churn import INPUTS, Churn


def _known(count: int = 600, *, tells: bool = True) -> pa.Table:
    """Customers of whom the second input, and not recency, tells who stops."""
    draw = np.random.default_rng(2)
    inputs = draw.normal(size=(count, len(INPUTS)))
    inputs[:, 6] = np.where(np.arange(count) % 5 == 0, np.nan, inputs[:, 6])
    stopped = draw.random(count) < 1 / (1 + np.exp(-2 * inputs[:, 1] if tells else 0 * inputs[:, 1]))
    recency = draw.integers(0, 100, count) if tells else stopped * 10 + draw.integers(0, 3, count)
    columns = {f"input_{n}": pa.array(inputs[:, n], mask=np.isnan(inputs[:, n])) for n in range(len(INPUTS))}
    return pa.table({**columns, "recency_days": recency, "has_stopped": stopped.astype(int)})


def test_what_tells_is_learned_and_what_it_says_comes_true() -> None:
    model = churn.fit(_known(), "v")
    assert max(range(len(INPUTS)), key=lambda n: abs(model.weights[n])) == 1
    assert model.metrics["area_under_the_curve"] > 0.8 > 0.6 > model.metrics["area_of_days_since_the_last_order"]
    assert model.metrics["largest_miscalibration_of_fifths"] < 0.1
    assert churn.fit(_known(), "v") == model
    assert Churn.from_json(model.to_json()) == model


def test_what_is_no_better_than_days_since_the_last_order_is_not_kept() -> None:
    with pytest.raises(ValueError, match="no better than days since the last order"):
        churn.fit(_known(tells=False), "v")


def test_too_few_who_stopped_teach_nothing() -> None:
    known = _known()
    few = known.set_column(known.column_names.index("has_stopped"), "has_stopped", pa.array([1] * 29 + [0] * 571))
    with pytest.raises(ValueError, match="29 customers of 600 to learn stopping or staying from, 30 needed"):
        churn.fit(few, "v")


def test_miscalibration_is_the_worst_fifth() -> None:
    said = np.repeat([0.1, 0.3, 0.5, 0.7, 0.9], 10)
    came = np.concatenate([np.arange(10) < n for n in (1, 3, 5, 7, 6)])
    assert churn.miscalibration(said, came) == pytest.approx(0.3)
