"""Commands about rejected rows: which rule set them aside, and where each came from."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import pyarrow.parquet as pq
import typer

from jobs.cli.history import chosen
from jobs.cli.output import print_table
from jobs.settings import load_settings
from jobs.storage.night import PARTITION, Night
from jobs.storage.warehouse import Warehouse

quarantine = typer.Typer(help="Rejected rows, by reason.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(quarantine, name="quarantine")


@quarantine.callback()
def _group() -> None:
    """Rejected rows, by reason."""


@quarantine.command("show")
def show(
    date_: Annotated[str | None, typer.Option("--date", help="Business date; the newest night without.")] = None,
    rows: Annotated[int, typer.Option(help="Also list this many places (file and line) per table.")] = 5,
) -> None:
    """Rows that a night set aside: how many by rule, and the file and line of some; never what was in them."""
    night = chosen(Warehouse(load_settings().warehouse), date_)
    counts: list[list[str]] = []
    places: list[list[str]] = []
    for table in night.tables("quarantine"):
        found = _reasons(night, table)
        tally = Counter(reason for _, _, reasons in found for reason in reasons)
        counts += [[table, reason, str(count)] for reason, count in tally.most_common()]
        places += [[table, file, str(line), ", ".join(reasons)] for file, line, reasons in sorted(found)[:rows]]
    state = "open, not published" if night.is_open else "published"
    print(f"night {night.date} ({state}), run {night.run}")
    print_table(["table", "rule", "rows"], counts)
    if places:
        print_table(["table", "file", "line", "rules"], places)


def _reasons(night: Night, table: str) -> list[tuple[str, int, list[str]]]:
    """(file, line, rules) of a table's rows that this night set aside."""
    folder = night.table("quarantine", table) / f"{PARTITION}={night.date}"
    found = []
    for part in sorted(folder.glob("*.parquet")):
        names = pq.read_schema(part).names
        column = "_failed" if "_failed" in names else "reason"
        for row in pq.ParquetFile(part).read(columns=["_file", "_row", column]).to_pylist():
            said = row[column]
            found.append((row["_file"] or "", row["_row"] or 0, said if isinstance(said, list) else [said]))
    return found
