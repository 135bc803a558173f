"""How long nights of growing businesses take: ``make bench``, or ``python -m tests.bench --help``.

For each size the engines take turns, run by run, on the same business, so that their ratio holds where others work: the
first night with a year of history, then an ordinary one on top of it. Seconds are medians and count everything, the
engine's start too; memory is the engine's largest. A business is a generated restaurant chain with all feeds
(``--customers``) or, where millions of lines are wanted, a drawn one of members, receipts and web orders (``--lines``).
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
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.clean_night import Chain
from tests.bench.drawn import CONFIG, drawn
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


def measure(site: Site, found: dict[str, Measured]) -> None:
    """Run the first two nights in a new warehouse; adds to ``found`` by kind of night."""
    chain, place = site.business, site.root
    shutil.rmtree(place, ignore_errors=True)
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


def rows_of(site: Site, table: str) -> int:
    """Rows of a clean table after the first night."""
    night = site.warehouse.latest(site.business.nights[0])
    return night.rows("clean", table) if night else 0


def report(site: Site, measured: dict[str, dict[str, Measured]]) -> None:
    """One Markdown table of a size: nights by engine, and the seconds of each step."""
    customers, lines = rows_of(site, "customers"), rows_of(site, "order_lines")
    print(f"\n## {customers:,} registered, {lines:,} order lines in {HISTORY_DAYS} days\n")
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
    parser.add_argument("--customers", type=int, nargs="*", default=[600, 6000], help="sizes of generated chains")
    parser.add_argument("--lines", type=int, nargs="*", default=[], help="sizes of drawn chains, order lines of a year")
    parser.add_argument("--engines", nargs="+", default=["local[*]", "sail"], help="the first is the reference")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--memory", default="3g", help="what Spark may have")
    options = parser.parse_args(argv)
    print(f"# Nights on {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}", flush=True)
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as folder:
        for made, config in _businesses(Path(folder), options.customers, options.lines):
            measured = {engine: defaultdict[str, Measured](Measured) for engine in options.engines}
            with made as chain:
                warehouse = chain.folder.with_suffix(".warehouse")
                for _ in range(options.runs):
                    for engine, found in measured.items():
                        own = {"REGULARS_ENGINE": engine, "REGULARS_ENGINE_OPTIONS__MEMORY": options.memory}
                        site = Site(chain, warehouse, config | own, patience=6 * 3600)
                        measure(site, found)
            report(site, {engine: dict(found) for engine, found in measured.items()})
            for place in (chain.folder, warehouse):
                shutil.rmtree(place)


def _businesses(
    folder: Path, customers: Sequence[int], lines: Sequence[int]
) -> Iterator[tuple[AbstractContextManager[Business], dict[str, str]]]:
    """Each of the sizes, made when it is entered, and the variables that its configuration takes."""
    for count in customers:
        yield business(folder / f"customers-{count}", customers=count, days=HISTORY_DAYS), {}
    for count in lines:
        yield drawn(folder / f"lines-{count}", Chain(count, HISTORY_DAYS)), {"REGULARS_CONFIG": str(CONFIG)}


if __name__ == "__main__":
    main()
