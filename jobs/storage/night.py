"""A night: one directory tree of immutable files that holds all state as of a business date."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import pyarrow.parquet as pq

from jobs import faultpoints
from jobs.storage import files

Zone = Literal["raw", "vault", "clean", "quarantine", "identity", "features", "models", "published"]
ZONES: tuple[Zone, ...] = ("raw", "vault", "clean", "quarantine", "identity", "features", "models", "published")

#: working space of an open night; gone when it is published
STAGING = ".staging"
LOG = "log"
OPEN_SUFFIX = ".open"
MANIFEST = "manifest.json"
PARTITION = "ds"
#: the page about a night's quality, which its readers find beside the tables
REPORT = "quality.html"


@dataclass(frozen=True)
class Night:
    """Where one night's files are."""

    path: Path
    date: date
    run: str

    @classmethod
    def at(cls, path: Path) -> Night:
        """The night in a directory, whose name says its date and run."""
        day, run = path.name.removesuffix(OPEN_SUFFIX).split(".", 1)
        return cls(path, date.fromisoformat(day), run)

    @property
    def is_open(self) -> bool:
        """It is being built and nobody reads it."""
        return self.path.name.endswith(OPEN_SUFFIX)

    @property
    def is_refresh(self) -> bool:
        """It holds a day that was not over when it was made."""
        return bool(self.records().get("begin", {}).get("refresh", False))

    def table(self, zone: Zone, table: str) -> Path:
        """Folder of a table's part files."""
        return self.path / zone / table

    @property
    def report(self) -> Path:
        """The page about this night's quality; not there until it is drawn."""
        return self.path / "published" / REPORT

    def staged(self, name: str) -> Path:
        """Folder of a working table, which is not part of the published night."""
        return self.path / STAGING / name

    def parts(self, zone: Zone, table: str) -> list[Path]:
        """The part files of a table in name order, those of all partitions."""
        return sorted(self.table(zone, table).rglob("*.parquet"))

    def tables(self, zone: Zone) -> list[str]:
        """Names of the tables that a zone holds."""
        root = self.path / zone
        return sorted(entry.name for entry in root.iterdir() if entry.is_dir()) if root.is_dir() else []

    def partitions(self, zone: Zone, table: str) -> list[str]:
        """Values of the partitions of a table, sorted."""
        root = self.table(zone, table)
        if not root.is_dir():
            return []
        return sorted(entry.name.split("=", 1)[1] for entry in root.iterdir() if entry.name.startswith(f"{PARTITION}="))

    def changed(self, base: Night, zone: Zone, table: str) -> bool:
        """Whether a table has other files than in the night this one started from; files are immutable."""
        return {part.name for part in self.parts(zone, table)} != {part.name for part in base.parts(zone, table)}

    def changed_partitions(self, base: Night, zone: Zone, table: str) -> set[str]:
        """Values of the partitions that have other files than in the night this one started from, or none any more."""
        now, before = ({(part.parent.name, part.name) for part in n.parts(zone, table)} for n in (self, base))
        return {folder.partition("=")[2] for folder, _ in now ^ before}

    def rows(self, zone: Zone, table: str, *, partition: str | None = None) -> int:
        """Rows of a table, or of one partition, by the footers of its files."""
        folder = self.table(zone, table) / f"{PARTITION}={partition}" if partition else self.table(zone, table)
        return sum(int(pq.read_metadata(part).num_rows) for part in folder.rglob("*.parquet"))

    def adopt(self, staged: Path, zone: Zone, table: str, *, partitions: Iterable[str] | None = None) -> list[Path]:
        """Move written part files into a table, in the place of what it held.

        Args:
            staged: folder with part files, or with ``ds=...`` folders of them.
            zone: where the table is.
            table: its name.
            partitions: replace these partitions only (also such as have no new file); None for the whole table.

        Returns:
            the new part files.
        """
        target = self.table(zone, table)
        if partitions is None:
            files.remove_tree(target)
        else:
            for value in partitions:
                files.remove_tree(target / f"{PARTITION}={value}")
        faultpoints.reach("adopt.old_gone")
        target.mkdir(parents=True, exist_ok=True)
        moved = []
        for number, part in enumerate(sorted(staged.rglob("*.parquet"))):
            folder = target / part.parent.relative_to(staged)
            folder.mkdir(parents=True, exist_ok=True)
            new = folder / f"part-{self.run}-{number:05d}.parquet"
            files.sync(part)
            part.rename(new)
            moved.append(new)
            faultpoints.reach("adopt.part_moved")
        files.remove_tree(staged)
        return moved

    def restore(self, base: Night | None, zone: Zone, table: str = "") -> None:
        """Make a zone, or one table, what it was in the night this one started from, so that a step can begin again."""
        place = self.path / zone / table
        files.remove_tree(place)
        faultpoints.reach("restore.zone_gone")
        if base is not None and (base.path / zone / table).is_dir():
            files.link_tree(base.path / zone / table, place)
        else:
            place.mkdir(parents=True, exist_ok=True)

    def record(self, step: str, content: dict[str, Any]) -> None:
        """Keep what a step has to say for the manifest: counts and names, never rows."""
        files.write_json(self.path / LOG / f"{step}.json", content)

    def records(self) -> dict[str, Any]:
        """What the steps of this night have said so far, by step."""
        if not self.is_open:
            steps: dict[str, Any] = self.manifest()["steps"]
            return steps
        return {path.stem: files.read_json(path) for path in sorted((self.path / LOG).glob("*.json"))}

    def manifest(self) -> dict[str, Any]:
        """The manifest of a published night.

        Raises:
            FileNotFoundError: it was never published.
            ValueError: it is damaged.
        """
        content: dict[str, Any] = files.read_json(self.path / MANIFEST)
        return content
