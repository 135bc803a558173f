"""Tags, profiles of segments, tables about stores: small tables, worked out by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import functions as F

from jobs.definitions.features import FEATURES
from jobs.definitions.segments import NO_CONSENT, SCHEMES, Scheme
from jobs.definitions.tags import TAGS, Tag
from jobs.models.lifetime import LifetimeFit, OrderModel, ValueModel
from jobs.transforms import profiles, stores, tags, value
from tests.spark.conftest import Table, rows_of

FEATURES_DDL = "customer_id STRING, " + ", ".join(f"{feature.name} {feature.type}" for feature in FEATURES)
RECEIPT_DDL = (
    "store_id STRING, day_type STRING, daypart STRING, hour INT, source STRING, order_id STRING, business_date DATE,"
    " customer_id STRING, net_cents BIGINT, basket ARRAY<STRUCT<product_id: STRING, net_cents: BIGINT>>"
)


def test_tags_of_one_customer(table: Table) -> None:
    features = table(
        FEATURES_DDL,
        [
            {
                "customer_id": "a", "top_category": "Baby Food", "top_category_share": 0.25, "recent_category": "茶",
                "recent_category_share": 1.5, "late_night_share": 0.2, "evening_share": 0.399999,
                "declared_interests": "hot pot", "attributed_interest": "Hot Pot", "attributed_lifestyle": "single",
                "kids_count": 2, "is_birth_month": False, "days_to_anniversary": 0, "average_rating": 4.5,
                "complaint_count": 2, "sessions_30d": 40, "referrals_365d": 0,
            },
            {"customer_id": "nothing"},
        ],
    )  # fmt: skip
    found = rows_of(tags.tags(features, TAGS), "tag")
    assert {row["customer_id"] for row in found} == {"a"}
    assert {row["tag"]: (row["strength"], row["basis"]) for row in found} == {
        "category:baby_food": (0.25, "observed"),
        "lately:茶": (1.0, "observed"),
        "late_night": (0.2, "observed"),
        "interest:hot_pot": (1.0, "declared"),
        "lifestyle:single": (0.5, "inferred"),
        "parent": (1.0, "declared"),
        "anniversary_soon": (1.0, "observed"),
        "promoter": (0.9, "observed"),
        "complained": (0.666667, "observed"),
        "browses": (1.0, "observed"),
    }
    reasons = {row["tag"]: row["reason"] for row in found}
    assert reasons["category:baby_food"] == "25% of net revenue in 365 days: Baby Food"
    assert reasons["complained"] == "2 complaints in 365 days"


@pytest.mark.parametrize(
    ("strengths", "stands"), [((0.4, 0.6), "second"), ((0.6, 0.4), "first"), ((0.5, 0.5), "first")]
)
def test_of_two_that_say_the_same_tag_the_stronger_stands(
    table: Table, strengths: tuple[float, float], stands: str
) -> None:
    first, second = (
        Tag("likes:", f"{of} IS NOT NULL", str(strength), "observed", f"'{name}'", of=of)
        for of, strength, name in zip(("top_category", "top_brand"), strengths, ("first", "second"), strict=True)
    )
    rows = [
        {"customer_id": "same", "top_category": "Tea", "top_brand": "tea"},
        {"customer_id": "two", "top_category": "tea", "top_brand": "pie"},
        {"customer_id": "one", "top_brand": "tea"},
    ]
    found = rows_of(tags.tags(table(FEATURES_DDL, rows), [first, second]))
    assert {(row["customer_id"], row["tag"], row["reason"]) for row in found} == {
        ("same", "likes:tea", stands), ("two", "likes:tea", "first"), ("two", "likes:pie", "second"),
        ("one", "likes:tea", "second"),
    }  # fmt: skip
    assert len(found) == 4


def receipt(number: int, customer: str | None, hour: int, cents: int, *basket: tuple[str, int], **other: Any) -> Any:
    where = {"store_id": "s1", "day_type": "weekday", "daypart": "lunch"}
    lines = [{"product_id": product, "net_cents": net} for product, net in basket]
    order = {"source": "pos", "order_id": f"o{number}", "customer_id": customer, "hour": hour, "net_cents": cents}
    return where | order | {"basket": lines} | other


RECEIPTS = [
    receipt(1, "a", 12, 1000, ("tea", 400), ("tea", 200), ("pie", 400)),
    receipt(2, "a", 13, 500, ("tea", 500)),
    receipt(3, "b", 13, 700, ("pie", 700)),
    receipt(4, "c", 12, 300, ("rice", 300)),
    receipt(5, None, 12, 250, ("tea", 250)),
    receipt(6, None, 13, 50, ("nut", 50)),
    receipt(7, "b", 18, 900, ("tea", 900), daypart="evening"),
]


def test_demand_of_a_store(table: Table) -> None:
    found = rows_of(stores.demand(table(RECEIPT_DDL, RECEIPTS)), "daypart")
    got = [(r["store_id"], r["daypart"], r["orders_90d"], r["net_revenue_90d"], r["peak_hour"]) for r in found]
    # at lunch three orders at 12 and three at 13
    assert got == [("s1", "evening", 1, Decimal("9.00"), 18), ("s1", "lunch", 6, Decimal("28.00"), 12)]


@pytest.mark.parametrize(
    ("least", "expected"),
    [
        (1, [(1, "tea", 3, "13.50"), (2, "pie", 2, "11.00"), (3, "rice", 1, "3.00"), (4, "nut", 1, "0.50")]),
        (2, [(1, "tea", 3, "13.50"), (2, "pie", 2, "11.00"), (3, "other", 2, "3.50")]),
        (9, [(1, "other", 7, "28.00")]),
    ],
)
def test_best_sellers_of_a_store(table: Table, least: int, expected: list[tuple[int, str, int, str]]) -> None:
    found = rows_of(stores.best_sellers(table(RECEIPT_DDL, RECEIPTS), least), "daypart", "rank")
    lunch = [row for row in found if row["daypart"] == "lunch"]
    got = [(row["rank"], row["product_id"], row["orders_90d"], row["net_revenue_90d"]) for row in lunch]
    assert got == [(rank, product, orders, Decimal(net)) for rank, product, orders, net in expected]


def test_no_more_than_ten_best_sellers_are_named(table: Table) -> None:
    many = [receipt(n, "a", 12, 100 - n, (f"p{n:02d}", 100 - n)) for n in range(12)]
    found = sorted(rows_of(stores.best_sellers(table(RECEIPT_DDL, many), 1)), key=lambda row: row["rank"])
    assert [row["product_id"] for row in found] == [*(f"p{n:02d}" for n in range(10)), "other"]
    assert (found[-1]["orders_90d"], found[-1]["net_revenue_90d"]) == (2, Decimal("1.79"))


SEGMENTS = {"a": "loyal", "b": "new", "c": "new", "d": "new"}


@pytest.mark.parametrize(
    ("least", "expected"),
    [
        (1, {"loyal": (2, "15.00"), "new": (2, "10.00"), "guest": (2, "3.00")}),
        (2, {"other": (2, "15.00"), "new": (2, "10.00"), "guest": (2, "3.00")}),
        (3, {"other": (4, "25.00"), "guest": (2, "3.00")}),
    ],
)
def test_segment_mix_of_a_store(table: Table, least: int, expected: dict[str, tuple[int, str]]) -> None:
    scheme = next(s for s in SCHEMES if s.name == "lifecycle_stage")
    rows = [{"customer_id": c, scheme.column: segment} for c, segment in SEGMENTS.items()]
    known = table(f"customer_id STRING, {scheme.column} STRING", rows)
    found = rows_of(stores.segment_mix(table(RECEIPT_DDL, RECEIPTS), known, [scheme], least), "segment")
    lunch = {row["segment"]: (row["orders_90d"], row["net_revenue_90d"]) for row in found if row["daypart"] == "lunch"}
    assert lunch == {segment: (orders, Decimal(net)) for segment, (orders, net) in expected.items()}
    assert all(row["segment_key"] == f"lifecycle_stage:{row['segment']}" for row in found)


S = Scheme("s", "S", "S", "A scheme.", "一种。", "''", ())
MEMBER_DDL = "customer_id STRING, s_segment STRING, churn_risk_band STRING"
MEMBERS = {
    "a": ("big", "low"),
    "b": ("big", "high"),
    "c": ("big", "low"),
    "d": ("small", "high"),
    "e": (NO_CONSENT, "x"),
}
BOUGHT = [
    {"customer_id": "a", "recency_days": 1, "orders_365d": 10, "net_revenue_365d": Decimal("100.00"),
     "top_category": "tea", "top_product_id": "p1", "preferred_daypart": "lunch", "weekend_share": 0.1},
    {"customer_id": "b", "recency_days": 9, "orders_365d": 4, "net_revenue_365d": Decimal("51.00"),
     "top_category": "pie", "top_product_id": "p2", "preferred_daypart": "lunch", "weekend_share": 0.2},
    {"customer_id": "c", "recency_days": 4, "orders_365d": 1, "net_revenue_365d": Decimal("9.00"),
     "top_category": "tea", "top_product_id": "p2"},
    {"customer_id": "d", "recency_days": 100, "orders_365d": 1, "net_revenue_365d": Decimal("40.00"),
     "weekend_share": 0.9},
]  # fmt: skip


VALUE_DDL = "customer_id STRING, predicted_clv_365d DECIMAL(18,2), churn_probability_90d DOUBLE"
WORTH = [
    {"customer_id": "a", "predicted_clv_365d": Decimal("100.00"), "churn_probability_90d": 0.25},
    {"customer_id": "b", "predicted_clv_365d": Decimal("10.01"), "churn_probability_90d": 0.5},  # 5.005 rounds up
    {"customer_id": "c", "predicted_clv_365d": None, "churn_probability_90d": 0.5},
]


def told(table: Table, features: list[dict[str, Any]]) -> Any:
    """Everybody's segment, and features, who is profiled being who has some."""
    rows = [{"customer_id": c, "s_segment": s, "churn_risk_band": b} for c, (s, b) in MEMBERS.items()]
    known = table(FEATURES_DDL, features).withColumn("is_profiled", F.lit(True))
    return table(MEMBER_DDL, rows).join(known, "customer_id", "left")


