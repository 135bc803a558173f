"""Where a night's steps meet the referee."""

from __future__ import annotations

import zoneinfo
from collections import Counter
from datetime import timedelta
from typing import Any

from expectations.gates import Bounds, Gate
from jobs.definitions.published import TABLES
from jobs.steps import conform, conservation, inputs
from jobs.steps.context import Context
from jobs.steps.publish import WRITTEN_LAST

EARLIEST = "2000-01-01T00:00:00"


def judge(context: Context, name: str) -> dict[str, Any]:
    """Ask a gate; counts of verdicts.

    Raises:
        ContractError: it blocks.
    """
    gate = Gate(context.spark, context.night, context.base, bounds(context))
    if name == "gate_raw":
        allowed = frozenset(
            f"{source}.{feed}"
            for source, settings in context.settings.sources.items()
            for feed, one in settings.feeds.items()
            if one.may_be_empty
        )
        landings = inputs.landings(context.night)
        gate.arrived(landings, allowed)
        verdicts = gate.raw(conform.conformed(context), context.full)
    elif name == "gate_clean":
        accounts = conservation.account(context)
        touched = {
            name: one["dates"] or ["all"] for name, one in context.night.records()["clean"].items() if one["wrote"]
        }
        verdicts = gate.clean({name: one["unexplained"] for name, one in accounts.items()}, touched)
    else:
        verdicts = gate.published([table for table in TABLES if table not in WRITTEN_LAST])
    return dict(Counter("passed" if v.is_passed else v.severity for v in verdicts))


def bounds(context: Context) -> Bounds:
    """What the settings say about when a gate blocks."""
    settings = context.settings
    latest = (context.until + timedelta(days=1)).replace(tzinfo=None)
    inferred = {"unknown_store": "orders.store_id", "unknown_product": "order_lines.product_id"}
    return Bounds(
        max_quarantine_share=settings.thresholds.max_quarantine_share,
        min_rows_for_share=settings.thresholds.min_rows_for_share,
        parameters={
            "earliest": EARLIEST,
            "latest": latest.isoformat(),
            "currency": settings.currency,
            "time_zones": sorted(zoneinfo.available_timezones()),
        },
        tolerated=frozenset(
            column for policy, column in inferred.items() if getattr(settings.policies, policy) == "infer"
        ),
    )
