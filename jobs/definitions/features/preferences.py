"""What a customer buys and where: departments, categories, products, brands, stores.

``top_`` is by net revenue in 365 days, ``recent_`` by net revenue that counts half as much for every 90 days of age.
"""

from __future__ import annotations

from jobs.definitions.features.feature import Feature, Taste, distinct, favourite, favourite_share, usual, usual_share


def _recent(stem: str, kind: Taste) -> tuple[Feature, Feature]:
    """What a customer is drawn to of late, and how much."""
    by = "by weight of age (16 in 90 days, 8 in the 90 before, then 4, 2, 1)"
    said = f"{kind.capitalize()} of most net revenue in 365 days {by}, ties by smallest."
    share = stem.removesuffix("_id") + "_share"
    return (
        favourite(stem, kind, said, "recent_"),
        favourite_share(share, kind, f"Weighted net revenue of {stem} over all.", "recent_"),
    )


def _at_home(name: str, what: str) -> Feature:
    return usual(f"home_store_{name}", "store", f"{what} of the home store.", says=name)


PREFERENCES: tuple[Feature, ...] = (
    distinct("distinct_categories", "purchases", "category", "categories",
             "Different categories bought in 365 days."),
    favourite("top_category", "category",
              "Category of most net revenue in 365 days, ties by smallest."),
    favourite_share("top_category_share", "category", "Net revenue of top_category over all."),
    *_recent("recent_category", "category"),
    favourite("top_department", "department",
              "Department of most net revenue in 365 days, ties by smallest."),
    favourite_share("top_department_share", "department", "Net revenue of top_department over all."),
    distinct("distinct_products", "purchases", "product", "products", "Different products bought in 365 days."),
    favourite("top_product_id", "product",
              "Product of most net revenue in 365 days, ties by smallest id."),
    *_recent("recent_product_id", "product"),
    distinct("distinct_brands", "purchases", "brand", "brands", "Different brands bought in 365 days."),
    favourite("top_brand", "brand", "Brand of most net revenue in 365 days, ties by smallest."),
    favourite_share("top_brand_share", "brand", "Net revenue of the brand with most of it, over all."),
    *_recent("recent_brand", "brand"),
    usual("home_store_id", "store", "Store of most orders, then most net revenue, then smallest id."),
    usual_share("home_store_share", "store", "Orders at the home store over all in 365 days."),
    distinct("distinct_stores", "habits", "store", "stores", "Different stores visited in 365 days."),
    _at_home("region", "Region"),
    _at_home("city", "City"),
    _at_home("city_tier", "Tier of the city"),
    _at_home("climate", "Climate"),
)  # fmt: skip
