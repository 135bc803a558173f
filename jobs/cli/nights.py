"""Commands that run nights: whole ones, and the single steps that Airflow launches."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any

import typer

from jobs import calendar, engine, faultpoints, flow, keeper
from jobs.cli import interrupt, reporting
from jobs.cli.app import answer, say
from jobs.errors import ContractError, RegularsError, UsageError
from jobs.mapping import check_mappings
from jobs.settings import Settings, load_settings
from jobs.steps.context import Context
from jobs.storage import publish
from jobs.storage.warehouse import Warehouse, new_run_id

UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Asked:
    """What a night is to do beyond taking in its own rows."""

    full: bool = False  #: recompute everything from all raw rows
    replay: bool = False  #: judge again what earlier nights set aside
    orders: tuple[tuple[str, str], ...] = ()  #: source and order id of held orders to let in
    refresh: bool = False  #: the day is not over; publish it if an event marks anybody


TONIGHT_ALONE = Asked()

DateOption = Annotated[str | None, typer.Option("--date", help="Business date, YYYY-MM-DD.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("run")(run)
    app.command("backfill")(backfill)
    app.command("sources", hidden=True)(sources)
    app.command("begin", hidden=True)(begin)
    app.command("step", hidden=True)(step)
    app.command("end", hidden=True)(end)


def run(
    date_: Annotated[str, typer.Option("--date", help="Business date, YYYY-MM-DD.")],
    from_: Annotated[str | None, typer.Option("--from", help="Go on with the open night from this step.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Recompute everything from all raw rows.")] = False,
) -> None:
    """Run one night without Airflow: the same steps and gates."""
    settings = load_settings()
    answer(run_night(settings, parse_date(date_), first=from_, asked=Asked(full=full)))


def backfill(
    from_: Annotated[str, typer.Option("--from", help="First business date.")],
    to: Annotated[str, typer.Option("--to", help="Last business date.")],
) -> None:
    """Run nights in order, one per business date."""
    settings = load_settings()
    day, last = parse_date(from_), parse_date(to)
    if day > last:
        raise UsageError(f"--from {day} is after --to {last}", next_command="regulars backfill --from D --to D")
    while day <= last:
        answer(run_night(settings, day))
        day += timedelta(days=1)


def sources() -> None:
    """Print the names of the sources as JSON."""
    answer(sorted(load_settings().sources))


def begin(
    date_: DateOption = None,
    interval_start: Annotated[str | None, typer.Option(help="Instant at which the scheduled interval starts.")] = None,
) -> None:
    """Take the warehouse, start the engine, open the night; prints the run."""
    settings = load_settings()
    day = business_date(settings, date_, interval_start)
    context = open_night(settings, day, owner=None)
    answer({"run": context.night.run, "date": str(day)})


def step(
    name: str,
    run_: Annotated[str, typer.Option("--run", help="The run that began the night.")],
    source: Annotated[str | None, typer.Option(help="Which source to extract.")] = None,
) -> None:
    """Run one step of a night that has begun."""
    settings = load_settings()
    context = Context.of(settings, run_)
    with context.keeper.in_use():
        answer(execute(context, name, source))


def end(run_: Annotated[str, typer.Option("--run", help="The run that began the night.")]) -> None:
    """Give the warehouse back and stop the engine."""
    keeper.Keeper.of(Warehouse(load_settings().warehouse), run_).stop()
    answer({"run": run_})


def parse_date(text: str) -> date:
    """A date argument.

    Raises:
        UsageError: it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no date; dates are YYYY-MM-DD", next_command="regulars run --help") from None


def business_date(settings: Settings, asked: str | None, interval_start: str | None) -> date:
    """The asked date, else the day on which the scheduled interval starts in the chain's zone; never today.

    Raises:
        UsageError: neither is given.
    """
    if asked:
        return parse_date(asked)
    if interval_start:
        return calendar.business_date_of(datetime.fromisoformat(interval_start), settings.time_zone)
    raise UsageError(
        "no business date: this run has no data interval",
        next_command='give --date, or {"business_date": "YYYY-MM-DD"}',
    )


def open_night(
    settings: Settings, day: date, *, owner: int | None, first: str | None = None, asked: Asked = TONIGHT_ALONE
) -> Context:
    """Take the lock, start the engine beside, and open the night or find the one to go on with."""
    from jobs.steps import belonging

    check_mappings(settings)
    if settings.segments:
        from jobs import reachable  # DuckDB is loaded for it

        reachable.check(settings)
    warehouse = Warehouse(settings.warehouse)
    warehouse.check_writable()
    belonging.check(settings, warehouse)
    run_id = new_run_id()
    if first not in (None, "extract"):
        run_id = _resumable(warehouse, day, flow.names_before(first))
    _, instead = engine.choose(settings)
    if instead:
        say(f"engine: {instead}")
    kept = keeper.start(warehouse, run_id, str(day), owner=owner)
    try:
        publish.settle(warehouse)
        if first in (None, "extract"):
            _begin(warehouse, day, run_id, settings.currency, asked)
        kept.opened()
        return Context.of(settings, run_id)
    except BaseException:
        kept.stop()
        raise


def _begin(warehouse: Warehouse, day: date, run_id: str, currency: str, asked: Asked) -> None:
    """Open a night. What the published one of its date took up again or admitted it does too: what is in stays in."""
    from jobs.steps import admission

    night = warehouse.begin(day, run_id)
    replaced = warehouse.latest(day)
    before = replaced.manifest()["steps"]["begin"] if replaced else {}
    replay = asked.replay or before.get("replay", False) or before.get("full", False)
    admitted = admission.admit(night, replaced, asked.orders)
    facts = {"full": asked.full, "replay": replay and not asked.full, "admitted": admitted, "currency": currency}
    facts |= {"refresh": asked.refresh}
    night.record("begin", night.records()["begin"] | facts)


