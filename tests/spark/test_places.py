"""What models say of a customer comes out the same in the engine as in the fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from jobs.definitions.segments.fitted import DIMENSIONS
from jobs.models import prototypes, topics
from tests.spark.conftest import Table, rows_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def _customers() -> pa.Table:
    draw = np.random.default_rng(5)
    count = 400
    columns = {one.feature: draw.gamma(1.0, 2.0, count) for one in DIMENSIONS}
    columns["orders_365d"] = draw.integers(0, 40, count).astype(float)
    unknown = draw.random(count) < 0.2
    arrays = {
        name: pa.array(values, mask=unknown if name != "orders_365d" else None) for name, values in columns.items()
    }
    return pa.table({"customer_id": [f"c{n:04d}" for n in range(count)], **arrays})


@pytest.mark.parametrize("method", [prototypes.k_means, prototypes.self_organising_map])
def test_everybody_who_orders_is_in_the_group_of_the_nearest_point(
    spark: SparkSession, method: prototypes.Method
) -> None:
    customers = _customers()
    buyers = customers.filter(pa.compute.greater(customers["orders_365d"], 0))
    model = prototypes.fit(buyers, "v", method)
    said = rows_of(prototypes.with_places(spark.createDataFrame(customers), model, "place"), "customer_id")
    expected = dict(zip(buyers["customer_id"].to_pylist(), model.places(buyers).tolist(), strict=True))
    assert {row["customer_id"]: row["place"] for row in said if row["place"] is not None} == expected
    assert {row["customer_id"] for row in said if row["place"] is None} == {
        row["customer_id"] for row in said if row["orders_365d"] == 0
    }


def test_without_a_model_nobody_is_anywhere(table: Table) -> None:
    frame = table("customer_id STRING, orders_365d BIGINT", [{"customer_id": "a", "orders_365d": 3}])
    assert rows_of(prototypes.with_places(frame, None, "place"))[0]["place"] is None


#: who bought what
LINES = [("a", "p1"), ("a", "p2"), ("a", "p1"), ("b", "p3"), ("b", "p9"), ("c", "p9")]
PRODUCTS = [("p1", "noodles"), ("p2", "noodles"), ("p3", "beer"), ("p4", "wine"), ("p5", "unheard of"), ("p9", None)]


def _tables(table: Table, lines: list[tuple[str, str]]) -> tuple[DataFrame, DataFrame]:
    return (
        table(
            "customer_id STRING, product_id STRING", [{"customer_id": who, "product_id": what} for who, what in lines]
        ),
        table("product_id STRING, category STRING", [{"product_id": p, "category": name} for p, name in PRODUCTS]),
    )


def test_what_is_bought_is_counted_by_category_and_what_is_of_none_is_left_out(table: Table) -> None:
    assert rows_of(topics.bought_by(*_tables(table, LINES)), "customer_id") == [
        {"customer_id": "a", "category": "noodles", "times": 3}, {"customer_id": "b", "category": "beer", "times": 1},
    ]  # fmt: skip


def test_the_topic_of_most_weight_is_the_customers_with_its_share(spark: SparkSession, table: Table) -> None:
    model = topics.fit(
        {"noodles": [9, 0, 8, 1] * 20, "rice": [7, 1, 9, 0] * 20, "beer": [0, 9, 1, 8] * 20, "wine": [1, 7, 0, 9] * 20},
        "v",
        among=(2,),
    )
    weights = dict(zip(model.categories, model.weights, strict=True))
    mine = [3 * noodles + beer for noodles, beer in zip(weights["noodles"], weights["beer"], strict=True)]
    lines = [("a", "p1"), ("a", "p2"), ("a", "p1"), ("a", "p3"), ("b", "p4"), ("b", "p9"), ("c", "p5")]
    frames = _tables(table, lines)
    found = rows_of(topics.scored(*frames, spark.createDataFrame(model.table), 2), "customer_id")
    assert [row["customer_id"] for row in found] == ["a", "b"]  # of what c bought nothing is known
    assert found[0]["purchase_topic_place"] == mine.index(max(mine))
    assert found[0]["purchase_topic_share"] == round(max(mine) / sum(mine), 6)
    assert found[1]["purchase_topic_place"] == weights["wine"].index(max(weights["wine"]))
