"""Making a night what consumers see: permissions, the flip, links by date, retention."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from jobs import faultpoints
from jobs.storage import files
from jobs.storage.night import Night
from jobs.storage.warehouse import Warehouse

RESTRICTED = "restricted"


def open_to_readers(night: Night) -> None:
    """Let everyone read the published tables and nothing else of the night."""
    os.chmod(night.path, files.OPEN_DIR)
    root = night.path / "published"
    os.chmod(root, files.OPEN_DIR)
    for folder, names, parts in os.walk(root):
        if Path(folder) == root and RESTRICTED in names:
            names.remove(RESTRICTED)
        for name in names:
            os.chmod(Path(folder) / name, files.OPEN_DIR)
        for name in parts:
            os.chmod(Path(folder) / name, files.OPEN_FILE)
        faultpoints.reach("publish.folder_opened")


def flip(warehouse: Warehouse, night: Night) -> bool:
    """Point ``current`` at a published night unless a later date is already shown; returns whether it moved."""
    shown = warehouse.current()
    if shown is not None and (shown.date, shown.run) >= (night.date, night.run):
        return False
    faultpoints.reach("flip.before")
    files.replace_link(warehouse.current_link, f"nights/{night.path.name}")
    faultpoints.reach("flip.after")
    return True


def repair_links(warehouse: Warehouse, going: Collection[Night] = ()) -> None:
    """Make every derived link right: ``published/current`` and ``by_date`` follow the newest runs.

    Args:
        warehouse: whose links.
        going: nights about to be deleted; no link may lead to them.
    """
    for folder in (warehouse.root, warehouse.nights, warehouse.published_link.parent):
        folder.mkdir(parents=True, exist_ok=True)
        os.chmod(folder, files.OPEN_DIR)
    if not warehouse.published_link.is_symlink():
        files.replace_link(warehouse.published_link, "../current/published")
    wanted = _by_date(warehouse, going)
    for link, target in wanted.items():
        if not link.is_symlink() or os.readlink(link) != target:
            files.replace_link(link, target)
            faultpoints.reach("links.one_made")
    if warehouse.by_date.is_dir():
        for link in warehouse.by_date.glob("*/ds=*"):
            if link not in wanted:
                link.unlink()
                faultpoints.reach("links.one_gone")
        for folder in (warehouse.by_date, *warehouse.by_date.iterdir()):
            os.chmod(folder, files.OPEN_DIR)


def _by_date(warehouse: Warehouse, going: Collection[Night]) -> dict[Path, str]:
    newest = {night.date: night for night in warehouse.published() if night not in going}
    return {
        warehouse.by_date / table / f"ds={day}": f"../../../nights/{night.path.name}/published/{table}"
        for day, night in newest.items()
        for table in night.tables("published")
        if table != RESTRICTED
    }


def settle(warehouse: Warehouse) -> None:
    """Do what a run may still owe after its night was closed: the flip and the links."""
    newest = max(warehouse.published(), key=lambda night: (night.date, night.run), default=None)
    if newest is not None:
        flip(warehouse, newest)
    repair_links(warehouse)


def retire(warehouse: Warehouse, keep: int) -> list[str]:
    """Delete nights beyond the newest ``keep`` dates; returns their names.

    What ``current`` shows always stays. Of a date that was run again the newest run stays, and the one before it
    until the date itself goes: a reader may have resolved it.
    """
    nights = warehouse.published()
    kept_dates = sorted({night.date for night in nights})[-keep:]
    shown = warehouse.current()
    going = []
    for night in nights:
        runs = [other.run for other in nights if other.date == night.date]
        old = night.date not in kept_dates or night.run not in runs[-2:]
        if old and (shown is None or night.path != shown.path):
            going.append(night)
    if going:
        repair_links(warehouse, going)
    for night in going:
        warehouse.remove(night)
        faultpoints.reach("retire.one_gone")
    return [night.path.name for night in going]
