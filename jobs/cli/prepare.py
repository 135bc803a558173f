"""Commands before the first night: settings, sources, the machine, the pointer, a business to try with."""

from __future__ import annotations

import os
import re
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from jobs import mapping
from jobs.cli import checks, expressions, output, repair, sampling
from jobs.cli.app import say
from jobs.cli.nights import parse_date
from jobs.cli.template import template, toml
from jobs.errors import EnvironmentFault, RegularsError, UsageError
from jobs.inert import text
from jobs.settings import Settings, config_path, load_settings
from jobs.source_settings import Feed


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("init")(init)
    app.command("check-source")(check_source)
    app.command("doctor")(doctor)
    app.command("generate")(generate)


def init() -> None:
    """Write a commented regulars.toml for your own sources; an existing one is never touched."""
    path = config_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        raise UsageError(f"{path} exists and is not overwritten", next_command=f"edit {path}") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(template())
    say(f"wrote {path}: three example sources, every option with its default\n next: edit it, then regulars doctor")


def check_source(
    name: Annotated[str, typer.Argument(help="A source of the settings.")],
    feed: Annotated[str | None, typer.Option(help="Only this feed.")] = None,
    rows: Annotated[int, typer.Option(help="Rows to look at.", min=1, max=50_000)] = 20,
    date_: Annotated[str | None, typer.Option("--date", help="Look as a night of this date would.")] = None,
) -> None:
    """Read a masked sample of a source: columns, types, mapping, what is missing; writes nothing."""
    settings = load_settings()
    if name not in settings.sources:
        known = ", ".join(sorted(settings.sources)) or "none"
        raise UsageError(f"no source {name}; known: {known}", next_command="regulars check-source NAME")
    feeds = settings.sources[name].feeds
    if feed is not None and feed not in feeds:
        raise UsageError(f"{name} has no feed {feed}; known: {', '.join(sorted(feeds))}",
                         next_command=f"regulars check-source {name}")  # fmt: skip
    day = parse_date(date_) if date_ else None
    chosen = [feed] if feed is not None else sorted(feeds)
    failed = [one for one in chosen if not _check_feed(settings, name, one, rows, day)]
    if failed:
        raise UsageError(f"not ready: {', '.join(f'{name}.{one}' for one in failed)}",
                         next_command=f"edit {config_path()}, then regulars check-source {name}")  # fmt: skip


def _check_feed(settings: Settings, source: str, name: str, rows: int, day: date | None) -> bool:
    """Print what one feed looks like; whether a night could read it."""
    label, feed = f"{source}.{name}", settings.sources[source].feeds[name]
    wrong = mapping.problems(label, feed)
    try:
        sample = sampling.read(settings, (source, name), settings.sources[source], feed, rows, day)
    except RegularsError as error:
        print(f"{label}: cannot be read: {error.message}; next: {error.next_command}")
        return False
    seen = f"{sample.rows} rows seen" + (f", {sample.rejected} lines rejected" if sample.rejected else "")
    lines = [
        (one.column, one.looks_like, f"{one.empty_share:.0%}", one.example, _targets(one.mapped_to))
        for one in sample.looks
    ]
    header = ("column", "looks like", "empty", "example, masked", "mapped to")
    output.print_table(header, lines, title=f"{label}: {seen}")
    columns = [one.column for one in sample.looks]
    if sample.looks:
        absent = mapping.absent_columns(feed, columns)
        wrong += [f"{label}.maps.{said}: the sample has no such column" for said in absent]
    try:
        wrong += expressions.problems(settings, {label: feed})
    except EnvironmentFault as error:
        print(text(f"look at: expressions were not tried: {error.message}; next: {error.next_command}"))
    for said in wrong:
        print(text(f"wrong: {said}"))
    for said in sampling.unfit(settings.sources[source], feed, sample.looks):
        print(text(f"look at: {said}"))
    _propose(label, feed, columns)
    return not wrong


def plain_name(column: str) -> str:
    """A source column as a mapping names it: odd names in backticks."""
    return column if re.fullmatch(r"[^\W\d]\w*", column) else "`" + column.replace("`", "``") + "`"


def _targets(mapped: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{entity}.{canonical}" for entity, canonical in mapped)


def _propose(label: str, feed: Feed, columns: list[str]) -> None:
    proposals = mapping.propose(feed, columns)
    for entity in dict.fromkeys(one.entity for one in proposals):
        print(f"proposed: [sources.{label.replace('.', '.feeds.')}.maps.{entity}]")
        for one in proposals:
            if one.entity == entity:
                words = "  # contact: hashed, the original in the vault only" if one.is_contact else ""
                print(text(f"{one.canonical} = {toml(plain_name(one.column))}{words}"))
    left = [c for c in columns if not mapping.uses(feed, c) and c not in {one.column for one in proposals}]
    if left:
        print(text(f"not mapped: {', '.join(left)}"))


def doctor(
    deep: Annotated[bool, typer.Option("--deep", help="Hash every file of the current night.")] = False,
    repair_: Annotated[bool, typer.Option("--repair", help="Point current at the newest sound night.")] = False,
) -> None:
    """Check configuration, engine, packages, sources, warehouse, keys and pointer; says the mend."""
    if repair_:
        repair.repair(load_settings())
    failed = 0
    mend = "regulars doctor"
    for result in checks.results(deep=deep):
        state = "FAILED " if result.mend else "ok     "
        print(text(f"{state} {result.name}: {result.said}" + (f"; mend: {result.mend}" if result.mend else "")))
        if result.mend:
            failed += 1
            mend = result.mend if failed == 1 else mend
    if failed:
        raise EnvironmentFault(f"{failed} checks failed", next_command=mend)


def generate(
    out: Annotated[Path, typer.Option(help="Folder to write into.")] = Path("business/restaurant"),
    customers: Annotated[int, typer.Option(help="People.")] = 2_000,
    days: Annotated[int, typer.Option(help="Business dates.")] = 365,
    seed: Annotated[int, typer.Option(help="The same seed and options give the same files.", min=0)] = 7,
    last_date: Annotated[str, typer.Option(help="The last business date.")] = "2026-06-30",
    dirt: Annotated[float | None, typer.Option(help="Share of rows to damage, each kind at least once.")] = None,
) -> None:
    """Write a synthetic restaurant chain of any size with the truth about it; --dirt adds defects of all kinds."""
    # NumPy and Arrow would slow down the start of every other command
    from jobs.sample.restaurant import generate as write_chain

    write_chain(customers, days, seed, out, parse_date(last_date), dirt)
    print(out)