def profiled(table: Table, least: int) -> Any:
    at_risk = table(VALUE_DDL, WORTH).select("customer_id", F.expr(profiles.AT_RISK).alias("at_risk"))
    return profiles.profiles(told(table, BOUGHT).join(at_risk, "customer_id", "left"), [S], least)


def test_profile_of_a_segment(table: Table) -> None:
    found = {row["segment"]: row for row in rows_of(profiled(table, 1))}
    big = found["big"]
    assert (big["customers"], big["customer_share"]) == (3, 0.6)
    assert (big["net_revenue_365d"], big["revenue_share"]) == (Decimal("160.00"), 0.8)
    assert big["average_order_value"] == Decimal("10.67")  # 160 over 15 orders
    assert (big["median_recency_days"], big["mean_orders_365d"]) == (4.0, 5.0)
    assert (big["at_risk_customers"], big["at_risk_share"]) == (1, 0.333333)
    assert big["value_at_risk"] == Decimal("30.01")
    assert (big["top_category"], big["top_product_id"], big["peak_daypart"]) == ("tea", "p2", "lunch")
    assert big["portrait"] == (
        "3 customers, 60.0% of all who are known. They order 5.0 times a year for 10.67 each, 80.0% of the net "
        "revenue. Half of them were here within 4 days. Most come at lunch. Most buy tea. 33.3% are about to stop."
    )
    assert big["portrait_zh"].startswith("共3人，占全部顾客60.0%。年均下单5.0次，每单10.67，贡献净收入80.0%。")
    silent = found[NO_CONSENT]
    assert silent["portrait"] == "1 customers, 20.0% of all who are known."
    assert (silent["customers"], silent["net_revenue_365d"], silent["mean_orders_365d"]) == (1, Decimal("0.00"), None)
    assert not any(row["is_suppressed"] for row in found.values())


