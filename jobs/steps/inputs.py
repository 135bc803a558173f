"""What a night was made from: when all of it is the same again, there is nothing to do."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from jobs.settings import Settings
from jobs.steps import admission, decisions
from jobs.steps.context import Context
from jobs.storage.night import Night

#: settings that decide where and how fast, not what comes out
_NOT_CONTENT = {"warehouse", "engine", "engine_options", "retention"}


def settings_hash(settings: Settings) -> str:
    """Hash of the settings that decide what comes out."""
    content = settings.model_dump(mode="json", exclude=_NOT_CONTENT)
    return _hash(json.dumps(content, sort_keys=True))


def code_version() -> str:
    """Hash of our own code: the same code, the same version."""
    root = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for folder in ("jobs", "expectations"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".py", ".json", ".sql") and "sample" not in path.parts:
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def landings(night: Night) -> dict[str, Any]:
    """Feed -> landing, over all sources of a night."""
    found: dict[str, Any] = {}
    for step, record in night.records().items():
        if step.startswith("extract."):
            found |= record
    return found


def fingerprint(context: Context) -> str:
    """Hash of everything tonight's tables follow from: rows, the night before, settings, code."""
    rows = {feed: landing["content_hash"] for feed, landing in sorted(landings(context.night).items())}
    base = context.base.path.name if context.base else None
    again = [context.judges_earlier, admission.of_date(context.night), context.night.is_refresh]
    again.append(decisions.content(context.settings.identity.decisions))
    return _hash(json.dumps([rows, base, again, settings_hash(context.settings), code_version()]))


def unchanged(context: Context) -> Night | None:
    """The published night of this date that came from exactly the same, if there is one and it may stand."""
    if context.full:
        return None
    night = context.warehouse.latest(context.day)
    if night is not None and night.manifest()["fingerprint"] == fingerprint(context):
        return night
    return None


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
