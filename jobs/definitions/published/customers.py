"""Tables about customers, one by one."""

from __future__ import annotations

from jobs.definitions import tags
from jobs.definitions.canonical import CHANNELS, FULFILMENTS
from jobs.definitions.features import FEATURES
from jobs.definitions.model import MONEY, Column, Reference, Table, Type
from jobs.definitions.published.columns import AT_RISK, CUSTOMER, DAYPARTS, IS_ALLOWED, SNAPSHOT, TO_CUSTOMER
from jobs.definitions.segments import BASES, NO_CONSENT, SCHEMES


def _score(name: str, of: str) -> Column:
    return Column(name, "INT", f"{of}: 1 to 5, 5 is best; null if not scored.", minimum=1, maximum=5)


CUSTOMER_SEGMENTS = Table(
    "customer_segments", ("customer_id",),
    (
        CUSTOMER, SNAPSHOT,
        _score("recency_score", "Recency"), _score("frequency_score", "Frequency"), _score("monetary_score", "Money"),
        *(Column(s.column, "STRING", f"{s.label_en}: {s.description_en}", required=True,
                 values=() if s.kind == "model" else s.codes)
          for s in SCHEMES),
        *(Column(s.basis_column, "STRING", f"Where {s.column} is known from.", required=True,
                 values=(*BASES, NO_CONSENT)) for s in SCHEMES if s.basis),
        IS_ALLOWED,
        Column("model_version", "STRING", "Version of the fitted cut points.", required=True),
        Column("rules_version", "STRING", "Version of the rules.", required=True),
    ),
    "Every known person and their segment in every scheme.",
)  # fmt: skip

CUSTOMER_FEATURES = Table(
    "customer_features", ("customer_id",),
    (CUSTOMER, SNAPSHOT, *(feature.column for feature in FEATURES)),
    "What is known of everyone who allows profiling.",
    references=(TO_CUSTOMER,),
)  # fmt: skip

CUSTOMER_TAGS = Table(
    "customer_tags", ("customer_id", "tag"),
    (
        CUSTOMER, SNAPSHOT,
        Column("tag", "STRING", "What is said, as late_night, or a kind and what is so, as category:noodles.",
               required=True),
        Column("strength", "DOUBLE", "How strongly, 0 to 1.", required=True, minimum=0, maximum=1),
        Column("basis", "STRING", "declared by the customer, observed in what was done, or inferred by third parties.",
               required=True, values=tags.BASES),
        Column("reason", "STRING", "One sentence with the customer's numbers.", required=True),
    ),
    "What else may be said of everyone who allows profiling, many at once.",
    references=(TO_CUSTOMER,),
)  # fmt: skip


def _expected(name: str, type_: Type, unit: str | None, description: str, maximum: float | None = None) -> Column:
    return Column(name, type_, f"{description} Null without orders, or without a model.", minimum=0, maximum=maximum,
                  unit=unit)  # fmt: skip


CUSTOMER_VALUE = Table(
    "customer_value", ("customer_id",),
    (
        CUSTOMER, SNAPSHOT,
        _expected("expected_orders_90d", "DOUBLE", "orders", "Orders expected in the next 90 days."),
        _expected("expected_orders_365d", "DOUBLE", "orders", "Orders expected in the next 365 days."),
        _expected("probability_alive", "DOUBLE", None, "BG/NBD: that the customer has not stopped; 1 after a first "
                  "order, so it is no sign of churn.", 1),
        _expected("churn_probability_90d", "DOUBLE", None, "That no order comes in the next 90 days: by the model of "
                  "churn, by BG/NBD without one. Null after 180 days without an order: who has stopped is not about "
                  "to.", 1),
        _expected("expected_order_value", MONEY, "currency", "Expected net revenue of an order."),
        Column("predicted_clv_365d", MONEY, "Expected orders of 365 days times the expected value of one; null where "
               "one of them is.", unit="currency"),
        Column("next_order_expected_on", "DATE", "The last order's date and the customer's own usual gap, tomorrow at "
               "the earliest; null below two order dates and after 180 days without an order."),
    ),
    "What everyone who allows profiling is expected to buy.",
    references=(TO_CUSTOMER,),
)  # fmt: skip

#: what rules may ask for of it -> its type
FORETOLD: dict[str, Type] = {
    name: CUSTOMER_VALUE.column(name).type
    for name in ("churn_probability_90d", "expected_orders_90d", "predicted_clv_365d")
}

CHURN_WATCHLIST = Table(
    "churn_watchlist", ("customer_id",),
    (
        CUSTOMER, SNAPSHOT,
        Column("churn_risk_band", "STRING", "high or middle; see the scheme churn_risk_band.", required=True,
               values=("high", "middle")),
        Column("reason", "STRING", "What changed, with the customer's numbers.", required=True),
        Column("personal_gap_days", "DOUBLE", "median_gap_days: the customer's own usual gap; null below two order "
               "dates.", minimum=0, unit="days"),
        Column("days_since_last_order", "INT", "Snapshot date minus the last order's business date.", required=True,
               minimum=0, unit="days"),
        Column("frequency_drop", "DOUBLE", "1 - orders_90d / orders_prev_90d; below 0 where orders grew, null without "
               "any in the 90 days before.", maximum=1, unit="share"),
        Column("value_at_risk", MONEY, f"{AT_RISK}; null where one of them is.", unit="currency"),
        IS_ALLOWED,
    ),
    "Who is about to stop, by their own rhythm.",
    references=(TO_CUSTOMER,),
)  # fmt: skip

CUSTOMER_DAYS = Table(
    "customer_days", ("customer_id", "business_date", "store_id", "channel", "fulfilment", "daypart"),
    (
        CUSTOMER, SNAPSHOT,
        Column("business_date", "DATE", "Business date of the orders.", required=True),
        Column("store_id", "STRING", "Store.", required=True),
        Column("channel", "STRING", "How it was ordered.", required=True, values=CHANNELS),
        Column("fulfilment", "STRING", "How it was handed over; unknown if not stated.", required=True,
               values=(*FULFILMENTS, "unknown")),
        Column("daypart", "STRING", "Daypart by store-local time.", required=True, values=DAYPARTS),
        Column("orders", "BIGINT", "Orders.", required=True, minimum=1),
        Column("net_revenue", MONEY, "Net revenue.", required=True, unit="currency"),
        Column("discount", MONEY, "Discounts, coupons included.", required=True, minimum=0, unit="currency"),
        Column("lines", "BIGINT", "Order lines.", required=True, minimum=0),
    ),
    "Orders of everyone who allows profiling, by day, store, channel, fulfilment and daypart.",
    references=(TO_CUSTOMER, Reference("store_id", "dim_store", "store_id"),
                Reference("business_date", "dim_date", "business_date")),
)  # fmt: skip
