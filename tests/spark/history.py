"""One small history of four customers, and every feature of it as computed by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from jobs.transforms.owners import NAMED_BY

DAY = date(2026, 6, 30)
#: the only day of the chain's own calendar
FAIR = date(2026, 6, 27)
HOURS = {"breakfast": 5, "lunch": 11, "afternoon": 14, "evening": 17, "late_night": 21}
ORDER_DDL = (
    f"source STRING, order_id STRING, {', '.join(f'{name} STRING' for name in NAMED_BY)}, store_id STRING,"
    " channel STRING, fulfilment STRING, status STRING, party_size INT, coupon_id STRING, business_date DATE,"
    " local_minutes INT"
)
LINE_DDL = (
    "source STRING, order_id STRING, business_date DATE, product_id STRING, quantity DECIMAL(18,4),"
    " gross DECIMAL(18,2), discount DECIMAL(18,2), coupon_discount DECIMAL(18,2), refunded DECIMAL(18,2),"
    " unit_cost DECIMAL(18,2)"
)

#: order: customer, days ago, store, channel, local time, and what differs from a plain completed order
ORDERS: dict[str, tuple[str, int, str, str, str, dict[str, Any]]] = {
    "o1": ("a", 0, "s1", "store", "12:30", {"party_size": 2, "fulfilment": "dine_in"}),  # Tuesday
    "o2": ("a", 3, "s2", "app", "19:00", {"fulfilment": "delivery"}),  # Saturday
    "o3": ("a", 3, "s2", "web", "23:00", {"party_size": 5, "fulfilment": "delivery"}),
    "o4": ("a", 90, "s1", "marketplace", "06:00", {"coupon_id": "k"}),
    "o5": ("a", 180, "s1", "store", "12:00", {}),  # New Year's Day
    "o6": ("a", 364, "s3", "phone", "11:00", {}),  # Tuesday, the first minute of lunch
    "o7": ("a", 365, "s3", "store", "12:00", {"party_size": 9}),  # a day too old
    "o8": ("a", 1, "s3", "store", "12:00", {}),  # paid back whole
    "o9": ("a", 2, "s3", "store", "12:00", {"status": "cancelled"}),
    "o10": ("a", 29, "s2", "store", "15:00", {}),
    "o11": ("a", 89, "s1", "store", "17:00", {}),  # the first minute of the evening
    "o12": ("a", 179, "s1", "store", "02:00", {}),  # still the night
    "o13": ("a", -1, "s3", "store", "12:00", {}),  # tomorrow
    "b1": ("b", 100, "s9", "store", "18:00", {"fulfilment": "takeaway"}),
    "b2": ("b", 100, "s8", "store", "22:00", {"fulfilment": "dine_in"}),
    "d1": ("d", 20, "s1", "store", "12:00", {}),
    "d2": ("d", 190, "s1", "store", "12:00", {}),
    "d3": ("d", 360, "s1", "store", "12:00", {}),
}
#: order, product, quantity, gross, discount, coupon discount, refunded, unit cost
LINES = [
    ("o1", "p1", "2", "30.00", "3.00", "0.00", "0.00", "5.00"),
    ("o1", "p2", "1", "10.00", "0.00", "1.00", "0.00", "4.00"),
    ("o2", "p1", "1", "15.00", "0.00", "0.00", "0.00", "5.00"),
    ("o3", "p3", "1", "20.00", "0.00", "0.00", "5.00", "8.00"),
    ("o4", "p2", "1", "12.00", "0.00", "0.00", "0.00", "4.00"),
    ("o5", "p1", "1", "16.00", "0.00", "0.00", "0.00", "5.00"),
    ("o6", "p1", "1", "14.00", "0.00", "0.00", "0.00", "5.00"),
    ("o7", "p3", "1", "99.00", "0.00", "0.00", "0.00", None),
    ("o8", "p3", "1", "10.00", "0.00", "0.00", "10.00", "8.00"),
    ("o9", "p3", "1", "50.00", "0.00", "0.00", "0.00", "8.00"),
    ("o10", "p2", "1", "8.00", "0.00", "0.00", "0.00", "4.00"),
    ("o11", "p1", "1", "15.00", "0.00", "0.00", "0.00", "5.00"),
    ("o12", "p2", "1", "8.00", "0.00", "0.00", "0.00", "4.00"),
    ("o13", "p2", "1", "70.00", "0.00", "0.00", "0.00", "4.00"),
    ("b1", "p5", "1", "5.00", "0.00", "0.00", "0.00", "2.00"),
    ("b2", "p4", "1", "5.00", "0.00", "0.00", "0.00", None),
    ("b2", "p5", "0", "0.01", "0.00", "0.00", "0.01", "2.00"),
    ("d1", "p2", "1", "6.00", "0.00", "0.00", "0.00", "4.00"),
    ("d2", "p1", "1", "20.00", "0.00", "0.00", "0.00", "5.00"),
    ("d3", "p1", "1", "1.00", "0.00", "0.00", "0.00", "5.00"),
]
#: product: category, brand, department
PRODUCTS = {
    "p1": ("mains", "x", "kitchen"),
    "p2": ("drinks", "y", "bar"),
    "p3": (None, None, "kitchen"),
    "p4": ("mains", "x", "kitchen"),
    "p5": ("drinks", "y", None),
}
#: customer, days ago, rating, complaint, hours to the answer, text
NOTES = [
    ("a", 10, 4, False, 3.0, "Great noodles"), ("a", 364, 1, True, 1.5, "The staff was rude"),
    ("a", 365, 5, True, 99.0, "dirty"), ("a", -1, 5, True, 99.0, "dirty"), ("a", 20, None, True, None, "不好吃"),
    ("b", 20, None, False, -1.0, "see you"),
]  # fmt: skip

#: store: region, city, tier, climate
STORES = {"s1": ("north", "Hull", "2", "cold"), "s8": ("south", "Hove", None, "mild")}
#: customer, days ago, minutes, device, pages, favourites, carts left
SESSIONS: list[tuple[Any, ...]] = [
    ("a", 0, "2.5", "phone", 4, 1, 0),
    ("a", 29, "1.25", "tablet", 2, 0, 1),
    ("a", 30, "7", "tablet", 9, 2, 0),
    ("a", 89, None, "phone", None, None, 1),
    ("a", 90, "5", "desktop", 1, 5, 5),
    ("a", 99, "5", "desktop", 1, 5, 5),
    ("a", 100, "5", "desktop", 1, 5, 5),
    ("b", 100, "3", "phone", 1, 1, 1),
]
#: customer, days ago, kind
SOCIAL = [
    ("a", 0, "referral"), ("a", 89, "share"), ("a", 90, "review"), ("a", 364, "referral"), ("a", 365, "referral"),
    ("b", 10, "share"),
]  # fmt: skip
#: customer, days ago, question, answer
ANSWERS = [
    ("a", 40, "satisfaction", "2"), ("a", 10, "satisfaction", "4"), ("a", 10, "reason", "near"),
    ("a", 365, "age", "36"), ("b", 5, "satisfaction", "9"), ("b", 6, "need", " Functional"),
]  # fmt: skip
#: customer, days ago, attribute, provider, value
ATTRIBUTES = [
    ("a", 30, "interest", "panel 1", "digital"), ("a", 30, "interest", "panel 2", "fashion"),
    ("a", 100, "lifestyle", "panel 2", "urban"), ("a", 400, "lifestyle", "panel 1", "rural"),
    ("b", 5, "pets", "panel 1", "a cat"),
]  # fmt: skip
PEOPLE: list[dict[str, Any]] = [
    {
        "customer_id": "a", "registered_days_ago": 9, "registered_on": date(2026, 6, 21), "birth_year": 1990,
        "birth_month": 6, "household_size": "5+", "kids_count": "None/Unknown", "marital_status": "married",
        "education": "bachelor", "occupation": "nurse", "declared_lifestyle": "urban", "declared_interests": "food",
    },
    {"customer_id": "b", "age_band": "65+", "birth_month": 7, "household_size": "2", "kids_count": "3+"},
    {
        "customer_id": "c", "registered_days_ago": 12, "registered_on": date(2026, 6, 18), "birth_year": 2030,
        "age_band": "18-24",
    },
    {"customer_id": "d", "registered_days_ago": 715, "registered_on": date(2024, 7, 15)},
]  # fmt: skip

#: feature -> values of a (a regular), b (ties and gaps), c (registered 12 days ago, no order)
EXPECTED: dict[str, tuple[Any, Any, Any]] = {
    "recency_days": (0, 100, None),
    "orders_365d": (9, 2, 0),
    # 36 + 15 + 15 + 12 + 16 + 14 + 8 + 15 + 8
    "net_revenue_365d": (Decimal("139.00"), Decimal("10.00"), Decimal("0.00")),
    # costs 14 + 5 + 8 + 4 + 5 + 5 + 4 + 5 + 4 = 54; b bought something without a cost
    "gross_margin_365d": (Decimal("85.00"), None, None),
    "average_order_value": (Decimal("15.44"), Decimal("5.00"), None),
    "tenure_days": (365, 100, 12),
    "orders_30d": (4, 0, 0),
    "orders_90d": (5, 0, 0),
    "orders_prev_90d": (2, 2, 0),
    "orders_total": (10, 2, 0),
    "frequency_trend": (0.428571, -1.0, None),
    # dates 0 3 29 89 90 179 180 364 365, gaps 3 26 60 1 89 1 184 1
    "median_gap_days": (14.5, None, None),
    "comeback_gap_days": (60, None, None),
    "online_share": (0.333333, 0.0, None),
    "weekday_lunch_share": (0.222222, 0.0, None),
    "weekend_share": (0.222222, 1.0, None),  # 100 days ago was a Sunday
    "evening_share": (0.222222, 0.5, None),
    "late_night_share": (0.222222, 0.5, None),
    "holiday_share": (0.111111, 0.0, None),
    "preferred_daypart": ("lunch", "late_night", None),  # b: the later of two
    "average_party_size": (3.5, None, None),
    "discount_share": (0.027027, 0.0, None),  # 4 of 148
    "coupon_order_share": (0.222222, 0.0, None),
    "refund_share": (0.033784, 0.000999, None),  # 5 of 148; 0.01 of 10.01
    "distinct_categories": (2, 2, 0),
    "top_category": ("mains", "drinks", None),  # b: 5.00 each, the smaller name
    "top_category_share": (0.625899, 0.5, None),  # 87 of 139
    "top_product_id": ("p1", "p4", None),
    "top_brand_share": (0.625899, 0.5, None),
    "home_store_id": ("s1", "s8", None),
    "average_rating": (2.5, None, None),
    "response_hours": (2.25, None, None),
    "feedback_sentiment": (-0.333333, None, None),
    "feedback_topic": ("food", None, None),
    "complaint_count": (2, 0, 0),
    # gaps as above: 8 of them, sum 365, squares 46065; b has one order date, c none
    "gap_variation": (1.328965, None, None),
    "longest_gap_days": (184, None, None),
    "order_dates_365d": (8, 1, 0),
    "recency_gap_ratio": (0.0, None, None),
    "net_revenue_90d": (Decimal("89.00"), Decimal("0.00"), Decimal("0.00")),  # 36 + 15 + 15 + 8 + 15
    "net_revenue_prev_90d": (Decimal("20.00"), Decimal("10.00"), Decimal("0.00")),  # 12 + 8
    "revenue_trend": (0.633028, -1.0, None),  # 69 of 109
    "average_lines": (1.111111, 1.5, None),
    "average_items": (1.222222, 1.0, None),  # 3 + 8 in 9 orders; 1 + 1 + 0 in 2
    "coupon_discount_share": (0.006757, 0.0, None),  # 1 of 148
    "price_cut_revenue_share": (0.202703, 0.0, None),  # 30 of 148
    "full_price_share": (0.777778, 1.0, None),  # all but o1 and o4
    "refunded_orders_365d": (1, 1, 0),
    "own_calendar_share": (0.222222, 0.0, None),  # o2 and o3
    "breakfast_share": (0.111111, 0.0, None),
    "lunch_share": (0.333333, 0.0, None),
    "afternoon_share": (0.111111, 0.0, None),
    "peak_month": (6, 3, None),  # o1, o2, o3 and o10 in June; 100 days ago was in March
    "peak_month_share": (0.444444, 1.0, None),
    "preferred_channel": ("store", "store", None),
    "distinct_channels": (5, 1, 0),
    "preferred_fulfilment": ("delivery", "dine_in", None),  # b: one each, the smaller name
    "dine_in_share": (0.111111, 0.5, None),
    "delivery_share": (0.222222, 0.0, None),
    "solo_share": (0.0, None, None),
    "weekend_group_share": (0.5, None, None),  # o3 of o1 and o3
    # weights 16 to 89 days ago, 8 to 179, 4 to 269, 2 to 359, 1: p1 990, p2 432, p3 240; b: p4 and p5 40 each
    "recent_category": ("mains", "drinks", None),
    "recent_category_share": (0.595668, 0.5, None),
    "recent_product_id": ("p1", "p4", None),
    "recent_product_share": (0.595668, 0.5, None),
    "recent_brand": ("x", "x", None),
    "recent_brand_share": (0.595668, 0.5, None),
    "top_department": ("kitchen", "kitchen", None),
    "top_department_share": (0.733813, 0.5, None),  # 87 + 15 of 139
    "top_brand": ("x", "x", None),
    "distinct_products": (3, 2, 0),
    "distinct_brands": (2, 2, 0),
    "distinct_stores": (3, 2, 0),
    "home_store_share": (0.555556, 0.5, None),
    "home_store_region": ("north", "south", None),
    "home_store_city": ("Hull", "Hove", None),
    "home_store_city_tier": ("2", None, None),
    "home_store_climate": ("cold", "mild", None),
    "last_rating": (4, None, None),
    "reviews_365d": (2, 0, 0),
    "complaints_90d": (1, 0, 0),
    "last_visit_days": (0, 100, None),
    "sessions_30d": (2, 0, 0),
    "minutes_30d": (Decimal("3.7500"), Decimal("0.0000"), Decimal("0.0000")),
    "pages_30d": (6, 0, 0),
    "favourites_90d": (3, 0, 0),
    "abandoned_carts_90d": (2, 0, 0),
    "preferred_device": ("phone", None, None),  # two sessions by phone, two by tablet
    "referrals_365d": (2, 0, 0),
    "social_events_90d": (2, 1, 0),
    "survey_satisfaction": (4, None, None),  # b: 9 is no answer
    "stated_need": (None, "functional", None),
    "questions_answered": (2, 2, 0),
    "known_attributes": (2, 1, 0),
    "attributed_interest": ("digital", None, None),
    "attributed_lifestyle": ("urban", None, None),
    "age": (36, None, None),  # c: minus 4 is not believed
    "age_group": ("35_to_44", "65_and_over", "under_25"),
    "is_birth_month": (True, False, None),
    "days_to_anniversary": (356, None, 353),
    "household_size": (5, 2, None),
    "kids_count": (None, 3, None),
    "marital_status": ("married", None, None),
    "education": ("bachelor", None, None),
    "occupation": ("nurse", None, None),
    "declared_lifestyle": ("urban", None, None),
    "declared_interests": ("food", None, None),
}

#: of d, whose order dates are as regular as can be and whose taste has changed
EXPECTED_OF_D: dict[str, Any] = {
    "gap_variation": 0.0, "median_gap_days": 170.0, "longest_gap_days": 170, "recency_gap_ratio": 0.117647,  # 20 of 170
    "net_revenue_90d": Decimal("6.00"), "net_revenue_prev_90d": Decimal("0.00"), "revenue_trend": 1.0,
    "top_product_id": "p1", "recent_product_id": "p2", "recent_product_share": 0.542373,  # 96 of 96 + 80 + 1
    "top_category": "mains", "recent_category": "drinks", "recent_category_share": 0.542373,
    "top_brand": "x", "recent_brand": "y", "recent_brand_share": 0.542373, "top_department": "kitchen",
    "peak_month": 6, "peak_month_share": 0.333333, "days_to_anniversary": 15,
}  # fmt: skip
