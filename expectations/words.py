"""How the quality page says things: to somebody who owns data and has never seen the code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median_low
from typing import Any

#: prefix of a judged table -> what that stage is, and what judging it means; in the order of a night
STAGES = {
    "raw": ("Feeds as they arrived", "Did every source bring something, and can it be split into columns?"),
    "conformed": (
        "Rows, one by one",
        "Every row is judged by itself. One that fails a warning is set aside with its reasons; the others go on.",
    ),
    "clean": (
        "Merged tables",
        "What tonight put into the tables, and whether every row that was read is somewhere.",
    ),
    "published": ("Published tables", "The files that consumers read, read back before they are shown."),
}
SEVERITIES = {
    "critical": ("Critical", "stops the night"),
    "warning": ("Warning", "the row is set aside"),
    "info": ("Notice", "reported, the row is kept"),
}
ACTIONS = {
    "none": "Nothing",
    "reported": "Reported; rows kept",
    "quarantined": "Rows set aside",
    "held": "Rows held until let in",
    "blocked": "Stopped the night",
    "asked": "Waits for a person's answer",
    "approved": "Let through by a person",
    "repaired": "Repaired; counted here",
}
#: actions after which a row is in no table
SET_ASIDE = ("quarantined", "held")
FATES = {
    "inserted": ("New", "not known before"),
    "superseding": ("Changed", "put in the place of an older version"),
    "unchanged": ("Unchanged", "known already, the same"),
    "duplicate": ("Duplicate", "says what another row says, or is older than what is known"),
    "excluded": ("Kept out", "by the feed's own condition"),
    "quarantined": ("Set aside", "failed a rule"),
    "held": ("Held", "came too late; waits to be let in"),
    "unexplained": ("Unexplained", "neither in a table nor set aside; must be 0"),
}
MONEY = ("clean_lines", "completed", "guests", "not_profiled", "profiled", "customer_days")
#: status of a source's file -> what that means
FILES = {
    "landed": "taken in",
    "empty": "empty",
    "growing": "still growing, left for later",
    "undated": "without a date, not read",
    "later": "for a later night",
    "seen": "known already",
}
A_CUSTOM = 3
_LEAST, _MOST = 0.001, 0.999


def share(value: float | None) -> str:
    """A share in percent; what is not 0 never reads as 0, what is not all never as all."""
    if value is None:
        return "–"
    if value in (0, 1):
        return f"{value:.0%}"
    if value < _LEAST:
        return "under 0.1%"
    return "over 99.9%" if value > _MOST else f"{value:.1%}"


def count(value: float) -> str:
    """A number of things."""
    return f"{value:,.0f}"


def money(cents: int) -> str:
    """An amount; a minus that is no formula."""
    return f"{'−' if cents < 0 else ''}{abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def seconds(value: float) -> str:
    """A duration."""
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def against(before: Sequence[float], say: Callable[[float], str]) -> str:
    """What a number was on the nights before, oldest first: the median, where they are enough to make a custom."""
    if not before:
        return "no earlier night to compare"
    return f"usually {say(median_low(before))}" if len(before) >= A_CUSTOM else f"{say(before[-1])} the night before"


def repeated(rows: int) -> str:
    """Of rows that were set aside, those that are no news."""
    return f"{count(rows)} of them repeated from earlier nights"


def measure(value: float) -> str:
    """A mean, a share or an amount of anything."""
    return f"{value:,.4g}" if abs(value) < 10_000 else count(value)


def history(before: Sequence[float], *, is_whole: bool) -> str:
    """How a rule did on the nights before, given its failed shares; a rule on a whole table fails or passes."""
    if not before:
        return "not asked before"
    nights = f"{len(before)} earlier night{'s' if len(before) > 1 else ''}"
    worse = [value for value in before if value]
    if not worse:
        return f"0 in {nights}"
    worst = "" if is_whole else f", at most {share(max(worse))}"
    return f"failed on {len(worse)} of {nights}{worst}"


def action(name: str) -> str:
    """What was done, in words; one that is not known here by its name."""
    return ACTIONS.get(name, name)


def severity(name: str) -> tuple[str, str]:
    """A severity and what it means."""
    return SEVERITIES.get(name, (name, ""))


def stage(name: str) -> tuple[str, str]:
    """A stage of the night and what is judged there."""
    return STAGES.get(name, (name, ""))


def files(landed: Iterable[Mapping[str, Any]]) -> str:
    """How many files of a feed were taken in and how many were not; no names, which a source may have chosen oddly."""
    tally = Counter(str(file["status"]) for file in landed)
    order = [status for status in FILES if status in tally] + sorted(set(tally) - set(FILES))
    return ", ".join(f"{count(tally[status])} {FILES.get(status, status)}" for status in order) or "–"
