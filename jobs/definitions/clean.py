"""The clean tables: canonical entities as they are kept (conformed, deduplicated, dated) and what follows from them."""

from __future__ import annotations

from jobs.definitions import canonical
from jobs.definitions.canonical import PROVENANCE
from jobs.definitions.model import MONEY, SOURCE, Column, Entity

#: entities of which a member may be inferred from rows that name it -> those rows
INFERRED = {"stores": "orders", "products": "order_lines"}

#: entity -> columns of which a value may lie far outside what is usual
FAR_OUT = {"order_lines": ("quantity", "gross")}

IS_IMPUTED = Column(
    "is_imputed", "BOOLEAN", "A value was missing and stands by a rule; _notes says which.", required=True
)
IS_OUTLIER = Column(
    "is_outlier", "BOOLEAN", "An amount is far above what is usual (Tukey's outer fence, frozen); kept.", required=True
)

#: entities of which near duplicates may be left out -> the table of the clean zone that keeps them, beside their own
LEFT_OUT = {"orders": "left_out.orders", "order_lines": "left_out.order_lines"}

#: the rule that says how many orders are near duplicates of others
NEAR_DUPLICATE = "orders.near_duplicate"

#: entity -> the rule that one file tells one thing of each of its rows in a night, and the rule in words
AGREEMENT = {
    "orders": ("orders.header_agrees", "All lines of an order say the same of the order."),
    "order_lines": ("order_lines.line_agrees", "A line of an order is told once, or always alike."),
}

#: why a refund waits outside of the clean matches -> the rule in words
REFUND_RULES = {
    "refunds.sale.known": "A refund names a known order, or its person bought the product before.",
    "refunds.amount.at_most_sale": "A refund is at most what is left of its sale, in pieces and in money.",
}
#: how a refund found its sale: the source named the order, or it has the refund's unit price, or another
MATCHED_BY = ("named_order", "same_price", "other_price")

_IS_INFERRED = Column("is_inferred", "BOOLEAN", "Nobody declared it; orders name it.", required=True)
_BUSINESS_DATE = Column(
    "business_date", "DATE", "Business date in the store's zone, day cut-off applied.", required=True
)
_LOCAL_MINUTES = Column(
    "local_minutes", "INT", "Store-local minutes since midnight.", required=True, minimum=0, maximum=1439
)
_CONTENT = Column("_content", "BIGINT", "Hash of what the row says.", required=True)

REFUND_MATCHES = Entity(
    "refund_matches",
    ("source", "refund_id", "refund_line_id", "order_id", "line_id"),
    (
        SOURCE,
        Column("refund_id", "STRING", "The refund.", required=True),
        Column("refund_line_id", "STRING", "The line within it.", required=True),
        Column("order_id", "STRING", "The order that it restates.", required=True),
        Column("line_id", "STRING", "The line of that order.", required=True),
        Column("business_date", "DATE", "Business date of the order, on which the refund counts.", required=True),
        Column("quantity", "DECIMAL(18,4)", "What came back of the line; null where only money went.", minimum=0),
        Column("amount", MONEY, "Paid back of the line.", required=True, minimum=0),
        Column("matched_by", "STRING", "How the sale was found.", required=True, values=MATCHED_BY),
        Column("refunded_at", "TIMESTAMP", "When it was paid back, UTC.", required=True),
        *PROVENANCE,
    ),
    "The part of a refund that restates one order line; where it came from is the refund's.",
)
#: clean tables that no source is mapped to: they follow from the others and are made anew each night
DERIVED = (REFUND_MATCHES,)
BY_NAME = {entity.name: entity for entity in (*canonical.ENTITIES, *DERIVED)}


def columns_of(entity: Entity) -> tuple[Column, ...]:
    """Columns of an entity's clean table, in order."""
    if entity in DERIVED:
        return entity.columns
    extra: tuple[Column, ...] = (IS_IMPUTED,)
    if entity.name in FAR_OUT:
        extra += (IS_OUTLIER,)
    if entity.name in INFERRED:
        extra += (_IS_INFERRED,)
    if entity.dated is not None:
        extra += (_BUSINESS_DATE,)
    if entity.name == "orders":
        extra += (_LOCAL_MINUTES,)
    return (*entity.clean_columns, *extra, *PROVENANCE, _CONTENT)


def table(name: str) -> tuple[Column, ...]:
    """Columns of the clean table of that name."""
    return columns_of(BY_NAME[name])
