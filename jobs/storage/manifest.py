"""The manifest of a night: every file with its rows and hash, and what every step said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from jobs import faultpoints
from jobs.storage import files
from jobs.storage.night import LOG, MANIFEST, ZONES, Night


def write_manifest(night: Night, base: Night | None, facts: dict[str, Any]) -> dict[str, Any]:
    """List the night's files and keep the steps' records beside them; returns the manifest.

    A file that is a link to one of the base night's keeps the entry it has there: it is the same file.
    """
    known = base.manifest()["files"] if base else {}
    listed = {}
    for zone in ZONES:
        for path in sorted((night.path / zone).rglob("*")):
            if path.is_file():
                name = str(path.relative_to(night.path))
                listed[name] = _known_entry(path, base, known.get(name)) or _entry(path)
    content = {
        "date": night.date,
        "run": night.run,
        "base": base.path.name if base else None,
        "steps": night.records(),
        "files": listed,
        **facts,
    }
    faultpoints.reach("manifest.listed")
    files.write_json(night.path / MANIFEST, content)
    faultpoints.reach("manifest.written")
    files.remove_tree(night.path / LOG)
    return content


def _known_entry(path: Path, base: Night | None, entry: dict[str, Any] | None) -> dict[str, Any] | None:
    if base is None or entry is None:
        return None
    twin = base.path / path.relative_to(path.parents[len(path.parts) - len(base.path.parts) - 1])
    return entry if twin.is_file() and twin.stat().st_ino == path.stat().st_ino else None


def _entry(path: Path) -> dict[str, Any]:
    entry: dict[str, Any] = {"bytes": path.stat().st_size, "sha256": files.sha256_of(path)}
    if path.suffix == ".parquet":
        metadata = pq.read_metadata(path)
        entry["rows"] = metadata.num_rows
    return entry


def damaged_files(night: Night) -> list[str]:
    """Files of a published night that are missing or are not what its manifest says."""
    listed: dict[str, Any] = night.manifest()["files"]
    return [
        name
        for name, entry in listed.items()
        if not (night.path / name).is_file() or files.sha256_of(night.path / name) != entry["sha256"]
    ]
