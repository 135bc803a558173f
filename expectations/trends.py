"""Nights beside one another: what a number was on the nights kept, and the small charts that show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from jobs import judged

Verdict = Mapping[str, Any]
#: of a chart, in units of its own; the page scales it
WIDTH, HEIGHT = 120.0, 28.0
#: bars are as many at least, so that two nights do not look like a wall
SLOTS = 10
#: ends of rules on a whole table: they fail or pass, and rows that failed say nothing
WHOLE = (".usual", ".columns.known", ".columns", ".schema", ".conserved", ".not_empty")
LOWEST = 1.5  #: height of the bar of a 0


@dataclass(frozen=True)
class Told:
    """A night as its records tell it.

    Args:
        day: its business date.
        run: its run.
        records: step -> what the step recorded.
    """

    day: date
    run: str
    records: judged.Records

    @cached_property
    def verdicts(self) -> dict[tuple[str, str], Verdict]:
        """(table, rule) -> verdict."""
        return {(str(v["table_name"]), str(v["rule_id"])): v for v in judged.verdicts(self.records)}

    @cached_property
    def landings(self) -> dict[str, Mapping[str, Any]]:
        """Feed -> what its extraction came to."""
        return {
            feed: landing
            for step, record in self.records.items()
            if step.startswith("extract.")
            for feed, landing in record.items()
            if isinstance(landing, dict)
        }

    @property
    def is_first(self) -> bool:
        """It took in, or computed anew, what many nights brought; its amounts compare with no other night's."""
        begun = self.records.get("begin", {})
        return begun.get("base") is None or bool(begun.get("full"))

    @property
    def read(self) -> int:
        """Rows and lines that all feeds brought."""
        return sum(int(landing["rows"]) + int(landing["rejected"]) for landing in self.landings.values())

    @property
    def set_aside(self) -> int:
        """Rows that are in no table tonight: unreadable lines, rows that failed a rule, rows held for being late."""
        aside = sum(sum(feeds.values()) for feeds in self.records.get("gate_raw", {}).get("quarantined", {}).values())
        held = sum(one.get("held", 0) for one in self.records.get("conservation", {}).values())
        return int(aside + held + sum(landing["rejected"] for landing in self.landings.values()))

    @property
    def repeated(self) -> int:
        """Rows among those set aside that an earlier night has set aside already."""
        return sum(sum(feeds.values()) for feeds in self.records.get("gate_raw", {}).get("repeated", {}).values())

    @property
    def failed(self) -> list[Verdict]:
        """Verdicts of rules that failed and are more than a notice."""
        return [verdict for verdict in self.verdicts.values() if judged.warns(verdict)]

    def measure(self, table: str, rule_id: str) -> float | None:
        """What a rule that compares nights has measured; None where it has measured nothing."""
        name = table.partition(".")[2]
        if rule_id == f"{name}.rows.usual":
            return None if self.is_first or name not in self.landings else float(self.landings[name]["rows"])
        found = self.records.get("gate_raw", {}).get("measures", {}).get(name, {}).get(rule_id)
        return None if found is None else float(found)

    @property
    def seconds(self) -> dict[str, float]:
        """Step (with its source) -> seconds."""
        return {
            step.removeprefix("time."): float(record["seconds"])
            for step, record in self.records.items()
            if step.startswith("time.")
        }


@dataclass(frozen=True)
class Bar:
    """One night of a chart."""

    x: float
    y: float
    width: float
    height: float
    label: str
    is_tonight: bool


@dataclass(frozen=True)
class Chart:
    """A row of bars, the last one tonight's, and the same in words."""

    label: str
    bars: tuple[Bar, ...]
    width: float = WIDTH
    height: float = HEIGHT


@dataclass(frozen=True)
class Nights:
    """Tonight and the kept nights before it, oldest first."""

    tonight: Told
    earlier: Sequence[Told]

    @property
    def all(self) -> tuple[Told, ...]:
        """Tonight last."""
        return (*self.earlier, self.tonight)

    def series(self, measure: Callable[[Told], float | None]) -> list[tuple[date, float | None]]:
        """A number on every night; None where a night has none."""
        return [(night.day, measure(night)) for night in self.all]

    def before(self, measure: Callable[[Told], float | None]) -> list[float]:
        """A number on those of the nights before that have it, oldest first."""
        return [value for night in self.earlier if (value := measure(night)) is not None]

    def chart(self, name: str, measure: Callable[[Told], float | None], say: Callable[[float], str]) -> Chart | None:
        """The number over the nights as a chart; None where it has been 0 or unknown on all of them.

        Args:
            name: what the number is, for those who hear the page.
            measure: the number of a night.
            say: how it is written.
        """
        series = self.series(measure)
        highest = max((value for _, value in series if value is not None), default=0)
        if highest <= 0:
            return None
        slot = WIDTH / max(len(series), SLOTS)
        start = WIDTH - slot * len(series)
        bars = [
            _bar(start + slot * number, slot, value / highest, f"{day}: {say(value)}", day == self.tonight.day)
            for number, (day, value) in enumerate(series)
            if value is not None
        ]
        words = ", ".join(f"{day:%d %b} {say(value)}" for day, value in series if value is not None)
        return Chart(f"{name} by night: {words}", tuple(bars))


def _bar(x: float, slot: float, share: float, label: str, is_tonight: bool) -> Bar:
    height = max(share * HEIGHT, LOWEST)
    return Bar(round(x, 2), round(HEIGHT - height, 2), round(slot * 0.78, 2), round(height, 2), label, is_tonight)


def is_whole(verdict: Verdict) -> bool:
    """Its rule is on a whole table."""
    return str(verdict["rule_id"]).endswith(WHOLE)


def repeated(verdict: Verdict) -> int:
    """Failed rows that an earlier night has set aside already; nights before that was told apart know of none."""
    return int(verdict.get("rows_repeated") or 0)


def share_new(verdict: Verdict | None) -> float | None:
    """As :func:`share_failed`, without the rows that an earlier night has set aside already."""
    if verdict is None or not repeated(verdict):
        return share_failed(verdict)
    return share_failed({**verdict, "rows_failed": int(verdict["rows_failed"]) - repeated(verdict)})


def share_failed(verdict: Verdict | None) -> float | None:
    """Failed rows over checked ones, 0 or 1 for a rule on a whole table; None where the rule was not asked."""
    if verdict is None:
        return None
    if is_whole(verdict):
        return float(not verdict["is_passed"])
    checked = int(verdict["rows_checked"])
    if checked <= 0:
        return None if verdict["is_passed"] else 1.0
    return min(int(verdict["rows_failed"]) / checked, 1.0)
