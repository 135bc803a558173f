"""Refund lines to the order lines that they pay back: one group at a time, in plain Python.

A group holds all refunds that may compete for the same order lines, so groups are independent of one another and
the answer follows from their rows alone, in whatever order they come. Money is in whole cents, quantities in
ten-thousandths.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

QUANTITY_SCALE = 10_000


@dataclass
class Sale:
    """An order line and what is left of it to be paid back."""

    order_id: str
    line_id: str
    product_id: str
    at: int  #: when it was ordered, microseconds
    tokens: frozenset[str]  #: who bought it; for named refunds, the order
    quantity: int
    cents: int  #: what was paid for it
    left_quantity: int
    left_cents: int


@dataclass(frozen=True)
class Refund:
    """A refund line."""

    refund_id: str
    line_id: str
    is_named: bool  #: the source says which order it pays back
    product_id: str | None
    at: int
    tokens: frozenset[str]
    quantity: int | None  #: None where only money went back; never 0
    cents: int

    def may_be_of(self, sale: Sale) -> bool:
        """The sale is of its person and product and not after it, or of the order that it names."""
        same_product = self.product_id == sale.product_id or (self.is_named and self.product_id is None)
        return same_product and (self.is_named or sale.at <= self.at)

    def has_price_of(self, sale: Sale) -> bool:
        """Its amount is what its quantity cost, to the nearest cent; without a quantity, all that is left."""
        if self.quantity is None:
            return self.cents == sale.left_cents
        return abs(self.cents * sale.quantity - sale.cents * self.quantity) * 2 <= sale.quantity

    def is_covered_by(self, sale: Sale) -> bool:
        """The sale alone has enough left."""
        return sale.left_cents >= self.cents and sale.left_quantity >= (self.quantity or 0)


@dataclass(frozen=True)
class Part:
    """What of a refund pays back one order line."""

    refund: Refund
    sale: Sale
    quantity: int | None
    cents: int
    is_same_price: bool


@dataclass(frozen=True)
class Outcome:
    """What became of a group's refunds: each has parts that add up to it, or waits."""

    parts: list[Part]
    unknown: list[Refund]  #: no sale is known that it might pay back
    too_large: list[Refund]  #: sales are known, and too little is left of them


def allocate(refunds: Iterable[Refund], sales: Iterable[Sale]) -> Outcome:
    """Give every refund, the earliest first, its order lines, whole or not at all.

    Lines of the refund's own unit price come first, for all refunds, so that none loses its line to one that could
    have another; then a line that covers it alone, then the latest.
    """
    by_token: dict[str, list[Sale]] = {}
    for sale in sales:
        for token in sale.tokens:
            by_token.setdefault(token, []).append(sale)
    waiting = sorted(refunds, key=lambda refund: (refund.at, refund.refund_id, refund.line_id))
    candidates = {refund: _candidates(refund, by_token) for refund in waiting}
    parts: list[Part] = []
    for same_price_only in (True, False):
        still = []
        for refund in waiting:
            found = _parts(refund, candidates[refund], same_price_only)
            parts += found
            if not found:
                still.append(refund)
        waiting = still
    unknown = [refund for refund in waiting if not candidates[refund]]
    return Outcome(parts, unknown, [refund for refund in waiting if candidates[refund]])


def _candidates(refund: Refund, by_token: dict[str, list[Sale]]) -> list[Sale]:
    found = {
        (sale.order_id, sale.line_id): sale
        for token in refund.tokens
        for sale in by_token.get(token, ())
        if refund.may_be_of(sale)
    }
    return [found[key] for key in sorted(found)]


def _parts(refund: Refund, candidates: Sequence[Sale], same_price_only: bool) -> list[Part]:
    """The parts of a refund, taken off their sales; nothing is taken if they do not add up to it."""
    has_something = (s for s in candidates if (s.left_cents if refund.quantity is None else s.left_quantity) > 0)
    fitting = [(sale, refund.has_price_of(sale)) for sale in has_something]
    chosen = [(sale, fits) for sale, fits in fitting if fits or not same_price_only]
    chosen.sort(key=lambda one: (not one[1], not refund.is_covered_by(one[0]), -one[0].at))
    shares = _shares(refund, [sale for sale, _ in chosen])
    parts = []
    for (sale, fits), (quantity, cents) in zip(chosen, shares, strict=False):
        sale.left_quantity -= quantity or 0
        sale.left_cents -= cents
        parts.append(Part(refund, sale, quantity, cents, fits))
    return parts


def _shares(refund: Refund, sales: Sequence[Sale]) -> list[tuple[int | None, int]]:
    """What each of the first sales gives, quantity and cents; [] if all together they give too little."""
    quantity, cents = refund.quantity, refund.cents
    quantities: list[int | None] = []
    amounts: list[int] = []
    for sale in sales:
        if quantity is None:
            taken, share = None, cents
        else:
            taken = min(quantity, sale.left_quantity)
            share = (2 * cents * taken + quantity) // (2 * quantity)  # halves up
            quantity -= taken
        amounts.append(min(share, sale.left_cents))
        quantities.append(taken)
        cents -= amounts[-1]
        if quantity == 0 or (quantity is None and cents == 0):
            break
    for place, sale in enumerate(sales[: len(amounts)]):  # what a cheaper line could not give, a dearer one may
        more = min(cents, sale.left_cents - amounts[place])
        amounts[place] += more
        cents -= more
    return list(zip(quantities, amounts, strict=True)) if not quantity and cents == 0 else []
