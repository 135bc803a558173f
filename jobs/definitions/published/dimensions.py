"""Dimension tables: what codes and ids stand for."""

from __future__ import annotations

from jobs.definitions.model import Column, Reference, Table
from jobs.definitions.published.columns import (
    CUSTOMER,
    DAY_TYPES,
    DAYPARTS,
    IS_ALLOWED,
    SCHEME,
    SEGMENT,
    SEGMENT_KEY,
    SNAPSHOT,
    TO_CUSTOMER,
)


def _bilingual() -> tuple[Column, ...]:
    return (
        Column("label_en", "STRING", "Name, English.", required=True),
        Column("label_zh", "STRING", "Name, Chinese.", required=True),
        Column("description_en", "STRING", "Meaning, English.", required=True),
        Column("description_zh", "STRING", "Meaning, Chinese.", required=True),
    )


DIM_SCHEME = Table(
    "dim_scheme", ("scheme",),
    (SCHEME, SNAPSHOT, *_bilingual(),
     Column("kind", "STRING", "rule, or score where frozen cut points take part.", required=True,
            values=("rule", "score", "model")),
     Column("version", "STRING", "Version of its rules.", required=True)),
    "The segment schemes.",
)  # fmt: skip

DIM_SEGMENT = Table(
    "dim_segment", ("segment_key",),
    (SEGMENT_KEY, SNAPSHOT, SCHEME, SEGMENT, *_bilingual(),
     Column("rule_text", "STRING", "The rule as it is computed.", required=True),
     Column("suggested_action", "STRING", "What one might do.", required=True),
     Column("sort_order", "INT", "Order within the scheme.", required=True, minimum=1),
     Column("is_active", "BOOLEAN", "Still given.", required=True)),
    "Every segment code of every scheme.",
    references=(Reference("scheme", "dim_scheme", "scheme"),),
)  # fmt: skip

DIM_CUSTOMER = Table(
    "dim_customer", ("customer_id",),
    (CUSTOMER, SNAPSHOT,
     Column("age_band", "STRING", "Age group."), Column("gender", "STRING", "Gender as declared."),
     Column("city", "STRING", "City of residence."), Column("region", "STRING", "State or province."),
     Column("city_tier", "STRING", "Tier of the city."), Column("income_band", "STRING", "Income group."),
     Column("home_store_id", "STRING", "Home store; null without profiling consent."),
     Column("registered_on", "DATE", "First registration with any source, business date."),
     Column("acquisition_channel", "STRING", "Where the person was won."), IS_ALLOWED),
    "Every known person, prospects included; nothing that names or reaches them.",
    references=(TO_CUSTOMER,),
)  # fmt: skip

DIM_STORE = Table(
    "dim_store", ("store_id",),
    (Column("store_id", "STRING", "Store.", required=True), SNAPSHOT,
     Column("name", "STRING", "Name."), Column("region", "STRING", "State or province."),
     Column("city", "STRING", "City."), Column("city_tier", "STRING", "Tier of the city."),
     Column("climate", "STRING", "Climate zone."),
     Column("time_zone", "STRING", "IANA time zone.", required=True),
     Column("is_inferred", "BOOLEAN", "Known from orders only.", required=True)),
    "The stores.",
)  # fmt: skip

DIM_PRODUCT = Table(
    "dim_product", ("product_id",),
    (Column("product_id", "STRING", "Product.", required=True), SNAPSHOT,
     Column("name", "STRING", "Name."), Column("category", "STRING", "Category."),
     Column("department", "STRING", "Department."), Column("brand", "STRING", "Brand."),
     Column("is_inferred", "BOOLEAN", "Known from order lines only.", required=True)),
    "The products or dishes.",
)  # fmt: skip

DIM_DATE = Table(
    "dim_date", ("business_date",),
    (Column("business_date", "DATE", "Business date.", required=True), SNAPSHOT,
     Column("day_type", "STRING", "weekday, weekend or holiday.", required=True, values=DAY_TYPES),
     Column("holiday_name", "STRING", "Public holiday."),
     Column("own_day", "STRING", "Name in the chain's own calendar (`own_calendar` of the settings)."),
     Column("week", "INT", "ISO week.", required=True, minimum=1, maximum=53),
     Column("month", "INT", "Month.", required=True, minimum=1, maximum=12),
     Column("quarter", "INT", "Quarter.", required=True, minimum=1, maximum=4),
     Column("year", "INT", "Year.", required=True, minimum=1970, maximum=2200)),
    "Every date from the first order to the snapshot.",
)  # fmt: skip

DIM_DAYPART = Table(
    "dim_daypart", ("daypart",),
    (Column("daypart", "STRING", "Daypart.", required=True, values=DAYPARTS), SNAPSHOT,
     Column("starts_at", "STRING", "Store-local time it begins, HH:MM.", required=True),
     Column("ends_at", "STRING", "Store-local time it ends, HH:MM, exclusive.", required=True),
     Column("sort_order", "INT", "Order within the day.", required=True, minimum=1)),
    "The dayparts of the settings.",
)  # fmt: skip

DIM_CAMPAIGN = Table(
    "dim_campaign", ("campaign_id",),
    (Column("campaign_id", "STRING", "Campaign.", required=True), SNAPSHOT,
     Column("name", "STRING", "Name."), Column("kind", "STRING", "Kind."),
     Column("starts_on", "DATE", "First day."), Column("ends_on", "DATE", "Last day.")),
    "The campaigns.",
)  # fmt: skip
