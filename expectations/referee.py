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

# imported here and not where it is used: tables are judged in threads, and its modules import one another
import great_expectations.expectations  # noqa: F401  # importing it registers the expectations
from great_expectations.execution_engine import SparkDFExecutionEngine
from great_expectations.expectations.registry import get_expectation_impl
from great_expectations.validator.metric_configuration import MetricConfiguration
from great_expectations.validator.metrics_calculator import MetricsCalculator

from expectations.structural import OWNER, SUITES

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

BUSINESS = Path(__file__).parent / "business"
#: other formats fetch offending values, one query per rule
_COUNTS_ONLY = {"result_format": "BOOLEAN_ONLY"}
_CATCH = {"catch_exceptions": True}

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
    owner: str = OWNER  #: whom to ask about it
    rows_repeated: int | None = None  #: failed rows that an earlier night set aside; None: the rule sets none aside

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

    All rules of a table are asked for together, so that Great Expectations bundles their counts into one query
    instead of one per rule, and none ever fetches an offending value.

    Args:
        rows: the table, read back from its files.
        name: what it is called in verdicts, as in ``conformed.orders``.
        rules: its rules, as :func:`load_rules` gives them.
    """

    def __init__(self, rows: DataFrame, name: str, rules: Sequence[Mapping[str, Any]]) -> None:
        self._engine = SparkDFExecutionEngine(batch_data_dict={name: rows}, persist=False)
        self._calculator = MetricsCalculator(execution_engine=self._engine, show_progress_bars=False)
        self._rules = [(rule, _expectation(rule)) for rule in rules]
        self.name = name

    def judge(self) -> list[Verdict]:
        """Have Great Expectations validate the table: one verdict per rule, in the rules' order."""
        wanted = [metric for _, expectation in self._rules for metric in self._needed(expectation).values()]
        metrics, aborted = self._calculator.compute_metrics(wanted, runtime_configuration=_CATCH)
        if aborted:  # a rule whose check raises must not take the others with it
            metrics = {}
        return [self._verdict(rule, expectation, metrics) for rule, expectation in self._rules]

    def _needed(self, expectation: Any) -> dict[str, Any]:
        """Metric name -> configuration of what a rule is decided by."""
        needed = expectation.get_validation_dependencies(
            execution_engine=self._engine, runtime_configuration={"result_format": _COUNTS_ONLY}
        )
        found: dict[str, Any] = needed.metric_configurations
        return found

    def _verdict(self, rule: Mapping[str, Any], expectation: Any, metrics: dict[Any, Any]) -> Verdict:
        needed = self._needed(expectation)
        if any(metric.id not in metrics for metric in needed.values()):
            metrics, _ = self._calculator.compute_metrics(list(needed.values()), runtime_configuration=_CATCH)
        found = {name: metrics[metric.id] for name, metric in needed.items() if metric.id in metrics}
        try:
            result = expectation.metrics_validate(
                metrics, execution_engine=self._engine, runtime_configuration={"result_format": _COUNTS_ONLY}
            )
            passed, raised = bool(result.success), len(found) < len(needed)
        except Exception:  # whatever went wrong in a check, the check has not passed
            passed, raised = False, True
        # of an empty table Great Expectations counts None
        failed = found.get(f"{getattr(type(expectation), 'map_metric', None)}.unexpected_count") or 0
        return Verdict(
            table_name=self.name,
            rule_id=rule["meta"]["rule_id"],
            rule=rule["meta"]["sentence"] + (" (the check itself failed)" if raised else ""),
            severity="critical" if raised else rule["severity"],
            rows_checked=int(found.get("table.row_count") or 0) - _ignored(expectation, found),
            rows_failed=max(int(failed), int(not passed)),
            is_passed=passed and not raised,
            owner=rule["meta"].get("owner", OWNER),
        )

    def row_conditions(self) -> dict[str, Column]:
        """Rule id -> a Spark column that is true for a row that fails it; row rules only.

        A rule's null handling and row condition are part of it, so counting a column's true rows gives Great
        Expectations' own count.
        """
        wanted = {}
        for rule, expectation in self._rules:
            metric = getattr(type(expectation), "map_metric", None)
            if metric is not None:
                counted = self._needed(expectation)[f"{metric}.unexpected_count"]
                wanted[rule["meta"]["rule_id"]] = MetricConfiguration(
                    f"{metric}.condition", counted.metric_domain_kwargs, counted.metric_value_kwargs
                )
        # asked for together: each depends on the number of rows, which is counted once for all of them
        metrics, _ = self._calculator.compute_metrics(list(wanted.values()), runtime_configuration=_CATCH)
        found = {}
        for rule, _ in self._rules:
            configuration = wanted.get(rule["meta"]["rule_id"])
            if configuration is not None:
                condition, domain, _ = metrics[configuration.id]
                found[rule["meta"]["rule_id"]] = _with_row_condition(condition, rule, domain)
        return found


def _ignored(expectation: Any, found: Mapping[str, Any]) -> int:
    """Rows that a rule on a column does not look at, because they hold nothing there."""
    if getattr(type(expectation), "map_metric", None) in (None, "column_values.nonnull"):
        return 0
    return int(found.get("column_values.nonnull.unexpected_count") or 0)


def _expectation(rule: Mapping[str, Any]) -> Any:
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
