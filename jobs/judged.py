"""What the gates and steps of a night said, as its records keep it: one reading for tables, commands and the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Records = Mapping[str, Any]
Verdict = Mapping[str, Any]


def verdicts(records: Records) -> list[dict[str, Any]]:
    """Every verdict of every gate that was asked so far."""
    return [verdict for record in _dicts(records).values() for verdict in record.get("verdicts", ())]


def approved(records: Records) -> frozenset[tuple[str, str]]:
    """(table, rule) of what people let pass."""
    given = records.get("approvals", {}).get("given", ())
    return frozenset((one["table_name"], one["rule_id"]) for one in given)


def blocks(verdict: Verdict, approved: frozenset[tuple[str, str]]) -> bool:
    """A verdict that keeps a night from being shown."""
    if verdict["action"] in ("asked", "approved"):
        return (verdict["table_name"], verdict["rule_id"]) not in approved
    return bool(verdict["severity"] == "critical" and not verdict["is_passed"])


def answered(verdict: Verdict) -> dict[str, Any]:
    """A verdict of a night that is let through: what was asked, somebody has approved."""
    return {**verdict, "action": "approved"} if verdict["action"] == "asked" else dict(verdict)


def open_questions(records: Records) -> list[dict[str, Any]]:
    """Verdicts of a night that wait for a person."""
    return [verdict for verdict in verdicts(records) if verdict["action"] == "asked"]


def asked(records: Records) -> list[str]:
    """What the gates of a night ask a person: table, rule and sentence, one text each."""
    return [f"{v['table_name']} {v['rule_id']}: {v['rule']}" for v in open_questions(records)]


def warns(verdict: Verdict) -> bool:
    """A rule failed that is more than a notice."""
    return not verdict["is_passed"] and verdict["severity"] != "info"


def warnings(records: Records) -> list[tuple[str, str]]:
    """(step, sentence) of what steps warn of, beside the verdicts."""
    return [(step, str(said)) for step, record in _dicts(records).items() for said in record.get("warnings", ())]


def is_warned(records: Records) -> bool:
    """A night that is published with warnings: a rule failed, or a step warns."""
    return any(map(warns, verdicts(records))) or bool(warnings(records))


def _dicts(records: Records) -> dict[str, dict[str, Any]]:
    return {step: record for step, record in records.items() if isinstance(record, dict)}
