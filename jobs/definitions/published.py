"""The published tables: what consumers read, and what each column promises."""

from __future__ import annotations

from jobs.definitions import tags
from jobs.definitions.canonical import CHANNELS, FULFILMENTS
from jobs.definitions.features import FEATURES
from jobs.definitions.model import MONEY, Column, Reference, Table, Type
from jobs.definitions.segments import BASES, GUEST, NO_CONSENT, OTHER, SCHEMES

DAYPARTS = ("breakfast", "lunch", "afternoon", "evening", "late_night")
DAY_TYPES = ("weekday", "weekend", "holiday")
CAUSES = ("moved", "joined", "left", "merged", "split", "consent", "correction", "erased", "rules", "model")
OUTSIDE = "_outside"
OPEN_END = "9999-12-31"

SNAPSHOT = Column("snapshot_date", "DATE", "Business date of the snapshot.", required=True)
CUSTOMER = Column("customer_id", "STRING", "Persistent opaque id of a person.", required=True)
SEGMENT_KEY = Column("segment_key", "STRING", "scheme:segment, as in rfm:champions.", required=True)
_SCHEME = Column("scheme", "STRING", "Segment scheme.", required=True, values=tuple(s.name for s in SCHEMES))
_SEGMENT = Column("segment", "STRING", "Segment code.", required=True)
_IS_ALLOWED = Column("is_marketing_allowed", "BOOLEAN", "Consented to be addressed.", required=True)
_TO_CUSTOMER = Reference("customer_id", "customer_segments", "customer_id")
_TO_SEGMENT = Reference("segment_key", "dim_segment", "segment_key")


def _score(name: str, of: str) -> Column:
    return Column(name, "INT", f"{of}: 1 to 5, 5 is best; null if not scored.", minimum=1, maximum=5)


CUSTOMER_SEGMENTS = Table(
    "customer_segments", ("customer_id",),
    (
        CUSTOMER, SNAPSHOT,
        _score("recency_score", "Recency"), _score("frequency_score", "Frequency"), _score("monetary_score", "Money"),
        *(Column(s.column, "STRING", f"{s.label_en}: {s.description_en}", required=True, values=s.codes)
          for s in SCHEMES),
        *(Column(s.basis_column, "STRING", f"Where {s.column} is known from.", required=True,
                 values=(*BASES, NO_CONSENT)) for s in SCHEMES if s.basis),
        _IS_ALLOWED,
        Column("model_version", "STRING", "Version of the fitted cut points.", required=True),
        Column("rules_version", "STRING", "Version of the rules.", required=True),
    ),
    "Every known person and their segment in every scheme.",
)  # fmt: skip

CUSTOMER_FEATURES = Table(
    "customer_features", ("customer_id",),
    (CUSTOMER, SNAPSHOT, *(feature.column for feature in FEATURES)),
    "What is known of everyone who allows profiling.",
    references=(_TO_CUSTOMER,),
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
    references=(_TO_CUSTOMER,),
)  # fmt: skip

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
        _IS_ALLOWED,
    ),
    "Who is about to stop, by their own rhythm.",
    references=(_TO_CUSTOMER,),
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
    references=(_TO_CUSTOMER, Reference("store_id", "dim_store", "store_id"),
                Reference("business_date", "dim_date", "business_date")),
)  # fmt: skip

SEGMENT_MEMBERSHIPS = Table(
    "segment_memberships", ("customer_id", "scheme", "valid_from"),
    (
        CUSTOMER, SNAPSHOT, _SCHEME, _SEGMENT, SEGMENT_KEY,
        Column("reason", "STRING", "One sentence: the rule and the customer's own numbers.", required=True),
        Column("rule_version", "STRING", "Version of the rules that gave it.", required=True),
        Column("valid_from", "DATE", "First business date, inclusive.", required=True),
        Column("valid_to", "DATE", "Business date it ended, exclusive; 9999-12-31 while it lasts.", required=True),
        Column("is_current", "BOOLEAN", "It lasts.", required=True),
    ),
    "Who was in which segment, from when to when.",
    references=(_TO_SEGMENT,),
)  # fmt: skip

