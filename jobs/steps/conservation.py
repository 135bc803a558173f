"""Every row that was read is somewhere: the account of a night, by feed and entity."""

from __future__ import annotations

from jobs.steps.context import Context

CHANGES = ("inserted", "superseding", "unchanged", "duplicate", "held")


def account(context: Context) -> dict[str, dict[str, int]]:
    """``<feed> <entity>`` -> rows extracted and taken up again, and what became of them.

    ``unexplained`` is 0 when all is well. ``repeated`` is a part of ``quarantined``: what an earlier night has set
    aside already.
    """
    records = context.night.records()
    quarantined, repeated = records["gate_raw"]["quarantined"], records["gate_raw"]["repeated"]
    accounts = {}
    for entity, feeds in records["conform"].items():
        for feed, excluded in feeds.items():
            found = {
                "extracted": context.night.rows("raw", feed, partition=None if context.full else str(context.day)),
                "replayed": records.get("replay", {}).get(entity, {}).get(feed, 0),
                "excluded": excluded,
                "quarantined": quarantined.get(entity, {}).get(feed, 0),
            }
            changes = records["clean"][entity]["changes"].get(feed, {})
            found |= {change: changes.get(change, 0) for change in CHANGES}
            became = sum(rows for name, rows in found.items() if name not in ("extracted", "replayed"))
            found["unexplained"] = found["extracted"] + found["replayed"] - became
            found["repeated"] = repeated.get(entity, {}).get(feed, 0)
            accounts[f"{feed} {entity}"] = found
    context.night.record("conservation", accounts)
    return accounts