def test_of_a_small_group_nothing_is_said(table: Table) -> None:
    found = {row["segment"]: row for row in rows_of(profiled(table, 2))}
    assert {name: row["is_suppressed"] for name, row in found.items()} == {
        "big": False,
        "small": True,
        NO_CONSENT: True,
    }
    said = {"scheme", "segment", "segment_key", "is_suppressed"}
    assert {name for name, value in found["small"].items() if value is not None} == said
    # what is not said of the small ones still counts in the whole
    assert found["big"]["customer_share"] == 0.6


def test_features_that_set_a_segment_apart(table: Table) -> None:
    def of(least: int) -> dict[tuple[str, str], tuple[float, float, float | None]]:
        rows = rows_of(profiles.profile_features(told(table, BOUGHT), [S], least))
        return {(r["segment"], r["feature"]): (r["mean"], r["median"], r["index_to_all"]) for r in rows}

    every = of(1)
    assert every["big", "recency_days"] == (4.666667, 4.0, 0.163743)  # 14/3 over 28.5
    assert every["big", "weekend_share"] == (0.15, 0.15, 0.375)  # of those who have one; 0.15 over 0.4
    assert every["small", "net_revenue_365d"] == (40.0, 40.0, 0.8)
    assert ("big", "average_rating") not in every
    assert {segment for segment, _ in every} == {"big", "small"}
    folded = of(2)
    assert {segment for segment, _ in folded} == {"big", "other"}
    assert folded["other", "orders_365d"] == (1.0, 1.0, 0.25)


