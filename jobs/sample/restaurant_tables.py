"""Drawn orders as what the source systems keep of them: receipt lines, JSON orders, redemptions, feedback."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.sample import restaurant_people, restaurant_words
from jobs.sample.files import csv_rows, money, utc_seconds_text
from jobs.sample.online import Document, order_document
from jobs.sample.restaurant_campaigns import FIRST_PRODUCT_ID, FIRST_STORE_ID, Campaign, Menu
from jobs.sample.restaurant_people import Bools, Ints, People, Row
from jobs.sample.restaurant_visits import Lines, Visits, choose


@dataclass(frozen=True)
class Chain:
    """What is drawn once."""

    people: People
    menu: Menu
    campaigns: list[Campaign]
    stores: int
    first_day: date
    days: int

    @property
    def end(self) -> int:
        """Second since 1970 at which the last business day ends; nothing is recorded later."""
        return restaurant_people.seconds(self.first_day, self.days, 2 * 3_600)


@dataclass(frozen=True)
class Trade:
    """The orders of a period; ``before`` is how many came before them."""

    chain: Chain
    visits: Visits
    lines: Lines
    before: int

    @cached_property
    def sold(self) -> Ints:
        """Seconds since 1970 of each order."""
        return restaurant_people.seconds(self.chain.first_day, 0, 0) + (
            self.visits.day * restaurant_people.SECONDS_PER_DAY + self.visits.second
        )

    @cached_property
    def order_ids(self) -> pa.Array:
        """W and a number for online orders, R and a number for receipts."""
        numbers = pa.array(np.arange(len(self.visits)) + self.before + 1).cast(pa.string())
        letter = pc.if_else(pa.array(self.visits.is_online), "W", "R")
        return pc.binary_join_element_wise(letter, pc.utf8_lpad(numbers, 10, "0"), "")

    @cached_property
    def members(self) -> Ints:
        """CRM id of each order's person, that of the second record where its card was shown."""
        ids = self.chain.people.member_ids[self.visits.person]
        return ids + self.visits.uses_second_card * len(self.chain.people)


def person_id(person: int) -> str:
    """The truth's name of a person."""
    return f"P{person + 1:08d}"


def receipts(trade: Trade) -> pa.Table:
    """Lines of the orders at the tills, one row per line, in the order of time."""
    visits, lines = trade.visits, trade.lines
    kept = np.flatnonzero(~visits.is_online[lines.order])
    order = pa.array(lines.order[kept])
    dish = lines.dish[kept]
    by_order = {name: column.take(order) for name, column in _receipt_heads(trade).items()}
    amounts = ("gross", "discount", "coupon_discount", "refunded")
    return pa.table(
        {
            **by_order,
            "line_no": pa.array(lines.number[kept]),
            "product_id": pa.array(dish + FIRST_PRODUCT_ID),
            "quantity": pa.array(lines.quantity[kept]),
            **{name: money(getattr(lines, name)[kept]) for name in amounts},
            "unit_cost": money(trade.chain.menu.cost[dish]),
        }
    )


def _receipt_heads(trade: Trade) -> dict[str, pa.Array]:
    visits = trade.visits
    members = pa.array(trade.members).cast(pa.string())
    card = pc.binary_join_element_wise("88", pc.utf8_lpad(members, 10, "0"), "")
    sold = pa.array(trade.sold).cast(pa.timestamp("s"))
    uses_coupon = visits.campaign >= 0
    return {
        "receipt_no": trade.order_ids,
        "store_id": pa.array(visits.store + FIRST_STORE_ID),
        "card_number": _where(visits.is_named, card),
        "sold_at": pc.strftime(sold, "%Y-%m-%dT%H:%M:%SZ"),
        "fulfilment": pc.if_else(pa.array(visits.is_dine_in), "dine_in", "takeaway"),
        "seating": _where(visits.is_dine_in, _seating(visits)),
        "party_size": _where(visits.is_dine_in, pa.array(visits.party)),
        "status": pc.if_else(pa.array(visits.is_cancelled), "cancelled", "completed"),
        "coupon_id": _where(uses_coupon, pa.array(visits.campaign + 5_001)),
        "campaign_id": _where(uses_coupon, pa.array(visits.campaign + 1)),
    }


def _where(condition: Bools, values: pa.Array) -> pa.Array:
    return pc.if_else(pa.array(condition), values, pa.scalar(None, values.type))


def _seating(visits: Visits) -> pa.Array:
    kind = np.select([visits.party >= 5, visits.party == 1], ["private_room", "counter"], "table")
    return pa.array(kind)


def online_orders(trade: Trade) -> Iterator[Document]:
    """The period's online orders as the API hands them out."""
    starts = np.searchsorted(trade.lines.order, np.arange(len(trade.visits) + 1))
    ids = trade.order_ids.to_pylist()
    accounts: dict[int, dict[str, Any]] = {}
    for index in np.flatnonzero(trade.visits.is_online).tolist():
        person = int(trade.visits.person[index])
        if person not in accounts:
            accounts[person] = restaurant_people.account(trade.chain.people, person, trade.chain.first_day)
        lines = [_line(trade, line) for line in range(int(starts[index]), int(starts[index + 1]))]
        yield order_document(_order(trade, index, ids[index], accounts[person]), lines)


