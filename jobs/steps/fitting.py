"""How each model is fitted to a night: on a bounded sample of its customers, always the same ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from jobs.definitions.segments.fitted import DIMENSIONS
from jobs.models import churn, lifetime, prototypes, rfm, topics
from jobs.models.lifetime import WEEK, Histories
from jobs.settings import Thresholds
from jobs.transforms import as_of, value

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

#: customers that the fit of customer value looks at, and that of groups and topics
SAMPLE, SMALL_SAMPLE = 500_000, 20_000


@dataclass(frozen=True)
class Ground:
    """What models are fitted to: the features and purchases of one night."""

    thresholds: Thresholds
    features: DataFrame  #: customer_features
    days_of: DataFrame  #: customer_days
    bought: Callable[[DataFrame], DataFrame]  #: customer_id of some -> what they bought by category
    day: date  #: of the night

    @cached_property
    def buyers(self) -> int:
        """Customers with an order in 365 days."""
        return int(self._seen["n"])

    @cached_property
    def days(self) -> int:
        """Days of history."""
        return int(self._seen["days"] or 0) + 1

    @cached_property
    def _seen(self) -> Any:
        seen = self.features.agg(F.count_if(F.expr("orders_365d > 0")).alias("n"), F.max("tenure_days").alias("days"))
        return seen.where("true").collect()[0]

    @property
    def too_little(self) -> str | None:
        """Why nothing can be fitted."""
        bounds = self.thresholds
        if self.buyers >= bounds.rfm_min_buyers and self.days >= bounds.rfm_min_history_days:
            return None
        return (
            f"too little to score: {self.buyers} buyers and {self.days} days of history, "
            f"of {bounds.rfm_min_buyers} and {bounds.rfm_min_history_days} needed"
        )

    @property
    def every(self) -> int:
        """The small sample is one in so many of the buyers."""
        return max(1, -(-self.buyers // SMALL_SAMPLE))

    @cached_property
    def few(self) -> pa.Table:
        """The features that groups are made over, of the small sample, by customer_id."""
        return sample_of(self.features, self.every)

    @cached_property
    def baskets(self) -> tuple[prototypes.Places, list[str]]:
        """How often each of the small sample bought of each category, rows by customer_id; the categories."""
        rows = self.bought(self.features.where(_one_in(self.every)).select("customer_id")).toArrow()
        customers, categories = (pc.unique(rows[name]).sort() for name in ("customer_id", "category"))
        counts = np.zeros((len(customers), len(categories)), dtype=np.int64)
        places = (pc.index_in(rows["customer_id"], customers), pc.index_in(rows["category"], categories))
        counts[places[0].to_numpy(), places[1].to_numpy()] = rows["times"].to_numpy()
        return counts, categories.to_pylist()


def sample_of(features: DataFrame, every: int) -> pa.Table:
    """The features that groups are made over, of one in so many of the buyers, chosen by their ids; by customer_id."""
    names = [one.feature for one in DIMENSIONS]
    return features.where(_one_in(every)).select("customer_id", *names).toArrow().sort_by("customer_id")


def _one_in(every: int) -> str:
    return f"orders_365d > 0 AND {_in_sample(every)}"


def _in_sample(every: int) -> str:
    return f"pmod(xxhash64(customer_id), {every}) = 0"


def cuts(ground: Ground, version: str) -> rfm.RfmCuts | None:
    """Cut points of recency, frequency and money."""
    return rfm.fit(ground.features, version)


def worth(ground: Ground, version: str) -> lifetime.LifetimeFit:
    """Orders and their value to come."""
    every = max(1, -(-ground.buyers // SAMPLE))
    sample = ground.features.where(f"pmod(xxhash64(customer_id), {every}) = 0")
    kinds = value.histories(sample).groupBy(*value.KIND).agg(F.count("*").alias("customers"))
    spent = value.spent(sample).groupBy("orders", "mean_value").agg(F.count("*").alias("customers"))
    values = [_floats(column) for column in _sorted(spent, ("orders", "mean_value")).columns]
    return lifetime.fit(histories(_sorted(kinds, value.KIND)), values, version)


def clusters(ground: Ground, version: str) -> prototypes.Prototypes:
    """Groups by K-means.

    Raises:
        ValueError: saying why there are none.
    """
    return prototypes.fit(ground.few, version, prototypes.k_means, ground.every)


def map_of(ground: Ground, version: str) -> prototypes.Prototypes:
    """Groups by a self-organising map.

    Raises:
        ValueError: saying why there are none.
    """
    return prototypes.fit(ground.few, version, prototypes.self_organising_map, ground.every)


def themes(ground: Ground, version: str) -> topics.Topics:
    """Topics of what is bought together.

    Raises:
        ValueError: saying why there are none.
    """
    counts, categories = ground.baskets
    return topics.fit({name: counts[:, n].tolist() for n, name in enumerate(categories)}, version)


def stopping(ground: Ground, version: str) -> churn.Churn:
    """Whether customers stop.

    Raises:
        ValueError: saying why nothing can be learned.
    """
    if ground.days < churn.LEAST_DAYS:
        raise ValueError(f"{ground.days} days of history, {churn.LEAST_DAYS} needed to learn from an earlier date")
    some = ground.days_of.where(_in_sample(ground.every))
    known = as_of.stopped(some, str(ground.day - timedelta(days=churn.DAYS)), churn.DAYS)
    inputs = [F.expr(sql).alias(f"input_{n}") for n, sql in enumerate(churn.INPUTS.values())]
    rows = known.select("customer_id", "recency_days", "has_stopped", *inputs).toArrow().sort_by("customer_id")
    return churn.fit(rows, version)


#: name of a model -> its fit
FITS: dict[str, Callable[[Ground, str], Any]] = {
    "rfm": cuts, "value": worth, "churn": stopping, "clusters": clusters, "map": map_of,
    "topics": themes,
}  # fmt: skip


def fit_all(ground: Ground, names: Iterable[str], day: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Fit some of the models.

    Returns:
        those that could be fitted; why others could not.
    """
    found, reasons = {}, {}
    for name in names:
        try:
            model = FITS[name](ground, f"{name}-{day}")
        except ValueError as error:
            reasons[name] = str(error)
            continue
        if model is not None:
            found[name] = model
    return found, reasons


def histories(kinds: pa.Table) -> Histories:
    """Kinds of history, in weeks."""
    repeats, last, observed = (_floats(kinds[name]) for name in value.KIND)
    return Histories(repeats, last / WEEK, observed / WEEK, _floats(kinds["customers"]))


def _sorted(counts: DataFrame, key: Sequence[str]) -> pa.Table:
    """Counted rows in the order of their key: sums of doubles, and so a fit, depend on the order of rows."""
    return counts.toArrow().select([*key, "customers"]).sort_by([(name, "ascending") for name in key])


def _floats(column: pa.ChunkedArray) -> lifetime.Floats:
    return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
