"""The model that compares records: fitted on the first night that has enough of them, frozen from then on."""

from __future__ import annotations

import duckdb

from jobs.linking import model
from jobs.linking.model import Linkage
from jobs.steps.context import Context
from jobs.storage import files
from jobs.storage.night import Night

#: where a night keeps it
FOLDER, FILE = "linkage", "linkage.json"


def tonights(context: Context, database: duckdb.DuckDBPyConnection) -> tuple[Linkage | None, str | None]:
    """The frozen model, or one fitted tonight; else why there is none.

    Args:
        context: of the night.
        database: holds ``contacts``.
    """
    if context.settings.identity.linkage == "off":
        return None, "identity.linkage is off"
    night = context.night
    night.restore(context.base, "models", FOLDER)
    path = night.table("models", FOLDER) / FILE
    if path.is_file():
        return Linkage.from_json(path.read_text("utf-8")), None
    try:
        fitted = model.fit(database, f"linkage-{context.day}")
    except ValueError as error:
        return None, str(error)
    files.write_text(path, fitted.to_json())
    return fitted, None


def version_of(night: Night | None) -> str | None:
    """Which model a night went by."""
    found: str | None = None if night is None else night.records().get("identity", {}).get("linkage", {}).get("version")
    return found
