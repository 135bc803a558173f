"""Small durable file operations: write whole or not at all, link trees, hash."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from jobs import faultpoints

RESTRICTED_DIR = 0o700
OPEN_DIR = 0o755
OPEN_FILE = 0o644


def sync(path: Path) -> None:
    """Make a file's content, or a folder's entries, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Put a new file in the place of ``path`` in one rename; an existing file is never written into."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    faultpoints.reach("files.text_written")
    os.replace(temporary, path)
    sync(path.parent)


def write_json(path: Path, content: Any) -> None:
    """:func:`write_text` of sorted, indented JSON."""
    write_text(path, json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, default=str) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is damaged.
    """
    return json.loads(path.read_text(encoding="utf-8"))


def link_tree(source: Path, target: Path) -> int:
    """Make ``target`` a tree of hard links to the files below ``source``; returns their number."""
    count = 0
    for folder, names, files in os.walk(source):
        names.sort()
        here = target / Path(folder).relative_to(source)
        here.mkdir(parents=True, exist_ok=True)
        for name in files:
            os.link(os.path.join(folder, name), here / name)
            count += 1
    return count


def remove_tree(path: Path) -> None:
    """Delete a folder and all below it, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def replace_link(link: Path, target: str) -> None:
    """Point a symbolic link at ``target`` in one rename."""
    link.parent.mkdir(parents=True, exist_ok=True)
    temporary = link.with_name(f".{link.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    faultpoints.reach("files.link_made")
    os.replace(temporary, link)
    sync(link.parent)
