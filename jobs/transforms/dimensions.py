"""The dimension tables that need no rows but the definitions and settings, and those of the sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.definitions.published import DAYPARTS
from jobs.definitions.segments import (
    GUEST,
    GUEST_LABELS,
    NO_CONSENT,
    NO_CONSENT_LABELS,
    OTHER,
    OTHER_LABELS,
    SCHEMES,
    Scheme,
)
from jobs.definitions.segments.fitted import NEVER


def schemes(chosen: Sequence[Scheme], day: date) -> pa.Table:
    """One row per scheme of dim_scheme."""
    rows = [
        {
            "scheme": s.name, "snapshot_date": day, "label_en": s.label_en, "label_zh": s.label_zh,
            "description_en": s.description_en, "description_zh": s.description_zh, "kind": s.kind,
            "version": s.version,
        }
        for s in chosen
    ]  # fmt: skip
    return pa.Table.from_pylist(rows)


def segments(chosen: Sequence[Scheme], day: date) -> pa.Table:
    """One row per segment of dim_segment, with what stands for nobody; those of other presets are not active.

    Args:
        chosen: the schemes by the chain's rules.
        day: business date.
    """
    given = {scheme.name: scheme for scheme in chosen}
    return pa.Table.from_pylist([row for scheme in SCHEMES for row in _segments_of(scheme, given[scheme.name], day)])


def _segments_of(declared: Scheme, chosen: Scheme, day: date) -> list[dict[str, object]]:
    given = {one.code: one for one in chosen.segments}
    every = {one.code: one for one in (chosen if declared.kind == "model" else declared).segments}
    words = []
    for one in (given.get(code, other) for code, other in every.items()):
        said = (one.label_en, one.label_zh, one.description_en, one.description_zh, one.when, one.action)
        words.append((one.code, *said, one.code in given and one.when != NEVER))
    words += [
        (NO_CONSENT, *NO_CONSENT_LABELS, "profiling_consent is not true", "Do not profile.", True),
        (GUEST, *GUEST_LABELS, "an order of nobody known, in tables about stores", "Offer a card.", True),
        (OTHER, *OTHER_LABELS, "a group smaller than privacy.min_group_size", "None.", True),
    ]
    names = (
        "segment", "label_en", "label_zh", "description_en", "description_zh", "rule_text", "suggested_action",
        "is_active",
    )  # fmt: skip
    return [
        {
            "segment_key": f"{declared.name}:{values[0]}", "snapshot_date": day, "scheme": declared.name,
            **dict(zip(names, values, strict=True)), "sort_order": place,
        }
        for place, values in enumerate(words, start=1)
    ]  # fmt: skip


def dayparts(hours: Mapping[str, int], day: date) -> pa.Table:
    """One row per daypart of dim_daypart."""
    ends = {name: hours[DAYPARTS[(place + 1) % len(DAYPARTS)]] for place, name in enumerate(DAYPARTS)}
    rows = [
        {
            "daypart": name, "snapshot_date": day, "starts_at": f"{hours[name]:02d}:00",
            "ends_at": f"{ends[name]:02d}:00", "sort_order": place,
        }
        for place, name in enumerate(DAYPARTS, start=1)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows)


def customers(people: DataFrame, features: DataFrame) -> DataFrame:
    """One row per known person of dim_customer, ``snapshot_date`` aside."""
    return people.join(features.select("customer_id", "home_store_id"), "customer_id", "left")


def crosswalk(before: DataFrame, records: DataFrame, day: str, open_end: str) -> DataFrame:
    """Periods in which a source's id meant a person: one row per (source, source_customer_id, valid_from)."""
    key = ["source", "source_customer_id"]
    now = records.select(*key, "customer_id")
    going_on = before.where(f"valid_to = DATE'{open_end}'").select(
        *key, F.col("customer_id").alias("_was"), F.col("valid_from").alias("_since")
    )
    current = now.join(going_on, key, "left").select(
        *key,
        "customer_id",
        F.expr(f"CASE WHEN _was = customer_id THEN _since ELSE DATE'{day}' END").alias("valid_from"),
        F.expr(f"DATE'{open_end}'").alias("valid_to"),
    )
    ended = before.join(current.select(*key, "valid_from"), [*key, "valid_from"], "left_anti").withColumn(
        "valid_to", F.expr(f"least(valid_to, DATE'{day}')")
    )
    return ended.select(*current.columns).unionByName(current)
