"""Where a night's steps meet the referee."""

from __future__ import annotations

import zoneinfo
from collections import Counter
from datetime import timedelta
from typing import Any

from expectations.breakers import Breakers
from expectations.gates import Gate
from expectations.history import Judgement
from expectations.split import Bounds, Earlier
from jobs.definitions import canonical
from jobs.definitions.published import TABLES
from jobs.judged import asked
from jobs.steps import conform, conservation, inputs, replay
from jobs.steps.context import Context
from jobs.steps.publish import WRITTEN_LAST
from jobs.storage import approvals

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
        conformed = conform.conformed(context)
        verdicts = gate.raw(conformed, earlier(context))
    elif name == "gate_clean":
        accounts = conservation.account(context)
        merged = context.night.records()["clean"]
        verdicts = gate.clean(
            {name: one["unexplained"] for name, one in accounts.items()},
            {name: one["changes"] for name, one in merged.items()},
            {name: one["dates"] or ["all"] for name, one in merged.items() if one["wrote"]},
            merged["refunds"].get("waiting"),
            merged["orders"].get("near_duplicates"),
            {name: one["agreement"] for name, one in merged.items() if "agreement" in one},
        )
    else:
        verdicts = gate.published([table for table in TABLES if table not in WRITTEN_LAST])
    counts: dict[str, Any] = dict(Counter("passed" if v.is_passed else v.severity for v in verdicts))
    questions = asked(context.night.records())
    return counts | ({"asked": questions} if name == "gate_raw" and questions else {})


def _absent(context: Context) -> frozenset[str]:
    """References to entities that the chain has no feed of."""
    return frozenset(
        f"{entity.name}.{reference.column}"
        for entity in canonical.ENTITIES
        for reference in entity.references
        if canonical.BY_NAME[reference.table].optional and not context.feeds_of(reference.table)
    )


def earlier(context: Context) -> Earlier:
    """Which rows of earlier nights are judged tonight; a replay has been taken up before."""
    if not context.judges_earlier:
        return Earlier()
    feeds = {one.name: [".".join(feed) for feed in context.feeds_of(one.name)] for one in canonical.ENTITIES}
    keys = replay.keys_again(context) if context.replay else {}
    return Earlier(context.full, context.replay, feeds, keys)


def bounds(context: Context) -> Bounds:
    """What the settings say about when a gate blocks."""
    settings = context.settings
    latest = (context.until + timedelta(days=1)).replace(tzinfo=None)
    policies, thresholds = settings.policies, settings.thresholds
    given = approvals.of(context.warehouse, context.day)
    inferred = {"unknown_store": "orders.store_id", "unknown_product": "order_lines.product_id"}
    return Bounds(
        max_quarantine_share=thresholds.max_quarantine_share,
        min_rows_for_share=thresholds.min_rows_for_share,
        parameters={
            "earliest": EARLIEST,
            "latest": latest.isoformat(),
            "currency": settings.currency,
            "time_zones": sorted(zoneinfo.available_timezones()),
        },
        tolerated=frozenset(column for policy, column in inferred.items() if getattr(policies, policy) == "infer")
        | _absent(context),
        breakers=Breakers(
            policies.breaker, policies.breakers, frozenset((one["table_name"], one["rule_id"]) for one in given)
        ),
        history=Judgement(thresholds.history_min_nights, thresholds.history_deviations),
    )
