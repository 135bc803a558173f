"""Features -> customer_value: what everyone who allows profiling will buy, by a model fitted once and frozen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from jobs.definitions import published as p
from jobs.models import lifetime
from jobs.models.lifetime import WEEK, Histories, LifetimeFit
from jobs.steps.context import Context
from jobs.steps.publishing import publish, published
from jobs.storage import files
from jobs.storage.parquet import write_arrow
from jobs.transforms import value

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_MODEL = "value"
#: customers that a fit looks at; of more a sample, always the same
SAMPLE = 500_000
#: windows that customer_value promises
DAYS = (90, 365)


def run(context: Context) -> dict[str, Any]:
    """Publish customer_value.

    Returns:
        version of the model, and why a fit was not believed, if one was not.
    """
    context.night.restore(context.base, "models", _MODEL)
    features = published(context, p.CUSTOMER_FEATURES)
    model = _model(context, features)
    scored = None if model is None else _scored(context, model, features)
    order_value = model.order_value_sql if model else "CAST(NULL AS DOUBLE)"
    publish(context, value.customer_value(features, scored, order_value, str(context.day)), p.CUSTOMER_VALUE)
    return {"version": model.version if model else "none", "reasons": model.reasons if model else ()}


def _model(context: Context, features: DataFrame) -> LifetimeFit | None:
    """The frozen model, or the one fitted tonight if it is the first night that has enough to go by."""
    path = context.night.table("models", _MODEL) / "value.json"
    if path.is_file():
        return LifetimeFit.from_json(path.read_text("utf-8"))
    bounds = context.settings.thresholds
    seen = features.agg(F.count_if(F.expr("orders_total > 0")).alias("n"), F.max("tenure_days").alias("days"))
    found = seen.where("true").collect()[0]
    if not found["n"] or found["n"] < bounds.rfm_min_buyers or (found["days"] or 0) + 1 < bounds.rfm_min_history_days:
        return None  # the scores have said so
    sample = features.where(f"pmod(xxhash64(customer_id), {-(-found['n'] // SAMPLE)}) = 0")
    kinds = value.histories(sample).groupBy(*value.KIND).agg(F.count("*").alias("customers"))
    spent = value.spent(sample).groupBy("orders", "mean_value").agg(F.count("*").alias("customers"))
    values = [_floats(column) for column in _sorted(spent, ("orders", "mean_value")).columns]
    model = lifetime.fit(_histories(_sorted(kinds, value.KIND)), values, f"value-{context.day}")
    if model.orders is not None:  # else the next night tries again
        files.write_text(path, model.to_json())
    return model


def _scored(context: Context, model: LifetimeFit, features: DataFrame) -> DataFrame:
    """What the model says of every kind of history that there is tonight; as many rows as kinds, not as customers."""
    kinds = value.histories(features).select(*value.KIND).distinct().withColumn("customers", F.lit(1)).toArrow()
    scores = lifetime.score_orders(model, _histories(kinds), DAYS)
    columns = {name: pa.array(np.round(values, 6)) for name, values in scores.items()}
    rows = pa.table({name: kinds[name] for name in value.KIND} | columns)
    write_arrow(rows, context.night, "features", "lifetimes", sort=value.KIND)
    return context.spark.read.parquet(str(context.night.table("features", "lifetimes")))


def _sorted(counts: DataFrame, key: Sequence[str]) -> pa.Table:
    """Counted rows in the order of their key: sums of doubles, and so a fit, depend on the order of rows."""
    return counts.toArrow().select([*key, "customers"]).sort_by([(name, "ascending") for name in key])


def _histories(kinds: pa.Table) -> Histories:
    repeats, last, observed = (_floats(kinds[name]) for name in value.KIND)
    return Histories(repeats, last / WEEK, observed / WEEK, _floats(kinds["customers"]))


def _floats(column: pa.ChunkedArray) -> lifetime.Floats:
    return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
