"""Circuit breakers: what a verdict on a whole feed or table does to the night, by the policy of its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from expectations.verdict import Verdict

Policy = Literal["block", "warn", "ask"]


@dataclass(frozen=True)
class Breakers:
    """Policies by feed (``pos.receipts``) and entity (``orders``), and what a person has already approved."""

    default: Policy = "block"
    of: Mapping[str, Policy] | None = None
    approved: frozenset[tuple[str, str]] = frozenset()  #: (table_name, rule_id)

    def applied(self, verdict: Verdict) -> Verdict:
        """The verdict with what follows from it: blocked, reported, asked or approved; a passed one as it is."""
        if verdict.action != "blocked":
            return verdict
        subject = verdict.table_name.partition(".")[2]
        policy = (self.of or {}).get(subject, self.default)
        if policy == "warn":
            return replace(verdict, severity="warning", action="reported")
        if policy == "ask":
            known = (verdict.table_name, verdict.rule_id) in self.approved
            return replace(verdict, action="approved" if known else "asked")
        return verdict
