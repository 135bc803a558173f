"""What splitting good rows from bad costs: part of ``make bench``; ``python -m tests.bench.split --help``.

Order lines of any number, one in a hundred of them damaged, are judged by the suites' own rules of order
lines. In turns, run by run: a plain read and write of the same rows, the split (every row written with the
rules it fails, the bad ones once more by themselves), and Great Expectations' own counts of the same rules
over what was written.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import psutil

from expectations.referee import Referee, load_rules
from expectations.split import with_helpers, with_reasons
from jobs import engine
from jobs.definitions.canonical import BY_NAME, REJECTED, flags
from jobs.settings import EngineOptions
from tests.bench.__main__ import KIB, sampled

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

RULES = 20
TABLE = "order_lines"
#: a row in a hundred is damaged, in one of four ways
_LINES = """
COPY (
  SELECT 'pos' AS source, 'R' || (n // 4) AS order_id, CAST(n % 4 AS VARCHAR) AS line_id,
         CASE WHEN n % 400 = 100 THEN 'a@leak.example' ELSE 'P' || (hash(n) % 5000) END AS product_id,
         CAST(CASE WHEN n % 400 = 200 THEN -1 ELSE 1 + n % 3 END AS DECIMAL(18,4)) AS quantity,
         CAST(CASE WHEN n % 400 = 300 THEN NULL ELSE (hash(n + 1) % 10000) / 100 END AS DECIMAL(18,2)) AS gross,
         CAST(CASE WHEN n % 400 = 0 THEN 20000000 ELSE 0 END AS DECIMAL(18,2)) AS discount,
         CAST(0 AS DECIMAL(18,2)) AS coupon_discount, CAST(0 AS DECIMAL(18,2)) AS refunded,
         CAST(NULL AS DECIMAL(18,2)) AS unit_cost,
         TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_seconds(n % 31000000) AS updated_at,
         'pos.receipts' AS _feed, 'receipts.csv' AS _file, n AS _row, DATE '2026-06-30' AS _landed,
         CAST(NULL AS VARCHAR) AS _person_hash, CAST(NULL AS VARCHAR) AS _notes, CAST(1 AS BIGINT) AS _copies,
         {flags}
  FROM range({rows}) t(n)
) TO '{path}' (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 1000000)
"""


def generate(rows: int, path: Path) -> None:
    """Write order lines as the conform step hands them to the gate."""
    absent = {"_has_gross": "n % 400 != 300"}
    names = [*flags(BY_NAME[TABLE]), "_known_order_id", "_known_product_id"]
    made = ", ".join(f"{absent.get(name, 'true')} AS {name}" for name in names)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
        connection.execute(_LINES.format(flags=made, rows=rows, path=path))


def rules() -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Twenty of the rules of order lines, the hand-written ones among them, and the columns derived for these."""
    found, derived = load_rules("conformed", TABLE, {})
    return found[-RULES:], derived


class Work:
    """One engine's three ways through the same rows."""

    def __init__(self, spark: SparkSession, place: Path) -> None:
        self.spark, self.place = spark, place
        self.rules, self.derived = rules()

    def copied(self) -> int:
        """Read and write the rows as they are."""
        self._read("lines.parquet").write.mode("overwrite").parquet(str(self.place / "copy"))
        return 0

    def split(self) -> int:
        """Write every row with the rules that it fails, and the bad ones once more by themselves."""
        rows = with_helpers(self._read("lines.parquet"), self.derived)
        judged = with_reasons(rows, self.rules).drop(*self.derived)
        judged.write.mode("overwrite").parquet(str(self.place / "judged"))
        self._read("judged").where(REJECTED).write.mode("overwrite").parquet(str(self.place / "aside"))
        return self._read("aside").count()

    def counted(self) -> int:
        """Have Great Expectations count what fails each rule."""
        written = with_helpers(self._read("judged"), self.derived)
        return sum(verdict.rows_failed for verdict in Referee(written, TABLE, self.rules).judge())

    def _read(self, name: str) -> Any:
        return self.spark.read.parquet(str(self.place / name))


def measure(name: str, runs: int, memory: str, place: Path) -> None:
    """Print one row per way for an engine: medians over the runs, the ways in turns."""
    seconds: dict[str, list[float]] = {"read and write": [], "split": [], "Great Expectations": []}
    peaks: dict[str, list[float]] = {way: [] for way in seconds}
    counts: dict[str, int] = {}
    with engine.running(name, EngineOptions(memory=memory), place / "engine.log") as url:
        spark = engine.connect(url)
        work = Work(spark, place)
        ways: dict[str, Callable[[], int]] = dict(zip(seconds, (work.copied, work.split, work.counted), strict=True))
        for _ in range(runs):
            for way, do in ways.items():
                started = time.monotonic()
                with sampled(_engine_mib, peaks[way]):
                    counts[way] = do()
                seconds[way].append(time.monotonic() - started)
        engine.disconnect(spark)
    base = seconds["read and write"]
    for way, found in seconds.items():
        ratio = statistics.median(a / b for a, b in zip(found, base, strict=True))
        spread = f"{statistics.median(found):.1f} ({min(found):.1f} to {max(found):.1f})"
        print(f"| {name} | {way} | {spread} | {ratio:.2f} | {statistics.median(peaks[way]):,.0f} | {counts[way]:,} |")


def _engine_mib() -> float:
    """Resident memory of this process's children: the engine's."""
    return sum(float(child.memory_info().rss) for child in psutil.Process().children(recursive=True)) / KIB / KIB


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.split", description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--engines", nargs="+", default=["local[*]", "sail"])
    parser.add_argument("--memory", default="3g", help="the engine's memory, where it heeds one")
    options = parser.parse_args(argv)
    print(f"# {options.rows:,} order lines, {RULES} rules, {os.cpu_count()} cores, {platform.machine()}\n", flush=True)
    print("| engine | way | seconds | of read and write | engine's peak MiB | rows failed |\n|---|---|---|---|---|---|")
    place = Path(tempfile.mkdtemp(prefix="regulars-split-"))
    try:
        # in a process of its own, so that the peak of this one is the driver's
        making = multiprocessing.get_context("spawn").Process(
            target=generate, args=(options.rows, place / "lines.parquet")
        )
        making.start()
        making.join()
        for name in options.engines:
            measure(name, options.runs, options.memory, place)
    finally:
        shutil.rmtree(place)
    print(f"\ndriver's peak: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB:,.0f} MiB")


if __name__ == "__main__":
    main()
