"""Segments by the rules that the definitions declare, with the reason of each."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.definitions.segments import NO_CONSENT, NO_CONSENT_REASON, Scheme


def rule_text(scheme: Scheme) -> str:
    """A scheme's rules as one CASE expression."""
    cases = " ".join(f"WHEN {segment.when} THEN '{segment.code}'" for segment in scheme.segments)
    return f"CASE {cases} END"


def with_segments(scored: DataFrame, people: DataFrame, schemes: Sequence[Scheme]) -> DataFrame:
    """One row per known person: a code per scheme, ``<scheme>_reason`` beside it, the scores.

    Args:
        scored: features and scores of those who allow profiling.
        people: every known person: customer_id, is_marketing_allowed.
        schemes: what to assign.

    Returns:
        all of ``people``; who does not allow profiling has ``no_profiling_consent`` everywhere.
    """
    ruled = scored.withColumns({s.column: F.expr(rule_text(s)) for s in schemes})
    reasons = {f"{s.name}_reason": F.expr(_sentence(s)) for s in schemes}
    ruled = ruled.withColumns(reasons).withColumn("is_profiled", F.lit(True))
    everyone = people.join(ruled, "customer_id", "left")
    codes = {s.column: F.coalesce(F.col(s.column), F.lit(NO_CONSENT)) for s in schemes}
    why = {f"{s.name}_reason": F.coalesce(F.col(f"{s.name}_reason"), F.lit(NO_CONSENT_REASON)) for s in schemes}
    return everyone.withColumns(codes | why)


def _sentence(scheme: Scheme) -> str:
    """The rule in words and, where they can be had, the customer's numbers."""
    words = " ".join(f"WHEN '{segment.code}' THEN '{_escaped(segment.description_en)}'" for segment in scheme.segments)
    numbers = f"coalesce(concat(' Here: ', {scheme.because}, '.'), '')"
    return f"concat(CASE {scheme.column} {words} END, {numbers})"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def long_form(assigned: DataFrame, schemes: Sequence[Scheme]) -> DataFrame:
    """One row per person and scheme: scheme, segment, reason."""
    rows = ", ".join(f"'{s.name}', {s.column}, {s.name}_reason" for s in schemes)
    return assigned.selectExpr("customer_id", f"stack({len(schemes)}, {rows}) AS (scheme, segment, reason)")
