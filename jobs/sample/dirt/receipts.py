"""Kinds of defect in receipt files. The damaged receipts have one line each, so a row is one order and one line."""

from __future__ import annotations

from datetime import datetime, timedelta

from jobs.sample.dirt.kind import (
    DUPLICATE,
    FULL_WIDTH,
    NEAR_DUPLICATE,
    REPORTED,
    Bytes,
    Change,
    Copy,
    Expected,
    Gap,
    Kind,
    Row,
    WholeFile,
    harmless,
    line_fails,
    nothing,
    order_fails,
    put,
    quarantined,
    repaired,
)
from jobs.sample.files import utc_text
from jobs.sample.restaurant_people import UTC_OFFSET

FEED = "pos.receipts"
#: a time that cannot be read is neither the order's nor the date of change of the line
NO_TIME = (
    "orders.ordered_at.readable",
    "orders.updated_at.readable",
    "order_lines.order_id.resolves",
    "order_lines.updated_at.readable",
)
LATE = "orders.business_date.late_horizon"
LATE_DAYS = 200


def _of(damage: str) -> str:
    return f"unparsable.{damage}"


def _local(pattern: str) -> Change:
    """The time as the till's clock shows it, in another notation."""

    def change(row: Row) -> None:
        row["sold_at"] = (datetime.fromisoformat(row["sold_at"]) + timedelta(seconds=UTC_OFFSET)).strftime(pattern)

    return Change("sold_at", change)


def _epoch(row: Row) -> None:
    row["sold_at"] = str(int(datetime.fromisoformat(row["sold_at"]).timestamp()))


def _earlier(row: Row) -> None:
    row["sold_at"] = utc_text(datetime.fromisoformat(row["sold_at"]) - timedelta(days=LATE_DAYS))


def _other_fulfilment(row: Row) -> None:
    row["fulfilment"] = {"dine_in": "takeaway", "takeaway": "dine_in"}[row["fulfilment"]]


def _other_number(row: Row) -> None:
    row["receipt_no"] += "-2"


def _kind(name: str, says: str, damage: Change | Copy | Bytes | WholeFile, expected: Expected) -> Kind:
    return Kind(name, FEED, says, damage, expected)


LINES = (
    _kind("column_too_many", "A line has one value too many.",
          Bytes(lambda line: line + b",x"), quarantined(_of("column_count"))),
    _kind("column_too_few", "A line lost its last value.",
          Bytes(lambda line: line.rpartition(b",")[0]), quarantined(_of("column_count"))),
    _kind("quote_inside_value", "A quotation mark stands inside a value.",
          Bytes(lambda line: line.replace(b"completed", b'comp"leted')), quarantined(_of("quote"))),
    _kind("quote_never_closed", "A quoted value never ends.",
          Bytes(lambda line: line.replace(b"completed", b'"completed')), quarantined(_of("quote"))),
    _kind("nul_byte", "A NUL byte inside a value.",
          Bytes(lambda line: line.replace(b"completed", b"comp\0leted")), quarantined(_of("nul_byte"))),
    _kind("gbk_text", "Chinese text in GBK instead of UTF-8.",
          Bytes(lambda line: line.replace(b"completed", "已完成".encode("gbk"))), quarantined(_of("encoding"))),
    _kind("line_repeated", "A line stands in its file twice.", Copy("", nothing), DUPLICATE),
    _kind("receipt_in_two_files", "A receipt comes in a second file too.",
          Copy("", nothing, is_in_other_file=True), DUPLICATE),
    _kind("receipt_in_two_files_that_disagree", "A second file says something else about the receipt.",
          Copy("fulfilment", _other_fulfilment, is_in_other_file=True), DUPLICATE),
    Kind("receipt_under_another_number", FEED, "A member's receipt once more, under another number.",
         Copy("receipt_no", _other_number), NEAR_DUPLICATE, is_structural=False, is_of_guest=False),
    Kind("guest_receipt_under_another_number", FEED, "A guest's receipt once more, under another number.",
         Copy("receipt_no", _other_number), REPORTED, is_structural=False, is_of_guest=True,
         gap=Gap("nobody knows whose it is: two guests may buy the same in one minute; both count")),
)  # fmt: skip

