"""Segments by the rules that the definitions declare, with the reason of each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.definitions.segments import NO_CONSENT, NO_CONSENT_REASON, Scheme
from jobs.transforms.words import doubles_of, in_words


def rule_text(scheme: Scheme) -> str:
    """A scheme's rules as one CASE expression."""
    cases = " ".join(f"WHEN {segment.when} THEN '{segment.code}'" for segment in scheme.segments)
    return f"CASE {cases} END"


def with_segments(scored: DataFrame, people: DataFrame, schemes: Sequence[Scheme]) -> DataFrame:
    """One row per known person: a code per scheme, ``<scheme>_reason`` and ``<scheme>_basis`` beside it, the scores.

    Args:
        scored: features and scores of those who allow profiling.
        people: every known person: customer_id, is_marketing_allowed.
        schemes: what to assign; each may ask for the columns of those before it.

    Returns:
        all of ``people``; who does not allow profiling has ``no_profiling_consent`` everywhere.
    """
    ruled = scored
    for scheme in schemes:
        ruled = ruled.withColumn(scheme.column, F.expr(rule_text(scheme)))
        if scheme.basis:
            ruled = ruled.withColumn(scheme.basis_column, F.expr(scheme.basis))
    doubles = doubles_of(ruled)
    reasons = {f"{s.name}_reason": F.expr(_sentence(s, doubles)) for s in schemes}
    ruled = ruled.withColumns(reasons).withColumn("is_profiled", F.lit(True))
    everyone = people.join(ruled, "customer_id", "left")
    columns = [*(s.column for s in schemes), *(s.basis_column for s in schemes if s.basis)]
    codes = {name: F.coalesce(F.col(name), F.lit(NO_CONSENT)) for name in columns}
    why = {f"{s.name}_reason": F.coalesce(F.col(f"{s.name}_reason"), F.lit(NO_CONSENT_REASON)) for s in schemes}
    return everyone.withColumns(codes | why)


def _sentence(scheme: Scheme, doubles: Collection[str]) -> str:
    """The rule in words and, where they can be had, the customer's numbers."""
    words = " ".join(f"WHEN '{segment.code}' THEN '{_escaped(segment.description_en)}'" for segment in scheme.segments)
    numbers = f"coalesce(concat(' Here: ', {in_words(scheme.because, doubles)}, '.'), '')"
    return f"concat(CASE {scheme.column} {words} END, {numbers})"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def codes_of(wide: DataFrame, schemes: Sequence[Scheme], *carried: str) -> DataFrame:
    """One row per person and scheme: customer_id, ``carried``, scheme, segment.

    Args:
        wide: one row per person with the schemes' columns.
        schemes: those to tell of.
        carried: further columns that each row shall have. They come along here, for joined to the rows afterwards they
            would cost as many times more as there are schemes.
    """
    pairs = ", ".join(f"'{s.name}', {s.column}" for s in schemes)
    long = wide.selectExpr("customer_id", *carried, f"stack({len(schemes)}, {pairs}) AS (scheme, segment)")
    return long.where("segment IS NOT NULL")  # an earlier night may not have known the scheme


def as_ruled(
    wide: DataFrame, scored: DataFrame, schemes: Sequence[Scheme], changed: Mapping[str, str]
) -> DataFrame | None:
    """Where other rules would put everyone of a night: customer_id and the columns of ``changed``; None without any.

    Args:
        wide: customer_segments of the night.
        scored: its features and scores.
        schemes: the other rules, all of them, because one may ask for another.
        changed: the schemes that are asked for.
    """
    asked = [scheme.column for scheme in schemes if scheme.name in changed]
    return with_segments(scored, wide.select("customer_id"), schemes).select("customer_id", *asked) if asked else None