SEGMENT_MIGRATIONS = Table(
    "segment_migrations", ("scheme", "from_segment", "to_segment", "cause"),
    (
        SNAPSHOT, _SCHEME,
        Column("from_segment", "STRING", f"Segment before; {OUTSIDE} for who joined.", required=True),
        Column("to_segment", "STRING", f"Segment now; {OUTSIDE} for who left.", required=True),
        Column("cause", "STRING", "Why.", required=True, values=CAUSES),
        Column("previous_snapshot_date", "DATE", "The snapshot compared with.", required=True),
        Column("customers", "BIGINT", "Customers.", required=True, minimum=1),
        Column("net_revenue_365d", MONEY, "Their net revenue in 365 days, as of the newer snapshot that knows them.",
               required=True, unit="currency"),
    ),
    "Who went where since the previous snapshot, and why. Empty on the first night.",
)  # fmt: skip

SEGMENT_TREND = Table(
    "segment_trend", ("scheme", "segment", "snapshot_date"),
    (
        _SCHEME, _SEGMENT, SNAPSHOT, SEGMENT_KEY,
        Column("customers", "BIGINT", "Customers.", required=True, minimum=0),
        Column("net_revenue_365d", MONEY, "Their net revenue in 365 days.", required=True, unit="currency"),
    ),
    "Size of every segment on every night up to this one.", load="merge",
    references=(_TO_SEGMENT,),
)  # fmt: skip


_STORE = Column("store_id", "STRING", "Store.", required=True)
_DAY_TYPE = Column("day_type", "STRING", "weekday, weekend or holiday.", required=True, values=DAY_TYPES)
_DAYPART = Column("daypart", "STRING", "Daypart by store-local time.", required=True, values=DAYPARTS)
_ORDERS_90D = Column("orders_90d", "BIGINT", "Orders in 90 days.", required=True, minimum=1, unit="orders")
_NET_90D = Column("net_revenue_90d", MONEY, "Net revenue in 90 days.", required=True, unit="currency")
_TO_STORE = Reference("store_id", "dim_store", "store_id")

STORE_DEMAND = Table(
    "store_demand", ("store_id", "day_type", "daypart"),
    (
        _STORE, SNAPSHOT, _DAY_TYPE, _DAYPART, _ORDERS_90D, _NET_90D,
        Column("peak_hour", "INT", "Store-local hour of most orders, ties by the earlier.", required=True, minimum=0,
               maximum=23),
    ),
    "When a store is busy; orders of everybody, guests too.",
    references=(_TO_STORE,),
)  # fmt: skip

STORE_BEST_SELLERS = Table(
    "store_best_sellers", ("store_id", "day_type", "daypart", "rank"),
    (
        _STORE, SNAPSHOT, _DAY_TYPE, _DAYPART,
        Column("rank", "INT", "By net revenue, ties by smallest id; the last is everything else.", required=True,
               minimum=1),
        Column("product_id", "STRING", f"Product; {OTHER} for all that is not among the first, or was in fewer orders "
               "than privacy.min_group_size.", required=True),
        Column("orders_90d", "BIGINT", "Orders of it in 90 days; an order of two products counts for both.",
               required=True, minimum=1, unit="orders"),
        _NET_90D,
    ),
    "What a store sells best; net revenue adds up to that of store_demand.",
    references=(_TO_STORE,),
)  # fmt: skip

STORE_SEGMENT_MIX = Table(
    "store_segment_mix", ("store_id", "day_type", "daypart", "scheme", "segment"),
    (
        _STORE, SNAPSHOT, _DAY_TYPE, _DAYPART, _SCHEME,
        Column("segment", "STRING", f"Segment code; {GUEST} for orders of nobody known, {OTHER} for the segments of "
               "fewer customers than privacy.min_group_size.", required=True),
        SEGMENT_KEY, _ORDERS_90D, _NET_90D,
    ),
    "Who comes when to which store; every scheme adds up to store_demand.",
    references=(_TO_STORE, _TO_SEGMENT),
)  # fmt: skip


