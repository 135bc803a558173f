"""``regulars refresh``: a day that is not over yet, published because something happened that should not wait."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from jobs.cli.app import answer, say
from jobs.cli.nights import Asked, DateOption, business_date, run_night
from jobs.settings import load_settings
from jobs.storage.warehouse import Warehouse


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("refresh")(refresh)


def refresh(
    date_: DateOption = None,
    interval_start: Annotated[str | None, typer.Option(help="Instant at which the scheduled interval starts.")] = None,
) -> None:
    """Publish the day so far, if a first order, a large one or a complaint marks anybody; its night replaces it.

    Says as JSON whom what marked. Nothing is published where nobody is marked, where the night before is not published
    yet, or where the day's own night already is.
    """
    settings = load_settings()
    day = business_date(settings, date_, interval_start)
    warehouse = Warehouse(settings.warehouse)
    own, base = warehouse.latest(day), warehouse.base_of(day)
    if own is not None and not own.is_refresh:
        say(f"the night of {day} is published: nothing to refresh")
        answer({"published": False, "marked": {}})
    elif base is None or base.is_refresh or base.date != day - timedelta(days=1):
        say(f"the night of {day - timedelta(days=1)} is not published: nothing to refresh")
        answer({"published": False, "marked": {}})
    else:
        answer(run_night(settings, day, asked=Asked(refresh=True)))
