"""The steps of a night: name, what each reads, what it writes. ``dags/nightly.py`` is held to it by a test."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One step: a process of its own under Airflow, a call in ``regulars run``."""

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    does: str
    each_source: bool = False  #: once per source, side by side

    def follows(self, other: Step) -> bool:
        """It reads what the other writes."""
        return bool(set(self.reads) & set(other.writes))


STEPS: tuple[Step, ...] = (
    Step("extract", ("sources",), ("raw", "vault"), "read a source; contact data to the vault", each_source=True),
    Step(
        "gate_raw", ("raw",), ("judged", "quarantine"), "map to the canonical input; judge row by row, bad ones aside"
    ),
    Step("clean", ("judged",), ("clean",), "deduplicate, date and merge"),
    Step("gate_clean", ("clean",), ("clean, gated",), "judge what was merged; account for every row"),
    Step("identity", ("clean, gated",), ("identity",), "who is who"),
    Step("features", ("identity",), ("features",), "daily aggregates and customer features"),
    Step("segments", ("features",), ("segments",), "scores, segments, memberships, migrations"),
    Step("dimensions", ("segments",), ("dimensions",), "dimension tables and the crosswalk"),
    Step("gate_published", ("dimensions",), ("published, gated",), "read the tables back and judge them"),
    Step("publish", ("published, gated",), ("current",), "manifest, flip, links, retention"),
)
BY_NAME = {step.name: step for step in STEPS}


def names_from(first: str | None) -> list[str]:
    """Step names from one on, all without.

    Raises:
        KeyError: there is no such step.
    """
    names = [step.name for step in STEPS]
    if first is None:
        return names
    if first not in BY_NAME:
        raise KeyError(first)
    return names[names.index(first) :]


def names_before(first: str | None) -> list[str]:
    """Step names before one."""
    names = [step.name for step in STEPS]
    return names[: names.index(first)] if first in names else []
