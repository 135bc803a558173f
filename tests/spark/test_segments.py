"""Scores, segments, periods, migrations: small tables, worked out by hand."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise, product
from typing import Any

import pytest
from pyspark.sql import functions as F

from jobs.definitions import rfm as cells
from jobs.definitions.features import FEATURES
from jobs.definitions.segments import NO_CONSENT, SCHEMES, Scheme
from jobs.models import rfm
from jobs.transforms import history
from jobs.transforms.segments import long_form, with_segments
from tests.spark.conftest import Table, rows_of

BUYER_DDL = "customer_id STRING, recency_days INT, orders_365d BIGINT, net_revenue_365d DECIMAL(18,2)"
SCORED_DDL = (
    "customer_id STRING, "
    + ", ".join(f"{feature.name} {feature.type}" for feature in FEATURES)
    + ", recency_score INT, frequency_score INT, monetary_score INT, rfm_cell STRING, is_recent BOOLEAN,"
    " is_frequent BOOLEAN, is_big BOOLEAN, recency_median INT, frequency_median INT, monetary_median STRING"
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
    assert {s.name: {segment.code for segment in s.segments} for s in SCHEMES} == {n: set(c) for n, c in CASES.items()}
    assert sum(len(found) for code, found in CASES["rfm"].items() if code != "not_scored") == 125
    every = {"".join(map(str, cell)) for cell in product(range(1, 6), repeat=3)}
    assert {case["rfm_cell"] for found in CASES["rfm"].values() for case in found if case} == every


@pytest.mark.parametrize("name", CASES)
def test_segments(table: Table, name: str) -> None:
    scheme = BY_NAME[name]
    wanted = {f"{code}-{n}": code for code, cases in CASES[name].items() for n, _ in enumerate(cases)}
    scored = table(
        SCORED_DDL,
        [{"customer_id": f"{code}-{n}", **case} for code, cases in CASES[name].items() for n, case in enumerate(cases)],
    )
    people = table(PEOPLE_DDL, [{"customer_id": who} for who in (*wanted, "silent")])
    found = rows_of(long_form(with_segments(scored, people, [scheme]), [scheme]))
    assert {row["customer_id"]: row["segment"] for row in found} == wanted | {"silent": NO_CONSENT}
    assert len(found) == len(wanted) + 1
    assert all(row["reason"] for row in found)
    if scheme.name in ("rfm", "rfm8"):
        assert_exactly_one_rule_holds(scored, scheme)


def assert_exactly_one_rule_holds(scored: Any, scheme: Scheme) -> None:
    """Rules that are not ordered must not overlap (the last one catches who is not scored)."""
    holds = [F.coalesce(F.expr(segment.when).cast("int"), F.lit(0)) for segment in scheme.segments[:-1]]
    total = sum(holds[1:], holds[0])
    found = rows_of(scored.select("customer_id", total.alias("n")))
    assert {row["n"] for row in found if not row["customer_id"].startswith("not_scored")} == {1}


FIRST = date(2026, 6, 28)
#: three nights of one scheme; a and b move, c joins late, d leaves
NIGHTS = [
    {"a": "new", "b": "active", "d": "loyal"},
    {"a": "active", "b": "active", "c": "new", "d": "loyal"},
    {"a": "new", "b": "loyal", "c": "new"},
]
TONIGHT_DDL = "customer_id STRING, scheme STRING, segment STRING, reason STRING"
PERIOD_DDL = (
    "customer_id STRING, scheme STRING, segment STRING, segment_key STRING, reason STRING, rule_version STRING,"
    " valid_from DATE, valid_to DATE, is_current BOOLEAN"
)


def test_periods_have_neither_gaps_nor_overlaps(table: Table) -> None:
    periods = table(PERIOD_DDL, [])
    for number, segments in enumerate(NIGHTS):
        rows = [{"customer_id": c, "scheme": "s", "segment": s, "reason": "r"} for c, s in segments.items()]
        found = rows_of(
            history.memberships(periods, table(TONIGHT_DDL, rows), str(FIRST + timedelta(days=number)), "v")
        )
        periods = table(PERIOD_DDL, found)
    open_end = date(9999, 12, 31)
    days = [FIRST + timedelta(days=n) for n in range(3)]
    got = {(r["customer_id"], r["segment_key"], r["valid_from"], r["valid_to"], r["is_current"]) for r in found}
    assert got == {
        ("a", "s:new", days[0], days[1], False),
        ("a", "s:active", days[1], days[2], False),
        ("a", "s:new", days[2], open_end, True),
        ("b", "s:active", days[0], days[2], False),
        ("b", "s:loyal", days[2], open_end, True),
        ("c", "s:new", days[1], open_end, True),
        ("d", "s:loyal", days[0], days[2], False),
    }
    by_customer = defaultdict(list)
    for row in sorted(found, key=lambda r: r["valid_from"]):
        by_customer[row["customer_id"]].append(row)
    for rows in by_customer.values():
        assert all(one["valid_to"] == two["valid_from"] for one, two in pairwise(rows))


def test_a_rerun_of_the_same_segments_changes_no_period(table: Table) -> None:
    rows = table(TONIGHT_DDL, [{"customer_id": "a", "scheme": "s", "segment": "new", "reason": "r"}])
    once = rows_of(history.memberships(table(PERIOD_DDL, []), rows, "2026-06-28", "v"))
    again = rows_of(history.memberships(table(PERIOD_DDL, once), rows, "2026-06-29", "v"))
    assert once == again


SIZED_DDL = "customer_id STRING, scheme STRING, segment STRING, net_revenue_365d DECIMAL(18,2)"


def sized(table: Table, segments: dict[str, str], net: str = "5.00") -> Any:
    rows = [
        {"customer_id": c, "scheme": "s", "segment": s, "net_revenue_365d": Decimal(net)} for c, s in segments.items()
    ]
    return table(SIZED_DDL, rows)


BEFORE = {"stays": "new", "moves": "new", "leaves": "loyal", "merges": "loyal", "asks": NO_CONSENT, "forbids": "active"}
AFTER = {"stays": "new", "moves": "active", "asks": "new", "forbids": NO_CONSENT, "joins": "new", "joins2": "new"}


@pytest.mark.parametrize(
    ("rules", "model", "cause"), [(False, False, "moved"), (True, False, "rules"), (False, True, "model")]
)
def test_migrations_say_why_and_add_up(table: Table, rules: bool, model: bool, cause: str) -> None:
    gone = table("old_customer_id STRING", [{"old_customer_id": "merges"}])
    found = rows_of(
        history.migrations(
            sized(table, BEFORE, "5.00"), sized(table, AFTER, "7.00"), gone,
            previous_day="2026-06-28", rules_changed=rules, model_changed=model,
        )
    )  # fmt: skip
    flows = {(r["from_segment"], r["to_segment"], r["cause"]): (r["customers"], r["net_revenue_365d"]) for r in found}
    assert flows == {
        ("new", "active", cause): (1, Decimal("7.00")),
        ("loyal", "_outside", "left"): (1, Decimal("5.00")),
        ("loyal", "_outside", "merged"): (1, Decimal("5.00")),
        (NO_CONSENT, "new", "consent"): (1, Decimal("7.00")),
        ("active", NO_CONSENT, "consent"): (1, Decimal("7.00")),
        ("_outside", "new", "joined"): (2, Decimal("14.00")),
    }
    change: Counter[str] = Counter()
    for row in found:
        change[row["to_segment"]] += row["customers"]
        change[row["from_segment"]] -= row["customers"]
    sizes_before, sizes_after = Counter(BEFORE.values()), Counter(AFTER.values())
    for segment in {*sizes_before, *sizes_after}:
        assert change[segment] == sizes_after[segment] - sizes_before[segment], segment


def test_trend_keeps_other_nights_and_replaces_tonight(table: Table) -> None:
    ddl = (
        "scheme STRING, segment STRING, customers BIGINT, net_revenue_365d DECIMAL(18,2), segment_key STRING,"
        " snapshot_date DATE"
    )
    first = history.trend(table(ddl, []), sized(table, BEFORE), "2026-06-28")
    second = history.trend(table(ddl, rows_of(first)), sized(table, AFTER), "2026-06-29")
    again = rows_of(history.trend(table(ddl, rows_of(second)), sized(table, AFTER), "2026-06-29"))
    got = {(str(r["snapshot_date"]), r["segment_key"]): (r["customers"], r["net_revenue_365d"]) for r in again}
    assert got == {
        ("2026-06-28", "s:new"): (2, Decimal("10.00")),
        ("2026-06-28", "s:loyal"): (2, Decimal("10.00")),
        ("2026-06-28", "s:active"): (1, Decimal("5.00")),
        ("2026-06-28", f"s:{NO_CONSENT}"): (1, Decimal("5.00")),
        ("2026-06-29", "s:new"): (4, Decimal("20.00")),
        ("2026-06-29", "s:active"): (1, Decimal("5.00")),
        ("2026-06-29", f"s:{NO_CONSENT}"): (1, Decimal("5.00")),
    }