def test_how_a_segment_does(table: Table) -> None:
    did = [
        # came in the 90 days before and again, twice; 60.00 after 30.00
        {"customer_id": "a", "orders_90d": 2, "orders_prev_90d": 1, "orders_total": 9, "tenure_days": 400,
         "net_revenue_90d": Decimal("60.00"), "net_revenue_prev_90d": Decimal("30.00"), "recency_days": 3,
         "average_rating": 5.0, "complaint_count": 1, "orders_365d": 8},
        # did not come again, and rated
        {"customer_id": "b", "orders_90d": 0, "orders_prev_90d": 3, "orders_total": 3, "tenure_days": 170,
         "net_revenue_90d": Decimal("0.00"), "net_revenue_prev_90d": Decimal("10.00"), "recency_days": 95,
         "average_rating": 2.0, "complaint_count": 0, "orders_365d": 3},
        # is new
        {"customer_id": "c", "orders_90d": 1, "orders_prev_90d": 0, "orders_total": 1, "tenure_days": 89,
         "net_revenue_90d": Decimal("20.00"), "net_revenue_prev_90d": Decimal("0.00"), "recency_days": 89,
         "complaint_count": 0, "orders_365d": 1},
        # came back after 200 days
        {"customer_id": "d", "orders_90d": 1, "orders_prev_90d": 0, "orders_total": 5, "tenure_days": 900,
         "net_revenue_90d": Decimal("20.00"), "net_revenue_prev_90d": Decimal("0.00"), "recency_days": 9,
         "comeback_gap_days": 200, "complaint_count": 0, "orders_365d": 1},
    ]  # fmt: skip
    found = {r["segment"]: r for r in rows_of(profiles.kpis(told(table, did), [S], 1))}
    names = ("retention_rate_90d", "repeat_rate_90d", "new_to_repeat_rate_90d", "win_back_rate_90d",
             "revenue_growth_90d", "satisfaction", "complaint_rate", "revenue_share", "revenue_share_prev")  # fmt: skip
    assert {segment: tuple(row[name] for name in names) for segment, row in found.items()} == {
        "big": (0.5, 0.5, 0.0, None, 1.0, 3.5, 0.083333, 0.8, 1.0),
        "small": (None, 0.0, None, 1.0, None, None, 0.0, 0.2, 0.0),
        NO_CONSENT: (None,) * 9,
    }
    folded = {r["segment"]: r for r in rows_of(profiles.kpis(told(table, did), [S], 2))}
    assert folded["big"]["retention_rate_90d"] == 0.5
    assert {folded["small"][name] for name in names} == {None}


def test_watchlist(table: Table) -> None:
    ddl = FEATURES_DDL + ", churn_risk_band STRING, churn_risk_band_reason STRING, is_marketing_allowed BOOLEAN"
    common = {"churn_risk_band_reason": "r", "is_marketing_allowed": True, "recency_days": 40, "median_gap_days": 8.0}
    rows = [
        {"customer_id": "a", "churn_risk_band": "high", "orders_90d": 3, "orders_prev_90d": 9, **common},
        {"customer_id": "b", "churn_risk_band": "middle", "orders_90d": 2, "orders_prev_90d": 0, **common},
        {"customer_id": "c", "churn_risk_band": "low", "orders_90d": 2, "orders_prev_90d": 2, **common},
        {"customer_id": "d", "churn_risk_band": NO_CONSENT},
    ]
    found = rows_of(profiles.watchlist(table(ddl, rows), table(VALUE_DDL, WORTH[:1])), "customer_id")
    names = ("customer_id", "personal_gap_days", "days_since_last_order", "frequency_drop", "value_at_risk")
    got = [tuple(row[name] for name in names) for row in found]
    assert got == [("a", 8.0, 40, 0.666667, Decimal("25.00")), ("b", 8.0, 40, None, None)]