def _measure(name: str, type_: Type, unit: str | None, description: str) -> Column:
    return Column(name, type_, f"{description} Null where the group is too small to be shown.", unit=unit)


SEGMENT_PROFILES = Table(
    "segment_profiles", ("scheme", "segment"),
    (
        _SCHEME, _SEGMENT, SNAPSHOT, SEGMENT_KEY,
        _measure("customers", "BIGINT", "customers", "Customers."),
        _measure("customer_share", "DOUBLE", "share", "Customers over all who are known."),
        _measure("net_revenue_365d", MONEY, "currency", "Their net revenue in 365 days; 0 of those not profiled."),
        _measure("revenue_share", "DOUBLE", "share", "Their net revenue over that of all."),
        _measure("average_order_value", MONEY, "currency", "Net revenue per order in 365 days, halves rounded up."),
        _measure("median_recency_days", "DOUBLE", "days", "Median of recency_days."),
        _measure("mean_orders_365d", "DOUBLE", "orders", "Mean of orders_365d."),
        _measure("at_risk_customers", "BIGINT", "customers", "Customers whose churn_risk_band is high."),
        _measure("at_risk_share", "DOUBLE", "share", "at_risk_customers over customers."),
        _measure("top_category", "STRING", None, "The category that is top_category of most, ties by smallest."),
        _measure("top_product_id", "STRING", None, "The product that is top_product_id of most, ties by smallest."),
        _measure("peak_daypart", "STRING", None, "The daypart that is preferred_daypart of most, ties by smallest."),
        _measure("portrait", "STRING", None, "The segment in a few sentences, English."),
        _measure("portrait_zh", "STRING", None, "The segment in a few sentences, Chinese."),
        Column("is_suppressed", "BOOLEAN", "The group is smaller than privacy.min_group_size, so nothing is said.",
               required=True),
    ),
    "What the customers of a segment are like together.",
    references=(_TO_SEGMENT,),
)  # fmt: skip

SEGMENT_PROFILE_FEATURES = Table(
    "segment_profile_features", ("scheme", "segment", "feature"),
    (
        _SCHEME, _SEGMENT, SNAPSHOT, SEGMENT_KEY,
        Column("feature", "STRING", "Column of customer_features.", required=True),
        Column("mean", "DOUBLE", "Mean over the customers of the segment who have a value.", required=True),
        Column("median", "DOUBLE", "Median over the same, of an even count the mean of the middle two.", required=True),
        Column("index_to_all", "DOUBLE", "Mean over that of everybody: 1 is like all; null where that is 0.",
               unit="ratio"),
    ),
    f"What sets a segment apart; segments smaller than privacy.min_group_size are together as {OTHER}.",
    references=(_TO_SEGMENT,),
)  # fmt: skip


def _bilingual() -> tuple[Column, ...]:
    return (
        Column("label_en", "STRING", "Name, English.", required=True),
        Column("label_zh", "STRING", "Name, Chinese.", required=True),
        Column("description_en", "STRING", "Meaning, English.", required=True),
        Column("description_zh", "STRING", "Meaning, Chinese.", required=True),
    )


DIM_SCHEME = Table(
    "dim_scheme", ("scheme",),
    (_SCHEME, SNAPSHOT, *_bilingual(),
     Column("kind", "STRING", "rule, or score where frozen cut points take part.", required=True,
            values=("rule", "score")),
     Column("version", "STRING", "Version of its rules.", required=True)),
    "The segment schemes.",
)  # fmt: skip

