"""The canonical input: the entities that any source is mapped to.

``source`` is part of every key: ids of two sources never collide.
"""

from __future__ import annotations

from jobs.definitions.behaviour import BEHAVIOUR
from jobs.definitions.model import MONEY, SOURCE, UPDATED, Column, Entity, Reference

CONTACT_COLUMNS = ("name", "email", "phone", "birth_date", "address", "loyalty_card", "payment_token")


#: canonical column of a customer -> the raw column that holds it as far as the address tells it
FROM_ADDRESS = {"region": "_address_region", "city": "_address_city"}


def _contact(name: str, what: str) -> Column:
    return Column(name, "STRING", f"{what}; keyed hash, the original is in the vault.", contact=True)


CHANNELS = ("store", "web", "app", "phone", "marketplace")
FULFILMENTS = ("dine_in", "takeaway", "pickup", "delivery", "ship")
STATUSES = ("completed", "cancelled", "void")

CUSTOMERS = Entity(
    "customers",
    ("source", "source_customer_id"),
    (
        SOURCE,
        Column("source_customer_id", "STRING", "The source's own id of the person.", required=True),
        Column("registered_at", "TIMESTAMP", "When the person registered, UTC."),
        Column("birth_year", "INT", "Year of birth.", minimum=1900, maximum=2030),
        Column("birth_month", "INT", "Month of birth.", minimum=1, maximum=12),
        Column("age_band", "STRING", "Age group as the source states it."),
        Column("gender", "STRING", "Gender as declared."),
        Column("city", "STRING", "City of residence.", free_text=True),
        Column("region", "STRING", "State or province of residence.", free_text=True),
        Column("city_tier", "STRING", "Tier of the city."),
        Column("income_band", "STRING", "Income group as the source states it."),
        Column("education", "STRING", "Education as declared."),
        Column("occupation", "STRING", "Occupation as declared.", free_text=True),
        Column("marital_status", "STRING", "Marital status as declared."),
        Column("household_size", "STRING", "People in the household, as the source states it."),
        Column("kids_count", "STRING", "Children in the household, as the source states it."),
        Column("acquisition_channel", "STRING", "Where the person was won.", free_text=True),
        Column("marketing_consent", "BOOLEAN", "May be addressed; anything but true is no."),
        Column("profiling_consent", "BOOLEAN", "May be profiled; anything but true is no."),
        Column("declared_lifestyle", "STRING", "Lifestyle as declared.", free_text=True),
        Column("declared_interests", "STRING", "Interests as declared.", free_text=True),
        _contact("name", "Full name"),
        _contact("email", "E-mail address"),
        _contact("phone", "Phone number"),
        _contact("birth_date", "Date of birth"),
        _contact("address", "Postal address"),
        _contact("loyalty_card", "Loyalty card number"),
        _contact("payment_token", "Payment token"),
        UPDATED,
    ),
    "A person as one source knows them.",
)

ORDERS = Entity(
    "orders",
    ("source", "order_id"),
    (
        SOURCE,
        Column("order_id", "STRING", "The source's own id of the order.", required=True),
        Column("source_customer_id", "STRING", "The source's own id of the buyer, if it knows one."),
        _contact("loyalty_card", "Loyalty card shown"),
        _contact("email", "E-mail address given"),
        _contact("phone", "Phone number given"),
        _contact("payment_token", "Payment token used"),
        Column("store_id", "STRING", "Store that sold it.", required=True),
        Column("channel", "STRING", "How it was ordered.", required=True, values=CHANNELS),
        Column("fulfilment", "STRING", "How it was handed over.", values=FULFILMENTS),
        Column("seating", "STRING", "Kind of seat.", free_text=True),
        Column("ordered_at", "TIMESTAMP", "When it was ordered, UTC.", required=True),
        Column("party_size", "INT", "People at the table.", minimum=1, maximum=500, unit="people"),
        Column(
            "status",
            "STRING",
            "Completed orders count; cancelled and void ones do not.",
            values=STATUSES,
            default="'completed'",
        ),
        Column("currency", "STRING", "ISO 4217; the chain's own if absent."),
        Column("total", MONEY, "What the source says it came to before refunds; held against its lines."),
        Column("coupon_id", "STRING", "Coupon used."),
        Column("campaign_id", "STRING", "Campaign it answers."),
        UPDATED,
    ),
    "An order or receipt.",
    dated="ordered_at",
    references=(Reference("store_id", "stores", "store_id", policy="unknown_store"),),
)

