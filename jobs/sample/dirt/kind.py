"""The words that kinds of defect are declared in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Row = dict[str, Any]
#: quarantined and held: by exactly the rules named; repaired: in the tables with what it meant, and a note; duplicate:
#: one survivor; reported: in the tables, and a rule says how many; linked: two records, one customer; harmless: in the
#: tables as if nothing were wrong
Outcome = Literal["quarantined", "held", "repaired", "duplicate", "reported", "linked", "harmless"]


@dataclass(frozen=True)
class Change:
    """The row is another one; ``column`` is where it differs, for people."""

    column: str
    apply: Callable[[Row], object]


@dataclass(frozen=True)
class Copy:
    """The row stays, and a changed copy of it comes too: behind the other rows, or in a file of its own."""

    column: str
    apply: Callable[[Row], object]
    is_in_other_file: bool = False


@dataclass(frozen=True)
class Bytes:
    """A line of a file is other bytes, which may be no line at all."""

    apply: Callable[[bytes], bytes]
    column: str = ""


@dataclass(frozen=True)
class WholeFile:
    """A file is other bytes, or comes again under another name."""

    apply: Callable[[bytes], bytes]
    is_copy: bool = False
    column: str = ""


@dataclass(frozen=True)
class Expected:
    """What has to become of a damaged row.

    Args:
        outcome: in one word.
        rules: what fails, over all tables that the row feeds, consequences included (the line of a rejected order).
        reads: ``table.column`` that has to hold what was meant.
        meant: that value; None for what the undamaged row had.
    """

    outcome: Outcome
    rules: tuple[str, ...] = ()
    reads: str | None = None
    meant: str | None = None


@dataclass(frozen=True)
class Gap:
    """Why rows of a kind do not become what they should yet, and the rules that they fail instead."""

    reason: str
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """One kind of defect."""

    name: str
    feed: str  #: source and feed it strikes, as in pos.receipts
    says: str  #: one sentence for people
    damage: Change | Copy | Bytes | WholeFile
    expected: Expected
    is_structural: bool = True  #: decided by form alone: bytes, types, bounds, known values, references
    key: tuple[str, ...] | None = None  #: columns to know the row by where the feed's own are what is damaged
    is_of_last_night: bool = False  #: strikes what comes with the last night only
    is_of_guest: bool | None = None  #: strikes receipts that show no card, or such as show one; None for both
    gap: Gap | None = None


@dataclass(frozen=True)
class Feed:
    """How rows of a feed are known: by their columns in the source, and in the clean tables."""

    place: str  #: table or path; files say theirs
    key: tuple[str, ...]
    tables: tuple[tuple[str, str], ...]  #: clean table and its column that holds the (first) key


FEEDS = {
    "pos.receipts": Feed("", ("receipt_no",), (("orders", "order_id"), ("order_lines", "order_id"))),
    "crm.members": Feed("members", ("member_id",), (("customers", "source_customer_id"),)),
    "crm.feedback": Feed("feedback", ("feedback_id",), (("feedback", "feedback_id"),)),
    "crm.redemptions": Feed("redemptions", ("order_id",), (("coupon_redemptions", "order_id"),)),
    "crm.campaigns": Feed("campaigns", ("campaign_id",), (("campaigns", "campaign_id"),)),
    "crm.campaign_members": Feed(
        "campaign_members", ("campaign_id", "member_id"), (("campaign_members", "campaign_id"),)
    ),
    "crm.coupons": Feed("coupons", ("coupon_id",), (("coupons", "coupon_id"),)),
    "crm.products": Feed("products", ("product_id",), (("products", "product_id"),)),
    "crm.stores": Feed("stores", ("store_id",), (("stores", "store_id"),)),
    "online.accounts": Feed("/accounts", ("account_id",), (("customers", "source_customer_id"),)),
    "online.orders": Feed("/orders", ("order_id",), (("orders", "order_id"), ("order_lines", "order_id"))),
}

#: digits as a Chinese keyboard types them
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")

DUPLICATE = Expected("duplicate")
REPORTED = Expected("reported")
NEAR_DUPLICATE = Expected("reported", ("orders.near_duplicate",))


def put(column: str, value: object | Callable[[Any], object]) -> Change:
    """Another value in one column: a constant, or made of the one that is there."""

    def change(row: Row) -> None:
        row[column] = value(row[column]) if callable(value) else value

    return Change(column, change)


def quarantined(*rules: str) -> Expected:
    """Set aside by these rules and no other."""
    return Expected("quarantined", rules)


def order_fails(*rules: str) -> Expected:
    """The order is set aside, and with it its line, which then belongs to nothing."""
    return quarantined(*(f"orders.{rule}" for rule in rules), "order_lines.order_id.resolves")


def line_fails(*rules: str) -> Expected:
    """The line alone is set aside."""
    return quarantined(*(f"order_lines.{rule}" for rule in rules))


def harmless(reads: str | None = None, meant: str | None = None) -> Expected:
    """In the tables as if nothing were wrong; ``reads`` is the ``table.column`` that shows it."""
    return Expected("harmless", (), reads, meant)


def repaired(reads: str, meant: str | None = None) -> Expected:
    """In the tables with what was meant, and a note."""
    return Expected("repaired", (), reads, meant)


def nothing(row: Row) -> None:
    """Leave a copy as it is."""
