"""Commands about rejected rows: which rule set them aside, where each came from, and how they get in after all."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Annotated

import typer

from jobs.cli import rejected
from jobs.cli.app import answer, say
from jobs.cli.history import chosen
from jobs.cli.nights import Asked, DateOption, parse_date, run_night
from jobs.cli.output import print_table
from jobs.errors import UsageError
from jobs.settings import load_settings
from jobs.storage.night import Night
from jobs.storage.warehouse import Warehouse

SHOW, REPLAY, ADMIT = (f"regulars quarantine {verb}" for verb in ("show", "replay", "admit"))

#: table -> (business date of the night that took them in, rule) -> rows
Tallies = dict[str, Counter[tuple[str, str]]]

quarantine = typer.Typer(help="Rejected rows, by reason, and the way back.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(quarantine, name="quarantine")


@quarantine.callback()
def _group() -> None:
    """Rejected rows, by reason, and the way back."""


@quarantine.command("show")
def show(
    date_: Annotated[str | None, typer.Option("--date", help="Business date; the newest night without.")] = None,
    rows: Annotated[int, typer.Option(help="Also list this many places (file and line) per table.")] = 5,
) -> None:
    """Rows that a night set aside: how many by rule, and the file and line of some; never what was in them."""
    night = chosen(Warehouse(load_settings().warehouse), date_)
    state = "open, not published" if night.is_open else "published"
    print(f"night {night.date} ({state}), run {night.run}")
    tallies = {table: rejected.tally(night, table) for table in rejected.shown(night)}
    again = {table: rejected.tally(night, table, repeated=True) for table in tallies}
    tonight = [
        (table, rule, count, again[table][landed, rule])
        for table, found in tallies.items()
        for (landed, rule), count in found.most_common()
        if landed == str(night.date)
    ]
    print_table(["table", "rule", "rows", "of them repeated"], tonight)
    places = [(table, *place) for table in tallies for place in rejected.places(night, table, rows)]
    if places:
        print_table(["table", "file", "line", "rules"], places)
    _show_earlier(night, tallies, again)
    _show_way_back(night, tallies)


def _show_earlier(night: Night, tallies: Tallies, again: Tallies) -> None:
    """What earlier nights set aside and is still there."""
    counts: dict[tuple[str, str], tuple[int, int, set[str]]] = {}
    for table, found in tallies.items():
        for (landed, rule), count in found.items():
            if landed < str(night.date):
                before, repeated, nights = counts.get((table, rule), (0, 0, set()))
                counts[table, rule] = before + count, repeated + again[table][landed, rule], nights | {landed}
    if counts:
        found_rows = [(*key, *rows, min(nights), max(nights)) for key, (*rows, nights) in sorted(counts.items())]
        header = ["table", "rule", "rows", "of them repeated", "first night", "last night"]
        print_table(header, found_rows, title="set aside by earlier nights and still there")


def _show_way_back(night: Night, tallies: Tallies) -> None:
    there = [table for table, found in tallies.items() if found]
    if any(table in rejected.judgeable(night) for table in there):
        print(f"to let rows in: correct the cause (a mapping, a master row), then {REPLAY}")
    if any(table in rejected.LATE for table in there):
        print(f"held orders are later than thresholds.late_horizon_days allows; to let them in: {ADMIT}")
    if rejected.WAITING in there:
        print("held refunds wait for their sale and are tried again every night")
    if any(table.startswith(rejected.UNPARSABLE) for table in there):
        print("unparsable lines have no columns to judge again: mend the file and deliver it again")


@quarantine.command("replay")
def replay(date_: DateOption = None) -> None:
    """Judge rows that nights set aside again, after a correction: a night of its date, the newest one without."""
    settings = load_settings()
    warehouse = Warehouse(settings.warehouse)
    day, seen = _asked(warehouse, date_)
    before = _judgeable(seen)
    if not before:
        raise UsageError(f"nothing is in quarantine that could be judged again{_instead(seen)}", next_command=SHOW)
    done = run_night(settings, day, asked=Asked(replay=True))
    shown = warehouse.latest(day)
    after = _judgeable(shown) if shown else before
    for table, rule in sorted(before.keys() | after.keys()):
        say(f"{table} {rule}: {before[table, rule]} rows in quarantine before, {after[table, rule]} now")
    if after:
        say(
            f"what a source changed after the end of {day} is seen by a later date: "
            f"{REPLAY} --date {day + timedelta(days=1)}"
        )
    answer(done | {"quarantine_before": before.total(), "quarantine_now": after.total()})


@quarantine.command("admit")
def admit(
    order: Annotated[list[str] | None, typer.Option(help="Order id; may be given several times.")] = None,
    feed: Annotated[str | None, typer.Option(help="Only orders of this feed, as in pos.receipts.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every held order.")] = False,
    date_: DateOption = None,
) -> None:
    """Let orders in that came beyond the late horizon, with their lines; they stay in on every later night."""
    settings = load_settings()
    warehouse = Warehouse(settings.warehouse)
    day, seen = _asked(warehouse, date_)
    held = rejected.held_orders(seen)
    if not held:
        raise UsageError(f"no order is held in the night of {seen.date}", next_command=SHOW)
    if all_ and (order or feed):
        raise UsageError(
            "--all lets everything in; it goes with no --order and no --feed", next_command=f"{ADMIT} --all"
        )
    if not all_ and not order and not feed:
        raise UsageError(
            f"{len(held)} orders are held by {', '.join(sorted(set(held.values())))}; say which to let in",
            next_command=f"{ADMIT} --all, or --feed SOURCE.FEED, or --order ID",
        )
    orders = _orders(held, order or [], feed)
    done = run_night(settings, day, asked=Asked(replay=True, orders=tuple(orders)))
    shown = warehouse.latest(day)
    answer(done | {"admitted": len(orders), "held": len(rejected.held_orders(shown)) if shown else len(held)})


def _orders(held: dict[tuple[str, str], str], orders: list[str], feed: str | None) -> list[tuple[str, str]]:
    """Keys of the held orders that were asked for.

    Raises:
        UsageError: no held order is of that feed or has that id, or orders of two sources have it.
    """
    found = [key for key, its_feed in held.items() if feed in (None, its_feed)]
    if not found:
        known = ", ".join(sorted(set(held.values())))
        raise UsageError(f"no order of feed {feed} is held; of others: {known}", next_command=SHOW)
    for one in orders:
        sources = [source for source, order in found if order == one]
        if not sources:
            raise UsageError(f"order {one} is not held", next_command=SHOW)
        if len(sources) > 1:
            raise UsageError(
                f"order {one} is held of sources {', '.join(sources)}",
                next_command=f"{ADMIT} --order {one} --feed SOURCE.FEED",
            )
    return [key for key in found if not orders or key[1] in orders]


def _asked(warehouse: Warehouse, date_: str | None) -> tuple[date, Night]:
    """The business date to run, and the published night that shows what it would find in quarantine.

    Raises:
        UsageError: nothing is published up to that date.
    """
    published = warehouse.published()
    if not published:
        raise UsageError(f"no night is published in {warehouse.root}", next_command="regulars run --date D")
    day = parse_date(date_) if date_ else published[-1].date
    seen = warehouse.latest(day) or warehouse.base_of(day)
    if seen is None:
        raise UsageError(
            f"no night up to {day} is published; the first is {published[0].date}", next_command="regulars status"
        )
    return day, seen


def _judgeable(night: Night) -> Counter[tuple[str, str]]:
    """(table, rule) -> rows that can be judged again, of all nights."""
    counts: Counter[tuple[str, str]] = Counter()
    for table in rejected.judgeable(night):
        for (_, rule), rows in rejected.tally(night, table).items():
            counts[table, rule] += rows
    return counts


def _instead(night: Night) -> str:
    """What else is in quarantine, and its own way back."""
    there = [table for table in rejected.shown(night) if rejected.tally(night, table)]
    held = any(table in rejected.LATE for table in there)
    torn = any(table.startswith(rejected.UNPARSABLE) for table in there)
    return (f"; held orders get in by {ADMIT}" if held else "") + (
        "; unparsable lines by a mended file that is delivered again" if torn else ""
    )
