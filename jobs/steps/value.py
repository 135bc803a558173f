"""Features -> customer_value: what everyone who allows profiling will buy, by a model fitted once and frozen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from jobs.definitions import published as p
from jobs.models import lifetime
from jobs.models.lifetime import LifetimeFit
from jobs.steps.context import Context
from jobs.steps.fitting import histories
from jobs.steps.publishing import publish, published
from jobs.storage.parquet import write_arrow
from jobs.transforms import value

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

#: windows that customer_value promises
DAYS = (90, 365)


def run(context: Context, model: LifetimeFit | None) -> None:
    """Publish customer_value."""
    features = published(context, p.CUSTOMER_FEATURES)
    scored = None if model is None else _scored(context, model, features)
    order_value = model.order_value_sql if model else "CAST(NULL AS DOUBLE)"
    publish(context, value.customer_value(features, scored, order_value, str(context.day)), p.CUSTOMER_VALUE)


def _scored(context: Context, model: LifetimeFit, features: DataFrame) -> DataFrame:
    """What the model says of every kind of history that there is tonight; as many rows as kinds, not as customers."""
    kinds = value.histories(features).select(*value.KIND).distinct().withColumn("customers", F.lit(1)).toArrow()
    scores = lifetime.score_orders(model, histories(kinds), DAYS)
    columns = {name: pa.array(np.round(values, 6)) for name, values in scores.items()}
    rows = pa.table({name: kinds[name] for name in value.KIND} | columns)
    write_arrow(rows, context.night, "features", "lifetimes", sort=value.KIND)
    return context.spark.read.parquet(str(context.night.table("features", "lifetimes")))
