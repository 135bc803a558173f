"""When the page about a night's quality is drawn: before the night is shown, and when it stops.

A page that cannot be drawn never costs a good night: the night is published without it, and that is said, recorded
and seen in ``regulars status``. A disk that takes no page takes no tables either, so that stops the night as any
other write would. See ``docs/decisions/0009-the-quality-page.md``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from jobs import faultpoints
from jobs.cli.app import say
from jobs.errors import ContractError, RegularsError
from jobs.steps.context import Context
from jobs.storage import approvals, files
from jobs.storage.night import Night
from jobs.storage.warehouse import Warehouse

if TYPE_CHECKING:
    from expectations.report import Stopped
    from expectations.trends import Told

#: trends are of so many kept dates at most: four weeks, in which weekdays meet their like
NIGHTS = 28
RECORD = "report"


def draw(context: Context) -> None:
    """Put the page into a night that is about to be published.

    Raises:
        OSError: it cannot be written.
    """
    try:
        page = _page(context.warehouse, context.night, None)
    except Exception as error:  # whatever went wrong in drawing, the tables are good
        said = f"the quality report could not be drawn ({type(error).__name__}); the night is published without it"
        context.night.record(RECORD, {"warnings": [said]})
        say(f"warning: {said}")
        return
    files.write_text(context.night.report, page)
    faultpoints.reach("report.drawn")


@contextlib.contextmanager
def when_stopped(context: Context, step: str) -> Iterator[None]:
    """Draw the page of a night that a step stops; the error says where it is, and goes on."""
    try:
        yield
    except RegularsError as error:
        error.report = _draw_stopped(context, step, error.message, error.next_command)
        raise
    except Exception as error:  # its words might hold a value
        where = _draw_stopped(context, step, type(error).__name__, "regulars doctor")
        if where:
            say(f"report: {where}")
        raise


def ask(context: Context, step: str, question: ContractError) -> None:
    """Draw the page of a night that waits for a person, who decides by it; the question says where it is."""
    question.report = _draw_stopped(context, step, question.message, question.next_command)


def _draw_stopped(context: Context, step: str, message: str, next_command: str) -> str | None:
    """Where the page was written; None where it could not be, or where there is no open night any more."""
    from expectations.report import Stopped

    night = context.night
    try:
        if not night.records():  # its manifest is written, or it is gone: nothing goes on from here
            night.report.unlink(missing_ok=True)
            return None
        files.write_text(night.report, _page(context.warehouse, night, Stopped(step, message, next_command)))
    except Exception as error:  # the error that stopped the night is the one to be seen
        say(f"warning: the quality report could not be drawn ({type(error).__name__})")
        return None
    return str(night.report)


def _page(warehouse: Warehouse, night: Night, stopped: Stopped | None) -> str:
    from expectations.report import render
    from expectations.trends import Told

    records = night.records() | {"approvals": {"given": approvals.of(warehouse, night.date)}}
    return render(Told(night.date, night.run, records), _earlier(warehouse, night.date), stopped)


def _earlier(warehouse: Warehouse, day: date) -> list[Told]:
    """Kept nights before a date, oldest first, the newest run of each; one that cannot be read is left out."""
    from expectations.trends import Told

    newest = {night.date: night for night in warehouse.published() if night.date < day}
    found = []
    for night in list(newest.values())[-NIGHTS:]:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            found.append(Told(night.date, night.run, night.records()))
    return found