DIM_SEGMENT = Table(
    "dim_segment", ("segment_key",),
    (SEGMENT_KEY, SNAPSHOT, _SCHEME, _SEGMENT, *_bilingual(),
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
     Column("acquisition_channel", "STRING", "Where the person was won."), _IS_ALLOWED),
    "Every known person, prospects included; nothing that names or reaches them.",
    references=(_TO_CUSTOMER,),
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

DATA_QUALITY = Table(
    "data_quality", ("table_name", "rule_id"),
    (Column("table_name", "STRING", "Zone and table judged, as in conformed.orders.", required=True), SNAPSHOT,
     Column("rule_id", "STRING", "The rule.", required=True),
     Column("rule", "STRING", "The rule as a sentence.", required=True),
     Column("severity", "STRING", "What failing means.", required=True, values=("critical", "warning", "info")),
     Column("rows_checked", "BIGINT", "Rows judged.", required=True, minimum=0),
     Column("rows_failed", "BIGINT", "Rows that failed; for rules on a whole table 0 or 1.", required=True, minimum=0),
     Column("is_passed", "BOOLEAN", "Nothing failed.", required=True),
     Column("action", "STRING", "What was done.", required=True,
            values=("none", "reported", "repaired", "quarantined", "held", "approved", "blocked")),
     Column("owner", "STRING", "Whom to ask about the rule."),
     Column("rows_repeated", "BIGINT", "Of the failed rows those that an earlier night has set aside already, equal in "
            "what they say and in the rules that they fail; null where the rule sets no single row aside.", minimum=0)),
    "Every rule judged in the night.",
)  # fmt: skip

PUBLISH_LOG = Table(
    "publish_log", ("run_id",),
    (Column("run_id", "STRING", "The run.", required=True), SNAPSHOT,
     Column("published_at", "TIMESTAMP", "When, UTC.", required=True),
     Column("schema_version", "STRING", "Version of these tables.", required=True),
     Column("rules_version", "STRING", "Version of the rules.", required=True),
     Column("model_version", "STRING", "Version of the fitted cut points.", required=True),
     Column("currency", "STRING", "Currency of all amounts.", required=True),
     Column("tax_included", "BOOLEAN", "Amounts include tax.", required=True),
     Column("status", "STRING", "published, or published_with_warnings.", required=True,
            values=("published", "published_with_warnings"))),
    "Every publication up to this one.", load="merge",
)  # fmt: skip

CUSTOMER_ALIASES = Table(
    "customer_aliases", ("old_customer_id",),
    (Column("old_customer_id", "STRING", "Id no longer given.", required=True), SNAPSHOT, CUSTOMER,
     Column("event", "STRING", "merged or split.", required=True, values=("merged", "split")),
     Column("effective_on", "DATE", "Business date.", required=True)),
    "Where former customer ids went.",
)  # fmt: skip

CUSTOMER_CROSSWALK = Table(
    "customer_crosswalk", ("source", "source_customer_id", "valid_from"),
    (Column("source", "STRING", "Source.", required=True), SNAPSHOT,
     Column("source_customer_id", "STRING", "The source's own id.", required=True), CUSTOMER,
     Column("valid_from", "DATE", "First business date, inclusive.", required=True),
     Column("valid_to", "DATE", "Exclusive; 9999-12-31 while it lasts.", required=True)),
    "How a warehouse joins its own orders to customers. A period that ended may name an id that customer_aliases leads "
    "on from.", restricted=True,
)  # fmt: skip

TABLES: tuple[Table, ...] = (
    CUSTOMER_SEGMENTS, CUSTOMER_FEATURES, CUSTOMER_TAGS, CHURN_WATCHLIST, CUSTOMER_DAYS, SEGMENT_MEMBERSHIPS,
    SEGMENT_MIGRATIONS, SEGMENT_TREND, SEGMENT_PROFILES, SEGMENT_PROFILE_FEATURES, STORE_DEMAND, STORE_BEST_SELLERS,
    STORE_SEGMENT_MIX,
    DIM_SCHEME, DIM_SEGMENT, DIM_CUSTOMER, DIM_STORE, DIM_PRODUCT, DIM_DATE, DIM_DAYPART, DIM_CAMPAIGN,
    DATA_QUALITY, PUBLISH_LOG, CUSTOMER_ALIASES, CUSTOMER_CROSSWALK,
)  # fmt: skip
BY_NAME = {table.name: table for table in TABLES}

SCHEMA_VERSION = "1.0"


def folder(table: Table) -> str:
    """Its folder below ``published/``."""
    return f"restricted/{table.name}" if table.restricted else table.name