GROUPED = {"customer_id": "a", "orders_total": 3, "tenure_days": 272, "recency_days": 59, "orders_365d": 3,
           "average_order_value": Decimal("20.00"), "median_gap_days": 60.5}  # fmt: skip
MODEL = LifetimeFit("v", OrderModel(0.2426, 4.4136, 0.7929, 2.4259, 0.0), ValueModel(6.25, 3.74, 15.44), 0.1, 30.0)


def test_value_of_a_customer(table: Table) -> None:
    rows = [
        GROUPED,
        {"customer_id": "gone", "orders_total": 1, "tenure_days": 400, "recency_days": 400, "orders_365d": 0},
        {"customer_id": "prospect", "orders_total": 0, "tenure_days": 5, "orders_365d": 0},
    ]
    features = table(FEATURES_DDL, rows)
    kinds = {row["customer_id"]: tuple(row[name] for name in value.KIND) for row in rows_of(value.histories(features))}
    assert kinds == {"a": (2, 210, 266), "gone": (0, 0, 399)}  # 213 and 272 days in whole weeks
    said = {"expected_orders_90d": 0.5, "expected_orders_365d": 1.5, "probability_alive": 0.9,
            "probability_of_none_90d": 0.6}  # fmt: skip
    names = (*value.KIND, *said)
    scored = table(
        ", ".join(
            f"{name} {'BIGINT' if name == 'repeats' else 'INT' if name in value.KIND else 'DOUBLE'}" for name in names
        ),
        [dict(zip(value.KIND, kind, strict=True)) | said for kind in kinds.values()],
    )
    found = {
        r["customer_id"]: r
        for r in rows_of(value.customer_value(features, scored, MODEL.order_value_sql, None, "2026-06-30"))
    }
    # 6.25 * (15.44 + 3 * 20) / (6.25 * 3 + 3.74 - 1) = 471.5 / 21.49
    assert found["a"]["expected_order_value"] == Decimal("21.94")
    assert found["a"]["predicted_clv_365d"] == Decimal("32.91")
    assert found["a"]["churn_probability_90d"] == 0.6
    assert found["a"]["next_order_expected_on"] == date(2026, 7, 2)  # ceil(60.5) - 59 days on
    # without an order in the year: everybody's, 6.25 * 15.44 / 2.74
    assert found["gone"]["expected_order_value"] == Decimal("35.22")
    assert found["gone"]["next_order_expected_on"] is None
    assert {v for k, v in found["prospect"].items() if k != "customer_id"} == {None}


def test_who_orders_may_stop_as_the_model_of_churn_says_and_others_as_that_of_orders_does(table: Table) -> None:
    others = [{"customer_id": "b", "orders_365d": 0}, {"customer_id": "c", "recency_days": 180},
              {"customer_id": "d", "recency_days": 181}]  # fmt: skip
    features = table(FEATURES_DDL, [GROUPED, *(GROUPED | other for other in others)])
    stops = "recency_days / 1000"  # in the place of a model
    found = rows_of(value.customer_value(features, None, "1D", stops, "2026-06-30"), "customer_id")
    assert [row["churn_probability_90d"] for row in found] == [GROUPED["recency_days"] / 1000, None, 0.18, None]


def test_value_without_a_model_that_holds(table: Table) -> None:
    features = table(FEATURES_DDL, [GROUPED])
    averages = LifetimeFit("v", None, None, 0.1, 30.0, ("why",))
    (row,) = rows_of(value.customer_value(features, None, averages.order_value_sql, None, "2026-06-30"))
    assert row["expected_order_value"] == Decimal("26.25")  # (3 * 20 + 5 * 30) / 8
    assert (row["expected_orders_90d"], row["probability_alive"], row["predicted_clv_365d"]) == (None, None, None)
    (row,) = rows_of(value.customer_value(features, None, "CAST(NULL AS DOUBLE)", None, "2026-06-30"))
    assert {v for k, v in row.items() if k not in ("customer_id", "next_order_expected_on")} == {None}
