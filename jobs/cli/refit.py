"""``regulars refit``: models fitted anew, beside the nights, until one may take them in."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from jobs.cli import output
from jobs.cli.app import say
from jobs.errors import ContractError, UsageError
from jobs.settings import load_settings
from jobs.storage.night import Night
from jobs.storage.warehouse import Warehouse

_APPROVE = "regulars refit --approve --by NAME"


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("refit")(refit)


def refit(
    approve: Annotated[bool, typer.Option("--approve", help="Let the last refit through as it is.")] = False,
    by: Annotated[str, typer.Option(help="Who approves; kept with the refit.")] = "",
) -> None:
    """Fit all models anew to the newest night; the next night takes them in if groups stay the same enough."""
    settings = load_settings()
    warehouse = Warehouse(settings.warehouse)
    if approve:
        _approve(warehouse, by)
        return
    from jobs.cli.expressions import session
    from jobs.steps.refitting import refit as fit_anew

    night = warehouse.current()
    if night is None:
        raise ContractError(f"nothing is published in {warehouse.root}", next_command="regulars run --date D")
    with session(settings) as spark:
        made = fit_anew(spark, settings, warehouse, Night.at(night.path.resolve()))
    rows = [_row(name, one) for name, one in made.report["models"].items() if "adjusted_rand_index" in one]
    header = ("model", "adjusted Rand index", "least Jaccard", "most drift (PSI)", "names kept", "new names")
    output.print_table(header, rows, title=f"fitted to the customers of {made.as_of}, beside the models of that night")
    for name, reason in made.report["not_fitted"].items():
        say(f"{name} is not fitted: {reason}")
    if not made.is_accepted:
        raise ContractError(
            f"an adjusted Rand index is below {made.report['asked']}: nights go on with the models they have; "
            f"the new ones and their cards are in {made.folder}",
            next_command=_APPROVE,
        )
    say(f"the next night after {made.as_of} takes them in; cards are in {made.folder}")


def _row(name: str, said: dict[str, Any]) -> tuple[str, ...]:
    new = sorted({*said["names"]} - {*said["kept"]})
    index, least = said["adjusted_rand_index"], min(said["jaccard_under_bootstrap"])
    most = max(said["drift"].values())
    return name, f"{index:.3f}", f"{least:.2f}", f"{most:.3f}", ", ".join(said["kept"]), ", ".join(new)


def _approve(warehouse: Warehouse, by: str) -> None:
    from jobs.steps import refits

    if not by.strip():
        raise UsageError("--by names nobody; an approval is on record with its giver", next_command=_APPROVE)
    last = refits.last(warehouse)
    if last is None:
        raise UsageError("no refit waits", next_command="regulars refit")
    if last.is_accepted:
        say("the last refit needs no approval")
        return
    refits.approve(last, by)
    say(f"the next night after {last.as_of} takes them in")
