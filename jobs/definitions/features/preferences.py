"""What a customer buys and where: departments, categories, products, brands, stores.

``top_`` is by net revenue in 365 days, ``recent_`` by net revenue that counts half as much for every 90 days of age.
"""

from __future__ import annotations

from jobs.definitions.features.feature import Feature, View, distinct, most, most_share, top, top_share


def _recent(stem: str, view: View, column: str, what: str) -> tuple[Feature, Feature]:
    """What a customer is drawn to of late, and how much."""
    by = "by weight of age (16 in 90 days, 8 in the 90 before, then 4, 2, 1)"
    said = f"{what} of most net revenue in 365 days {by}, ties by smallest."
    share = stem.removesuffix("_id") + "_share"
    return (
        most(stem, view, column, "recent_cents", said),
        most_share(share, view, column, "recent_cents", f"Weighted net revenue of {stem} over all."),
    )


PREFERENCES: tuple[Feature, ...] = (
    distinct("distinct_categories", "categories", "category", "categories",
             "Different categories bought in 365 days."),
    top("top_category", "categories", "category", "Category of most net revenue in 365 days, ties by smallest."),
    top_share("top_category_share", "categories", "Net revenue of top_category over all."),
    *_recent("recent_category", "categories", "category", "Category"),
    top("top_department", "departments", "department",
        "Department of most net revenue in 365 days, ties by smallest."),
    top_share("top_department_share", "departments", "Net revenue of top_department over all."),
    distinct("distinct_products", "products", "product_id", "products", "Different products bought in 365 days."),
    top("top_product_id", "products", "product_id", "Product of most net revenue in 365 days, ties by smallest id."),
    *_recent("recent_product_id", "products", "product_id", "Product"),
    distinct("distinct_brands", "brands", "brand", "brands", "Different brands bought in 365 days."),
    top("top_brand", "brands", "brand", "Brand of most net revenue in 365 days, ties by smallest."),
    top_share("top_brand_share", "brands", "Net revenue of the brand with most of it, over all."),
    *_recent("recent_brand", "brands", "brand", "Brand"),
    top("home_store_id", "stores", "store_id", "Store of most orders, then most net revenue, then smallest id."),
    Feature("home_store_share", "DOUBLE", "share", "Orders at the home store over all in 365 days.", "stores",
            "round(max(orders) FILTER (WHERE place = 1) / nullif(sum(orders), 0), 6)", minimum=0, maximum=1),
    distinct("distinct_stores", "stores", "store_id", "stores", "Different stores visited in 365 days."),
    top("home_store_region", "stores", "region", "Region of the home store."),
    top("home_store_city", "stores", "city", "City of the home store."),
    top("home_store_city_tier", "stores", "city_tier", "Tier of the home store's city."),
    top("home_store_climate", "stores", "climate", "Climate of the home store."),
)  # fmt: skip