def _order(trade: Trade, index: int, order_id: str, account: dict[str, Any]) -> dict[str, Any]:
    visits, sold = trade.visits, int(trade.sold[index])
    campaign = int(visits.campaign[index])
    of_order = slice(*np.searchsorted(trade.lines.order, [index, index + 1]))
    is_refunded = bool(trade.lines.refunded[of_order].any())
    # money is paid back the day after, which restates the order
    updated = min(sold + (86_400 if is_refunded else 120 + sold % 420), trade.chain.end - 1)
    return {
        "order_id": order_id,
        "account_id": account["account_id"],
        "email": account["email"],
        "phone": account["phone"],
        "store_id": int(visits.store[index]) + FIRST_STORE_ID,
        "channel": "app" if sold % 10 < 7 else "web",
        "fulfilment": "delivery" if sold % 20 < 13 else "takeaway",
        "ordered_at": utc_seconds_text(sold),
        "status": "cancelled" if visits.is_cancelled[index] else "completed",
        "currency": "CNY",
        "coupon_id": trade.chain.campaigns[campaign].coupon_id if campaign >= 0 else None,
        "campaign_id": trade.chain.campaigns[campaign].campaign_id if campaign >= 0 else None,
        "updated_at": utc_seconds_text(updated),
    }


def _line(trade: Trade, index: int) -> dict[str, Any]:
    lines = trade.lines
    amounts = ("gross", "discount", "coupon_discount", "refunded")
    return {
        "line_no": int(lines.number[index]),
        "product_id": int(lines.dish[index]) + FIRST_PRODUCT_ID,
        "quantity": int(lines.quantity[index]),
        **{name: _yuan(getattr(lines, name)[index]) for name in amounts},
        "unit_cost": _yuan(trade.chain.menu.cost[lines.dish[index]]),
    }


def _yuan(fen: int) -> Decimal:
    return Decimal(int(fen)).scaleb(-2)


def redemption_rows(trade: Trade) -> Iterator[Row]:
    """Rows of the CRM's ``redemptions``; cancelled orders redeem nothing."""
    ids = trade.order_ids
    for index in np.flatnonzero((trade.visits.campaign >= 0) & ~trade.visits.is_cancelled).tolist():
        campaign = trade.chain.campaigns[int(trade.visits.campaign[index])]
        when = utc_seconds_text(int(trade.sold[index]))
        member = int(trade.members[index])
        yield campaign.coupon_id, member, campaign.campaign_id, when, when, ids[index].as_py()


def feedback_rows(rng: np.random.Generator, trade: Trade, before: int) -> list[Row]:
    """Rows of the CRM's ``feedback``, numbered after the ``before`` earlier ones."""
    chosen = np.flatnonzero(trade.visits.has_feedback & ~trade.visits.is_cancelled)
    archetype = trade.chain.people.archetype[trade.visits.person[chosen]]
    ratings = choose(rng, restaurant_words.RATINGS[archetype]) + 1
    draws = rng.integers(0, 2**31, (len(chosen), 3))
    return [
        _note(trade, index, before + place + 1, rating, draw)
        for place, (index, rating, draw) in enumerate(
            zip(chosen.tolist(), ratings.tolist(), draws.tolist(), strict=True)
        )
    ]


def _note(trade: Trade, index: int, number: int, rating: int, draws: list[int]) -> Row:
    sold, end = int(trade.sold[index]), trade.chain.end
    is_complaint = rating <= 2 and draws[0] % 10 < 8
    given = min(sold + 900 + draws[1] % 86_400, end - 1)
    answered = given + 3_600 + draws[2] % 172_800
    responded = utc_seconds_text(answered) if is_complaint and answered < end else None
    texts = restaurant_words.COMMENTS[rating]
    return (
        number,
        int(trade.members[index]),
        trade.order_ids[index].as_py(),
        utc_seconds_text(given),
        rating,
        int(is_complaint),
        responded,
        texts[draws[0] % len(texts)],
        responded or utc_seconds_text(given),
    )


def append_truth(trade: Trade, path: Path) -> None:
    """Add the period's orders to ``records.csv``."""
    visits = trade.visits
    people = pc.utf8_lpad(pa.array(visits.person + 1).cast(pa.string()), 8, "0")
    table = pa.table(
        {
            "source": pc.if_else(pa.array(visits.is_online), "online", "pos"),
            "kind": pc.if_else(pa.array(visits.is_named), "order", "guest_order"),
            "record_id": trade.order_ids,
            "person_id": pc.binary_join_element_wise("P", people, ""),
        }
    )
    with path.open("ab") as file:
        file.write(csv_rows(table))
