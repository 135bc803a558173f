"""How long nights of growing businesses take: ``make bench``, or ``python -m tests.bench --help``.

For each size the engines take turns, run by run, on the same generated business, so that their ratio holds on a noisy
machine too: the first night with a year of history, then an ordinary one on top of it. Seconds are medians and count
everything, the engine's start too; memory is the engine's largest.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import Business, Site, business, processes_of

HISTORY_DAYS = 365
POLL_SECONDS = 0.2
KIB = 1024


@dataclass
class Measured:
    """One night on one engine, over the runs."""

    seconds: list[float] = field(default_factory=list)
    peak_mib: list[float] = field(default_factory=list)
    steps: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


@contextmanager
def sampled(now: Callable[[], float], peaks: list[float]) -> Iterator[None]:
    """Look at something that grows while the block lasts; appends the largest that was seen."""
    done, largest = threading.Event(), 0.0

    def watch() -> None:
        nonlocal largest
        while not done.wait(POLL_SECONDS):
            largest = max(largest, now())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
        peaks.append(largest)


def engine_mib(warehouse: Path) -> float:
    """Resident memory of the engine of a warehouse, in MiB."""
    return sum(_resident_mib(pid) for pid in processes_of(warehouse))


def _resident_mib(pid: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / KIB
    return 0.0


def measure(chain: Business, place: Path, engine: str, found: dict[str, Measured]) -> None:
    """Run the first two nights in a new warehouse; adds to ``found`` by kind of night."""
    shutil.rmtree(place, ignore_errors=True)
    site = Site(chain, place, {"REGULARS_ENGINE": engine, "REGULARS_ENGINE_OPTIONS__MEMORY": "3g"})
    for kind, day in zip(("first", "ordinary"), chain.nights, strict=False):
        one = found[kind]
        started = time.monotonic()
        with sampled(lambda: engine_mib(place), one.peak_mib):
            site.night(day)
        one.seconds.append(time.monotonic() - started)
        night = site.warehouse.latest(day)
        for name, record in (night.records() if night else {}).items():
            if name.startswith("time."):
                one.steps[name.removeprefix("time.")].append(record["seconds"])


def lines_of(chain: Business, place: Path) -> int:
    """Order lines of history, as the first night's clean table holds them."""
    night = Site(chain, place).warehouse.latest(chain.nights[0])
    return night.rows("clean", "order_lines") if night else 0


def report(customers: int, lines: int, measured: dict[str, dict[str, Measured]]) -> None:
    """One Markdown table of a size: nights by engine, and the seconds of each step."""
    print(f"\n## {customers:,} customers, {lines:,} order lines in {HISTORY_DAYS} days\n")
    reference = next(iter(measured))
    print(f"| night | engine | runs | seconds | of {reference} | engine's peak MiB |\n|---|---|---|---|---|---|")
    for kind in ("first", "ordinary"):
        for engine, found in measured.items():
            one, base = found[kind], measured[reference][kind]
            ratio = statistics.median(a / b for a, b in zip(one.seconds, base.seconds, strict=True))
            spread = f"{statistics.median(one.seconds):.1f} ({min(one.seconds):.1f} to {max(one.seconds):.1f})"
            peak = statistics.median(one.peak_mib)
            print(f"| {kind} | {engine} | {len(one.seconds)} | {spread} | {ratio:.2f} | {peak:,.0f} |")
    names = list(measured[reference]["first"].steps)
    heads = [f"{engine}, {kind}" for engine in measured for kind in ("first", "ordinary")]
    print(f"\n| step, seconds | {' | '.join(heads)} |\n|---|{'---|' * len(heads)}")
    for name in names:
        cells = [
            f"{statistics.median(found[kind].steps[name]):.1f}" if found[kind].steps[name] else "-"
            for found in measured.values()
            for kind in ("first", "ordinary")
        ]
        print(f"| {name} | {' | '.join(cells)} |")


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.split("\n")[0])
    parser.add_argument("--customers", type=int, nargs="+", default=[600, 6000], help="sizes")
    parser.add_argument("--engines", nargs="+", default=["local[*]", "sail"], help="the first is the reference")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args(argv)
    print(f"# Nights on {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}", flush=True)
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as folder:
        for customers in options.customers:
            root = Path(folder) / str(customers)
            measured = {engine: defaultdict[str, Measured](Measured) for engine in options.engines}
            with business(root / "business", customers=customers, days=HISTORY_DAYS) as chain:
                for _ in range(options.runs):
                    for engine, found in measured.items():
                        measure(chain, root / "warehouse", engine, found)
                lines = lines_of(chain, root / "warehouse")
            report(customers, lines, {engine: dict(found) for engine, found in measured.items()})


if __name__ == "__main__":
    main()
