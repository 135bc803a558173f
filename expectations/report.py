"""The page about the quality of one night, for whoever owns its data: one HTML file that asks nothing of a network.

It is drawn from what the night and the kept nights before it have recorded: counts, rules and names, never from a
row, so no offending value can get into it. Everything that is shown goes through the template's escaping.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from expectations import words
from expectations.trends import Chart, Nights, Told, Verdict, is_whole, repeated, share_failed, share_new
from jobs import flow, judged
from jobs.inert import inert, text

TEMPLATE = "quality.html.j2"
#: what became of a row that was read, in the order in which it is told
FATES = ("inserted", "superseding", "unchanged", "duplicate", "excluded", "quarantined", "held", "unexplained")
#: ends of rules that count files or accounts
OF_NO_ROWS = (".schema", ".conserved")
SEVERITIES = ("critical", "warning", "info")


@dataclass(frozen=True)
class Stopped:
    """Why a night was not published: the step, what it said, what to do."""

    step: str
    message: str
    next_command: str


@dataclass(frozen=True)
class Rule:
    """A rule's verdict as the page shows it."""

    verdict: Verdict
    stage: str
    table: str
    share: str
    action: str
    trend: Chart | None
    history: str
    is_blocking: bool  #: it keeps the night from being shown

    @property
    def is_whole(self) -> bool:
        """Its rule is on the whole table, not on single rows."""
        return is_whole(self.verdict)

    @property
    def repeated(self) -> int:
        """Failed rows that an earlier night has set aside already."""
        return repeated(self.verdict)

    @property
    def owner(self) -> str:
        """Whom to ask; nights before owners were recorded name nobody."""
        return str(self.verdict.get("owner") or "not recorded")


@dataclass(frozen=True)
class Judged:
    """A table and the rules it was judged by, failed ones first."""

    name: str
    rows: int | None  #: None where no rule was asked of its rows, because the night wrote none
    rules: list[Rule]

    @property
    def failed(self) -> int:
        """How many failed."""
        return sum(not rule.verdict["is_passed"] for rule in self.rules)


def render(tonight: Told, earlier: Sequence[Told], stopped: Stopped | None = None) -> str:
    """The whole page.

    Args:
        tonight: the night.
        earlier: kept nights before it, oldest first; they are what trends are made of.
        stopped: why it was not published, if it was not.
    """
    nights = Nights(tonight, earlier)
    found = tonight.verdicts.values()
    rules = [_rule(nights, verdict if stopped else judged.answered(verdict)) for verdict in found]
    failed = sorted((rule for rule in rules if not rule.verdict["is_passed"]), key=_gravity)
    return _environment().get_template(TEMPLATE).render(
        night=tonight,
        nights=nights,
        state=_state(tonight, rules, stopped),
        stopped=stopped,
        begun=tonight.records.get("begin", {}),
        blocking=[rule for rule in failed if rule.is_blocking],
        failed=failed,
        is_let_through=any(rule.verdict["action"] == "approved" for rule in failed),
        severe=sum(judged.warns(rule.verdict) for rule in failed),
        owners=_owners(failed),
        notes=judged.warnings(tonight.records),
        tiles=list(_tiles(nights, is_whole=stopped is None)),
        stages=_stages(rules),
        rules=len(rules),
        feeds=list(_feeds(nights)),
        flows=list(_flows(tonight)),
        fates=FATES,
        reasons=[rule for rule in failed if rule.verdict["action"] in words.SET_ASIDE],
        by_feed=list(_by_feed(tonight)),
        money=_money(tonight),
        people=tonight.records.get("identity", {}),
        waterfall=list(_waterfall(tonight.records.get("identity", {}).get("weakest_link", {}))),
        steps=list(_steps(nights)),
    )  # fmt: skip


def _waterfall(link: dict[str, Any]) -> Iterator[tuple[str, float, float, float]]:
    """What each comparison adds to the odds of a link: its name, weight, and bar, in per cent of the width."""
    if not link:
        return
    said = [part.rsplit(" ", 1) for part in link["evidence"].split(", ")]
    parts = [(name.replace("_", " "), float(weight)) for name, weight in said]
    prior = link["weight"] - sum(weight for _, weight in parts)
    steps = [("two records drawn at random", prior), *parts]
    ends = [0.0, *accumulate(weight for _, weight in steps)]
    low, high = min(ends), max(ends)
    for (name, weight), start in zip(steps, ends, strict=False):
        left = min(start, start + weight)
        yield name, weight, round(100 * (left - low) / (high - low), 2), round(100 * abs(weight) / (high - low), 2)


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        finalize=_harmless,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"share": words.share, "count": words.count, "money": words.money, "seconds": words.seconds}
    made.globals["words"] = words
    return made


