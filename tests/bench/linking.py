"""How long it takes to find who is who: part of ``make bench``; ``python -m tests.bench.linking --help``.

Made-up records are linked by identifiers and a fitted model, in a process of its own per run: all of them on a first
night, and then a night that brings three in a thousand more. What is counted is what the step ``identity`` does between
reading its tables and writing them; memory is the most that the process ever held, the records' own tables included.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow.parquet as pq

from jobs.linking.model import Linkage
from tests.validation.nights import Nights
from tests.validation.people import make_people

DAY = date(2026, 6, 1)
SHARE = 0.003
SEED = 3


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.linking", description=__doc__)
    parser.add_argument("--records", type=int, nargs="+", default=[1_000_000, 5_000_000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--turn", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.turn:
        print(json.dumps(turn(options.turn)))
        return 0
    print("| records | work | runs | seconds | of the first night | peak MiB |", "|---|---|---|---|---|---|", sep="\n")
    for records in options.records:
        for line in measured(records, options.runs):
            print(line, flush=True)
    return 0


def measured(records: int, runs: int) -> Iterator[str]:
    """Lines of the table for one size."""
    with tempfile.TemporaryDirectory(prefix="regulars-linking-") as name:
        folder = Path(name)
        table = make_people(records, SEED).drop_columns("person_id")
        pq.write_table(table, folder / "records.parquet")
        begun = time.perf_counter()
        (folder / "model.json").write_text(Nights(table).fit(DAY).to_json())
        fitted = time.perf_counter() - begun
        del table
        command = [sys.executable, "-W", "ignore", "-m", "tests.bench.linking", "--turn", str(folder)]
        found = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(runs)]
    yield f"| {records:,} | fit of the model | 1 | {fitted:.1f} | | |"
    for work in ("first", "more"):
        seconds = [one[work]["seconds"] for one in found]
        share = median(one[work]["seconds"] / one["first"]["seconds"] for one in found)
        peak = median(one[work]["peak"] for one in found)
        name = "first night" if work == "first" else f"{found[0]['new']:,} more"
        spread = f"{median(seconds):.1f} ({min(seconds):.1f} to {max(seconds):.1f})"
        yield f"| {records:,} | {name} | {runs} | {spread} | {share:.3f} | {peak:,.0f} |"


def turn(folder: Path) -> dict[str, Any]:
    """One run over the records of a folder."""
    fitted = Linkage.from_json((folder / "model.json").read_text())
    nights = Nights(pq.read_table(folder / "records.parquet"))
    count = nights.records.num_rows
    new = int(count * SHARE)
    found: dict[str, Any] = {"new": new}
    for work, upto, day in (("first", count - new, DAY), ("more", count, DAY + timedelta(days=1))):
        begun = time.perf_counter()
        nights.night(day, upto, fitted=fitted, asks_all=work == "first")
        found[work] = {"seconds": time.perf_counter() - begun, "peak": _peak()}
    return found


def _peak() -> float:
    """The most memory that this process ever held, MiB."""
    (line,) = (one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    sys.exit(main())
