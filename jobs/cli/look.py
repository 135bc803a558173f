"""Commands that look at what was published: where it is, what it holds, what happened. They change nothing."""

from __future__ import annotations

import os
import sys
from difflib import get_close_matches
from itertools import islice
from typing import Annotated, Any, Literal

import typer

from jobs.cli import history, output, query
from jobs.cli.app import answer, say
from jobs.definitions.model import Table
from jobs.definitions.published import BY_NAME, TABLES, folder
from jobs.errors import ContractError, UsageError
from jobs.inert import text
from jobs.settings import load_settings
from jobs.storage.night import Night
from jobs.storage.warehouse import Warehouse

RestrictedOption = Annotated[bool, typer.Option("--restricted", help="Tables below restricted/ too.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("current")(current)
    app.command("status")(status)
    app.command("report")(report)
    app.command("tables")(tables)
    app.command("show")(show)
    app.command("sql")(sql)


def current() -> None:
    """Print where the current snapshot is, for scripts."""
    print(_place(_shown()))


def status(
    last: Annotated[int, typer.Option(help="How many nights.", min=1)] = 10,
    json_: Annotated[bool, typer.Option("--json", help="One line of JSON, steps of every night included.")] = False,
) -> None:
    """Last runs: rows in, quarantined, of these repeated, published, warnings; steps of the newest."""
    warehouse = Warehouse(load_settings().warehouse)
    told = history.nights(warehouse, last)
    if json_:
        answer(told)
        return
    if not told:
        say(f"no night in {warehouse.root}; next: regulars run --date D")
        return
    totals = {
        "rows_in": "rows in", "quarantined": "quarantined", "repeated": "of them repeated",
        "published_rows": "published", "warnings": "warnings",
    }  # fmt: skip
    output.print_table(
        ("date", "run", "state", *totals.values(), "at"),
        [(n["date"], n["run"], _state(n), *(n[t] for t in totals), str(n["published_at"] or "-")[:16]) for n in told],
    )
    newest = told[0]
    rows = [(step["step"], *(step[t] for t in totals)) for step in newest["steps"]]
    output.print_table(("step", *totals.values()), rows, title=f"steps of {newest['date']} {newest['run']}")
    for warning in newest["said"]:
        print(text(f"warning: {warning}"))
    if any(night["state"] == "damaged" for night in told) or not _is_pointer_sound(warehouse):
        say("a night or the pointer is damaged; next: regulars doctor --repair")


def report(
    date_: Annotated[str | None, typer.Option("--date", help="Business date; the newest night without.")] = None,
) -> None:
    """Print where a night's quality report is: an HTML page to be opened in a browser."""
    night = history.chosen(Warehouse(load_settings().warehouse), date_)
    if not os.access(night.report, os.R_OK):
        raise ContractError(
            f"the night of {night.date}, run {night.run}, has no quality report that you could read"
            + (": it is at work, or was killed" if night.is_open else ""),
            next_command="regulars status" if night.is_open else f"regulars run --date {night.date} --full",
        )
    if night.is_open:
        say(f"the night of {night.date}, run {night.run}, is not published")
    print(night.report.resolve())


def _is_pointer_sound(warehouse: Warehouse) -> bool:
    try:
        warehouse.current()
    except ContractError:
        return False
    return True


def _state(night: dict[str, Any]) -> str:
    marks = [mark for mark in ("current", "refresh", "stale") if night[f"is_{mark}"]]
    after = f" after {night['last_step']}" if night["state"] in ("open", "running") and night["last_step"] else ""
    return ", ".join([night["state"] + after, *marks])


def tables() -> None:
    """Published tables of the current snapshot: rows, grain, meaning, place."""
    night = _shown()
    place = _place(night)
    say(f"snapshot of {night.date}, run {night.run}, below {place}")
    output.print_table(
        ("table", "rows", "one row per", "description", "path"),
        [(t.name, _rows(night, t), ", ".join(t.key), t.description, f"{place}/{folder(t)}") for t in TABLES],
    )


def show(
    table: Annotated[str, typer.Argument(help="A published table.")],
    rows: Annotated[int, typer.Option(help="How many of its first rows to print.", min=0)] = 0,
    restricted: RestrictedOption = False,
) -> None:
    """One table: key, columns with their meaning, newest snapshot, rows; values only with --rows."""
    found = _table(table)
    if found.restricted and not restricted:
        raise UsageError(f"{table} is restricted", next_command=f"regulars show {table} --restricted, if you may")
    night = _shown()
    say(f"{found.name}: {found.description}")
    say(f"one row per {', '.join(found.key)}; {_rows(night, found)} rows, snapshot of {night.date}")
    columns = [(c.name, c.type, "no" if c.required else "yes", c.description) for c in found.columns]
    output.print_table(("column", "type", "nullable", "description"), columns)
    if rows:
        name = f"restricted.{found.name}" if found.restricted else found.name
        keys = ", ".join(f'"{key}"' for key in found.key)
        wanted = f"SELECT * FROM {name} ORDER BY {keys} LIMIT {rows}"
        answered = query.ask(query.connect(night, restricted=restricted), wanted)
        output.print_table(answered.header, answered.rows, title="first rows")


def sql(
    query_: Annotated[str, typer.Argument(metavar="TEXT", help="One SELECT over the published tables.")],
    format_: Annotated[Literal["table", "csv", "json"], typer.Option("--format", help="How to print it.")] = "table",
    max_rows: Annotated[int, typer.Option(help="Rows of the table form; csv and json print all.", min=1)] = 200,
    restricted: RestrictedOption = False,
) -> None:
    """Query the published tables of the current snapshot (DuckDB); nothing can be changed by it."""
    answered = query.ask(query.connect(_shown(), restricted=restricted), query_)
    if format_ == "csv":
        output.write_csv(answered.header, answered.rows, sys.stdout)
    elif format_ == "json":
        output.write_json(answered.header, answered.rows, sys.stdout)
    else:
        output.print_table(answered.header, islice(answered.rows, max_rows))
        if next(answered.rows, None) is not None:
            say(f"only the first {max_rows} rows; next: --max-rows N or --format csv")


def _shown() -> Night:
    """The night that ``current`` points at, its path resolved once.

    Raises:
        ContractError: nothing is published, or the pointer is damaged.
    """
    warehouse = Warehouse(load_settings().warehouse)
    night = warehouse.current()
    if night is None:
        raise ContractError(f"nothing is published in {warehouse.root}", next_command="regulars run --date D")
    return Night.at(night.path.resolve())


def _place(night: Night) -> str:
    return str(night.path / "published")


def _rows(night: Night, table: Table) -> int | str:
    """Rows by the files' footers, or why they are not known."""
    try:
        parts = night.parts("published", folder(table))
        return night.rows("published", folder(table)) if parts else "absent"
    except PermissionError:
        return "not readable"


def _table(name: str) -> Table:
    name = name.removeprefix("restricted.").removeprefix("restricted/")
    if name not in BY_NAME:
        close = get_close_matches(name, BY_NAME, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise UsageError(f"there is no published table {name}{hint}", next_command="regulars tables")
    return BY_NAME[name]