def _resumable(warehouse: Warehouse, day: date, needed: list[str]) -> str:
    """The newest open night of a date whose earlier steps are all done."""
    nights = [night for night in warehouse.open_nights() if night.date == day]
    if not nights:
        raise UsageError(f"no open night of {day} to go on with", next_command=f"regulars run --date {day}")
    done = {step.split(".")[0] for step in nights[-1].records()}
    missing = [step for step in needed if step not in done]
    if missing:
        raise UsageError(
            f"the open night of {day} has not done {missing[0]}",
            next_command=f"regulars run --date {day} --from {missing[0]}",
        )
    return nights[-1].run


def run_night(
    settings: Settings, day: date, *, first: str | None = None, asked: Asked = TONIGHT_ALONE
) -> dict[str, Any]:
    """All steps of one night in this process, or those from ``first`` on."""
    if first is not None and first not in flow.BY_NAME:
        known = ", ".join(flow.BY_NAME)
        raise UsageError(f"no step {first}; steps are {known}", next_command=f"regulars run --date {day} --from STEP")
    context = open_night(settings, day, owner=os.getpid(), first=first, asked=asked)
    result: dict[str, Any] = {}
    marked: dict[str, int] = {}
    try:
        for name in flow.names_from(first):
            chosen = sorted(settings.sources) if flow.BY_NAME[name].each_source else [None]
            for source in chosen:
                result = execute(context, name, source)
            if name == "features" and asked.refresh:
                marked = _marked(context)
                if not any(marked.values()):
                    context.warehouse.discard(context.night)
                    return {"published": False, "marked": marked}
            if "asked" in result:
                raise _question(day, result)
            if UNCHANGED in result and name != "publish":
                result = execute(context, "publish", None)
                break
    finally:
        context.close()
        context.keeper.stop()
    return result | ({"published": UNCHANGED not in result, "marked": marked} if asked.refresh else {})


def _marked(context: Context) -> dict[str, int]:
    from jobs.steps import marks

    found = marks.found(context)
    say(f"{context.day} marked: {', '.join(f'{count} {name}' for name, count in found.items())}")
    return found


def execute(context: Context, name: str, source: str | None) -> dict[str, Any]:
    """Run one step, timed and announced.

    Raises:
        UsageError: there is no such step, or it needs a source.
        KeyboardInterrupt: somebody pressed Ctrl-C in the step before, where it was lost.
    """
    interrupt.check()
    if name not in flow.BY_NAME:
        raise UsageError(f"no step {name}; steps are {', '.join(flow.BY_NAME)}", next_command="regulars step --help")
    label = f"{name} {source}" if source else name
    started = time.monotonic()
    with _announced(f"{context.day} {label}"), reporting.when_stopped(context, label), context.keeper.blamed():
        faultpoints.reach(f"{name}.begin")
        result = _skipped(context, name) or _perform(context, name, source)
        faultpoints.reach(f"{name}.end")
    if context.night.path.is_dir():
        context.night.record(f"time.{label.replace(' ', '.')}", {"seconds": round(time.monotonic() - started, 2)})
    if "asked" in result:
        question = _question(context.day, result)
        reporting.ask(context, label, question)
        result["report"] = question.report
    return result


def _question(day: date, result: dict[str, Any]) -> ContractError:
    """What a gate asks a person, as the error of a run that nobody has answered."""
    question = ContractError(
        f"{day} waits for a person: {'; '.join(result['asked'])}",
        next_command=f"regulars approve --date {day} --by NAME, and regulars run --date {day} --from clean",
    )
    question.report = result.get("report")
    return question


@contextlib.contextmanager
def _announced(label: str) -> Iterator[None]:
    started = time.monotonic()
    try:
        yield
    except RegularsError:
        say(f"{label}: failed after {time.monotonic() - started:.1f} s")
        raise
    say(f"{label}: {time.monotonic() - started:.1f} s")


def _skipped(context: Context, name: str) -> dict[str, Any] | None:
    """A night made from exactly what a published one was made from is not made again."""
    from jobs.steps import inputs
    from jobs.steps.publish import summary

    if name == "gate_raw":
        twin = inputs.unchanged(context)
        if twin is not None:
            context.night.record(UNCHANGED, {"run": twin.run})
    if name == "extract" or UNCHANGED not in context.night.records():
        return None
    twin = context.warehouse.latest(context.day)
    if name != "publish" or twin is None:
        return {UNCHANGED: True}
    say(f"{context.day}: inputs unchanged since run {twin.run}; nothing rewritten")
    context.warehouse.discard(context.night)
    return summary(twin) | {UNCHANGED: True}


def _perform(context: Context, name: str, source: str | None) -> dict[str, Any]:
    from importlib import import_module

    if name == "extract":
        if source is None:
            raise UsageError("step extract needs --source", next_command="regulars sources")
        from jobs.steps import extract

        landed = extract.run(context, source)
        return {feed: {"rows": one["rows"], "rejected": one["rejected"]} for feed, one in landed.items()}
    if name.startswith("gate_"):
        from jobs.cli import gating

        return gating.judge(context, name)
    if name == "publish":
        reporting.draw(context)
    result: dict[str, Any] = import_module(f"jobs.steps.{name}").run(context)
    return result
