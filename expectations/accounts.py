"""Verdicts on the accounts of a night: every row is somewhere, and what waits is counted."""

from __future__ import annotations

from collections.abc import Mapping

from expectations.verdict import Verdict
from jobs.definitions import clean


def conserved(name: str, missing: int) -> Verdict:
    """Nothing that was read is unexplained; ``name`` is feed and entity."""
    return Verdict(
        f"clean.{name.rsplit(' ', 1)[-1]}", f"{name.replace(' ', '.')}.conserved",
        "Every row that was read is in the table, was there, is a duplicate, or is set aside.",
        "critical", 1, abs(missing), missing == 0, "none" if missing == 0 else "blocked",
    )  # fmt: skip


def on_time(entity: str, changes: Mapping[str, Mapping[str, int]]) -> Verdict:
    """Late rows are not bad ones: they are held until somebody lets them in."""
    held = sum(of_feed.get("held", 0) for of_feed in changes.values())
    return Verdict(
        f"clean.{entity}", f"{entity}.business_date.late_horizon",
        "An order arrives within the late horizon; a later one is held until somebody lets it in.",
        "warning", sum(sum(of_feed.values()) for of_feed in changes.values()), held, held == 0,
        "held" if held else "none",
    )  # fmt: skip


def agreeing(entity: str, told: Mapping[str, int]) -> Verdict:
    """One file contradicts itself: one of the rows is taken, always the same one, and the others are duplicates."""
    rule_id, sentence = clean.AGREEMENT[entity]
    found = told["found"]
    return Verdict(
        f"clean.{entity}", rule_id, sentence, "info", told["checked"], found, found == 0,
        "reported" if found else "none", owner="store operations",
    )  # fmt: skip


def settled(rule_id: str, waiting: Mapping[str, int]) -> Verdict:
    """Refunds that wait as of tonight, whenever they came: what they paid back is in no figure yet."""
    failed = waiting.get(rule_id, 0)
    return Verdict(
        "clean.refunds", rule_id, clean.REFUND_RULES[rule_id], "warning", waiting["known"], failed, failed == 0,
        "held" if failed else "none", owner="finance",
    )  # fmt: skip


def single(alike: Mapping[str, int]) -> Verdict:
    """Orders that say what another one says are kept unless the site leaves them out: two equal sales may be real."""
    action = "repaired" if alike["dropped"] else "reported"
    return Verdict(
        "clean.orders", clean.NEAR_DUPLICATE,
        "No other order has the same person, store, time and lines under another id.",
        "info", alike["checked"], alike["found"], alike["found"] == 0, action if alike["found"] else "none",
    )  # fmt: skip
