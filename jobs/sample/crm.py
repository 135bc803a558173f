"""The schema of the CRM database that both example businesses have."""

from __future__ import annotations

from jobs.sample.files import Schema

#: what a chain of any kind keeps
BASE: Schema = {
    "members": {
        "member_id": "INTEGER PRIMARY KEY",
        "card_number": "TEXT NOT NULL",
        "full_name": "TEXT",
        "email": "TEXT",
        "phone": "TEXT",
        "street": "TEXT",
        "city": "TEXT",
        "region": "TEXT",
        "age_band": "TEXT",
        "income_band": "TEXT",
        "gender": "TEXT",
        "marital_status": "TEXT",
        "household_size": "TEXT",
        "kids_count": "TEXT",
        "marketing_consent": "INTEGER NOT NULL",
        "profiling_consent": "INTEGER NOT NULL",
        "registered_at": "TEXT NOT NULL",
        "updated_at": "TEXT NOT NULL",
    },
    "campaigns": {
        "campaign_id": "INTEGER PRIMARY KEY",
        "name": "TEXT NOT NULL",
        "kind": "TEXT NOT NULL",
        "starts_on": "TEXT NOT NULL",
        "ends_on": "TEXT NOT NULL",
        "updated_at": "TEXT NOT NULL",
    },
    "campaign_members": {"campaign_id": "INTEGER NOT NULL", "member_id": "INTEGER NOT NULL"},
    "coupons": {
        "coupon_id": "INTEGER NOT NULL",
        "campaign_id": "INTEGER NOT NULL",
        "product_id": "INTEGER NOT NULL",
    },
    "redemptions": {
        "coupon_id": "INTEGER NOT NULL",
        "member_id": "INTEGER NOT NULL",
        "campaign_id": "INTEGER NOT NULL",
        "redeemed_at": "TEXT NOT NULL",
        "updated_at": "TEXT NOT NULL",
    },
    "products": {
        "product_id": "INTEGER PRIMARY KEY",
        "category": "TEXT",
        "department": "TEXT",
        "brand": "TEXT",
        "name": "TEXT",
        "updated_at": "TEXT NOT NULL",
    },
    "stores": {
        "store_id": "INTEGER PRIMARY KEY",
        "name": "TEXT NOT NULL",
        "region": "TEXT",
        "city": "TEXT",
        "city_tier": "TEXT",
        "climate": "TEXT",
        "time_zone": "TEXT NOT NULL",
        "updated_at": "TEXT NOT NULL",
    },
    "feedback": {
        "feedback_id": "INTEGER PRIMARY KEY",
        "member_id": "INTEGER NOT NULL",
        "order_id": "TEXT NOT NULL",
        "given_at": "TEXT NOT NULL",
        "rating": "INTEGER NOT NULL",
        "is_complaint": "INTEGER NOT NULL",
        "responded_at": "TEXT",
        "comment": "TEXT",
        "updated_at": "TEXT NOT NULL",
    },
}


def extended(**more: dict[str, str]) -> Schema:
    """The base schema with more columns behind those of the named tables."""
    return {table: {**columns, **more.get(table, {})} for table, columns in BASE.items()}
