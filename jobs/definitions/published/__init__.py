"""The published tables: what consumers read, and what each column promises."""

from __future__ import annotations

from jobs.definitions.model import Table
from jobs.definitions.published.columns import DAYPARTS, OPEN_END, OUTSIDE
from jobs.definitions.published.customers import (
    CHURN_WATCHLIST,
    CUSTOMER_DAYS,
    CUSTOMER_FEATURES,
    CUSTOMER_SEGMENTS,
    CUSTOMER_TAGS,
    CUSTOMER_VALUE,
)
from jobs.definitions.published.dimensions import (
    DIM_CAMPAIGN,
    DIM_CUSTOMER,
    DIM_DATE,
    DIM_DAYPART,
    DIM_PRODUCT,
    DIM_SCHEME,
    DIM_SEGMENT,
    DIM_STORE,
)
from jobs.definitions.published.nights import (
    CUSTOMER_ALIASES,
    CUSTOMER_CROSSWALK,
    CUSTOMER_IDENTITIES,
    DATA_QUALITY,
    IDENTITY_LEDGER,
    PUBLISH_LOG,
)
from jobs.definitions.published.segments import (
    SEGMENT_KPIS,
    SEGMENT_MEMBERSHIPS,
    SEGMENT_MIGRATIONS,
    SEGMENT_PROFILE_FEATURES,
    SEGMENT_PROFILES,
    SEGMENT_TREND,
)
from jobs.definitions.published.stores import STORE_BEST_SELLERS, STORE_DEMAND, STORE_SEGMENT_MIX

__all__ = [
    "BY_NAME", "CHURN_WATCHLIST", "CUSTOMER_ALIASES", "CUSTOMER_CROSSWALK", "CUSTOMER_DAYS", "CUSTOMER_FEATURES",
    "CUSTOMER_IDENTITIES",
    "CUSTOMER_SEGMENTS", "CUSTOMER_TAGS", "CUSTOMER_VALUE", "DATA_QUALITY", "DAYPARTS", "DIM_CAMPAIGN",
    "DIM_CUSTOMER", "DIM_DATE", "DIM_DAYPART", "DIM_PRODUCT", "DIM_SCHEME", "DIM_SEGMENT", "DIM_STORE",
    "IDENTITY_LEDGER", "OPEN_END",
    "OUTSIDE", "PUBLISH_LOG", "SCHEMA_VERSION", "SEGMENT_KPIS", "SEGMENT_MEMBERSHIPS", "SEGMENT_MIGRATIONS",
    "SEGMENT_PROFILES",
    "SEGMENT_PROFILE_FEATURES", "SEGMENT_TREND", "STORE_BEST_SELLERS", "STORE_DEMAND", "STORE_SEGMENT_MIX",
    "TABLES", "folder",
]  # fmt: skip

TABLES: tuple[Table, ...] = (
    CUSTOMER_SEGMENTS, CUSTOMER_FEATURES, CUSTOMER_VALUE, CUSTOMER_TAGS, CHURN_WATCHLIST, CUSTOMER_DAYS,
    SEGMENT_MEMBERSHIPS, SEGMENT_MIGRATIONS, SEGMENT_TREND, SEGMENT_PROFILES, SEGMENT_PROFILE_FEATURES, SEGMENT_KPIS,
    STORE_DEMAND, STORE_BEST_SELLERS, STORE_SEGMENT_MIX,
    DIM_SCHEME, DIM_SEGMENT, DIM_CUSTOMER, DIM_STORE, DIM_PRODUCT, DIM_DATE, DIM_DAYPART, DIM_CAMPAIGN,
    DATA_QUALITY, PUBLISH_LOG, CUSTOMER_ALIASES, CUSTOMER_CROSSWALK, CUSTOMER_IDENTITIES, IDENTITY_LEDGER,
)  # fmt: skip
BY_NAME = {table.name: table for table in TABLES}

SCHEMA_VERSION = "1.0"


def folder(table: Table) -> str:
    """Its folder below ``published/``."""
    return f"restricted/{table.name}" if table.restricted else table.name
