"""What happened in the nights of a warehouse, as their records tell it."""

from __future__ import annotations

from typing import Any

from jobs import flow, judged
from jobs.errors import ContractError, UsageError
from jobs.storage.lock import WriterLock
from jobs.storage.night import Night
from jobs.storage.warehouse import Warehouse


def nights(warehouse: Warehouse, last: int) -> list[dict[str, Any]]:
    """The last nights, newest first: state, totals, and what each step said."""
    try:
        shown = warehouse.current()
    except ContractError:
        shown = None
    found = [*warehouse.published(), *warehouse.open_nights()]
    newest = sorted(found, key=lambda night: (night.date, night.run), reverse=True)[:last]
    holder = WriterLock(warehouse.runtime / "lock").holder() or {}
    return [_told(warehouse, night, shown, holder.get("run")) for night in newest]


def chosen(warehouse: Warehouse, asked: str | None) -> Night:
    """The newest night, or the newest run of a date, published or open.

    Raises:
        UsageError: there is none.
    """
    nights = [*warehouse.published(), *warehouse.open_nights()]
    found = [night for night in nights if asked is None or str(night.date) == asked]
    if not found:
        raise UsageError(f"no night{' of ' + asked if asked else ''} to look at", next_command="regulars status")
    return max(found, key=lambda night: (night.date, night.run))


def _told(warehouse: Warehouse, night: Night, shown: Night | None, at_work: str | None) -> dict[str, Any]:
    head: dict[str, Any] = {"date": str(night.date), "run": night.run, "is_current": night == shown}
    head |= {"is_stale": False, "is_refresh": False}
    try:
        records = night.records()
        manifest = {} if night.is_open else night.manifest()
        steps = told_steps(records, manifest)
        head["is_refresh"] = night.is_refresh
        if night.is_open:
            state = "running" if night.run == at_work else "open"
        else:
            state = "published"
            head["is_stale"] = warehouse.is_stale(night)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        nothing: dict[str, Any] = {"state": "damaged", "published_at": None, "last_step": None, "steps": [], "said": []}
        return head | nothing | _totals([])
    return head | {
        "state": state,
        "published_at": manifest.get("published_at"),
        "last_step": steps[-1]["step"] if steps else None,
        "steps": steps,
        "said": warnings_of(records),
        **_totals(steps),
    }


def _totals(steps: list[dict[str, Any]]) -> dict[str, int | None]:
    def total(name: str) -> int | None:
        known = [step[name] for step in steps if step[name] is not None]
        return sum(known) if known else None

    return {name: total(name) for name in ("rows_in", "quarantined", "repeated", "published_rows", "warnings")}


def told_steps(records: dict[str, Any], manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """One entry per step that has something recorded, in the order of the flow.

    Args:
        records: step -> what it said.
        manifest: the night's; empty while it is open.
    """
    told: list[dict[str, Any]] = []
    for step in flow.STEPS:
        if step.each_source:
            sources = sorted(name for name in records if name.startswith(f"{step.name}."))
            told += [_entry(name.replace(".", " ", 1), **_extracted(records[name])) for name in sources]
        elif step.name == "publish" and manifest:
            told.append(_entry("publish", published_rows=_published_rows(manifest)))
        elif step.name in records:
            told.append(_entry(step.name, **_judged(records[step.name])))
    return told


def warnings_of(records: dict[str, Any]) -> list[str]:
    """Every failed verdict and every warning of a step, one sentence each."""
    said: list[str] = []
    for step, record in records.items():
        for verdict in judged.verdicts({step: record}):
            if not verdict["is_passed"]:
                counts = f"{verdict['rows_failed']} of {verdict['rows_checked']} rows"
                said.append(f"{step}: {verdict['table_name']} {verdict['rule_id']}: {counts} {verdict['action']}")
        said += [f"{step}: {warning}" for _, warning in judged.warnings({step: record})]
    return said


def _entry(
    step: str,
    rows_in: int | None = None,
    quarantined: int | None = None,
    repeated: int | None = None,
    published_rows: int | None = None,
    warnings: int | None = None,
) -> dict[str, Any]:
    return {
        "step": step,
        "rows_in": rows_in,
        "quarantined": quarantined,
        "repeated": repeated,
        "published_rows": published_rows,
        "warnings": warnings,
    }


def _extracted(record: dict[str, Any]) -> dict[str, int]:
    return {
        "rows_in": sum(landing["rows"] for landing in record.values()),
        "quarantined": sum(landing["rejected"] for landing in record.values()),
    }


def _judged(record: Any) -> dict[str, int]:
    """Failed verdicts of a gate, warnings of a step, raw rows set aside, and those of them repeated."""
    if not isinstance(record, dict):
        return {}
    found: dict[str, int] = {}
    if "verdicts" in record:
        found["warnings"] = sum(not verdict["is_passed"] for verdict in record["verdicts"])
    elif "warnings" in record:
        found["warnings"] = len(record["warnings"])
    for name in ("quarantined", "repeated"):
        if record.get(name):
            found[name] = sum(sum(feeds.values()) for feeds in record[name].values())
    return found


def _published_rows(manifest: dict[str, Any]) -> int:
    return sum(e.get("rows", 0) for name, e in manifest["files"].items() if name.startswith("published/"))
