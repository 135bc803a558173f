"""What people approved: for one business date, verdicts that may not stop it."""

from __future__ import annotations

from datetime import date
from typing import Any

from jobs.storage import files
from jobs.storage.warehouse import Warehouse


def of(warehouse: Warehouse, day: date) -> list[dict[str, Any]]:
    """Approvals of a date, oldest first: table_name, rule_id, by, reason, at."""
    path = warehouse.approvals / f"{day}.json"
    return list(files.read_json(path)) if path.is_file() else []


def add(warehouse: Warehouse, day: date, given: list[dict[str, Any]]) -> None:
    """Keep further approvals of a date beside those it has."""
    files.write_json(warehouse.approvals / f"{day}.json", [*of(warehouse, day), *given])
