"""A very long text in one batch, and what every engine reads of the others: Arrow leaves out bounds there."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from jobs import engine
from jobs.settings import EngineOptions
from jobs.storage.parquet import Sink

FIRST, SECOND = ["P1", "P2", "P3", "x" * 300_000], ["P1"]


@pytest.mark.parametrize("name", ["sail", "local[2]"])
def test_every_value_is_read_as_it_was_written(name: str, tmp_path: Path) -> None:
    sink = Sink(tmp_path / "raw")
    for values in (FIRST, SECOND):
        sink.write(pa.RecordBatch.from_pydict({"product": values}))
    sink.close()
    with engine.running(name, EngineOptions(memory="1g"), tmp_path / "log") as url:
        spark = engine.connect(url)
        rows = spark.read.parquet(str(tmp_path / "raw"))
        assert sorted(row["product"] for row in rows.collect()) == sorted([*FIRST, *SECOND])
        engine.disconnect(spark)