ORDER_LINES = Entity(
    "order_lines",
    ("source", "order_id", "line_id"),
    (
        SOURCE,
        Column("order_id", "STRING", "The order it belongs to.", required=True),
        Column("line_id", "STRING", "The line within the order.", required=True),
        Column("product_id", "STRING", "Product sold.", required=True),
        Column("quantity", "DECIMAL(18,4)", "Pieces, or weight.", required=True, minimum=0, maximum=1_000_000),
        Column("gross", MONEY, "Price before any deduction.", required=True, minimum=0, maximum=10_000_000),
        Column("discount", MONEY, "Deducted by the chain.", default="0", minimum=0, maximum=10_000_000),
        Column("coupon_discount", MONEY, "Deducted for a coupon.", default="0", minimum=0, maximum=10_000_000),
        Column("refunded", MONEY, "Paid back later.", default="0", minimum=0, maximum=10_000_000),
        Column("unit_cost", MONEY, "Cost of one piece.", minimum=0, maximum=10_000_000),
        UPDATED,
    ),
    "One product on an order.",
    dated="order_id",
    references=(
        Reference("order_id", "orders", "order_id"),
        Reference("product_id", "products", "product_id", policy="unknown_product"),
    ),
)

REFUNDS = Entity(
    "refunds",
    ("source", "refund_id", "line_id"),
    (
        SOURCE,
        Column("refund_id", "STRING", "The source's own id of the refund, credit note or cancellation.", required=True),
        Column("line_id", "STRING", "The line within it.", required=True),
        Column("order_id", "STRING", "The order it pays back, if the source names it; else its sale is looked for."),
        Column("source_customer_id", "STRING", "The source's own id of the buyer, if it knows one."),
        _contact("loyalty_card", "Loyalty card shown"),
        _contact("email", "E-mail address given"),
        _contact("phone", "Phone number given"),
        _contact("payment_token", "Payment token paid back to"),
        Column("product_id", "STRING", "Product that came back; of a named order all products if absent."),
        Column(
            "quantity", "DECIMAL(18,4)", "What came back; absent where only money went.", minimum=0, maximum=1_000_000
        ),
        Column("amount", MONEY, "What was paid back, positive.", required=True, minimum=0, maximum=10_000_000),
        Column("currency", "STRING", "ISO 4217; the chain's own if absent."),
        Column("refunded_at", "TIMESTAMP", "When, UTC; a sale after it is not its sale.", required=True),
        UPDATED,
    ),
    "A line of a refund; it restates the order that it belongs to.",
    optional=True,
)

PRODUCTS = Entity(
    "products",
    ("product_id",),
    (
        Column("product_id", "STRING", "Product.", required=True),
        Column("category", "STRING", "Category.", free_text=True),
        Column("department", "STRING", "Department above the category.", free_text=True),
        Column("brand", "STRING", "Brand.", free_text=True),
        Column("name", "STRING", "Name on the receipt or menu.", free_text=True),
        Column("is_set_meal", "BOOLEAN", "A set of several dishes."),
        UPDATED,
    ),
    "A product or dish.",
)

STORES = Entity(
    "stores",
    ("store_id",),
    (
        Column("store_id", "STRING", "Store.", required=True),
        Column("name", "STRING", "Name of the store.", free_text=True),
        Column("region", "STRING", "State or province.", free_text=True),
        Column("city", "STRING", "City.", free_text=True),
        Column("city_tier", "STRING", "Tier of the city."),
        Column("climate", "STRING", "Climate zone."),
        Column("time_zone", "STRING", "IANA time zone; the chain's own if absent."),
        UPDATED,
    ),
    "A store or restaurant.",
)

CAMPAIGNS = Entity(
    "campaigns",
    ("campaign_id",),
    (
        Column("campaign_id", "STRING", "Campaign.", required=True),
        Column("name", "STRING", "Name of the campaign.", free_text=True),
        Column("kind", "STRING", "Kind of campaign."),
        Column("starts_on", "DATE", "First day."),
        Column("ends_on", "DATE", "Last day."),
        Column("cost", MONEY, "What it cost.", minimum=0),
        UPDATED,
    ),
    "A campaign.",
    optional=True,
)