FILES = (
    _kind("byte_order_mark", "A file begins with a byte order mark.",
          WholeFile(lambda data: b"\xef\xbb\xbf" + data), harmless()),
    _kind("file_under_another_name", "A file is delivered once more under another name.",
          WholeFile(lambda data: data, is_copy=True), DUPLICATE),
)  # fmt: skip

AMOUNTS = (
    _kind("quantity_in_words", "Words for a quantity.", put("quantity", "two"), line_fails("quantity.readable")),
    _kind("quantity_negative", "A negative quantity.", put("quantity", "-1"), line_fails("quantity.in_range")),
    _kind("quantity_missing", "No quantity.", put("quantity", ""), line_fails("quantity.present")),
    _kind("quantity_nan", "NaN for a quantity.", put("quantity", "NaN"), line_fails("quantity.readable")),
    _kind("quantity_zero", "Quantity 0, as adjustments are booked.", put("quantity", "0"),
          Expected("reported", ("order_lines.quantity.not_zero",))),
    _kind("quantity_full_width", "Full-width digits, as a Chinese keyboard types them: the same number.",
          put("quantity", lambda said: said.translate(FULL_WIDTH)), harmless("order_lines.quantity")),
    _kind("gross_too_large_for_type", "An amount with more digits than money has.", put("gross", "9" * 25),
          line_fails("gross.readable")),
    _kind("gross_beyond_belief", "An amount above ten million.", put("gross", "10000001"),
          line_fails("gross.in_range")),
    Kind("gross_far_out", FEED, "A price a thousand times what is usual: kept, and flagged as an outlier.",
         put("gross", "50000.00"), harmless("order_lines.is_outlier", "True"), is_structural=False),
    _kind("gross_negative", "A negative price.", put("gross", "-20.00"), line_fails("gross.in_range")),
    _kind("gross_with_currency_sign", "A currency sign before an amount.", put("gross", "¥20"),
          line_fails("gross.readable")),
    _kind("gross_in_groups", "Commas for thousands: 1,234.50.", put("gross", "1,234.50"),
          repaired("order_lines.gross", "1234.50")),
    _kind("gross_with_other_mark", "A decimal comma: 1.234,50, where the source declares a point.",
          put("gross", "1.234,50"), line_fails("gross.readable")),
    _kind("gross_with_three_decimals", "A third decimal, which is rounded.", put("gross", lambda said: said + "4"),
          harmless("order_lines.gross")),
    _kind("discount_above_gross", "More is deducted than the line costs.", put("discount", "5000"),
          line_fails("deductions.at_most_gross")),
    _kind("refund_negative", "A negative refund.", put("refunded", "-3"), line_fails("refunded.in_range")),
    _kind("product_unknown", "A product that nobody declared.", put("product_id", "999999"),
          line_fails("product_id.resolves")),
    _kind("email_as_product", "An e-mail address where the product belongs.", put("product_id", "a@b.example"),
          line_fails("product_id.resolves", "product_id.no_contact")),
    _kind("line_number_missing", "A line without a number.", put("line_no", ""), line_fails("line_id.present")),
)  # fmt: skip

