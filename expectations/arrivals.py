"""Verdicts on what arrived, from the landings alone, before any heavy work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from expectations.history import Landings, Past
from expectations.verdict import Verdict


def not_empty(feed: str, landing: Mapping[str, Any], allowed: bool) -> Verdict:
    """The feed brings rows."""
    empty = landing["rows"] == 0
    growing = [str(f["name"]) for f in landing["files"] if f["status"] == "growing"]
    hint = f" ({len(growing)} files were still growing)" if growing else ""
    return Verdict(
        f"raw.{feed}", f"{feed}.not_empty", f"The feed brings rows, or is allowed to bring none{hint}.",
        "info" if allowed else "critical", landing["rows"], int(empty), not empty,
        "none" if not empty else "reported" if allowed else "blocked",
    )  # fmt: skip


def parsable(feed: str, landing: Mapping[str, Any], max_share: float, min_rows: int) -> Verdict:
    """Lines can be split into columns; those that cannot are in quarantine, and too many of them stop the night."""
    total = landing["rows"] + landing["rejected"]
    too_many = total >= min_rows and landing["rejected"] > total * max_share
    return Verdict(
        f"raw.{feed}", f"{feed}.parsable", "Every line can be split into its columns.",
        "critical" if too_many else "warning", total, landing["rejected"], landing["rejected"] == 0,
        "none" if not landing["rejected"] else "blocked" if too_many else "quarantined",
    )  # fmt: skip


def filled_files(feed: str, landing: Mapping[str, Any]) -> Verdict:
    """A file that came holds something; an empty one beside good ones may be a till that failed."""
    came = [f for f in landing["files"] if f["status"] in ("landed", "empty")]
    empty = sorted(str(f["name"]) for f in came if f["status"] == "empty")
    said = f"; empty: {', '.join(empty)}" if empty else ""
    return Verdict(
        f"raw.{feed}", f"{feed}.files.filled", f"Every file that came holds rows{said}.",
        "info", len(came), len(empty), not empty, "reported" if empty else "none",
    )  # fmt: skip


def known_columns(landings: Landings, past: Sequence[Past]) -> list[Verdict]:
    """A source's columns are those it had; a new one is carried raw and goes no further until a mapping names it."""
    before: dict[str, set[str]] = {}
    for night in past:
        for step, record in night.records.items():
            for feed, landing in record.items() if step.startswith("extract.") else ():
                before.setdefault(feed, set()).update(landing["columns"])
    return [_known_columns(feed, landing, before.get(feed, set())) for feed, landing in sorted(landings.items())]


def _known_columns(feed: str, landing: Mapping[str, Any], before: set[str]) -> Verdict:
    new = sorted(set(landing["columns"]) - before) if before else []
    said = f"; new: {', '.join(new)}" if new else ""
    return Verdict(
        f"raw.{feed}", f"{feed}.columns.known", f"The source has the columns it had before{said}.",
        "warning", landing["rows"], int(bool(new)), not new, "reported" if new else "none",
    )  # fmt: skip
