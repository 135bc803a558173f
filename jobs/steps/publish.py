"""The last step: the manifest, the flip, the links, what is too old."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from jobs import faultpoints, judged
from jobs.definitions import published as p
from jobs.errors import ContractError
from jobs.steps import inputs
from jobs.steps.context import Context
from jobs.steps.publishing import publish_arrow
from jobs.storage import approvals, publish
from jobs.storage.manifest import write_manifest
from jobs.storage.night import Night
from jobs.storage.parquet import read_arrow
from jobs.storage.schemas import arrow_schema

GATES = ("gate_arrived", "gate_raw", "gate_clean", "gate_published")
#: tables that are written after the gate, from what the gates said; their schema is by construction
WRITTEN_LAST = (p.DATA_QUALITY, p.PUBLISH_LOG)


def run(context: Context) -> dict[str, Any]:
    """Show the night.

    Returns:
        the snapshot and whether ``current`` moved to it.

    Raises:
        ContractError: the run lost the warehouse to another one, or a gate has not passed.
    """
    given = approvals.of(context.warehouse, context.day)
    context.night.record("approvals", {"given": given})
    _require_gates(context)
    _write_quality(context)
    faultpoints.reach("publish.quality_written")
    _write_log(context)
    faultpoints.reach("publish.log_written")
    facts = {
        "fingerprint": inputs.fingerprint(context),
        "code_version": inputs.code_version(),
        "schema_version": p.SCHEMA_VERSION,
        "settings": inputs.settings_hash(context.settings),
        "published_at": datetime.now(UTC),
    }
    write_manifest(context.night, context.base, facts)
    publish.open_to_readers(context.night)
    context.keeper.lock.require(context.night.run)
    faultpoints.reach("publish.fence_passed")
    night = context.warehouse.close(context.night)
    moved = publish.flip(context.warehouse, night)
    publish.repair_links(context.warehouse)
    faultpoints.reach("publish.links_made")
    publish.retire(context.warehouse, context.settings.retention.nights)
    return summary(night) | {"is_current": moved}


def summary(night: Night) -> dict[str, Any]:
    """What a published night came to: rows by table, rows set aside, those repeated, their share; counts only."""
    manifest = night.manifest()
    rows: dict[str, int] = {}
    for name, entry in manifest["files"].items():
        if name.startswith("published/") and "rows" in entry:
            table = name.split("/")[-2]
            rows[table] = rows.get(table, 0) + entry["rows"]
    judged = [v for v in manifest["steps"]["gate_raw"]["verdicts"] if v["rule_id"].endswith(".quarantine_share")]
    checked, failed = (sum(v[name] for v in judged) for name in ("rows_checked", "rows_failed"))
    return {
        "snapshot_date": str(night.date),
        "run": night.run,
        "path": str(night.path / "published"),
        "rows": rows,
        "quarantined": failed,
        "repeated": sum(v.get("rows_repeated") or 0 for v in judged),
        "quarantine_share": round(failed / checked, 6) if checked else 0.0,
    }


def _require_gates(context: Context) -> None:
    """Nothing is shown that a gate has stopped or never saw, whichever step somebody went on from."""
    records = context.night.records()
    approved = judged.approved(records)
    shut = [
        gate
        for gate in GATES
        if gate not in records or any(judged.blocks(v, approved) for v in records[gate]["verdicts"])
    ]
    if shut:
        held_up = [v for gate in shut for v in records.get(gate, {}).get("verdicts", []) if judged.blocks(v, approved)]
        why = f": {', '.join(v['rule_id'] for v in held_up)}" if held_up else ""
        asked = any(v["action"] == "asked" for v in held_up)
        verb = f"approve --date {context.day} --by NAME" if asked else f"run --date {context.day}"
        raise ContractError(f"{', '.join(shut)} has not let this night through{why}", next_command=f"regulars {verb}")


def _write_quality(context: Context) -> None:
    # whatever was asked has been approved, or nothing would be written
    said = [judged.answered(verdict) for verdict in judged.verdicts(context.night.records())]
    rows = [{**verdict, "snapshot_date": context.day} for verdict in said]
    publish_arrow(context, pa.Table.from_pylist(rows, schema=arrow_schema(p.DATA_QUALITY.columns)), p.DATA_QUALITY)


def _write_log(context: Context) -> None:
    table = p.PUBLISH_LOG
    schema = arrow_schema(table.columns)
    before = read_arrow(context.base, "published", table.name, schema) if context.base else schema.empty_table()
    records = context.night.records()
    tonight = {
        "run_id": context.night.run,
        "snapshot_date": context.day,
        "published_at": datetime.now(UTC),
        "schema_version": p.SCHEMA_VERSION,
        "rules_version": records["segments"]["rules_version"],
        "model_version": records["segments"]["model_version"],
        "currency": context.settings.currency,
        "tax_included": context.settings.tax_included,
        "status": "published_with_warnings" if judged.is_warned(records) else "published",
    }
    publish_arrow(context, pa.concat_tables([before, pa.Table.from_pylist([tonight], schema=schema)]), table)
