"""The command by which a person lets a night through that a circuit breaker has stopped to ask."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from jobs.cli.app import answer
from jobs.cli.nights import parse_date
from jobs.errors import UsageError
from jobs.judged import open_questions
from jobs.settings import load_settings
from jobs.storage import approvals
from jobs.storage.warehouse import Warehouse

HOW = "regulars approve --date {} --by NAME"


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
    if not by.strip():
        raise UsageError("--by names nobody; an approval is on record with its giver", next_command=HOW.format(day))
    warehouse = Warehouse(load_settings().warehouse)
    waiting = [night for night in warehouse.open_nights() if night.date == day]
    questions = open_questions(waiting[-1].records()) if waiting else []
    if not questions:
        raise UsageError(f"no night of {day} waits for an answer", next_command="regulars status")
    unknown = sorted(set(rule or []) - {question["rule_id"] for question in questions})
    if unknown:
        asked = ", ".join(question["rule_id"] for question in questions)
        raise UsageError(f"{', '.join(unknown)} does not ask; {asked} does", next_command="regulars approve --help")
    known = {(one["table_name"], one["rule_id"]): one["by"] for one in approvals.of(warehouse, day)}
    chosen = [question for question in questions if rule is None or question["rule_id"] in rule]
    chosen = [question for question in chosen if (question["table_name"], question["rule_id"]) not in known]
    if not chosen:
        givers = ", ".join(sorted(set(known.values())))
        raise UsageError(
            f"{day} is already approved by {givers}", next_command=f"regulars run --date {day} --from clean"
        )
    given = [
        {"table_name": q["table_name"], "rule_id": q["rule_id"], "by": by, "reason": reason, "at": datetime.now(UTC)}
        for q in chosen
    ]
    approvals.add(warehouse, day, given)
    answer({"date": str(day), "approved": [question["rule_id"] for question in chosen]})
