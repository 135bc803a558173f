"""One measurement in a process of its own: ``python -m tests.bench.turn --help``. Says what it took, as JSON.

Either a step of an open night, on an engine that is started for it and whose start is not counted, or the
same features by DuckDB alone. Which cores may be used is settled here, so that no engine takes more than another.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from jobs import keeper
from jobs.settings import Settings, load_settings
from jobs.steps import features, segments
from jobs.steps.context import Context
from jobs.storage.night import Night
from jobs.storage.warehouse import Warehouse
from tests.bench import reference
from tests.support import processes_of

KIB = 1024


STEPS = {"features": features.run, "segments": segments.run}


def with_pipeline(settings: Settings, run: str, step: str) -> dict[str, Any]:
    """Run a step on a run's open night, as ``regulars step`` does."""
    warehouse = Warehouse(settings.warehouse)
    kept = keeper.start(warehouse, run, str(warehouse.open_night(run).date), owner=os.getpid())
    try:
        context = Context.of(settings, run)
        processes = [*processes_of(warehouse.root)] if context.spark else []
        started = time.monotonic()
        record = STEPS[step](context)
        seconds = time.monotonic() - started
        peak = peak_mib(processes)
        context.close()
    finally:
        kept.stop()
    return {"seconds": seconds, "peak_mib": peak} | {n: record[n] for n in ("dates", "customers") if n in record}


def with_duckdb(settings: Settings, night: Night, out: Path, cores: int) -> dict[str, Any]:
    """Compute the reference of a night."""
    started = time.monotonic()
    reference.compute(night, settings, out, memory=_duckdb_memory(settings.engine_options.memory), threads=cores)
    return {"seconds": time.monotonic() - started, "peak_mib": peak_mib([os.getpid()])}


def peak_mib(processes: Iterable[int]) -> float:
    """Most that each process ever held in memory, summed, in MiB, as the kernel kept count."""
    kib = 0
    for process in processes:
        with suppress(OSError):
            found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process}/status").read_text())
            kib += int(found.group(1)) if found else 0
    return kib / KIB


def _duckdb_memory(java: str) -> str:
    """Memory as DuckDB writes it, of memory as Java does: of ``3g`` it is ``3GiB``."""
    return re.sub(r"([mg])$", lambda match: match.group(1).upper() + "iB", java)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure once; the settings come from ``REGULARS_CONFIG`` and variables, as for ``regulars``."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.turn", description=__doc__.split("\n")[0])
    parser.add_argument("--run", help="whose open night the step is run on")
    parser.add_argument("--step", default="features", choices=STEPS)
    parser.add_argument("--night", type=Path, help="of which DuckDB computes the reference instead")
    parser.add_argument("--out", type=Path, help="the Parquet file for it")
    options = parser.parse_args(argv)
    settings = load_settings()
    cores = settings.engine_options.cores or os.cpu_count() or 1
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])  # handed down to the keeper and the engine
    if options.night:
        print(json.dumps(with_duckdb(settings, Night.at(options.night), options.out, cores)))
    else:
        print(json.dumps(with_pipeline(settings, options.run, options.step)))


if __name__ == "__main__":
    main()
