"""Great Expectations over Spark data frames: verdicts, and the conditions behind them.

The same suite gives both: :func:`judge` has Great Expectations validate a table, and
:func:`row_conditions` takes each rule's own condition, a Spark column that is true for a row that
fails, by which rows are set aside without collecting any. Verdicts hold counts, never values.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expectations.structural import SUITES

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

BUSINESS = Path(__file__).parent / "business"
#: other formats write offending values into results
_COUNTS_ONLY = {"result_format": "SUMMARY", "partial_unexpected_count": 0}

logging.getLogger("great_expectations").setLevel(logging.ERROR)


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

    def to_dict(self) -> dict[str, Any]:
        """As the manifest keeps it."""
        return asdict(self)


def load_rules(stage: str, table: str, parameters: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Rules of a table: the structural suite and, for conformed rows, the hand-written one.

    Args:
        stage: conformed, clean or published.
        table: entity or table.
        parameters: values for ``"{name}"`` in a rule.

    Returns:
        the rules, and SQL of columns that they need beside the table's own.
    """
    paths = [SUITES / stage / f"{table}.json"]
    if stage == "conformed" and (BUSINESS / f"{table}.json").is_file():
        paths.append(BUSINESS / f"{table}.json")
    rules: list[dict[str, Any]] = []
    derived: dict[str, str] = {}
    for path in paths:
        suite = json.loads(path.read_text("utf-8"))
        rules += [_filled(rule, parameters) for rule in suite["expectations"]]
        derived |= suite["meta"].get("derived", {})
    return rules, derived


def _filled(value: Any, parameters: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, parameters) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, parameters) for item in value]
    if isinstance(value, str) and value.startswith("{") and value.endswith("}"):
        return parameters[value[1:-1]]
    return value


class Referee:
    """One table under judgement.

    Args:
        rows: the table, read back from its files.
        name: what it is called in verdicts, as in ``conformed.orders``.
        rules: its rules, as :func:`load_rules` gives them.
    """

    def __init__(self, rows: DataFrame, name: str, rules: Sequence[Mapping[str, Any]]) -> None:
        import great_expectations as gx

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False, "metric_calculations": False}
        asset = context.data_sources.add_spark("engine").add_dataframe_asset("table")
        self._batch = asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": rows})
        self._suite = gx.ExpectationSuite(name=name, expectations=[_expectation(rule) for rule in rules])
        self._rules = list(rules)
        self.name = name

    def judge(self) -> list[Verdict]:
        """Have Great Expectations validate the table: one verdict per rule, in the rules' order."""
        if not self._rules:
            return []
        results = self._batch.validate(self._suite, result_format=_COUNTS_ONLY).results
        by_rule = {result.expectation_config.meta["rule_id"]: result for result in results}
        return [_verdict(self.name, rule, by_rule[rule["meta"]["rule_id"]]) for rule in self._rules]

    def row_conditions(self) -> dict[str, Column]:
        """Rule id -> a Spark column that is true for a row that fails it; row rules only.

        A rule's null handling and row condition are part of it, so counting a column's true rows gives Great
        Expectations' own count.
        """
        from great_expectations.validator.metric_configuration import MetricConfiguration
        from great_expectations.validator.metrics_calculator import MetricsCalculator

        engine = self._batch.data.execution_engine
        calculator = MetricsCalculator(execution_engine=engine, show_progress_bars=False)
        found = {}
        for expectation, rule in zip(self._suite.expectations, self._rules, strict=True):
            metric = getattr(type(expectation), "map_metric", None)
            if metric is None:
                continue
            needed = expectation.get_validation_dependencies(execution_engine=engine).metric_configurations
            counted = needed[f"{metric}.unexpected_count"]
            wanted = MetricConfiguration(
                f"{metric}.condition", counted.metric_domain_kwargs, counted.metric_value_kwargs
            )
            condition, domain, _ = calculator.get_metric(wanted)
            found[rule["meta"]["rule_id"]] = _with_row_condition(condition, rule, domain)
        return found


def _expectation(rule: Mapping[str, Any]) -> Any:
    import great_expectations.expectations as gxe
    from great_expectations.expectations.registry import get_expectation_impl

    assert gxe is not None  # importing it registers the expectations
    made = get_expectation_impl(rule["type"])
    return made(**rule["kwargs"], meta=dict(rule["meta"]), severity=rule["severity"])


def _with_row_condition(condition: Column, rule: Mapping[str, Any], domain: Mapping[str, Any]) -> Column:
    from pyspark.sql import functions as F

    said = rule["kwargs"].get("row_condition")
    if said:
        condition = F.expr(said) & condition
    for row_filter in domain.get("filter_conditions") or []:
        condition = F.expr(row_filter.condition) & condition
    return F.coalesce(condition, F.lit(False))


def _verdict(table: str, rule: Mapping[str, Any], result: Any) -> Verdict:
    raised = _raised(result.exception_info)
    found = result.result or {}
    failed = found.get("unexpected_count")
    return Verdict(
        table_name=table,
        rule_id=rule["meta"]["rule_id"],
        rule=rule["meta"]["sentence"] + (" (the check itself failed)" if raised else ""),
        severity="critical" if raised else rule["severity"],
        rows_checked=int(found.get("element_count") or 0),
        rows_failed=int(failed) if failed is not None else int(not result.success),
        is_passed=bool(result.success) and not raised,
    )


def _raised(info: Mapping[str, Any] | None) -> bool:
    """Whether a check raised; Great Expectations nests this by metric when several did."""
    if not info:
        return False
    if "raised_exception" in info:
        return bool(info["raised_exception"])
    return any(isinstance(one, Mapping) and one.get("raised_exception") for one in info.values())
