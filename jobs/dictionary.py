"""The data dictionary, made from the definitions. ``python -m jobs.dictionary`` writes it.

``--check`` writes nothing and fails when the file is stale.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from jobs.definitions import canonical, clean, features, published, segments
from jobs.definitions.model import Column, Entity, Reference, Table
from jobs.errors import ContractError

PATH = Path(__file__).parents[1] / "docs" / "data-dictionary.md"

HEAD = f"""# Data dictionary

Made from `jobs.definitions` by `python -m jobs.dictionary`; do not edit. Schema version {published.SCHEMA_VERSION}.

Published tables are Parquet (zstd) below `warehouse/published/current/<table>/`, sorted by key. Amounts are in the
reporting currency, shares are 0 to 1, instants are UTC. A column that is not marked null is never null.
Counts are 0 where there is nothing; averages, shares, medians and dates are null. A feed that is absent leaves its
features null: 0 means that the feed exists and held nothing.
"""
LOADS = {
    "replace": "replace the whole table by each snapshot",
    "merge": "merge by key: new rows are added and old ones stay",
}


def dictionary() -> str:
    """The whole document."""
    parts = [
        HEAD,
        _contents(),
        *(_table(table) for table in published.TABLES if not table.restricted),
        "## Restricted tables\n\nBelow `restricted/` of the same snapshot, granted by role.\n",
        *(_table(table) for table in published.TABLES if table.restricted),
        _features(),
        _schemes(),
        _inputs(),
    ]
    return "\n".join(parts)


def _contents() -> str:
    rows = [(f"[{t.name}](#{t.name})", ", ".join(t.key), t.load, t.description) for t in published.TABLES]
    return "## Published tables\n\n" + _grid(("table", "one row per", "load", "what"), rows)


def _table(table: Table) -> str:
    facts = [
        f"{table.description}\n",
        f"- One row per, and key: {', '.join(f'`{name}`' for name in table.key)}",
        f"- Load: {LOADS[table.load]}",
        f"- Where: `{published.folder(table)}/`",
        *(f"- Foreign key: {_reference(reference)}" for reference in table.references),
    ]
    rows = [
        (f"`{c.name}`", c.type, c.unit or "", "" if c.required else "null", _holds(c), c.description)
        for c in table.columns
    ]
    grid = _grid(("column", "type", "unit", "null", "holds", "meaning"), rows)
    return f"### {table.name}\n\n" + "\n".join(facts) + "\n\n" + grid


def _reference(reference: Reference) -> str:
    return f"`{reference.column}` names a row of `{reference.table}` by `{reference.target}`"


def _holds(column: Column) -> str:
    """The values or the range a column may hold."""
    if column.values:
        return ", ".join(f"`{value}`" for value in column.values)
    low, high = column.minimum, column.maximum
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    if low is not None:
        return f"{low:g} or more"
    return f"{high:g} or less" if high is not None else ""


def _features() -> str:
    of_feed = {view: entity for entity, views in features.OF_FEED.items() for view in views}
    views = [(f"`{name}`", grain, columns, of_feed.get(name, "")) for name, (grain, columns) in features.VIEWS.items()]
    rows = [
        (f"`{f.name}`", f.over, f"`{f.sql}`", "" if f.if_none == "NULL" else f"`{f.if_none}`")
        for f in features.FEATURES
    ]
    return (
        "## How features are computed\n\n"
        "Each feature is an expression over one view of a customer's history; `features` are features of "
        "views. Where a chain has no feed of the optional entity named beside a view, its features are null; where "
        "it has one that holds nothing of a customer, counts are 0. A DOUBLE is rounded half up to six decimals.\n\n"
        + _grid(("view", "one row is", "columns behind customer_id", "from"), views)
        + "\n"
        + _grid(("feature", "over", "SQL", "without rows"), rows)
    )


def _schemes() -> str:
    head = (
        "## Segment schemes\n\n"
        "The first rule that holds, from the top, decides; the last always holds. "
        f"`{segments.NO_CONSENT}` is given by every scheme to who does not allow profiling "
        f"({segments.NO_CONSENT_LABELS[2]}). A segment with presets is given to chains of these alone.\n"
    )
    return "\n".join([head, *(_scheme(scheme) for scheme in segments.SCHEMES)])


def _scheme(scheme: segments.Scheme) -> str:
    rows = [
        (f"`{s.code}`", s.label_en, s.label_zh, s.description_en, f"`{s.when}`", s.action, ", ".join(s.presets))
        for s in scheme.segments
    ]
    return (
        f"### Scheme {scheme.name}: {scheme.label_en} ({scheme.label_zh})\n\n"
        f"{scheme.description_en} Column `{scheme.column}` of customer_segments; "
        f"kind: {'score, with frozen cut points' if scheme.kind == 'score' else scheme.kind}.\n\n"
        + _grid(("code", "English", "Chinese", "in words", "rule", "what one might do", "presets"), rows)
    )


def _inputs() -> str:
    head = (
        "## Canonical input\n\nWhat a source is mapped to in `regulars.toml`. `source` is filled in. A contact column "
        "is replaced by a keyed hash at extraction, the original goes to the vault.\n"
    )
    made = "## Made from the canonical input\n\nClean tables of no source; what is required is never null.\n"
    inputs, derived = (list(map(_entity, entities)) for entities in (canonical.ENTITIES, clean.DERIVED))
    return "\n".join([head, *inputs, made, *derived])


def _entity(entity: Entity) -> str:
    facts = [
        f"{entity.description}{' Optional.' if entity.optional else ''}\n",
        f"- Key: {', '.join(f'`{name}`' for name in entity.key)}",
        *(f"- Foreign key: {_reference(reference)}" for reference in entity.references),
    ]
    rows = [(f"`{c.name}`", c.type, _need(c), c.unit or "", _holds(c), c.description) for c in entity.columns]
    grid = _grid(("column", "type", "mapping", "unit", "holds", "meaning"), rows)
    return f"### Entity {entity.name}\n\n" + "\n".join(facts) + "\n\n" + grid


def _need(column: Column) -> str:
    if column.name == "source":
        return "filled in"
    words = ["required"] if column.required else []
    words += [f"default {column.default}"] if column.default else []
    words += ["contact"] if column.contact else []
    return ", ".join(words)


def _grid(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    """Write the dictionary, or with ``--check`` fail if it is stale.

    Raises:
        SystemExit: with ``--check``, the file is not what the definitions say.
    """
    text = dictionary()
    if "--check" in sys.argv[1:]:
        if not PATH.is_file() or PATH.read_text("utf-8") != text:
            stale = ContractError(f"{PATH} is stale", next_command="python -m jobs.dictionary")
            sys.exit(f"error: {stale.message}\n next: {stale.next_command}")
        return
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
