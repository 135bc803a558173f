"""Features -> customer_value: what everyone who allows profiling will buy, by a model fitted once and frozen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from jobs.definitions import published as p
from jobs.models import lifetime
from jobs.models.lifetime import LifetimeFit
from jobs.steps.context import Context
from jobs.steps.fitting import histories
from jobs.steps.models import Models
from jobs.steps.publishing import publish, published
from jobs.storage.parquet import write_arrow
from jobs.transforms import value

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

#: windows that customer_value promises
DAYS = (90, 365)


def run(context: Context, fits: Models) -> None:
    """Publish customer_value."""
    features = published(context, p.CUSTOMER_FEATURES)
    publish(context, foretold(context, features, fits, context.day, "lifetimes"), p.CUSTOMER_VALUE)


def of_base(context: Context, features: DataFrame, fits: Models, before: Mapping[str, str]) -> DataFrame:
    """customer_value of the night before by tonight's models.

    Args:
        context: tonight.
        features: customer_features of the night before.
        fits: tonight's models.
        before: versions of the models of the night before.
    """
    if context.base is None or all(before.get(name) == fits.versions.get(name) for name in ("value", "churn")):
        return published(context, p.CUSTOMER_VALUE, base=True)
    return foretold(context, features, fits, context.base.date, "lifetimes_before")


def foretold(context: Context, features: DataFrame, fits: Models, day: date, kept_as: str) -> DataFrame:
    """customer_value as of a day, ``snapshot_date`` aside; what is said of each kind of history is kept in a table."""
    scored = None if fits.value is None else _scored(context, fits.value, features, kept_as)
    order_value = fits.value.order_value_sql if fits.value else "CAST(NULL AS DOUBLE)"
    stops = fits.churn.sql if fits.churn else None
    return value.customer_value(features, scored, order_value, stops, str(day))


def _scored(context: Context, model: LifetimeFit, features: DataFrame, kept_as: str) -> DataFrame:
    """What the model says of every kind of history that there is; as many rows as kinds, not as customers."""
    kinds = value.histories(features).select(*value.KIND).distinct().withColumn("customers", F.lit(1)).toArrow()
    scores = lifetime.score_orders(model, histories(kinds), DAYS)
    columns = {name: pa.array(np.round(values, 6)) for name, values in scores.items()}
    rows = pa.table({name: kinds[name] for name in value.KIND} | columns)
    write_arrow(rows, context.night, "features", kept_as, sort=value.KIND)
    return context.spark.read.parquet(str(context.night.table("features", kept_as)))
