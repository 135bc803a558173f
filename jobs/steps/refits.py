"""Models fitted anew, beside the nights until one takes them in: how they agree with the ones they follow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from jobs.storage import files
from jobs.storage.night import Night
from jobs.storage.warehouse import Warehouse

_REPORT = "refit.json"


@dataclass(frozen=True)
class Refit:
    """The last refit."""

    folder: Path
    report: dict[str, Any]

    @property
    def name(self) -> str:
        """Which one it is."""
        return str(self.report["refit"])

    @property
    def as_of(self) -> date:
        """The night whose customers it was fitted to."""
        return date.fromisoformat(self.report["as_of"])

    @property
    def is_accepted(self) -> bool:
        """It agrees well enough, or somebody let it through."""
        return bool(self.report["is_stable"] or self.report.get("approved_by"))


def last(warehouse: Warehouse) -> Refit | None:
    """The last refit, if there ever was one."""
    folder = warehouse.root / "refit"
    report = folder / _REPORT
    return Refit(folder, files.read_json(report)) if report.is_file() else None


def to_take_in(warehouse: Warehouse, base: Night | None, taken: str | None) -> Refit | None:
    """The refit that a night takes in: accepted, of the night that it follows or an earlier one, and not in it yet.

    Args:
        warehouse: where it waits.
        base: the night before; a first night takes in none.
        taken: the refit that the night before had, or ``None``.
    """
    waiting = last(warehouse)
    if waiting is None or base is None or not waiting.is_accepted or waiting.name == taken:
        return None
    return waiting if waiting.as_of <= base.date else None


def keep(warehouse: Warehouse, texts: dict[str, str], report: dict[str, Any]) -> Refit:
    """Write a refit in the place of an earlier one; the report comes last, so that half of one is none."""
    folder = warehouse.root / "refit"
    files.remove_tree(folder)
    for name, text in texts.items():
        files.write_text(folder / name, text)
    files.write_json(folder / _REPORT, report)
    return Refit(folder, report)


def approve(refit: Refit, by: str) -> None:
    """Somebody lets a refit through that does not agree well enough by itself."""
    files.write_json(refit.folder / _REPORT, refit.report | {"approved_by": by})
