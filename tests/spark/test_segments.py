"""Scores, segments, periods, migrations: small tables, worked out by hand."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from pyspark.sql import functions as F

from jobs.definitions import rfm as cells
from jobs.definitions.features import FEATURES
from jobs.definitions.published.customers import FORETOLD
from jobs.definitions.segments import NO_CONSENT, SCHEMES, Preset, Scheme, schemes
from jobs.models import rfm
from jobs.transforms.segments import with_segments
from tests.spark.conftest import Table, rows_of

BUYER_DDL = "customer_id STRING, recency_days INT, orders_365d BIGINT, net_revenue_365d DECIMAL(18,2)"
SCORED_DDL = "customer_id STRING, " + ", ".join(
    f"{name} {type_}" for name, type_ in ({one.name: one.type for one in FEATURES} | cells.SCORES | FORETOLD).items()
)
PEOPLE_DDL = "customer_id STRING, is_marketing_allowed BOOLEAN"
BY_NAME = {scheme.name: scheme for scheme in SCHEMES}

#: scheme -> segment -> features of one who has it
CASES: dict[str, dict[str, list[dict[str, Any]]]] = {
    "lifecycle_stage": {
        "prospect": [{"orders_total": 0}, {"orders_total": 0, "tenure_days": 5}],
        "lost": [{"orders_total": 9, "recency_days": 366, "tenure_days": 900}],
        "lapsed": [
            {"orders_total": 9, "recency_days": 181, "tenure_days": 900},
            {"orders_total": 9, "recency_days": 365, "tenure_days": 900},
        ],
        "won_back": [
            {"orders_total": 9, "recency_days": 0, "tenure_days": 900, "comeback_gap_days": 181},
            {"orders_total": 9, "recency_days": 0, "tenure_days": 900, "comeback_gap_days": 200, "orders_365d": 20,
             "orders_90d": 9},
        ],
        "new": [{"orders_total": 1, "recency_days": 89, "tenure_days": 89}],
        "cooling": [
            {"orders_total": 1, "recency_days": 91, "tenure_days": 91},
            {"orders_total": 20, "recency_days": 31, "tenure_days": 900, "median_gap_days": 10.0},
            {"orders_total": 20, "recency_days": 180, "tenure_days": 900, "median_gap_days": 100.0},
        ],
        "loyal": [
            {"orders_total": 20, "recency_days": 30, "tenure_days": 900, "median_gap_days": 9.0, "orders_365d": 12,
             "orders_90d": 3},
        ],
        "active": [
            {"orders_total": 20, "recency_days": 30, "tenure_days": 900, "median_gap_days": 9.0, "orders_365d": 11,
             "orders_90d": 11},
            {"orders_total": 20, "recency_days": 90, "tenure_days": 90, "median_gap_days": 30.0, "orders_365d": 12,
             "orders_90d": 2, "comeback_gap_days": 180},
        ],
    },
    "predicted_lifecycle_30d": {
        "prospect": [{"orders_total": 0}],
        "lost": [{"orders_total": 9, "recency_days": 336, "tenure_days": 900}],
        "lapsed": [
            {"orders_total": 9, "recency_days": 151, "tenure_days": 900},
            {"orders_total": 9, "recency_days": 335, "tenure_days": 900, "median_gap_days": 7.0},
        ],
        "won_back": [{"orders_total": 9, "recency_days": 150, "tenure_days": 900, "comeback_gap_days": 181}],
        "new": [{"orders_total": 1, "recency_days": 59, "tenure_days": 59}],
        "cooling": [
            {"orders_total": 9, "recency_days": 91, "tenure_days": 900, "median_gap_days": 30.0},
            {"orders_total": 30, "recency_days": 61, "tenure_days": 900, "median_gap_days": 31.0},
            {"orders_total": 30, "recency_days": 22, "tenure_days": 900, "median_gap_days": 5.0},
        ],
        "loyal": [
            {"orders_total": 20, "recency_days": 21, "tenure_days": 900, "median_gap_days": 2.0, "orders_365d": 12,
             "orders_90d": 3},
        ],
        "active": [
            {"orders_total": 20, "recency_days": 20, "tenure_days": 900, "median_gap_days": 10.0, "orders_365d": 11,
             "orders_90d": 11},
            {"orders_total": 20, "recency_days": 60, "tenure_days": 60, "median_gap_days": 30.0, "orders_365d": 12,
             "orders_90d": 2},
        ],
    },
    "need": {
        "emotional": [
            {"top_category": "Cakes"}, {"top_department": "FLORAL"},
            {"stated_need": "emotional", "top_category": "Dairy"},
        ],
        "functional": [
            {"top_category": "Dairy", "top_department": "FLORAL"},
            {"stated_need": "functional", "top_category": "Cakes"},
        ],
        "unknown": [{}, {"top_category": "Phones"}, {"stated_need": "both", "top_category": "Cakes"}],
    },
    "value_tier": {
        "high": [{"monetary_score": 5}],
        "middle": [{"monetary_score": 4}, {"monetary_score": 3}],
        "low": [{"monetary_score": 2}, {"monetary_score": 1}],
        "not_scored": [{}],
    },
    "channel_preference": {
        "unknown": [{"orders_365d": 0}],
        "online": [{"orders_365d": 5, "online_share": 0.8}, {"orders_365d": 1, "online_share": 1.0}],
        "store": [{"orders_365d": 5, "online_share": 0.2}, {"orders_365d": 1, "online_share": 0.0}],
        "omnichannel": [{"orders_365d": 5, "online_share": 0.4}, {"orders_365d": 9, "online_share": 0.777778}],
    },
    "consumption_occasion": {
        "unknown": [{"orders_365d": 0}],
        "late_night": [{"orders_365d": 5, "late_night_share": 0.4, "weekday_lunch_share": 0.6}],
        "workday_lunch": [{"orders_365d": 2, "weekday_lunch_share": 0.5, "weekend_share": 0.5}],
        "weekend_family": [{"orders_365d": 5, "weekend_share": 0.4, "average_party_size": 3.0}],
        "weekend": [
            {"orders_365d": 2, "weekend_share": 0.5, "average_party_size": 2.9, "evening_share": 1.0},
            {"orders_365d": 2, "weekend_share": 0.5},
        ],
        "evening": [{"orders_365d": 2, "weekend_share": 0.4, "evening_share": 0.5}],
        "mixed": [{"orders_365d": 5, "late_night_share": 0.2, "weekday_lunch_share": 0.4, "weekend_share": 0.4,
                   "evening_share": 0.4}],
    },
    "churn_risk_band": {
        "none": [{"orders_total": 0}],
        "gone": [{"orders_total": 9, "recency_days": 181, "orders_90d": 0, "orders_prev_90d": 0}],
        "high": [
            {"orders_total": 9, "recency_days": 1, "churn_probability_90d": 0.5},
            {"orders_total": 9, "recency_days": 31, "median_gap_days": 7.0, "orders_90d": 9, "orders_prev_90d": 9},
        ],
        "middle": [
            {"orders_total": 9, "recency_days": 31, "median_gap_days": 7.0, "churn_probability_90d": 0.499999},
            {"orders_total": 9, "recency_days": 1, "churn_probability_90d": 0.25},
            # 20 - 5 = 15 is above 2.6 * sqrt(25) = 13
            {"orders_total": 30, "recency_days": 1, "churn_probability_90d": 0.1, "orders_90d": 5,
             "orders_prev_90d": 20},
            {"orders_total": 30, "recency_days": 1, "orders_90d": 0, "orders_prev_90d": 7},
        ],
        "low": [
            {"orders_total": 9, "recency_days": 30, "median_gap_days": 7.0, "orders_90d": 9, "orders_prev_90d": 9},
            {"orders_total": 9, "recency_days": 21, "median_gap_days": 1.0, "orders_90d": 9, "orders_prev_90d": 9},
            # 19 - 6 = 13 is 2.6 * sqrt(25)
            {"orders_total": 30, "recency_days": 1, "churn_probability_90d": 0.249999, "orders_90d": 6,
             "orders_prev_90d": 19},
            {"orders_total": 9, "recency_days": 1, "median_gap_days": 7.0, "orders_90d": 0, "orders_prev_90d": 6},
            {"orders_total": 1, "recency_days": 60, "orders_90d": 1, "orders_prev_90d": 0},
        ],
    },
    "price_sensitivity": {
        "unknown": [{"orders_365d": 0}],
        "high": [
            {"orders_365d": 5, "discount_share": 0.2, "coupon_order_share": 0.0},
            {"orders_365d": 5, "discount_share": 0.0, "coupon_order_share": 0.4},
        ],
        "middle": [
            {"orders_365d": 5, "discount_share": 0.08, "coupon_order_share": 0.0},
            {"orders_365d": 5, "discount_share": 0.0, "coupon_order_share": 0.15},
        ],
        "low": [{"orders_365d": 5, "discount_share": 0.07, "coupon_order_share": 0.14}],
    },
    "category_affinity": {
        "unknown": [{}, {"top_category": "tea"}],
        "devoted": [{"top_category": "tea", "top_category_share": 0.5}],
        "leaning": [{"top_category": "tea", "top_category_share": 0.25}],
        "varied": [{"top_category": "tea", "top_category_share": 0.249999}],
    },
    "brand_loyalty": {
        "unknown": [{}],
        "loyal": [{"top_brand": "x", "top_brand_share": 0.75}],
        "leaning": [{"top_brand": "x", "top_brand_share": 0.5}],
        "switching": [{"top_brand": "x", "top_brand_share": 0.49}],
    },
    "demographic": {
        "senior": [{"age_group": "65_and_over", "kids_count": 1}],
        "young_family": [{"age_group": "35_to_44", "kids_count": 1}],
        "family": [{"age_group": "45_to_54", "kids_count": 2}, {"kids_count": 1, "household_size": 3}],
        "young_single": [{"age_group": "25_to_34", "household_size": 1}],
        "single": [{"age_group": "45_to_54", "household_size": 1, "kids_count": 0}, {"household_size": 1}],
        "couple": [{"household_size": 2}],
        "shared_household": [{"household_size": 3, "kids_count": 0}],
        "young_adult": [{"age_group": "under_25"}],
        "adult": [{"age_group": "35_to_44"}],
        "unknown": [{}],
    },
    "geographic": {
        "first_tier_city": [{"home_store_city_tier": "1"}, {"home_store_city_tier": "Tier_1"}],
        "new_first_tier_city": [{"home_store_city_tier": "new_1"}],
        "second_tier_city": [{"home_store_city_tier": "2"}],
        "lower_tier_city": [{"home_store_city_tier": "3"}],
        "city_of_unknown_tier": [{"home_store_city": "Ourtown"}, {"home_store_region": "OH"}],
        "unknown": [{}],
    },
    "lifestyle": {
        "urban_young_parent": [
            {"declared_lifestyle": "Urban young parent"}, {"age_group": "25_to_34", "kids_count": 1},
        ],
        "young_mother": [
            {"attributed_lifestyle": "young_mother"}, {"top_category": "BABY FOODS", "age_group": "25_to_34"},
        ],
        "overtime_worker": [{"late_night_share": 0.4, "weekend_share": 0.3}],
        "fresh_food_lover": [{"top_department": "PRODUCE"}],
        "homemaker": [{"household_size": 3, "average_items": 10.0, "weekend_share": 0.3}],
        "professional": [
            {"weekday_lunch_share": 0.5}, {"declared_lifestyle": " Professional ", "late_night_share": 0.9},
        ],
        "senior": [{"age_group": "65_and_over"}],
        "single": [{"solo_share": 0.8}, {"household_size": 1}],
        "fashion_follower": [{"top_category": "Women's shoes"}],
        "digital_hobbyist": [{"top_category": "computers"}],
        "another": [{"declared_lifestyle": "sailor", "solo_share": 1.0}, {"attributed_lifestyle": "sailor"}],
        "unknown": [{}],
    },
    "persona": {
        "long_unseen_members": [{"recency_days": 181, "orders_365d": 40}],
        "unknown": [{"orders_365d": 0}],
        "young_office_quick_lunchers": [
            {"orders_365d": 6, "weekday_lunch_share": 0.5},
            {"orders_365d": 9, "weekday_lunch_share": 0.9, "age_group": "35_to_44", "average_party_size": 2.4},
        ],
        "family_diners": [
            {"orders_365d": 8, "weekend_group_share": 0.4},
            {"orders_365d": 7, "weekend_group_share": 0.428571},
            {"orders_365d": 3, "weekend_group_share": 1.0},
        ],
        "overtime_workers": [{"orders_365d": 6, "late_night_share": 0.5, "weekend_share": 0.3}],
        "young_mothers": [{"orders_365d": 4, "top_category": "Diapers", "age_group": "25_to_34"}],
        "fashion_followers": [{"orders_365d": 4, "top_category": "Apparel"}],
        "digital_hobbyists": [{"orders_365d": 4, "top_category": "Phones"}],
        "frequent_high_value_loyals": [{"orders_365d": 12, "monetary_score": score} for score in (4, 5)],
        "frequent_buyers": [{"orders_365d": 24, "monetary_score": 3}],
        "price_sensitive": [{"orders_365d": 13, "discount_share": 0.5}],
        "urban_young_parents": [{"orders_365d": 13, "kids_count": 1, "age_group": "25_to_34"}],
        "fresh_food_lovers": [{"orders_365d": 13, "top_category": "Fresh fruit"}],
        "homemakers": [{"orders_365d": 13, "household_size": 3, "weekend_share": 0.1}],
        "seniors": [{"orders_365d": 13, "age_group": "65_and_over", "weekend_share": 0.5}],
        "professionals": [{"orders_365d": 13, "evening_share": 0.6, "weekend_share": 0.1}],
        "singles": [{"orders_365d": 13, "solo_share": 0.8}, {"orders_365d": 13, "household_size": 1}],
        "occasional_triers": [
            {"orders_365d": 12},
            {"orders_365d": 5, "solo_share": 1.0, "evening_share": 1.0},
            {"orders_365d": 5, "weekend_group_share": 0.4},  # two of them
            {"orders_365d": 5, "late_night_share": 1.0, "weekend_share": 0.2},
        ],
        "occasional_browsers": [],
        "others": [{"orders_365d": 13}],
    },
    "rfm": {
        code: [{"rfm_cell": cell} for cell in text.split()] for code, text in cells.CELLS.items()
    } | {"not_scored": [{}]},
    "rfm8": {
        "important_value": [{"is_recent": True, "is_frequent": True, "is_big": True}],
        "important_develop": [{"is_recent": True, "is_frequent": False, "is_big": True}],
        "important_keep": [{"is_recent": False, "is_frequent": True, "is_big": True}],
        "important_win_back": [{"is_recent": False, "is_frequent": False, "is_big": True}],
        "general_value": [{"is_recent": True, "is_frequent": True, "is_big": False}],
        "general_develop": [{"is_recent": True, "is_frequent": False, "is_big": False}],
        "general_keep": [{"is_recent": False, "is_frequent": True, "is_big": False}],
        "general_win_back": [{"is_recent": False, "is_frequent": False, "is_big": False}],
        "not_scored": [{}],
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("count", "places"),
    [
        (1, (1, 1, 1, 1, 1)),
        (5, (1, 2, 3, 4, 3)),
        (7, (2, 3, 5, 6, 4)),
        (10, (2, 4, 6, 8, 5)),
        (501, (101, 201, 301, 401, 251)),
    ],
)
def test_positions_of_cuts(count: int, places: tuple[int, ...]) -> None:
    assert rfm.positions(count) == places


def test_fit_and_scores_of_seven_buyers(table: Table) -> None:
    # recency 1..7, orders 7..1 but two of them tied, money 10.00 .. 70.00; and one who did not buy this year
    orders = [9, 6, 6, 4, 3, 2, 1]
    people = [
        {"customer_id": f"c{n}", "recency_days": n, "orders_365d": orders[n - 1], "net_revenue_365d": Decimal(10 * n)}
        for n in range(1, 8)
    ]
    people.append({"customer_id": "gone", "recency_days": 400, "orders_365d": 0, "net_revenue_365d": Decimal(0)})
    features = table(BUYER_DDL, people)
    cuts = rfm.fit(features, "v")
    assert cuts == rfm.RfmCuts("v", (2, 3, 5, 6), (2, 3, 6, 6), (2000, 3000, 5000, 6000), (4, 4, 4000), 7)
    assert rfm.RfmCuts.from_json(cuts.to_json()) == cuts
    scored = rows_of(rfm.with_scores(features, cuts), "customer_id")
    # R: 5 less the cuts below; F and M: 1 and the cuts below. orders 9: above 2 3 6 6; 6: above 2 3
    assert [row["rfm_cell"] for row in scored] == ["551", "531", "432", "333", "323", "214", "115", None]
    assert [row["is_recent"] for row in scored] == [True] * 4 + [False] * 3 + [None]
    assert [row["is_frequent"] for row in scored] == [True] * 3 + [False] * 4 + [None]
    assert [row["is_big"] for row in scored] == [False] * 4 + [True] * 3 + [None]
    assert scored[0]["monetary_median"] == "40.00"


def test_without_buyers_or_cuts_nobody_is_scored(table: Table) -> None:
    nobody = table(BUYER_DDL, [{"customer_id": "a", "orders_365d": 0, "net_revenue_365d": Decimal(0)}])
    assert rfm.fit(nobody, "v") is None
    (row,) = rows_of(rfm.with_scores(nobody, None))
    assert row["rfm_cell"] is None and row["recency_score"] is None


def test_every_segment_has_a_case() -> None:
    ruled = {s.name: {segment.code for segment in s.segments} for s in SCHEMES if s.kind != "model"}
    assert ruled == {name: set(cases) for name, cases in CASES.items()}
    assert sum(len(found) for code, found in CASES["rfm"].items() if code != "not_scored") == 125
    every = {"".join(map(str, cell)) for cell in product(range(1, 6), repeat=3)}
    assert {case["rfm_cell"] for found in CASES["rfm"].values() for case in found if case} == every


#: preset -> persona -> the features of one who has it under that preset and another persona under all at once
OF_PRESET: dict[Preset, dict[str, list[dict[str, Any]]]] = {
    "restaurant": {
        "price_sensitive": [{"orders_365d": 13, "monetary_score": 3, "coupon_order_share": 0.4}],
        "others": [{"orders_365d": 13, "top_category": "Phones"}],
    },
    "supermarket": {
        "frequent_high_value_loyals": [{"orders_365d": 12, "monetary_score": 5, "discount_share": 0.9}],
        "frequent_buyers": [{"orders_365d": 24, "weekday_lunch_share": 0.9}],
        "price_sensitive": [{"orders_365d": 13, "weekday_lunch_share": 0.9, "discount_share": 0.9}],
        "others": [{"orders_365d": 13, "weekday_lunch_share": 0.9}],
    },
    "online_retail": {
        "frequent_buyers": [{"orders_365d": 24, "monetary_score": 5, "top_department": "produce"}],
        "occasional_browsers": [{"orders_365d": 3, "age_group": "65_and_over"}],
        "others": [{"orders_365d": 4, "late_night_share": 0.9, "weekend_share": 0.0}],
    },
}


@pytest.mark.parametrize("preset", OF_PRESET)
def test_personas_are_those_of_the_preset(table: Table, preset: Preset) -> None:
    cases = OF_PRESET[preset]
    wanted = {f"{code}-{n}": code for code, found in cases.items() for n, _ in enumerate(found)}
    rows = [{"customer_id": f"{code}-{n}", **case} for code, found in cases.items() for n, case in enumerate(found)]
    people = table(PEOPLE_DDL, [{"customer_id": who} for who in wanted])
    chosen = schemes(preset)
    found = rows_of(with_segments(table(SCORED_DDL, rows), people, chosen))
    assert {row["customer_id"]: row["persona"] for row in found} == wanted


def test_a_way_of_life_says_where_it_is_known_from(table: Table) -> None:
    cases = {
        "declared": {"declared_lifestyle": "single", "attributed_lifestyle": "senior"},
        "inferred": {"attributed_lifestyle": "senior"},
        "unknown": {},
    }
    rows = [{"customer_id": basis, **case} for basis, case in cases.items()]
    people = table(PEOPLE_DDL, [{"customer_id": who} for who in (*cases, "silent")])
    found = rows_of(with_segments(table(SCORED_DDL, rows), people, [BY_NAME["lifestyle"]]))
    got = {row["customer_id"]: (row["lifestyle_segment"], row["lifestyle_basis"]) for row in found}
    assert got == {
        "declared": ("single", "declared"), "inferred": ("senior", "inferred"), "unknown": ("unknown", "unknown"),
        "silent": (NO_CONSENT, NO_CONSENT),
    }  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_segments(table: Table, name: str) -> None:
    scheme = BY_NAME[name]
    wanted = {f"{code}-{n}": code for code, cases in CASES[name].items() for n, _ in enumerate(cases)}
    scored = table(
        SCORED_DDL,
        [{"customer_id": f"{code}-{n}", **case} for code, cases in CASES[name].items() for n, case in enumerate(cases)],
    )
    people = table(PEOPLE_DDL, [{"customer_id": who} for who in (*wanted, "silent")])
    earlier = SCHEMES[: SCHEMES.index(scheme) + 1]
    found = rows_of(with_segments(scored, people, earlier))
    assert {row["customer_id"]: row[scheme.column] for row in found} == wanted | {"silent": NO_CONSENT}
    assert len(found) == len(wanted) + 1
    assert all(row[f"{scheme.name}_reason"] for row in found)
    if scheme.name in ("rfm", "rfm8"):
        assert_exactly_one_rule_holds(scored, scheme)


def assert_exactly_one_rule_holds(scored: Any, scheme: Scheme) -> None:
    """Rules that are not ordered must not overlap (the last one catches who is not scored)."""
    holds = [F.coalesce(F.expr(segment.when).cast("int"), F.lit(0)) for segment in scheme.segments[:-1]]
    total = sum(holds[1:], holds[0])
    found = rows_of(scored.select("customer_id", total.alias("n")))
    assert {row["n"] for row in found if not row["customer_id"].startswith("not_scored")} == {1}
