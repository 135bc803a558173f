"""The command by which a person lets a night through that a circuit breaker has stopped to ask."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from jobs.cli import gating
from jobs.cli.app import answer
from jobs.cli.nights import parse_date
from jobs.errors import UsageError
from jobs.settings import load_settings
from jobs.storage import approvals
from jobs.storage.warehouse import Warehouse


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("approve")(approve)


def approve(
    date_: Annotated[str, typer.Option("--date", help="Business date of the night that waits.")],
    by: Annotated[str, typer.Option(help="Who approves; kept in the night's manifest.")],
    reason: Annotated[str, typer.Option(help="Why; kept too.")] = "",
    rule: Annotated[list[str] | None, typer.Option(help="Only these rules; all that ask without.")] = None,
) -> None:
    """Let a night through that has stopped to ask a person; what asked is on record with the name and the time."""
    day = parse_date(date_)
    warehouse = Warehouse(load_settings().warehouse)
    waiting = [night for night in warehouse.open_nights() if night.date == day]
    questions = gating.open_questions(waiting[-1]) if waiting else []
    if not questions:
        raise UsageError(f"no night of {day} waits for an answer", next_command="regulars status")
    unknown = sorted(set(rule or []) - {question["rule_id"] for question in questions})
    if unknown:
        asked = ", ".join(question["rule_id"] for question in questions)
        raise UsageError(f"{', '.join(unknown)} does not ask; {asked} does", next_command="regulars approve --help")
    chosen = [question for question in questions if rule is None or question["rule_id"] in rule]
    given = [
        {"table_name": q["table_name"], "rule_id": q["rule_id"], "by": by, "reason": reason, "at": datetime.now(UTC)}
        for q in chosen
    ]
    approvals.add(warehouse, day, given)
    answer({"date": str(day), "approved": [question["rule_id"] for question in chosen]})