def _harmless(value: Any) -> Any:
    """Text from outside as one line that no spreadsheet computes, should the page be opened in one."""
    return inert(text(value)) if isinstance(value, str) and not isinstance(value, Markup) else value


def _state(tonight: Told, rules: Sequence[Rule], stopped: Stopped | None) -> str:
    if stopped is not None:
        actions = {str(rule.verdict["action"]) for rule in rules if rule.is_blocking}
        return "asked" if actions == {"asked"} else "blocked" if actions else "stopped"
    return "warned" if judged.is_warned(tonight.records) else "published"


def _rule(nights: Nights, verdict: Verdict) -> Rule:
    table, rule_id = str(verdict["table_name"]), str(verdict["rule_id"])

    def failed(night: Told) -> float | None:
        return share_failed(night.verdicts.get((table, rule_id)))

    def fresh(night: Told) -> float | None:
        return share_new(night.verdicts.get((table, rule_id)))

    def measured(night: Told) -> float | None:
        return night.measure(table, rule_id)

    stage, _, name = table.partition(".")
    is_repeating = any(repeated(night.verdicts.get((table, rule_id), {})) for night in nights.all)
    failures = "Newly failed share" if is_repeating else "Failed share"
    return Rule(
        verdict, stage, name or stage,
        "the whole table" if is_whole(verdict) else words.share(failed(nights.tonight)),
        words.action(str(verdict["action"])),
        nights.chart("Measured", measured, words.measure) or nights.chart(failures, fresh, words.share),
        words.history(nights.before(failed), is_whole=is_whole(verdict)),
        judged.blocks(verdict, judged.approved(nights.tonight.records)),
    )  # fmt: skip


def _gravity(rule: Rule) -> tuple[Any, ...]:
    severity = str(rule.verdict["severity"])
    place = SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
    return place, -int(rule.verdict["rows_failed"]), rule.verdict["table_name"], rule.verdict["rule_id"]


def _owners(failed: Sequence[Rule]) -> list[tuple[str, int]]:
    """Who has something to look at, and how many rules it is."""
    names = sorted(rule.owner for rule in failed)
    return [(name, len(list(same))) for name, same in groupby(names)]


def _tiles(nights: Nights, *, is_whole: bool) -> Iterator[tuple[str, str, str, Chart | None]]:
    """(what, how much, against the nights before, trend) of the numbers that sum the night up."""

    def comparable(night: Told) -> float | None:
        return None if night.is_first and night is not nights.tonight else night.read

    night = nights.tonight
    against = words.against(nights.before(comparable), words.count)
    against = "first load: all history" if night.is_first else against
    yield "Rows read", words.count(night.read), against, nights.chart("Rows read", comparable, words.count)

    def aside(one: Told) -> float | None:
        return (one.set_aside - one.repeated) / one.read if one.read else None

    of_all = f"{words.share(night.set_aside / night.read if night.read else None)} of the rows read"
    of_all += f", {words.repeated(night.repeated)}" if night.repeated else ""
    trend = nights.chart("Share newly set aside", aside, words.share)
    yield "Rows set aside", words.count(night.set_aside), of_all, trend

    def failing(one: Told) -> float:
        return len(one.failed)

    asked = f"of {words.count(len(night.verdicts))} asked"
    yield (
        "Rules that failed", f"{words.count(failing(night))} {asked}",
        words.against(nights.before(failing), words.count), nights.chart("Rules that failed", failing, words.count),
    )  # fmt: skip

    def lasted(one: Told) -> float | None:
        return None if one.is_first and one is not night else sum(one.seconds.values())

    against = words.against(nights.before(lasted), words.seconds) if is_whole else "until it stopped"
    lasts = nights.chart("Time of the steps", lasted, words.seconds) if is_whole else None
    yield "Time taken", words.seconds(lasted(night) or 0), against, lasts


