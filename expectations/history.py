"""What is usual: bounds for counts, shares and means that follow from earlier nights, with no bound set by hand.

A night's measure is held against those of earlier nights: of the same weekday where there are enough, else of all. What
is usual is their median, give or take a number of robust standard deviations (1.4826 times the median absolute
deviation, Rousseeuw and Croux 1993), and never less than what any business varies by.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any, Literal

from expectations.structural import OWNER
from expectations.verdict import Verdict
from jobs.storage.night import Night

MEASURES = Path(__file__).parent / "business" / "history.json"
#: standard deviation of normally distributed values over their median absolute deviation
ROBUST = 1.4826
#: earlier nights of the same weekday that are enough to be compared with alone
SAME_WEEKDAYS = 4

Kind = Literal["amount", "share"]
#: feed -> what its extraction came to
Landings = Mapping[str, Mapping[str, Any]]
#: amounts are compared by their ratio, shares by their difference; below this spread nothing is unusual
_FLOOR: dict[str, float] = {"amount": 0.15, "share": 0.02}
_SCALE: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "amount": (math.log1p, math.expm1),
    "share": (float, float),
}


@dataclass(frozen=True)
class Judgement:
    """How strict history is."""

    min_nights: int  #: earlier nights below which nothing is judged
    deviations: float  #: robust standard deviations from the median that are still usual


@dataclass(frozen=True)
class Usual:
    """From where to where a measure usually is."""

    low: float
    high: float
    nights: int  #: earlier nights that say so


def usual(earlier: Mapping[date, float], day: date, kind: Kind, judgement: Judgement) -> Usual | None:
    """What a measure of ``day`` should lie between; None where too few nights say.

    Args:
        earlier: business date -> the measure.
        day: tonight's business date.
        kind: how values are compared.
        judgement: how strictly.
    """
    alike = [value for night, value in earlier.items() if night.weekday() == day.weekday()]
    values = alike if len(alike) >= SAME_WEEKDAYS else list(earlier.values())
    if len(values) < min(judgement.min_nights, SAME_WEEKDAYS) or len(earlier) < judgement.min_nights:
        return None
    to, back = _SCALE[kind]
    scaled = [to(value) for value in values]
    centre = median(scaled)
    spread = max(ROBUST * median(abs(value - centre) for value in scaled), _FLOOR[kind])
    reach = judgement.deviations * spread
    return Usual(back(centre - reach), back(centre + reach), len(values))


@dataclass(frozen=True)
class Past:
    """An earlier night, its manifest read once."""

    day: date
    base_day: date | None  #: of the night that it started from; the first night has none
    records: Mapping[str, Any]  #: step -> what it said

    @property
    def is_ordinary(self) -> bool:
        """It brought a day's rows: not the first, which loads history, none rebuilt in full, and no part of a day."""
        begun = self.records["begin"]
        return self.base_day is not None and not begun.get("full", False) and not begun.get("refresh", False)


def lineage(base: Night | None) -> list[Past]:
    """The night that tonight starts from, the one that that one started from, and so on as far as they are kept."""
    found = []
    while base is not None:
        manifest = base.manifest()
        before = Night.at(base.path.parent / manifest["base"]) if manifest["base"] else None
        found.append(Past(base.date, before.date if before else None, manifest["steps"]))
        base = before if before is not None and before.path.is_dir() else None
    return found


def measures(table: str) -> list[dict[str, Any]]:
    """The declared measures of a canonical entity: rule_id, sql, kind, sentence, owner."""
    declared = json.loads(MEASURES.read_text("utf-8"))["measures"]
    return [one for one in declared if one["table"] == table]


def judged(
    table_name: str, declared: Mapping[str, Any], value: float | None, found: Usual | None, *, rows: int
) -> Verdict:
    """Whether a measure is usual."""
    passed = found is None or value is None or found.low <= value <= found.high
    sentence = declared["sentence"]
    if found is None:
        sentence += " Too few nights to say."
    else:
        said = "nothing" if value is None else f"{value:.4g}"
        sentence += f" Tonight {said}, usually {max(found.low, 0):.4g} to {found.high:.4g} ({found.nights} nights)."
    return Verdict(
        table_name, declared["rule_id"], sentence, "critical", rows, int(not passed), passed,
        "none" if passed else "blocked", declared.get("owner", OWNER),
    )  # fmt: skip


def volumes(landings: Landings, past: Sequence[Past], day: date, how: Judgement) -> list[Verdict]:
    """Whether each feed brought as many rows as it usually does."""
    return [_volume(feed, landing, past, day, how) for feed, landing in sorted(landings.items())]


def _volume(feed: str, landing: Mapping[str, Any], past: Sequence[Past], day: date, how: Judgement) -> Verdict:
    before = {}
    for night in past:
        then = night.records.get(f"extract.{feed.partition('.')[0]}", {}).get(feed)
        if night.is_ordinary and then is not None:
            before[night.day] = _per_day(then, night.day, night.base_day)
    tonight = _per_day(landing, day, past[0].day if past else None)
    declared = {"rule_id": f"{feed}.rows.usual", "sentence": "The feed brings about as many rows a day as it did."}
    rows = landing["rows"] + landing["rejected"]
    return judged(f"raw.{feed}", declared, tonight, usual(before, day, "amount", how), rows=rows)


def _per_day(landing: Mapping[str, Any], day: date, before: date | None) -> float:
    """Rows a day of a feed that brings what is new since the night before; of one that is read whole, its rows."""
    rows = float(landing["rows"] + landing["rejected"])
    return rows / max((day - before).days, 1) if before is not None and _is_by_day(landing) else rows


def _is_by_day(landing: Mapping[str, Any]) -> bool:
    """It brings what is new; other feeds are read whole every night."""
    return landing["cursor_to"] is not None or bool(landing["files"])


def shapes(
    table: str, values: Mapping[str, float | None], rows: int, past: Sequence[Past], day: date, how: Judgement
) -> list[Verdict]:
    """Whether an entity's shares and means are as they usually are.

    Args:
        table: the canonical entity.
        values: rule id -> tonight's measure.
        rows: accepted rows of tonight.
        past: earlier nights.
        day: tonight's business date.
        how: how strictly.
    """
    verdicts = []
    for declared in measures(table):
        rule_id = declared["rule_id"]
        before = {
            night.day: float(then)
            for night in past
            if night.is_ordinary
            and (then := night.records["gate_raw"].get("measures", {}).get(table, {}).get(rule_id)) is not None
        }
        found = usual(before, day, declared["kind"], how)
        verdicts.append(judged(f"conformed.{table}", declared, values[rule_id], found, rows=rows))
    return verdicts
