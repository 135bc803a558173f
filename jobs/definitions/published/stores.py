"""Tables about stores, by day type and daypart."""

from __future__ import annotations

from jobs.definitions.model import MONEY, Column, Reference, Table
from jobs.definitions.published.columns import DAY_TYPES, DAYPARTS, SCHEME, SEGMENT_KEY, SNAPSHOT, TO_SEGMENT
from jobs.definitions.segments import GUEST, OTHER

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
        _STORE, SNAPSHOT, _DAY_TYPE, _DAYPART, SCHEME,
        Column("segment", "STRING", f"Segment code; {GUEST} for orders of nobody known, {OTHER} for the segments of "
               "fewer customers than privacy.min_group_size.", required=True),
        SEGMENT_KEY, _ORDERS_90D, _NET_90D,
    ),
    "Who comes when to which store; every scheme adds up to store_demand.",
    references=(_TO_STORE, TO_SEGMENT),
)  # fmt: skip
