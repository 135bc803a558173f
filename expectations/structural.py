"""Structural suites, made from the definitions. ``python -m expectations.structural`` writes the files."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from jobs.definitions import canonical, clean, published
from jobs.definitions.model import Column, Entity, Table, Type

SUITES = Path(__file__).parent / "suites"
#: who mends what breaks a rule that follows from the definitions; rules written by hand name their own
OWNER = "data engineering"

#: text that reaches a person: an e-mail address, or a phone number standing alone
#: an e-mail address; the at sign first, so that text without one costs nothing
EMAIL_LIKE = r"@[^\s@,;:]+\.[A-Za-z]{2,}"
CONTACT_LIKE = EMAIL_LIKE + r"|^\s*\+?[0-9][0-9 ().\-]{7,}[0-9]\s*$"
#: ids and bands such as 50000-74999 may look like a phone number without its country
ID_CONTACT_LIKE = EMAIL_LIKE + r"|^\s*\+[0-9][0-9 ().\-]{7,}[0-9]\s*$"

Rule = dict[str, Any]

#: what a text has to be, to those who own the data
READ_AS: dict[Type, str] = {
    "STRING": "text",
    "INT": "a whole number",
    "BIGINT": "a whole number",
    "DECIMAL(18,2)": "an amount of at most two decimals",
    "DECIMAL(18,4)": "a number of at most four decimals",
    "DOUBLE": "a number",
    "DATE": "a date",
    "TIMESTAMP": "a date and time",
    "BOOLEAN": "yes or no",
}


def rule(kind: str, rule_id: str, sentence: str, severity: str = "warning", **kwargs: Any) -> Rule:
    """One expectation as a suite file holds it."""
    return {
        "type": kind,
        "kwargs": kwargs,
        "severity": severity,
        "meta": {"rule_id": rule_id, "sentence": sentence, "owner": OWNER},
    }


def conformed_suite(entity: Entity) -> dict[str, Any]:
    """Row rules of an entity's conformed rows; a row that fails a warning is set aside."""
    rules = [
        _flag(f"{entity.name}.{c.name}.readable", f"{c.name} can be read as {READ_AS[c.type]}.", canonical.reads(c))
        for c in canonical.typed(entity)
    ]
    rules += [
        _flag(f"{entity.name}.{c.name}.present", f"{c.name} is given.", canonical.has(c))
        for c in canonical.needed(entity)
    ]
    rules += [made for column in entity.clean_columns for made in _column_rules(entity.name, column)]
    for reference in entity.references:
        sentence = f"{reference.column} names a row of {reference.table}."
        rules.append(_flag(f"{entity.name}.{reference.column}.resolves", sentence, f"_known_{reference.column}"))
    rules.append(
        rule("expect_column_values_to_be_null", f"{entity.name}.plain",
             "Every value is given and written plainly; what was read or filled all the same is noted.", "info",
             column=canonical.NOTES.name)
    )  # fmt: skip
    return _suite(f"conformed.{entity.name}", rules)


def _flag(rule_id: str, sentence: str, column: str) -> Rule:
    """A rule that was computed with the row: its flag is true."""
    return rule("expect_column_values_to_be_in_set", rule_id, sentence, column=column, value_set=[True])


def _column_rules(table: str, column: Column) -> list[Rule]:
    name, rules = f"{table}.{column.name}", []
    rules += _value_rules(name, column)
    if column.type == "STRING" and not column.values and not column.contact:
        pattern = ID_CONTACT_LIKE if column.name.endswith(("_id", "_band")) else CONTACT_LIKE
        if not (column.name == "text" and column.free_text):
            rules.append(
                rule("expect_column_values_to_not_match_regex", f"{name}.no_contact",
                     f"{column.name} holds no contact data.", column=column.name, regex=pattern)
            )  # fmt: skip
    return rules


