"""What a rule found: a row of data_quality."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from expectations.structural import OWNER


@dataclass(frozen=True)
class Verdict:
    """What a rule found in a table; one row of data_quality."""

    table_name: str
    rule_id: str
    rule: str
    severity: str
    rows_checked: int
    rows_failed: int
    is_passed: bool
    action: str = "none"
    owner: str = OWNER  #: whom to ask about it
    rows_repeated: int | None = None  #: failed rows that an earlier night set aside; None: the rule sets none aside

    def to_dict(self) -> dict[str, Any]:
        """As the manifest keeps it."""
        return asdict(self)
