"""The rows of the grocer's CRM database: real tables joined with invented people, places and notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import duckdb

from jobs.sample import crm
from jobs.sample.draw import pick, share, shares
from jobs.sample.files import utc_seconds_text
from jobs.sample.grocer_people import DAY, Household
from jobs.sample.grocer_words import CITIES, COMMENTS

if TYPE_CHECKING:
    from jobs.sample.grocer import Basket

SCHEMA = crm.extended(
    members={"home_ownership": "TEXT", "household_comp": "TEXT"},
    products={"manufacturer_id": "TEXT", "package_size": "TEXT"},
)
#: when the master data was put in, before anything of it was used
LOADED_AT = "2016-11-01T05:00:00Z"
FEEDBACK_SHARE = 0.004
#: the data ends when 2017 ends in New York; nothing is noted later
END = 1_514_782_800
_DEMOGRAPHICS = "household_id, age, income, marital_status, household_size, kids_count, home_ownership, household_comp"
Row = tuple[Any, ...]


def rows(
    data: duckdb.DuckDBPyConnection, households: Sequence[Household], baskets: Sequence[Basket]
) -> Mapping[str, Iterable[Row]]:
    """The rows of every table, in the order of its columns."""
    return {
        "members": _members(data, households),
        "campaigns": data.execute(_CAMPAIGNS).fetchall(),
        "campaign_members": data.execute("SELECT campaign_id, household_id FROM campaigns ORDER BY ALL").fetchall(),
        "coupons": data.execute(
            "SELECT DISTINCT coupon_upc, campaign_id, product_id FROM coupons ORDER BY ALL"
        ).fetchall(),
        "redemptions": data.execute(_REDEMPTIONS).fetchall(),
        "products": data.execute(_PRODUCTS).fetchall(),
        "stores": [_store(store) for store in sorted({basket.store_id for basket in baskets})],
        "feedback": _feedback(baskets),
    }


_CAMPAIGNS = """
SELECT campaign_id, 'Campaign ' || campaign_id, campaign_type, start_date::DATE::TEXT, end_date::DATE::TEXT,
    (start_date::DATE - 7)::DATE::TEXT || 'T14:00:00Z'
FROM campaign_descriptions ORDER BY campaign_id
"""
# Only the day is known: noon, and the campaign as seconds, as 13 coupons served two campaigns at once.
_REDEMPTIONS = """
SELECT DISTINCT coupon_upc, household_id, campaign_id,
    redemption_date::DATE::TEXT || 'T17:00:' || lpad(campaign_id::TEXT, 2, '0') || 'Z' AS redeemed_at,
    redeemed_at
FROM coupon_redemptions ORDER BY redeemed_at, household_id, coupon_upc
"""
_PRODUCTS = f"""
SELECT product_id, product_category, department, brand,
    concat_ws(' ', coalesce(product_type, product_category, department), package_size), '{LOADED_AT}',
    manufacturer_id::TEXT, package_size
FROM products ORDER BY product_id
"""


def place(store_id: int) -> tuple[str, str, str, str]:
    """City, region, tier and climate of a store; invented."""
    return pick(CITIES, "store city", store_id)


def _store(store_id: int) -> Row:
    city, region, tier, climate = place(store_id)
    return (
        store_id,
        f"Fresh Basket {city} {store_id}",
        region,
        city,
        tier,
        climate,
        "America/New_York",
        LOADED_AT,
    )


def _members(data: duckdb.DuckDBPyConnection, households: Sequence[Household]) -> Iterator[Row]:
    known = {row[0]: row[1:] for row in data.execute(f"SELECT {_DEMOGRAPHICS} FROM demographics").fetchall()}
    for household in households:
        if household.is_member:
            yield _member(household, known.get(household.household_id, (None,) * 7))


def _member(household: Household, demographics: Row) -> Row:
    age, income, marital_status, size, kids, ownership, composition = demographics
    return (
        household.household_id,
        household.card_number,
        household.full_name,
        household.email,
        household.phone,
        household.street,
        household.city,
        household.region,
        age,
        income,
        household.gender,
        marital_status,
        size,
        kids,
        int(household.marketing_consent),
        int(household.profiling_consent),
        utc_seconds_text(household.registered),
        utc_seconds_text(household.updated),
        ownership,
        composition,
    )


def _feedback(baskets: Sequence[Basket]) -> Iterator[Row]:
    """Notes of members about baskets they really bought; ids in the order of the baskets."""
    number = 0
    for basket in baskets:
        if basket.household is None or not basket.household.is_member:
            continue
        if share("feedback", basket.basket_id) < FEEDBACK_SHARE:
            number += 1
            yield _note(number, basket, basket.household.household_id)


def _note(number: int, basket: Basket, member: int) -> Row:
    score, delay, complaint, answer = shares("note", basket.basket_id)
    rating = 1 + sum(score >= bound for bound in (0.08, 0.18, 0.36, 0.68))
    is_complaint = rating <= 2 and complaint < 0.8
    given = min(basket.sold + 1_800 + int(delay * 2 * DAY), END - 120)
    answered = given + 3_600 + int(answer * 3 * DAY)
    responded = answered if is_complaint and answered < END else None
    return (
        number,
        member,
        basket.order_id,
        utc_seconds_text(given),
        rating,
        int(is_complaint),
        utc_seconds_text(responded) if responded else None,
        pick(COMMENTS[rating], "comment", basket.basket_id),
        utc_seconds_text(responded or given),
    )