CAMPAIGN_MEMBERS = Entity(
    "campaign_members",
    ("campaign_id", "source", "source_customer_id"),
    (
        SOURCE,
        Column("campaign_id", "STRING", "Campaign.", required=True),
        Column("source_customer_id", "STRING", "Person addressed or held out.", required=True),
        Column("is_holdout", "BOOLEAN", "Held out on purpose."),
        UPDATED,
    ),
    "A person in a campaign.",
    optional=True,
    references=(Reference("campaign_id", "campaigns", "campaign_id"),),
)

COUPONS = Entity(
    "coupons",
    ("coupon_id", "campaign_id", "product_id"),
    (
        Column("coupon_id", "STRING", "Coupon.", required=True),
        Column("campaign_id", "STRING", "Campaign.", required=True),
        Column("product_id", "STRING", "Product it is for.", required=True),
        Column("face_value", MONEY, "What it is worth.", minimum=0),
        UPDATED,
    ),
    "A coupon, its campaign and a product it is for.",
    optional=True,
    references=(Reference("campaign_id", "campaigns", "campaign_id"),),
)

COUPON_REDEMPTIONS = Entity(
    "coupon_redemptions",
    ("source", "coupon_id", "source_customer_id", "redeemed_at"),
    (
        SOURCE,
        Column("coupon_id", "STRING", "Coupon.", required=True),
        Column("source_customer_id", "STRING", "Person who redeemed it.", required=True),
        Column("redeemed_at", "TIMESTAMP", "When, UTC.", required=True),
        Column("campaign_id", "STRING", "Campaign."),
        Column("order_id", "STRING", "Order it was redeemed on."),
        UPDATED,
    ),
    "A redeemed coupon.",
    optional=True,
    references=(Reference("coupon_id", "coupons", "coupon_id"),),
)

#: in the order in which they are judged and merged: what is referred to comes first
ENTITIES: tuple[Entity, ...] = (
    STORES,
    PRODUCTS,
    CUSTOMERS,
    CAMPAIGNS,
    CAMPAIGN_MEMBERS,
    COUPONS,
    COUPON_REDEMPTIONS,
    ORDERS,
    ORDER_LINES,
    REFUNDS,
    *BEHAVIOUR,
)
BY_NAME = {entity.name: entity for entity in ENTITIES}

NOTES = Column("_notes", "STRING", "What was noted in reading the row, as column.note, a comma between; null if plain.")

#: note -> what it says of a column
NOTE_MEANINGS = {
    "reformatted": "was written in another spelling that means one thing only, and read",
    "skipped_hour": "names a local hour that the clocks skipped; the instant one hour on is meant",
    "repeated_hour": "names a local hour that the clocks showed twice; the first is meant",
    "from_address": "was not mapped; it was taken out of the postal address before that went to the vault",
    "looked_up": "was missing; what the settings say of the city stands in its place",
    "imputed_mean": "was missing; the mean of the first rows stands in its place",
    "imputed_median": "was missing; the median of the first rows stands in its place",
    "imputed_mode": "was missing; the most frequent value of the first rows stands in its place",
    "imputed_constant": "was missing; a declared constant stands in its place",
}

#: what a canonical row carries behind its entity's columns while it is judged and afterwards
PROVENANCE: tuple[Column, ...] = (
    Column("_feed", "STRING", "Source and feed the row came through, as in pos.receipts."),
    Column("_file", "STRING", "File, table or endpoint the row came from."),
    Column("_row", "BIGINT", "Line or position in it."),
    Column("_landed", "DATE", "Business date of the night that took the row in."),
    Column("_person_hash", "STRING", "Keyed hash of the source and its customer id."),
    NOTES,
)
#: of a judged row: ``_failed`` names the rules that it fails, and is null where it fails none
ACCEPTED, REJECTED = "_failed IS NULL", "_failed IS NOT NULL"
COPIES = Column("_copies", "BIGINT", "Raw rows that say this, a receipt's header being on each of its lines.")


def reads(column: Column) -> str:
    """Name of the flag that says a column's text could be read as its type."""
    return f"_reads_{column.name}"


def has(column: Column) -> str:
    """Name of the flag that says a required column holds something."""
    return f"_has_{column.name}"


def typed(entity: Entity) -> tuple[Column, ...]:
    """Columns whose text has to be read as another type."""
    return tuple(column for column in entity.columns if column.type != "STRING")


def needed(entity: Entity) -> tuple[Column, ...]:
    """Columns that must hold something."""
    return tuple(column for column in entity.columns if column.required and not column.default)


def flags(entity: Entity) -> tuple[str, ...]:
    """Flags by which conformed rows are judged."""
    return (*map(reads, typed(entity)), *map(has, needed(entity)))
