"""``regulars doctor --repair``: the pointer back on sound ground."""

from __future__ import annotations

from jobs.cli.app import say
from jobs.cli.checks import readable
from jobs.errors import ContractError
from jobs.settings import Settings
from jobs.storage import files, publish
from jobs.storage.lock import WriterLock
from jobs.storage.manifest import damaged_files
from jobs.storage.night import Night
from jobs.storage.warehouse import Warehouse, new_run_id

SET_ASIDE = ".damaged-"


def repair(settings: Settings) -> None:
    """Point ``current`` at the newest sound night; newer damaged ones are set aside, not deleted.

    Raises:
        ContractError: a run is at work, or no night is sound.
    """
    warehouse = Warehouse(settings.warehouse)
    warehouse.check_writable()
    if warehouse.published():
        WriterLock(warehouse.runtime / "lock").acquire(f"repair-{new_run_id()}", "repair", wait_seconds=0)
    sound, damaged = sorted_out(warehouse)
    for night in sound:
        say(f"good: {night.date} run {night.run}")
    if damaged and not sound:
        raise ContractError(
            f"none of {len(damaged)} nights is sound",
            next_command="restore the warehouse from a backup, or load it anew",
        )
    for night in damaged:
        _set_aside(night)
    if sound:
        files.replace_link(warehouse.current_link, f"nights/{sound[-1].path.name}")
        say(f"current is {sound[-1].date} run {sound[-1].run}")
    elif warehouse.current_link.is_symlink():
        warehouse.current_link.unlink()
        say("no night is published; the pointer that led nowhere is gone")
    publish.repair_links(warehouse)


def sorted_out(warehouse: Warehouse) -> tuple[list[Night], list[Night]]:
    """Published nights that are as their manifests say, and those that are not; by date and run."""
    sound, damaged = list[Night](), list[Night]()
    for night in warehouse.published():
        (sound if readable(night) and not damaged_files(night) else damaged).append(night)
    return sound, damaged


def _set_aside(night: Night) -> None:
    """Give a damaged night a name that nothing takes for a night's, so that no run starts from it."""
    name = f"{SET_ASIDE}{night.date}-{night.run}"
    night.path.rename(night.path.with_name(name))
    say(f"damaged: {night.date} run {night.run}, set aside as {name}; delete it when it is of no more use")
