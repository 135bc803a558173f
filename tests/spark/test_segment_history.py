"""Membership periods, migrations with their causes, sizes: small tables, worked out by hand."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from jobs.definitions.segments import NO_CONSENT, Scheme
from jobs.transforms import history, touched
from jobs.transforms.segments import codes_of
from tests.spark.conftest import Table, rows_of

FIRST = date(2026, 6, 28)
#: three nights of one scheme; a and b move, c joins late, d leaves
NIGHTS = [
    {"a": "new", "b": "active", "d": "loyal"},
    {"a": "active", "b": "active", "c": "new", "d": "loyal"},
    {"a": "new", "b": "loyal", "c": "new"},
]
S = Scheme("s", "S", "S", "A scheme.", "一种。", "''", ())
OTHER = replace(S, name="other")
ASSIGNED_DDL = "customer_id STRING, s_segment STRING, s_reason STRING, other_segment STRING, other_reason STRING"
PERIOD_DDL = (
    "customer_id STRING, scheme STRING, segment STRING, segment_key STRING, reason STRING, rule_version STRING,"
    " valid_from DATE, valid_to DATE, is_current BOOLEAN"
)


def night_after(
    table: Table, periods: list[dict[str, Any]], segments: dict[str, str], day: date, schemes: tuple[Scheme, ...] = (S,)
) -> list[dict[str, Any]]:
    """Periods after a night on which everybody is in the same segment of every scheme."""
    before = table(PERIOD_DDL, periods)
    codes = {c: {f"{one.name}_segment": segment for one in schemes} for c, segment in segments.items()}
    rows = [{"customer_id": c, "s_reason": f"of {day}", "other_reason": "r", **code} for c, code in codes.items()]
    found = history.periods(history.standing(before, schemes), table(ASSIGNED_DDL, rows), schemes)
    return rows_of(history.memberships(before, found, history.elsewhere(found), schemes, str(day)))


def test_periods_have_neither_gaps_nor_overlaps(table: Table) -> None:
    days = [FIRST + timedelta(days=n) for n in range(3)]
    found: list[dict[str, Any]] = []
    for day, segments in zip(days, NIGHTS, strict=True):
        found = night_after(table, found, segments, day)
    open_end = date(9999, 12, 31)
    got = {
        (r["customer_id"], r["segment_key"], r["valid_from"], r["valid_to"], r["is_current"], r["reason"])
        for r in found
    }
    # a reason has the numbers of the last night of its period
    first, second, third = (f"of {day}" for day in days)
    assert got == {
        ("a", "s:new", days[0], days[1], False, first),
        ("a", "s:active", days[1], days[2], False, second),
        ("a", "s:new", days[2], open_end, True, third),
        ("b", "s:active", days[0], days[2], False, second),
        ("b", "s:loyal", days[2], open_end, True, third),
        ("c", "s:new", days[1], open_end, True, third),
        ("d", "s:loyal", days[0], days[2], False, second),
    }
    assert {row["rule_version"] for row in found} == {S.version}
    by_customer = defaultdict(list)
    for row in sorted(found, key=lambda r: r["valid_from"]):
        by_customer[row["customer_id"]].append(row)
    for rows in by_customer.values():
        assert all(one["valid_to"] == two["valid_from"] for one, two in pairwise(rows))


def test_a_rerun_of_the_same_segments_changes_no_period(table: Table) -> None:
    once = night_after(table, [], {"a": "new"}, FIRST)
    again = night_after(table, once, {"a": "new"}, FIRST + timedelta(days=1))
    assert [row | {"reason": ""} for row in once] == [row | {"reason": ""} for row in again]


def test_of_two_segments_on_one_date_the_later_counts(table: Table) -> None:
    begun = night_after(table, [], {"a": "new"}, FIRST)
    day = FIRST + timedelta(days=1)
    found = night_after(table, night_after(table, begun, {"a": "active"}, day), {"a": "loyal"}, day)
    got = {(r["segment"], r["valid_from"], r["valid_to"]) for r in found}
    assert got == {("new", FIRST, day), ("loyal", day, date(9999, 12, 31))}
    assert len(found) == 2


def test_periods_of_a_scheme_begin_and_end_with_it(table: Table) -> None:
    days = [FIRST + timedelta(days=n) for n in range(3)]
    once = night_after(table, [], {"a": "new"}, days[0])
    twice = night_after(table, once, {"a": "new"}, days[1], (S, OTHER))
    found = night_after(table, twice, {"a": "new"}, days[2])
    got = {(r["scheme"], r["segment_key"], r["valid_from"], r["valid_to"], r["is_current"]) for r in found}
    assert got == {
        ("s", "s:new", days[0], date(9999, 12, 31), True),
        ("other", "other:new", days[1], days[2], False),
    }


SIZED_DDL = "customer_id STRING, s_segment STRING, net_revenue_365d DECIMAL(18,2)"


def sized(table: Table, segments: Mapping[str, str | None], net: str = "5.00") -> Any:
    rows = [{"customer_id": c, "s_segment": s, "net_revenue_365d": Decimal(net)} for c, s in segments.items()]
    return table(SIZED_DDL, rows)


BEFORE = {"stays": "new", "moves": "new", "leaves": "loyal", "merges": "loyal", "asks": NO_CONSENT, "forbids": "active"}
AFTER = {"stays": "new", "moves": "active", "asks": "new", "forbids": NO_CONSENT, "joins": "new", "joins2": "new"}


EVENT_DDL = "customer_id STRING, event STRING"
CORRECTED_DDL = "customer_id STRING"
BETWEEN_DDL = "customer_id STRING, s_segment STRING"
#: what tonight's rules make of the night before: they would have put "stays" elsewhere and "leaves" too
RULED = BEFORE | {"stays": "active", "leaves": "new"}
OWN = {
    ("loyal", "_outside", "merged"): (1, "5.00"),
    (NO_CONSENT, "new", "consent"): (1, "7.00"),
    ("active", NO_CONSENT, "consent"): (1, "7.00"),
    ("_outside", "new", "joined"): (2, "14.00"),
    ("new", "active", "moved"): (1, "7.00"),
}


def nobody(table: Table) -> Any:
    return table(CORRECTED_DDL, [])


@pytest.mark.parametrize(
    ("cause", "before", "flows"),
    [
        (None, BEFORE, OWN | {("loyal", "_outside", "left"): (1, "5.00")}),
        # by the rules from new to active, by itself back to new: each is told
        *(
            (cause, BEFORE, OWN | {
                ("new", "active", cause): (1, "7.00"), ("active", "new", "moved"): (1, "7.00"),
                ("loyal", "new", cause): (1, "5.00"), ("new", "_outside", "left"): (1, "5.00"),
            })
            for cause in ("rules", "model")
        ),
        # a scheme that is new has nobody before: the rules put them in
        ("rules", {}, OWN | {
            ("_outside", "active", "rules"): (2, "14.00"), ("_outside", "new", "rules"): (2, "12.00"),
            ("_outside", "loyal", "rules"): (1, "5.00"), ("_outside", NO_CONSENT, "rules"): (1, "7.00"),
            ("active", "new", "moved"): (1, "7.00"), ("new", "_outside", "left"): (1, "5.00"),
        }),
    ],
)  # fmt: skip
def test_migrations_say_why_and_add_up(
    table: Table, cause: str | None, before: dict[str, str], flows: dict[tuple[str, str, str], tuple[int, str]]
) -> None:
    gone = table(EVENT_DDL, [{"customer_id": "merges", "event": "merged"}])
    ruled = [{"customer_id": c, "s_segment": s} for c, s in RULED.items()]
    was, now = sized(table, dict.fromkeys(BEFORE) | before, "5.00"), sized(table, AFTER, "7.00")
    between = table(BETWEEN_DDL, ruled) if cause else None
    changed = {"s": cause} if cause else {}
    found = rows_of(history.migrations(was, now, between, gone, nobody(table), [S], changed, "2026-06-28"))
    got = {(r["from_segment"], r["to_segment"], r["cause"]): (r["customers"], r["net_revenue_365d"]) for r in found}
    assert got == {k: (n, Decimal(net)) for k, (n, net) in flows.items()}
    change: Counter[str] = Counter()
    for row in found:
        change[row["to_segment"]] += row["customers"]
        change[row["from_segment"]] -= row["customers"]
    sizes_before, sizes_after = Counter(before.values()), Counter(AFTER.values())
    for segment in {*sizes_before, *sizes_after}:
        assert change[segment] == sizes_after[segment] - sizes_before[segment], segment


def test_merges_and_splits_are_told_apart_from_what_customers_did(table: Table) -> None:
    before = {"ends": "loyal", "takes_over": "new", "is_split": "loyal", "moves": "new", "stays": "new"}
    after = {
        "takes_over": "loyal",
        "is_split": "new",
        "comes_off": "active",
        "moves": "active",
        "stays": "new",
        "joins": "new",
    }
    events = {"ends": "merged", "takes_over": "merged", "stays": "merged", "is_split": "split", "comes_off": "split"}
    told = table(EVENT_DDL, [{"customer_id": name, "event": event} for name, event in events.items()])
    was, now = sized(table, before), sized(table, after)
    found = history.migrations(was, now, None, told, nobody(table), [S], {}, "2026-06-28")
    assert {(r["from_segment"], r["to_segment"], r["cause"], r["customers"]) for r in rows_of(found)} == {
        ("loyal", "_outside", "merged", 1), ("new", "loyal", "merged", 1), ("loyal", "new", "split", 1),
        ("_outside", "active", "split", 1), ("new", "active", "moved", 1), ("_outside", "new", "joined", 1),
    }  # fmt: skip


def test_who_is_elsewhere_for_what_was_not_known_the_night_before_is_told_apart(table: Table) -> None:
    before = {"late": "new", "moves": "new", "stays": "new", "merges": "new", "withdraws": "new", "leaves": "new"}
    after = {
        "late": "loyal",
        "moves": "loyal",
        "stays": "new",
        "merges": "loyal",
        "withdraws": NO_CONSENT,
        "joins": "new",
    }
    corrected = table(CORRECTED_DDL, [{"customer_id": name} for name in {*before, *after} - {"moves"}])
    merged = table(EVENT_DDL, [{"customer_id": "merges", "event": "merged"}])
    was, now = sized(table, before), sized(table, after)
    found = history.migrations(was, now, None, merged, corrected, [S], {}, "2026-06-28")
    assert {(r["from_segment"], r["to_segment"], r["cause"], r["customers"]) for r in rows_of(found)} == {
        ("new", "loyal", "correction", 1), ("new", "loyal", "moved", 1), ("new", "loyal", "merged", 1),
        ("new", NO_CONSENT, "consent", 1), ("new", "_outside", "left", 1), ("_outside", "new", "joined", 1),
    }  # fmt: skip


RECEIPT_DDL = (
    "buyer BIGINT, order_id STRING, net_cents BIGINT, basket ARRAY<STRUCT<product_id: STRING, net_cents: BIGINT>>"
)


def test_buyers_whose_receipts_say_something_else_are_found(table: Table) -> None:
    def rows(*said: tuple[int, str, str]) -> Any:
        made = [
            {"buyer": b, "order_id": o, "net_cents": 5, "basket": [{"product_id": p, "net_cents": 5}]}
            for b, o, p in said
        ]
        return table(RECEIPT_DDL, made)

    # 2 has another product, 3 a late order, 4 none any more, 5 gives one to 6
    before = rows((1, "a", "p"), (2, "b", "p"), (3, "c", "p"), (4, "d", "p"), (5, "e", "p"))
    now = rows((1, "a", "p"), (2, "b", "q"), (3, "c", "p"), (3, "f", "p"), (6, "e", "p"))
    assert {row["buyer"] for row in rows_of(touched.recounted(before, now))} == {2, 3, 4, 5, 6}


def test_trend_keeps_other_nights_and_replaces_tonight(table: Table) -> None:
    ddl = (
        "scheme STRING, segment STRING, customers BIGINT, net_revenue_365d DECIMAL(18,2), segment_key STRING,"
        " snapshot_date DATE"
    )
    before, after = (codes_of(sized(table, codes), [S], "net_revenue_365d") for codes in (BEFORE, AFTER))
    first = history.trend(table(ddl, []), before, "2026-06-28")
    second = history.trend(table(ddl, rows_of(first)), after, "2026-06-29")
    again = rows_of(history.trend(table(ddl, rows_of(second)), after, "2026-06-29"))
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
