"""How long the features take, against DuckDB alone: part of ``make bench``; ``python -m tests.bench.features --help``.

A chain's clean tables and identities are made once per size. Then, run by run and in turns, each in a process and on an
engine of its own: DuckDB computes customer_features from them in SQL, and the pipeline's features step makes everything
anew. On top of that comes a night of one day's data, the same with twice the history, and one to which 500 orders of
the last 30 days come late. Every result is compared with DuckDB's, every customer and column; the program ends with 1
if anything differs.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import duckdb

from jobs.storage import files
from jobs.storage.night import Night
from tests.bench import page, reference, sites
from tests.bench.clean_night import FIRST_NIGHT, YEAR, Chain
from tests.bench.page import DAY, FULL, LATE, REFERENCE, Measured
from tests.bench.sites import Made, Site, Turn

LATE_ORDERS, LATE_DAYS = 500, 30
TABLES = ("customer_features", "customer_days")


class Bench:
    """One size under measurement.

    Args:
        place: a folder, for files as large as the data.
        chain: the size.
        options: of the command line.
    """

    def __init__(self, place: Path, lines: int, options: argparse.Namespace) -> None:
        self.place, self.options = place, options
        self.measured = Measured(lines)

    def measure(self) -> Measured:
        """Take all measurements of the size."""
        for days in self.options.histories:
            self._history(Chain(self.measured.lines, days), is_first=days == self.options.histories[0])
            shutil.rmtree(self.place)
        return self.measured

    def _history(self, chain: Chain, *, is_first: bool) -> None:
        """Everything on one length of history; another than the first has one full rebuild, and nothing late."""
        self._say(f"making {chain.lines:,} lines a year, {chain.days} days")
        late = LATE_ORDERS if is_first else 0
        made = sites.make(self.place / "made", chain, late_orders=late, late_days=LATE_DAYS)
        self.measured.rows[chain.days] = {
            table: made.first.rows("clean", table) for table in ("order_lines", "orders", "customers")
        }
        memory, cores = self.options.memory, self.options.cores
        self.site = Site(self.place / REFERENCE, "local[*]", memory, cores)
        engines = {
            name: Site(self.place / f"engine-{number}", name, memory, cores)
            for number, name in enumerate(self.options.engines)
        }
        self._full(made, engines, self.options.runs if is_first else 1)
        for _ in range(self.options.runs):
            expected = self._reference(made.day, chain.days, DAY)
            for name, site in engines.items():
                night = site.begin(made.day)
                self._step(name, site, night, chain.days, DAY, expected)
        if made.late is not None:
            expected = self._reference(made.late, chain.days, LATE)
            for name, site in engines.items():
                self._late(name, site, made, expected)

    def _full(self, made: Made, engines: dict[str, Site], runs: int) -> None:
        """Full rebuilds in turns; what the last ones made is published, for the next nights to start from."""
        nights = {name: site.begin(made.first) for name, site in engines.items()}
        for _ in range(runs):
            expected = self._reference(made.first, made.chain.days, FULL)
            for name, site in engines.items():
                self._step(name, site, nights[name], made.chain.days, FULL, expected)
        for name, site in engines.items():
            site.publish(nights[name])

    def _late(self, name: str, site: Site, made: Made, expected: Path) -> None:
        """Late orders: exactly their dates are made anew, and the result is that of a full rebuild of that night."""
        assert made.late is not None
        night = site.begin(made.late)
        turn = self._step(name, site, night, made.chain.days, LATE, expected)
        dates = tuple(map(str, [*made.late_dates, FIRST_NIGHT + timedelta(days=1)]))
        if turn.dates != dates:
            self._differs(f"{name}: late orders of {len(dates)} dates made {len(turn.dates)} anew")
        kept = site.root / "incremental"
        files.remove_tree(kept)
        for table in TABLES:
            files.link_tree(night.table("published", table), kept / table)
        site.features(night, full=True)
        for table in TABLES:
            rows = _only_in_one(kept / table, night.table("published", table))
            if rows:
                self._differs(
                    f"{name}: {rows} rows of {table} are others after a full rebuild of the night with late orders"
                )
        self.measured.late[name] = (len(turn.dates), turn.dates == dates)

    def _reference(self, night: Night, days: int, work: str) -> Path:
        out = self.place / "expected" / "customer_features.parquet"
        out.unlink(missing_ok=True)
        self._note(REFERENCE, days, work, self.site.reference(night, out))
        return out

    def _step(self, name: str, site: Site, night: Night, days: int, work: str, expected: Path) -> Turn:
        turn = site.features(night)
        self._note(name, days, work, turn)
        found = reference.differences(expected, night.table("published", "customer_features"), name)
        for what, customers in found.items():
            self._differs(f"{name}, {work}, {days} days: {what} differs for {customers:,} customers")
        return turn

    def _note(self, name: str, days: int, work: str, turn: Turn) -> None:
        self.measured.turns[days, work, name].append(turn)
        self._say(f"{days} days, {work}, {name}: {turn.seconds:.1f} s, {turn.peak_mib:,.0f} MiB")

    def _differs(self, what: str) -> None:
        self.measured.differences.append(what)
        self._say(f"DIFFERENT: {what}")

    def _say(self, what: str) -> None:
        print(f"{self.measured.lines:,}: {what}", file=sys.stderr, flush=True)


def _only_in_one(one: Path, other: Path) -> int:
    """Rows that only the one or only the other of two folders has."""
    left, right = (f"read_parquet('{folder}/*.parquet')" for folder in (one, other))
    with duckdb.connect() as connection:
        return sum(
            int(connection.sql(f"SELECT count(*) FROM (FROM {a} EXCEPT ALL FROM {b})").fetchall()[0][0])
            for a, b in ((left, right), (right, left))
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and, if asked to, write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.features", description=__doc__.split("\n")[0])
    parser.add_argument("--lines", type=int, nargs="+", default=[1_000_000, 5_000_000], help="order lines in 365 days")
    parser.add_argument(
        "--histories", type=int, nargs="+", default=[YEAR, 2 * YEAR], help="days; the first is the rule"
    )
    parser.add_argument("--engines", nargs="*", default=["local[*]", "sail"])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--memory", default="3g", help="of the engine and of DuckDB, as Java writes it")
    parser.add_argument("--cores", type=int, default=2, help="cores that each turn may use")
    parser.add_argument("--place", type=Path, help="folder for the data; by default a temporary one")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    options = parser.parse_args(argv)
    place = Path(tempfile.mkdtemp(prefix="regulars-features-", dir=options.place))
    differing = 0
    try:
        for lines in options.lines:
            measured = Bench(place / str(lines), lines, options).measure()
            section = page.section(measured, options)
            print(section, flush=True)
            if options.write:
                page.write(lines, section)
            differing += len(measured.differences)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
