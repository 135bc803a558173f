"""What is usual: bounds for counts, shares and means that follow from earlier nights, with no bound set by hand.

A night's measure is held against those of earlier nights: of the same weekday where there are enough, else of all. What
is usual is their median, give or take a number of robust standard deviations (1.4826 times the median absolute
deviation, Rousseeuw and Croux 1993), and never less than what any business varies by.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any, Literal

from expectations.referee import Verdict
from expectations.structural import OWNER
from jobs.storage.night import Night

MEASURES = Path(__file__).parent / "business" / "history.json"
#: standard deviation of normally distributed values over their median absolute deviation
ROBUST = 1.4826
#: earlier nights of the same weekday that are enough to be compared with alone
SAME_WEEKDAYS = 4

Kind = Literal["amount", "share"]
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


def lineage(base: Night | None) -> Iterator[Night]:
    """The night that tonight starts from, the one that that one started from, and so on as far as they are kept."""
    while base is not None:
        yield base
        name = base.manifest()["base"]
        path = base.path.parent / name if name else None
        base = Night.at(path) if path is not None and path.is_dir() else None


def ordinary(base: Night | None) -> list[Night]:
    """Earlier nights that brought a day's rows: not the first, which loads history, and none rebuilt in full."""
    nights = list(lineage(base))
    return [night for night in nights if night.manifest()["base"] and not night.records()["begin"].get("full", False)]


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


def volumes(landings: Mapping[str, Mapping[str, Any]], base: Night | None, day: date, how: Judgement) -> list[Verdict]:
    """Whether each feed brought as many rows as it usually does."""
    return [_volume(feed, landing, base, day, how) for feed, landing in sorted(landings.items())]


def _volume(feed: str, landing: Mapping[str, Any], base: Night | None, day: date, how: Judgement) -> Verdict:
    before = {night.date: one for night in ordinary(base) if (one := _per_day(night, feed)) is not None}
    declared = {"rule_id": f"{feed}.rows.usual", "sentence": "The feed brings about as many rows a day as it did."}
    rows = landing["rows"] + landing["rejected"]
    tonight = rows / _days(day, base) if _is_by_day(landing) else float(rows)
    found = usual(before, day, "amount", how) if base is not None else None
    return judged(f"raw.{feed}", declared, tonight, found, rows=rows)


def _per_day(night: Night, feed: str) -> float | None:
    record = night.records().get(f"extract.{feed.partition('.')[0]}", {}).get(feed)
    if record is None:
        return None
    rows = float(record["rows"] + record["rejected"])
    base = Night.at(night.path.parent / night.manifest()["base"])
    return rows / _days(night.date, base) if _is_by_day(record) else rows


def _is_by_day(landing: Mapping[str, Any]) -> bool:
    """It brings what is new; other feeds are read whole every night."""
    return landing["cursor_to"] is not None or bool(landing["files"])


def _days(day: date, base: Night | None) -> int:
    """Days that a night stands for: those since the night it started from."""
    return max((day - base.date).days, 1) if base is not None else 1


def shapes(
    table: str, values: Mapping[str, float | None], rows: int, base: Night | None, day: date, how: Judgement
) -> list[Verdict]:
    """Whether an entity's shares and means are as they usually are.

    Args:
        table: the canonical entity.
        values: rule id -> tonight's measure.
        rows: accepted rows of tonight.
        base: the night before.
        day: tonight's business date.
        how: how strictly.
    """
    earlier = ordinary(base)
    return [_shape(table, one, values[one["rule_id"]], rows, earlier, day, how) for one in measures(table)]


def _shape(
    table: str, declared: Mapping[str, Any], value: float | None, rows: int, earlier: Sequence[Night], day: date,
    how: Judgement,
) -> Verdict:  # fmt: skip
    before = {}
    for night in earlier:
        then = night.records()["gate_raw"].get("measures", {}).get(table, {}).get(declared["rule_id"])
        if then is not None:
            before[night.date] = float(then)
    return judged(f"conformed.{table}", declared, value, usual(before, day, declared["kind"], how), rows=rows)
