"""One Spark for all tests of transformations, and literal tables."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from jobs import engine
from jobs.settings import EngineOptions

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Rows = Sequence[Mapping[str, Any]]
#: DDL and rows -> a data frame; what a row does not name is null
Table = Callable[[str, Rows], "DataFrame"]


@pytest.fixture(scope="session")
def engine_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the one engine, for tests whose work is done by a process of its own."""
    options = EngineOptions(memory="1g", cores=2)
    wanted = os.environ.get("REGULARS_ENGINE", "local[*]")
    with engine.running(wanted, options, tmp_path_factory.mktemp("spark") / "engine.log") as url:
        yield url


@pytest.fixture(scope="session")
def spark(engine_url: str) -> Iterator[SparkSession]:
    session = engine.connect(engine_url)
    session.conf.set("spark.sql.shuffle.partitions", "2")
    yield session
    engine.disconnect(session)


@pytest.fixture(scope="session")
def table(spark: SparkSession) -> Table:
    from pyspark.sql.pandas.types import to_arrow_schema
    from pyspark.sql.types import StructType

    def make(ddl: str, rows: Rows) -> DataFrame:
        schema = StructType.fromDDL(ddl)
        unknown = {name for row in rows for name in row} - set(schema.names)
        assert not unknown, f"no such columns: {unknown}"
        full = [{name: row.get(name) for name in schema.names} for row in rows]
        arrow = pa.Table.from_pylist(full, to_arrow_schema(schema))
        return spark.createDataFrame(arrow, schema)

    return make


def rows_of(frame: DataFrame, *key: str) -> list[dict[str, Any]]:
    """All rows as Python values, sorted by ``key``."""
    found: list[dict[str, Any]] = frame.toArrow().to_pylist()
    return sorted(found, key=lambda row: tuple(str(row[name]) for name in key)) if key else found


def computed_once(frame: DataFrame) -> DataFrame:
    """The same rows as literals, so that what is asked of them does not compute them again."""
    return frame.sparkSession.createDataFrame(frame.toArrow(), frame.schema)
