"""The clean tables: canonical entities as they are kept, conformed, deduplicated and dated."""

from __future__ import annotations

from jobs.definitions.canonical import BY_NAME, PROVENANCE
from jobs.definitions.model import Column, Entity

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
_IS_INFERRED = Column("is_inferred", "BOOLEAN", "Nobody declared it; orders name it.", required=True)
_BUSINESS_DATE = Column(
    "business_date", "DATE", "Business date in the store's zone, day cut-off applied.", required=True
)
_LOCAL_MINUTES = Column(
    "local_minutes", "INT", "Store-local minutes since midnight.", required=True, minimum=0, maximum=1439
)
_CONTENT = Column("_content", "BIGINT", "Hash of what the row says.", required=True)


def columns_of(entity: Entity) -> tuple[Column, ...]:
    """Columns of an entity's clean table, in order."""
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
