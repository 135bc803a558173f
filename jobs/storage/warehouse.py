"""The warehouse: its nights, the one pointer, what is left over, how long nights are kept."""

from __future__ import annotations

import os
import secrets
import time
from datetime import date
from pathlib import Path

from jobs import faultpoints
from jobs.errors import ContractError, EnvironmentFault
from jobs.storage import files
from jobs.storage.night import MANIFEST, OPEN_SUFFIX, STAGING, ZONES, Night


def new_run_id() -> str:
    """A run's name: when it was started, so that names sort, and four random hex digits."""
    return time.strftime("%Y%m%dT%H%M%S", time.gmtime()) + "-" + secrets.token_hex(2)


#: a night's directory has such a name while it is being laid out or deleted; nothing takes it for a night
PASSING = ".passing-"


class Warehouse:
    """The tree below one folder.

    Args:
        root: the folder; made when a night is first opened.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.nights = self.root / "nights"
        self.current_link = self.root / "current"
        self.published_link = self.root / "published" / "current"
        self.by_date = self.root / "published" / "by_date"
        self.approvals = self.root / "approvals"
        self.runtime = self.root / ".run"

    # what is there

    def published(self) -> list[Night]:
        """Published nights by date and run, every run of a date."""
        return [night for night in self._all() if not night.is_open and (night.path / MANIFEST).is_file()]

    def latest(self, day: date) -> Night | None:
        """The newest published run of a date."""
        return max((n for n in self.published() if n.date == day), key=lambda n: n.run, default=None)

    def base_of(self, day: date) -> Night | None:
        """The night that a night of ``day`` starts from: the newest published one before it."""
        return max((n for n in self.published() if n.date < day), key=lambda n: (n.date, n.run), default=None)

    def open_nights(self) -> list[Night]:
        """Nights begun and not published, by date and run."""
        return [night for night in self._all() if night.is_open]

    def open_night(self, run: str) -> Night:
        """The open night of a run.

        Raises:
            ContractError: there is none, which is also how a run finds out that another took its place.
        """
        for night in self.open_nights():
            if night.run == run:
                return night
        raise ContractError(f"run {run} has no open night in {self.nights}", next_command="regulars status")

    def current(self) -> Night | None:
        """The night that ``current`` points at.

        Raises:
            ContractError: the pointer leads nowhere or to something that is no published night.
        """
        if not self.current_link.is_symlink():
            return None
        path = self.root / os.readlink(self.current_link)
        if not (path / MANIFEST).is_file():
            raise ContractError(
                f"pointer {self.current_link} leads to {path.name}, which is no published night",
                next_command="regulars doctor --repair",
            )
        return Night.at(path)

    def is_stale(self, night: Night) -> bool:
        """A night is stale while it would start from another one now: an earlier date was run since."""
        base_name = night.manifest()["base"]
        if base_name is None:
            return False
        base = Night.at(self.nights / base_name)
        newest = self.base_of(night.date)
        if newest is None:  # retired: nothing can be run again under it
            return False
        return newest.path != base.path or self.is_stale(base)

    def _all(self) -> list[Night]:
        if not self.nights.is_dir():
            return []
        found = (Night.at(path) for path in self.nights.iterdir() if path.is_dir() and "." in path.name[1:])
        return sorted(found, key=lambda night: (night.date, night.run))

    # building

    def check_writable(self) -> None:
        """Prove that files can be written, before anything is extracted.

        Raises:
            EnvironmentFault: they cannot, and why.
        """
        probe = self.root / f".probe.{os.getpid()}"
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            probe.write_text("x")
            probe.unlink()
        except OSError as error:
            raise EnvironmentFault(
                f"the warehouse {self.root} cannot be written: {error.strerror}", next_command="regulars doctor"
            ) from error

    def begin(self, day: date, run: str) -> Night:
        """Open a night as links to the files of the one it starts from, whole or not at all. The lock must be held.

        Nights that earlier runs left open are swept first: nothing reads them and nothing is in them
        that a rerun does not make again.
        """
        self.sweep()
        faultpoints.reach("begin.swept")
        draft = Night(self.nights / f"{PASSING}{day}-{run}", day, run)
        base = self.base_of(day)
        draft.path.mkdir(parents=True)
        for zone in ZONES:
            draft.restore(base, zone)
            faultpoints.reach("begin.zone_linked")
        draft.report.unlink(missing_ok=True)  # the other night's; it may never be taken for this one's
        draft.record("begin", {"base": base.path.name if base else None})
        faultpoints.reach("begin.recorded")
        night = Night(self.nights / f"{day}.{run}{OPEN_SUFFIX}", day, run)
        os.rename(draft.path, night.path)
        faultpoints.reach("begin.opened")
        return night

    def base(self, night: Night) -> Night | None:
        """The night that an open night was started from."""
        name = night.records()["begin"]["base"]
        return Night.at(self.nights / name) if name else None

    def sweep(self) -> list[str]:
        """Delete open nights; returns their names. The lock must be held."""
        left = self.open_nights()
        for night in left:
            self.discard(night)
        for passing in self.nights.glob(f"{PASSING}*"):
            files.remove_tree(passing)
        return [night.path.name for night in left]

    def discard(self, night: Night) -> None:
        """Delete an open night."""
        if not night.is_open:
            raise ValueError(f"{night.path.name} is published")
        self.remove(night)

    def remove(self, night: Night) -> None:
        """Delete a night at once for everybody else: half a night is never seen as one."""
        passing = self.nights / f"{PASSING}{night.date}-{night.run}"
        os.rename(night.path, passing)
        faultpoints.reach("remove.out_of_sight")
        files.remove_tree(passing)

    def close(self, night: Night) -> Night:
        """Turn an open night into a published one of its date, in one rename. Nobody is pointed at it yet."""
        files.remove_tree(night.path / STAGING)
        faultpoints.reach("close.staging_gone")
        files.sync(night.path)
        path = night.path.with_name(night.path.name.removesuffix(OPEN_SUFFIX))
        os.rename(night.path, path)
        faultpoints.reach("close.renamed")
        files.sync(self.nights)
        return Night(path, night.date, night.run)