def _value_rules(name: str, column: Column) -> list[Rule]:
    rules = []
    if column.minimum is not None or column.maximum is not None:
        ends = (("min_value", column.minimum), ("max_value", column.maximum))
        bounds: dict[str, Any] = {name: end for name, end in ends if end is not None}
        words = " and ".join(f"{'at least' if k == 'min_value' else 'at most'} {v:,.12g}" for k, v in bounds.items())
        rules.append(
            rule("expect_column_values_to_be_between", f"{name}.in_range", f"{column.name} is {words}.",
                 column=column.name, **bounds)
        )  # fmt: skip
    if column.values:
        rules.append(
            rule("expect_column_values_to_be_in_set", f"{name}.known_value",
                 f"{column.name} is one of {', '.join(column.values)}.",
                 column=column.name, value_set=list(column.values))
        )  # fmt: skip
    return rules


def _table_rules(name: str, key: tuple[str, ...], columns: tuple[Column, ...]) -> list[Rule]:
    """Critical rules of a whole table: its columns, its key, what each column may hold."""
    rules = [
        rule("expect_table_columns_to_match_set", f"{name}.columns", "Every declared column is there.", "critical",
             column_set=[column.name for column in columns], exact_match=False),
        _unique(name, key),
    ]  # fmt: skip
    for column in columns:
        if column.required:
            rules.append(
                rule("expect_column_values_to_not_be_null", f"{name}.{column.name}.present",
                     f"{column.name} is given.", "critical", column=column.name)
            )  # fmt: skip
        rules += [{**made, "severity": "critical"} for made in _value_rules(f"{name}.{column.name}", column)]
    return rules


def _unique(name: str, key: tuple[str, ...]) -> Rule:
    sentence = f"One row per {', '.join(key)}."
    if len(key) == 1:
        return rule("expect_column_values_to_be_unique", f"{name}.key", sentence, "critical", column=key[0])
    return rule("expect_compound_columns_to_be_unique", f"{name}.key", sentence, "critical", column_list=list(key))


def published_suite(table: Table) -> dict[str, Any]:
    """Critical rules of a published table; any failure keeps the night from being shown."""
    rules = _table_rules(table.name, table.key, table.columns)
    for reference in table.references:
        rules.append(
            rule("expect_column_values_to_be_in_set", f"{table.name}.{reference.column}.resolves",
                 f"{reference.column} names a row of {reference.table}.", "critical",
                 column=f"_known_{reference.column}", value_set=[True])
        )  # fmt: skip
    return _suite(f"published.{table.name}", rules)


def clean_suite(entity: Entity) -> dict[str, Any]:
    """Critical rules of what tonight put into a clean table."""
    columns = clean.columns_of(entity)
    own = tuple(column for column in columns if not column.name.startswith("_"))
    flags = {
        clean.IS_IMPUTED: "Nothing was missing; elsewhere a value stands in its place and says so.",
        clean.IS_OUTLIER: "No amount is far above what is usual; others are kept and flagged.",
    }
    rules = [
        rule("expect_column_values_to_not_be_in_set", f"{entity.name}.{flag.name}.none", sentence, "info",
             column=flag.name, value_set=[True])
        for flag, sentence in flags.items() if flag in columns
    ]  # fmt: skip
    return _suite(f"clean.{entity.name}", [*_table_rules(entity.name, entity.key, own), *rules])


def _suite(name: str, rules: list[Rule]) -> dict[str, Any]:
    return {"name": name, "expectations": rules, "meta": {"made_from": "jobs.definitions; do not edit"}}


def suites() -> dict[Path, str]:
    """Every generated suite file and its text."""
    made = {f"conformed/{e.name}": conformed_suite(e) for e in canonical.ENTITIES}
    made |= {f"clean/{e.name}": clean_suite(e) for e in clean.BY_NAME.values()}
    made |= {f"published/{t.name}": published_suite(t) for t in published.TABLES}
    return {
        SUITES / f"{name}.json": json.dumps(suite, indent=1, ensure_ascii=False) + "\n" for name, suite in made.items()
    }


def main() -> None:
    """Write the suite files, or with ``--check`` fail if one is stale."""
    wanted = suites()
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_text("utf-8") != text]
    stale += [path for path in SUITES.rglob("*.json") if path not in wanted]
    if "--check" in sys.argv[1:]:
        if stale:
            sys.exit(f"stale suites: {', '.join(path.name for path in stale)}; next: make generate")
        return
    for path in stale:
        if path in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], "utf-8")
        else:
            path.unlink()


if __name__ == "__main__":
    main()
