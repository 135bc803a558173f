"""Text from elsewhere, made harmless where it is shown: no control characters, no formulas."""

from __future__ import annotations

from typing import Any

#: text that a spreadsheet would take for a formula
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def text(value: Any) -> str:
    """A value as one line without control characters; ``-`` for none."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "".join(character if character.isprintable() else "?" for character in str(value))


def inert(value: Any) -> Any:
    """A cell; text that a spreadsheet would compute gets a quote in front, numbers stay."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value
