"""faults.md 42: a reader loop over fifty publishes, with old nights deleted behind it; storage alone, small tables."""

from __future__ import annotations

import time
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa

from jobs.storage import publish
from jobs.storage.manifest import write_manifest
from jobs.storage.parquet import write_arrow
from jobs.storage.warehouse import Warehouse
from tests.faults.watching import READ, Reader

PUBLISHES = 50
KEPT = 5
FIRST = date(2026, 1, 1)


def test_a_reader_sees_whole_nights_only_over_fifty_publishes(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "warehouse")
    expected = {FIRST + timedelta(days=n): dict.fromkeys(READ, n + 1) for n in range(PUBLISHES)}
    _publish(warehouse, FIRST, 1)
    with Reader(warehouse.published_link, expected) as reader:
        for number, day in enumerate(expected):
            before = reader.reads
            _publish(warehouse, day, number + 1)
            while reader.reads < before + 2 and not reader.wrong:  # a night is kept for longer than two reads
                time.sleep(0.005)
    assert len(reader.seen) >= PUBLISHES - 2
    assert len({night.date for night in warehouse.published()}) == KEPT


def _publish(warehouse: Warehouse, day: date, rows: int) -> None:
    night = warehouse.begin(day, f"run{rows:03d}-{len(warehouse.published())}")
    for table in READ:
        content = pa.table({"snapshot_date": pa.array([day] * rows, pa.date32()), "n": pa.array(range(rows))})
        write_arrow(content, night, "published", table, sort=["n"])
    write_manifest(night, warehouse.base(night), {})
    publish.open_to_readers(night)
    closed = warehouse.close(night)
    publish.flip(warehouse, closed)
    publish.repair_links(warehouse)
    publish.retire(warehouse, KEPT)
