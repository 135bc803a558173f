"""What the benchmark of the features says: Markdown tables, and their place in ``docs/benchmarks.md``."""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import statistics
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from tests.bench.sites import Turn
from tests.support import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- features: begin -->", "<!-- features: end -->"
REFERENCE = "duckdb"
FULL, DAY, LATE = "all anew", "one day more", "one day more, late orders"
WORKS = (FULL, DAY, LATE)


@dataclass
class Measured:
    """One size: every turn by days of history, work and engine."""

    lines: int
    rows: dict[int, dict[str, int]] = field(default_factory=dict)  #: days -> clean table -> rows
    turns: dict[tuple[int, str, str], list[Turn]] = field(default_factory=lambda: defaultdict(list))
    late: dict[str, tuple[int, bool]] = field(default_factory=dict)  #: engine -> dates made anew, exactly those
    differences: list[str] = field(default_factory=list)


def section(measured: Measured, options: argparse.Namespace) -> str:
    """The Markdown of one size."""
    return "\n".join(_section(measured, options))


def _section(measured: Measured, options: argparse.Namespace) -> Iterator[str]:
    yield from (f"## {measured.lines:,} order lines in 365 days", "", machine(options), "")
    for days, rows in measured.rows.items():
        said = ", ".join(f"{count:,} {table.replace('_', ' ')}" for table, count in rows.items())
        yield f"- {days} days of history: {said}."
    yield "- Each engine starts from what it published itself; *all anew* of a longer history is measured once."
    yield from ("", "| history | work | by | runs | seconds | of DuckDB | of all anew | peak MiB | customers anew |")
    yield "|---|---|---|---|---|---|---|---|---|"
    for days in measured.rows:
        for work in WORKS:
            for name in (REFERENCE, *options.engines):
                if (days, work, name) in measured.turns:
                    yield f"| {' | '.join(_cells(measured, days, work, name))} |"
    yield ""
    yield from _said(measured, options)


def _cells(measured: Measured, days: int, work: str, name: str) -> tuple[str, ...]:
    turns = measured.turns[days, work, name]
    seconds = [turn.seconds for turn in turns]
    anew = turns[-1].customers
    return (
        str(days), work, name, str(len(turns)),
        f"{statistics.median(seconds):.1f} ({min(seconds):.1f} to {max(seconds):.1f})",
        _ratio(turns, measured.turns[days, work, REFERENCE]),
        _ratio(turns, measured.turns[days, FULL, name]) if work != FULL else "",
        f"{max(turn.peak_mib for turn in turns):,.0f}",
        "all" if anew is None else f"{anew:,}",
    )  # fmt: skip


def _ratio(turns: Sequence[Turn], base: Sequence[Turn]) -> str:
    """Median of the ratios run by run; where the base ran another number of times, of the medians."""
    if len(turns) == len(base):
        return f"{statistics.median(a.seconds / b.seconds for a, b in zip(turns, base, strict=True)):.2f}"
    return f"{statistics.median(t.seconds for t in turns) / statistics.median(t.seconds for t in base):.2f}"


def _said(measured: Measured, options: argparse.Namespace) -> Iterator[str]:
    """What the table does not say."""
    first, *others = measured.rows
    for days in others:
        for name in options.engines:
            grown = _ratio(measured.turns[days, DAY, name], measured.turns[first, DAY, name])
            yield f"- {name}: one day more on {days} days takes {grown} times as long as on {first}."
    for name, (dates, exactly) in measured.late.items():
        which = "exactly those of the late orders and the night's own" if exactly else "NOT those of the late orders"
        yield f"- {name}: with late orders {dates} dates were made anew, {which}."
    if measured.differences:
        yield from ("", "**Different:**", "", *(f"- {what}" for what in measured.differences))
    else:
        yield "- Equal to DuckDB's in every run, every customer and column; with late orders also to a full rebuild."


def machine(options: argparse.Namespace) -> str:
    """Where the figures were taken."""
    said = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = re.search(r"model name\s*:\s*(.+)", said)
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    packages = ", ".join(f"{name} {version(name)}" for name in ("pyspark", "pysail", "duckdb"))
    cpu = model.group(1) if model else platform.processor()
    return (
        f"{cpu}, {options.cores} of {os.cpu_count()} cores, {total:.0f} GiB"
        f" of memory, of which {options.memory} for the engine; {platform.system()} {platform.release()}, Python"
        f" {platform.python_version()}, {_java()}, {packages}."
    )


def _java() -> str:
    java = shutil.which("java")
    if java is None:
        return "no Java"
    said = subprocess.run([java, "-version"], capture_output=True, text=True).stderr
    found = re.search(r'version "([^"]+)"', said)
    return f"Java {found.group(1)}" if found else "Java of unknown version"


def write(lines: int, text: str) -> None:
    """Put the section of a size into the page, in the place of an earlier one of that size."""
    whole = PAGE.read_text(encoding="utf-8")
    head, rest = whole.split(BEGIN)
    old, tail = rest.split(END)
    kept = {_lines(one): one.strip() for one in re.split(r"(?=^## )", old, flags=re.MULTILINE) if one.startswith("## ")}
    kept[lines] = text.strip()
    body = "\n\n".join(kept[size] for size in sorted(kept))
    PAGE.write_text(f"{head}{BEGIN}\n\n{body}\n\n{END}{tail}", encoding="utf-8")


def _lines(section: str) -> int:
    return int(section.split()[1].replace(",", ""))
