"""Kinds of defect in the online shop's JSON. The damaged orders have one line each, as with receipts."""

from __future__ import annotations

from typing import Any

from jobs.sample.dirt.kind import (
    DUPLICATE,
    NEAR_DUPLICATE,
    Change,
    Copy,
    Kind,
    Row,
    harmless,
    line_fails,
    nothing,
    order_fails,
    put,
    quarantined,
    repaired,
)


def _without(column: str) -> Change:
    return Change(column, lambda order: order.pop(column))


def _line(column: str, value: object) -> Change:
    """Another value in the order's line; None takes the field away."""

    def change(order: Row) -> None:
        line: dict[str, Any] = order["lines"][0]
        if value is None:
            line.pop(column)
        else:
            line[column] = value

    return Change(f"lines.{column}", change)


def _total(order: Row) -> None:
    """What the one line comes to; the generated orders state no total."""
    line = order["lines"][0]
    order["total"] = round(line["gross"] - line["discount"] - line["coupon_discount"], 2)


def _wrong_total(order: Row) -> None:
    _total(order)
    order["total"] = round(order["total"] + 0.02, 2)


def _other_id(order: Row) -> None:
    order["order_id"] += "-2"


ORDERS = tuple(
    Kind(name, "online.orders", says, damage, expected, key=key)
    for name, says, damage, expected, key in (
        ("online_time_in_words", "Words for a time.", put("ordered_at", "noon"), order_fails("ordered_at.readable"),
         None),
        ("online_line_without_product", "A line without a product.", _line("product_id", None),
         line_fails("product_id.present"), None),
        ("online_decimal_comma", "A comma in an amount: 12,50.", _line("gross", "12,50"),
         line_fails("gross.readable"), None),
        ("online_gross_in_words", "Words for an amount.", _line("gross", "twelve"), line_fails("gross.readable"),
         None),
        ("online_fulfilment_unknown", "A fulfilment that there is not.", put("fulfilment", "pigeon"),
         order_fails("fulfilment.known_value"), None),
        ("online_channel_unknown", "A channel that there is not.", put("channel", "fax"),
         order_fails("channel.known_value"), None),
        ("online_status_unknown", "A status that there is not.", put("status", "lost"),
         order_fails("status.known_value"), None),
        ("online_foreign_currency", "Another currency than the chain's.", put("currency", "USD"),
         order_fails("currency.is_reporting_currency"), None),
        ("online_currency_unknown", "A currency that there is not.", put("currency", "XXL"),
         order_fails("currency.is_reporting_currency"), None),
        ("online_store_as_object", "An object where a number belongs.", put("store_id", {"id": 101}),
         order_fails("store_id.present"), None),
        ("online_no_lines", "An order without lines.", put("lines", []),
         line_fails("line_id.present", "product_id.present", "quantity.present", "gross.present"), None),
        ("online_order_without_id", "An order without an id.", _without("order_id"),
         quarantined("orders.order_id.present", "order_lines.order_id.present"), ("account_id", "ordered_at")),
        ("online_order_in_1970", "A clock that was never set.", put("ordered_at", "1970-01-01T00:00:00Z"),
         order_fails("ordered_at.not_too_early"), None),
        ("online_amount_as_text", "An amount as text: the same amount.", _line("unit_cost", "7.25"),
         harmless("order_lines.unit_cost", "7.25"), None),
        ("online_total_wrong", "A total that the lines do not come to.", Change("total", _wrong_total),
         order_fails("total.is_sum_of_lines"), None),
        ("online_total_right", "A total that the lines come to.", Change("total", _total), harmless(), None),
        ("online_fulfilment_spelled", "A code in another spelling.", put("fulfilment", str.title),
         repaired("orders.fulfilment"), None),
        ("online_email_without_at", "An e-mail address without its @: kept, and no link.",
         put("email", "nobody.example.com"), harmless(), None),
        ("online_phone_with_letters", "Letters in a phone number: kept, and no link.", put("phone", "138-CALL-NOW"),
         harmless(), None),
        ("online_order_on_two_pages", "The same order on two pages.", Copy("", nothing), DUPLICATE, None),
    )
)  # fmt: skip

MORE = (
    Kind("online_order_under_another_id", "online.orders", "The same order once more, under another id.",
         Copy("order_id", _other_id), NEAR_DUPLICATE, is_structural=False),
    Kind("account_consent_unclear", "online.accounts", "A consent that is neither yes nor no.",
         put("marketing_consent", "perhaps"), quarantined("customers.marketing_consent.readable")),
    Kind("markup_as_account_name", "online.accounts", "Markup as a person's name.",
         put("name", "<b>anna</b>"), harmless()),
)  # fmt: skip

KINDS = (*ORDERS, *MORE)
