"""How long scoring takes: the step ``segments``, all schemes and models, after the features; ``--help``.

A chain as in :mod:`tests.bench.features`. The first night fits every model and scores everybody, the second scores
everybody by the frozen ones and keeps the history; each in a process and on an engine of its own, the engine's start
not counted.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from jobs.storage.night import Night
from tests.bench import sites
from tests.bench.clean_night import YEAR, Chain
from tests.bench.sites import Site

HEAD = "| customers | engine | night | features, s | segments, s | peak MiB of segments |\n|---|---|---|---|---|---|"


def rows(place: Path, lines: int, engines: Sequence[str], memory: str) -> Iterator[str]:
    """Lines of the table of one size."""
    made = sites.make(place / "made", Chain(lines, YEAR))
    for number, engine in enumerate(engines):
        site = Site(place / f"engine-{number}", engine, memory)
        for name, source in (("first, models fitted", made.first), ("next", made.day)):
            night = site.begin(source)
            features, segments = site.features(night), site.segments(night)
            published = site.publish(night)
            people = _customers(published)
            yield (
                f"| {people:,} | {engine} | {name} | {features.seconds:.1f} | {segments.seconds:.1f} "
                f"| {segments.peak_mib:,.0f} |"
            )


def _customers(night: Night) -> int:
    return night.rows("published", "customer_segments")


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.segments", description=__doc__.split("\n")[0])
    parser.add_argument("--lines", type=int, nargs="+", default=[5_000_000, 20_000_000])
    parser.add_argument("--engines", nargs="+", default=["local[*]", "sail"])
    parser.add_argument("--memory", default="3g")
    options = parser.parse_args(argv)
    print(HEAD, flush=True)
    for lines in options.lines:
        with tempfile.TemporaryDirectory(prefix="regulars-bench-") as folder:
            for row in rows(Path(folder), lines, options.engines, options.memory):
                print(row, flush=True)


if __name__ == "__main__":
    sys.exit(main())