HEADS = (
    _kind("store_unknown", "A store that nobody declared.", put("store_id", "999"), order_fails("store_id.resolves")),
    _kind("store_missing", "No store.", put("store_id", ""), order_fails("store_id.present")),
    _kind("email_as_store", "An e-mail address where the store belongs.", put("store_id", "a@b.example"),
          order_fails("store_id.resolves", "store_id.no_contact")),
    _kind("phone_as_store", "A phone number where the store belongs.", put("store_id", "13800001234"),
          order_fails("store_id.resolves")),
    _kind("store_in_blanks", "Blanks around the store's number.", put("store_id", lambda said: f"  {said} "),
          harmless("orders.store_id")),
    _kind("email_as_coupon", "An e-mail address where the coupon belongs.", put("coupon_id", "a@b.example"),
          order_fails("coupon_id.no_contact")),
    _kind("status_unknown", "A status that there is not.", put("status", "finished"),
          order_fails("status.known_value")),
    _kind("status_in_capitals", "A status in capitals.", put("status", str.upper),
          repaired("orders.status", "completed")),
    _kind("status_void", "The order was voided: kept, and counted nowhere.", put("status", "void"),
          harmless("orders.status", "void")),
    _kind("fulfilment_unknown", "A fulfilment that there is not.", put("fulfilment", "drone"),
          order_fails("fulfilment.known_value")),
    _kind("party_of_half_a_guest", "Half a guest.", put("party_size", "2.5"), order_fails("party_size.readable")),
    _kind("party_of_nobody", "Nobody at the table.", put("party_size", "0"), order_fails("party_size.in_range")),
    _kind("party_of_thousands", "9999 people at one table.", put("party_size", "9999"),
          order_fails("party_size.in_range")),
    _kind("phone_as_seat", "A phone number where the seat belongs.", put("seating", "+86 138 0000 1234"),
          order_fails("seating.no_contact")),
    _kind("receipt_number_missing", "No receipt number.", put("receipt_no", ""),
          quarantined("orders.order_id.present", "order_lines.order_id.present")),
    _kind("card_in_groups", "A card number written in groups: the same card.",
          put("card_number", "8800 0010-0001"), harmless()),
)  # fmt: skip

TIMES = (
    _kind("time_in_1970", "A clock that was never set.", put("sold_at", "1970-01-01T00:00:00Z"),
          order_fails("ordered_at.not_too_early")),
    _kind("time_to_come", "An order of a year to come.", put("sold_at", "2099-06-01T12:00:00Z"),
          order_fails("ordered_at.not_in_future")),
    _kind("time_missing", "No time.", put("sold_at", ""), order_fails("ordered_at.present")),
    _kind("time_in_words", "Words for a time.", put("sold_at", "yesterday noon"), quarantined(*NO_TIME)),
    _kind("time_on_no_day", "A day that never was.", put("sold_at", "2026-02-30T12:00:00Z"), quarantined(*NO_TIME)),
    _kind("time_without_zone", "The till's own clock, no zone stated.", _local("%Y-%m-%d %H:%M:%S"),
          harmless("orders.ordered_at")),
    _kind("time_with_offset", "The till's own clock with its offset.", _local("%Y-%m-%dT%H:%M:%S+08:00"),
          harmless("orders.ordered_at")),
    *(
        _kind(name, f"The till's own clock written as {example}.", damage, repaired("orders.ordered_at"))
        for name, example, damage in (
            ("time_day_first", "31.05.2026 18:22:05", _local("%d.%m.%Y %H:%M:%S")),
            ("time_with_slashes", "2026/05/31 18:22:05", _local("%Y/%m/%d %H:%M:%S")),
            ("time_in_chinese", "2026年5月31日 18:22:05", _local("%Y年%m月%d日 %H:%M:%S")),
            ("time_compact", "20260531 182205", _local("%Y%m%d %H%M%S")),
            ("time_in_fourteen_digits", "20260531182205", _local("%Y%m%d%H%M%S")),
            ("time_in_seconds", "seconds since 1970", Change("sold_at", _epoch)),
        )
    ),
    _kind("time_with_ambiguous_day", "A date whose day may be its month: nothing is guessed.",
          put("sold_at", "05/06/2026 18:22:05"), quarantined(*NO_TIME)),
    Kind("order_beyond_horizon", FEED, f"A new order {LATE_DAYS} days late.", Change("sold_at", _earlier),
         Expected("held", (LATE,)), is_of_last_night=True),
)  # fmt: skip

KINDS = (*LINES, *FILES, *AMOUNTS, *HEADS, *TIMES)
