"""The split by conditions and Great Expectations' own count agree, rule by rule, on every kind of failure."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.referee import Referee, load_rules
from jobs.definitions.canonical import BY_NAME
from jobs.definitions.model import MONEY, Entity
from jobs.transforms.conform import LINES_TOTAL, conform
from jobs.transforms.reading import Spelling
from tests.spark.conftest import Table, computed_once, rows_of

PARAMETERS = {"earliest": "2000-01-01T00:00:00", "latest": "2026-07-02T00:00:00", "currency": "CNY"}
META = "_file STRING, _row BIGINT, _landed STRING, _person_hash STRING, _unknown STRING"

GOOD: dict[str, dict[str, str]] = {
    "orders": {
        "order_id": "o1", "source_customer_id": "7", "store_id": "101", "channel": "store", "fulfilment": "dine_in",
        "seating": "table", "ordered_at": "2026-06-30T12:00:00Z", "party_size": "4", "status": "completed",
        "currency": "CNY", "updated_at": "2026-06-30T12:00:00Z",
    },
    "order_lines": {
        "order_id": "o1", "line_id": "1", "product_id": "2001", "quantity": "1", "gross": "10.00", "discount": "1.00",
        "coupon_discount": "0", "refunded": "0", "unit_cost": "4", "updated_at": "2026-06-30T12:00:00Z",
    },
    "customers": {
        "source_customer_id": "7", "registered_at": "2026-01-01", "birth_year": "1980", "birth_month": "2",
        "city": "Shanghai", "income_band": "50000-74999", "gender": "female", "profiling_consent": "1",
    },
}  # fmt: skip

#: rules whose failure does not follow from their name -> the damage
DAMAGES: dict[str, dict[str, str]] = {
    "orders.ordered_at.not_too_early": {"ordered_at": "1970-01-01T00:00:00Z"},
    "orders.ordered_at.not_in_future": {"ordered_at": "2027-06-30T00:00:00Z"},
    "orders.currency.is_reporting_currency": {"currency": "USD"},
    "order_lines.deductions.at_most_gross": {"refunded": "9.01"},
    "order_lines.quantity.not_zero": {"quantity": "0"},
    "customers.birth_year.in_range": {"birth_year": "1899"},
    "orders.total.is_sum_of_lines": {"total": "99.00"},
    "orders.plain": {"ordered_at": "2026/6/30 12:00"},
    "order_lines.plain": {"updated_at": "20260630"},
    "customers.plain": {"registered_at": "1.1.2026"},
}
BY_KIND = {
    "readable": "@@", "present": "", "in_range": "-1", "known_value": "no such value", "no_contact": "a@leak.example",
}  # fmt: skip


def damage(rule_id: str) -> dict[str, str]:
    """What to put into a good row so that it fails a rule."""
    if rule_id in DAMAGES:
        return DAMAGES[rule_id]
    _, column, kind = rule_id.split(".")
    return {"_unknown": column} if kind == "resolves" else {column: BY_KIND[kind]}


def rows_for(
    table: Table, entity: Entity, rules: list[dict[str, Any]], derived: dict[str, str]
) -> tuple[DataFrame, dict[str, int]]:
    """Five good rows, one that says little, one for each rule (and which), and one that fails all it can."""
    good = {"source": "pos", **GOOD[entity.name]}
    damaged = {rule["meta"]["rule_id"]: {**good, **damage(rule["meta"]["rule_id"])} for rule in rules}
    sparse = {name: good[name] for name in good if name in [c.name for c in entity.columns if c.required]}
    worst = dict.fromkeys(good, "@@ a@leak.example")
    texts = [*[good] * 5, sparse, *damaged.values(), worst]
    names = [column.name for column in entity.columns]
    raw = table(
        ", ".join(f"`{name}` STRING" for name in names) + ", " + META,
        [{**row, "_file": "f", "_row": place, "_landed": "2026-06-30"} for place, row in enumerate(texts)],
    )
    mapping = {name: name for name in names}
    rows = conform(raw, entity, mapping, source="p", feed="f", spelling=Spelling("UTC"), currency="CNY")
    rows = rows.join(raw.select("_row", "_unknown"), "_row")
    known = {f"_known_{r.column}": F.expr(f"coalesce(_unknown, '') != '{r.column}'") for r in entity.references}
    if known:
        rows = rows.withColumns(known)
    first = 6
    places = {rule_id: first + number for number, rule_id in enumerate(damaged)}
    if entity.name == "orders":
        rows = rows.withColumn(LINES_TOTAL, F.lit(0).cast(MONEY))
    rows = rows.select("*", *(F.expr(sql).alias(name) for name, sql in derived.items())).drop("_unknown")
    return computed_once(rows), places


@pytest.mark.parametrize("name", GOOD)
def test_counts_agree_for_every_rule(table: Table, name: str) -> None:
    entity = BY_NAME[name]
    rules, derived = load_rules("conformed", name, PARAMETERS)
    rows, places = rows_for(table, entity, rules, derived)
    referee = Referee(rows, f"conformed.{name}", rules)
    verdicts = {verdict.rule_id: verdict for verdict in referee.judge()}
    conditions = referee.row_conditions()
    assert set(conditions) == set(verdicts) == {rule["meta"]["rule_id"] for rule in rules}
    failing: dict[str, set[int]] = {rule_id: set() for rule_id in conditions}
    for row in rows_of(rows.select("_row", *(bad.alias(rule_id) for rule_id, bad in conditions.items()))):
        assert all(isinstance(row[rule_id], bool) for rule_id in conditions)
        for rule_id in conditions:
            if row[rule_id]:
                failing[rule_id].add(row["_row"])
    for rule_id, verdict in verdicts.items():
        assert verdict.rows_failed == len(failing[rule_id]), rule_id
        assert not verdict.is_passed
        assert "itself failed" not in verdict.rule
        assert places[rule_id] in failing[rule_id], rule_id
        assert not failing[rule_id] & set(range(6)), rule_id  # good rows and the sparse one


def test_rules_over_windows_and_with_row_conditions_split_as_they_count(table: Table) -> None:
    def rule(kind: str, rule_id: str, **kwargs: Any) -> dict[str, Any]:
        meta = {"rule_id": rule_id, "sentence": "It is so."}
        return {"type": kind, "kwargs": kwargs, "severity": "warning", "meta": meta}

    till, only = "count(*) OVER (PARTITION BY store, till)", {"condition_parser": "spark"}
    rules = [
        rule("expect_column_values_to_be_unique", "unique", column="id"),
        rule("expect_compound_columns_to_be_unique", "compound", column_list=["store", "till"]),
        rule("expect_column_values_to_be_between", "window", column="_at_till", max_value=2),
        rule("expect_column_values_to_be_between", "conditional", column="n", min_value=0,
             row_condition="store = 'b'", **only),
    ]  # fmt: skip
    rows = table(
        "id STRING, store STRING, till STRING, n INT",
        [
            {"id": "1", "store": "a", "till": "x", "n": -1},
            {"id": "2", "store": "a", "till": "x", "n": 1},
            {"id": "2", "store": "a", "till": "x", "n": 1},
            {"id": "3", "store": "b", "till": "x", "n": -1},
            {"id": None, "store": "b", "till": "y", "n": None},
        ],
    ).withColumn("_at_till", F.expr(till))
    rows = computed_once(rows)
    referee = Referee(rows, "t", rules)
    conditions = referee.row_conditions()
    failed = dict.fromkeys(conditions, 0)
    for row in rows_of(rows.select(*(bad.alias(rule_id) for rule_id, bad in conditions.items()))):
        failed = {rule_id: count + row[rule_id] for rule_id, count in failed.items()}
    assert failed == {"unique": 2, "compound": 3, "window": 3, "conditional": 1}
    assert {v.rule_id: v.rows_failed for v in referee.judge()} == failed


def test_a_check_that_raises_counts_as_failed_and_takes_no_other_with_it(table: Table) -> None:
    def rule(rule_id: str, column: str) -> dict[str, Any]:
        return {
            "type": "expect_column_values_to_be_between",
            "kwargs": {"column": column, "min_value": 0},
            "severity": "warning",
            "meta": {"rule_id": rule_id, "sentence": "It is not negative."},
        }

    rows = table("n INT, words STRING", [{"n": 1, "words": "a"}, {"n": -1, "words": "b"}, {"n": 2, "words": "c"}])
    rules = [rule("before", "n"), rule("broken", "no_such_column"), rule("after", "n")]
    before, broken, after = Referee(rows, "t", rules).judge()
    assert not broken.is_passed
    assert (broken.severity, broken.rows_failed >= 1) == ("critical", True)
    assert "itself failed" in broken.rule
    assert [(v.severity, v.rows_checked, v.rows_failed, v.is_passed) for v in (before, after)] == [
        ("warning", 3, 1, False)
    ] * 2


def test_an_empty_table_fails_nothing(table: Table) -> None:
    rules, derived = load_rules("conformed", "customers", PARAMETERS)
    rows, _ = rows_for(table, BY_NAME["customers"], rules, derived)
    verdicts = Referee(rows.where("false"), "conformed.customers", rules).judge()
    assert all(verdict.is_passed and verdict.rows_failed == verdict.rows_checked == 0 for verdict in verdicts)