def _stages(rules: Sequence[Rule]) -> list[tuple[str, list[Judged]]]:
    """(stage, its tables by name); stages in the order in which a night passes them."""
    found: dict[str, dict[str, list[Rule]]] = {}
    for rule in rules:
        found.setdefault(rule.stage, {}).setdefault(rule.table, []).append(rule)
    order = [stage for stage in words.STAGES if stage in found] + sorted(set(found) - set(words.STAGES))
    return [(stage, [_judged(name, of_table) for name, of_table in sorted(found[stage].items())]) for stage in order]


def _judged(name: str, rules: list[Rule]) -> Judged:
    asked = [rule.verdict for rule in rules if not str(rule.verdict["rule_id"]).endswith(OF_NO_ROWS)]
    rows = max((int(verdict["rows_checked"]) for verdict in asked), default=None)
    return Judged(name, rows, sorted(rules, key=lambda rule: (bool(rule.verdict["is_passed"]), _gravity(rule))))


def _feeds(nights: Nights) -> Iterator[tuple[str, int, int, str, Chart | None]]:
    """(feed, rows, unreadable lines, its files in words, trend of rows) of every feed that was read."""
    for feed, landing in sorted(nights.tonight.landings.items()):

        def rows(night: Told, feed: str = feed) -> float | None:
            landed = None if night.is_first and night is not nights.tonight else night.landings.get(feed)
            return None if landed is None else float(landed["rows"])

        told = words.files(landing.get("files", ()))
        yield feed, landing["rows"], landing["rejected"], told, nights.chart("Rows", rows, words.count)


def _flows(tonight: Told) -> Iterator[tuple[str, str, dict[str, int], list[tuple[str, float, float]]]]:
    """(feed, entity, fate -> rows, bar) of every feed and table it fills; its bar: (fate, from, width) in %."""
    accounts = tonight.records.get("conservation", {})
    for name in sorted(accounts, key=lambda name: name.split()[::-1]):
        feed, _, entity = name.partition(" ")
        account = accounts[name]
        at, bar = 0.0, []
        judged = account["extracted"] + account.get("replayed", 0)
        for fate in FATES:
            width = 100 * abs(account.get(fate, 0)) / judged if judged else 0
            if width:
                bar.append((fate, round(at, 3), round(width, 3)))
            at += width
        yield feed, entity, account, bar


def _by_feed(tonight: Told) -> Iterator[tuple[str, str, int, int]]:
    """(what they were meant for, feed, rows or lines set aside, rows of them that an earlier night set aside)."""
    for feed, landing in sorted(tonight.landings.items()):
        if landing["rejected"]:
            yield "not known: the line cannot be read", feed, landing["rejected"], 0
    gate = tonight.records.get("gate_raw", {})
    for entity, feeds in sorted(gate.get("quarantined", {}).items()):
        again = gate.get("repeated", {}).get(entity, {})
        for feed, rows in sorted(feeds.items()):
            yield entity, feed, rows, again.get(feed, 0)


def _money(tonight: Told) -> dict[str, Any] | None:
    """Cents of net revenue from the merged lines to the published table, and whether each step ties."""
    cents = tonight.records.get("features", {}).get("net_revenue_cents")
    if cents is None:
        return None
    parts = sum(cents.get(name, 0) for name in ("guests", "not_profiled", "profiled"))
    return {
        "cents": cents,
        "not_counted": cents["clean_lines"] - cents["completed"],
        "is_divided": parts == cents["completed"],
        "is_published": cents["customer_days"] == cents["profiled"],
        "others": {name: amount for name, amount in cents.items() if name not in words.MONEY},
    }


def _seconds_of(step: str, night: Told) -> float | None:
    """What a step took on an earlier night; a first night loads history and compares with none."""
    return None if night.is_first else night.seconds.get(step)


def _steps(nights: Nights) -> Iterator[tuple[str, float, str, float]]:
    """(step, seconds, against the nights before, percent of the longest) in the order of the flow."""
    taken = nights.tonight.seconds
    order = {step.name: number for number, step in enumerate(flow.STEPS)}
    longest = max(taken.values(), default=0) or 1
    for name in sorted(taken, key=lambda name: (order.get(name.split(".")[0], len(order)), name)):
        before = nights.before(partial(_seconds_of, name))
        yield name.replace(".", " ", 1), taken[name], words.against(before, words.seconds), 100 * taken[name] / longest
