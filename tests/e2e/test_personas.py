"""Whom the generator made as what, and who stops: found again in the published segments of the generated chain."""

from __future__ import annotations

from collections import Counter, defaultdict

import duckdb
import pytest

from jobs.definitions.segments import schemes
from jobs.definitions.segments.scheme import PRESETS
from tests.e2e.conftest import Chain

#: what most of an archetype's customers who can be judged have to be
PERSONAS = {
    "loyal_high_value": "frequent_high_value_loyals",
    "occasional_trier": "occasional_triers",
    "family_diner": "family_diners",
    "office_quick_lunch": "young_office_quick_lunchers",
}
UNJUDGED = ("unknown", "no_profiling_consent")

#: every group that the source documents name: where it is found, as ``scheme:segment``
NAMED = {
    "frequent high-value loyals": "persona:frequent_high_value_loyals",
    "occasional triers": "persona:occasional_triers",
    "family diners": "persona:family_diners",
    "young office quick-lunchers": "persona:young_office_quick_lunchers",
    "urban young parents": "lifestyle:urban_young_parent",
    "overtime workers": "persona:overtime_workers",
    "fresh-food lovers": "lifestyle:fresh_food_lover",
    "homemakers": "lifestyle:homemaker",
    "singles": "persona:singles",
    "seniors": "lifestyle:senior",
    "professionals": "lifestyle:professional",
    "fashion followers": "persona:fashion_followers",
    "digital hobbyists": "persona:digital_hobbyists",
    "young mothers": "persona:young_mothers",
    "frequent buyers": "persona:frequent_buyers",
    "occasional browsers": "persona:occasional_browsers",
    "the price-sensitive": "price_sensitivity:high",
    "long-unseen members": "persona:long_unseen_members",
}


@pytest.fixture(scope="module")
def found(plain: Chain) -> list[tuple[str, str, str, bool]]:
    """Archetype, persona, churn_risk_band and whether the person stopped, of every known customer."""
    shown = plain.warehouse / "published" / "current"
    truth = plain.sample / "truth"
    read = f"read_csv('{truth}/{{}}.csv', all_varchar = true)"
    with duckdb.connect() as database:
        return database.execute(
            "SELECT DISTINCT archetype, persona, churn_risk_band, churned_on IS NOT NULL, segments.customer_id"
            f" FROM {read.format('people')} JOIN {read.format('records')} AS records USING (person_id)"
            f" JOIN read_parquet('{shown}/restricted/customer_crosswalk/*.parquet') AS crosswalk"
            " ON kind = 'customer' AND crosswalk.source = records.source AND source_customer_id = record_id"
            f" JOIN read_parquet('{shown}/customer_segments/*.parquet') AS segments"
            " ON segments.customer_id = crosswalk.customer_id WHERE valid_to = DATE '9999-12-31'"
        ).fetchall()


def test_most_of_an_archetype_are_the_persona_of_its_name(found: list[tuple[str, str, str, bool]]) -> None:
    judged: dict[str, Counter[str]] = defaultdict(Counter)
    for archetype, persona, *_ in found:
        if persona not in UNJUDGED:
            judged[archetype][persona] += 1
    assert {archetype: counts.most_common(1)[0][0] for archetype, counts in judged.items()} == PERSONAS
    assert all(sum(counts.values()) > 20 for counts in judged.values())


def test_who_is_at_risk_stops_more_often(found: list[tuple[str, str, str, bool]]) -> None:
    people, stopped = Counter[str](), Counter[str]()
    for _, _, band, has_stopped, *_ in found:
        people[band] += 1
        stopped[band] += has_stopped
    assert people["high"] > 20 and people["low"] > 50
    assert stopped["high"] / people["high"] > 3 * stopped["low"] / people["low"]


def test_every_named_group_has_members_under_some_preset(plain: Chain) -> None:
    members = Counter[str]()
    shown = plain.warehouse / "published" / "current"
    with duckdb.connect() as database:
        database.execute("CREATE MACRO regexp_like(value, pattern) AS regexp_matches(value, pattern)")
        # the features, and the scores and segments that the pipeline gave; the preset's personas are computed anew
        known = (
            f"SELECT * EXCLUDE (persona) FROM read_parquet('{shown}/customer_segments/*.parquet') AS segments"
            f" JOIN read_parquet('{shown}/customer_features/*.parquet') AS features USING (customer_id)"
        )
        for preset in PRESETS:
            (persona,) = (scheme for scheme in schemes(preset) if scheme.name == "persona")
            cases = " ".join(f"WHEN {one.when} THEN 'persona:{one.code}'" for one in persona.segments)
            members.update(code for (code,) in database.execute(f"SELECT CASE {cases} END FROM ({known})").fetchall())
        for column, scheme in (("lifestyle_segment", "lifestyle"), ("price_sensitivity", "price_sensitivity")):
            members.update(
                f"{scheme}:{code}" for (code,) in database.execute(f"SELECT {column} FROM ({known})").fetchall()
            )
    assert [group for group, where in NAMED.items() if not members[where]] == []
