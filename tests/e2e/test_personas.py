"""Whom the generator made as what, and who stops: found again in the published segments of the generated chain."""

from __future__ import annotations

from collections import Counter, defaultdict

import duckdb
import pytest

from tests.e2e.conftest import Chain

#: what most of an archetype's customers who can be judged have to be
PERSONAS = {
    "loyal_high_value": "frequent_high_value_loyals",
    "occasional_trier": "occasional_triers",
    "family_diner": "family_diners",
    "office_quick_lunch": "young_office_quick_lunchers",
}
UNJUDGED = ("unknown", "no_profiling_consent")


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
