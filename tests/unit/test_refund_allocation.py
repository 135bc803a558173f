"""Which order lines a refund pays back, by hand: one group at a time, no engine."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.transforms.allocation import QUANTITY_SCALE, Outcome, Refund, Sale, allocate

ANN, BOB = frozenset({"id:ann"}), frozenset({"id:bob", "card:7"})


def sale(order: str, at: int, pieces: float, cents: int, **more: object) -> Sale:
    """A line of ``pieces`` for ``cents`` together."""
    units = int(pieces * QUANTITY_SCALE)
    facts = {
        "line_id": "1", "product_id": "tea", "tokens": ANN, "quantity": units, "cents": cents,
        "left_quantity": units, "left_cents": cents,
    }  # fmt: skip
    return Sale(order, at=at, **(facts | more))  # type: ignore[arg-type]  # what a test says is what a sale has


def refund(name: str, at: int, pieces: float | None, cents: int, **more: object) -> Refund:
    """``pieces`` that came back for ``cents`` together."""
    units = None if pieces is None else int(pieces * QUANTITY_SCALE)
    facts = {"line_id": "1", "is_named": False, "product_id": "tea", "tokens": ANN, "quantity": units, "cents": cents}
    return Refund(name, at=at, **(facts | more))  # type: ignore[arg-type]  # as above


def told(outcome: Outcome) -> list[tuple[str, str, float | None, int]]:
    """(refund, order, pieces, cents) of every part; then what waits, with no order."""
    parts = [
        (
            p.refund.refund_id,
            p.sale.order_id,
            p.quantity if p.quantity is None else p.quantity / QUANTITY_SCALE,
            p.cents,
        )
        for p in outcome.parts
    ]
    waits = [(r.refund_id, "unknown", None, 0) for r in outcome.unknown]
    return sorted([*parts, *waits, *((r.refund_id, "too large", None, 0) for r in outcome.too_large)])


CASES: dict[str, tuple[Sequence[Refund], Sequence[Sale], list[tuple[str, str, float | None, int]]]] = {
    "the whole of a line": ([refund("r", 9, 4, 800)], [sale("a", 1, 4, 800)], [("r", "a", 4, 800)]),
    "part of a line": ([refund("r", 9, 1, 200)], [sale("a", 1, 4, 800)], [("r", "a", 1, 200)]),
    "the latest of two": (
        [refund("r", 9, 1, 200)], [sale("a", 1, 4, 800), sale("b", 2, 4, 800)], [("r", "b", 1, 200)],
    ),
    "never one after it": (
        [refund("r", 9, 1, 200)], [sale("a", 9, 4, 800), sale("b", 10, 4, 800)], [("r", "a", 1, 200)],
    ),
    "the same price before a later one": (
        [refund("r", 9, 1, 200)], [sale("a", 1, 4, 800), sale("b", 2, 4, 1000)], [("r", "a", 1, 200)],
    ),
    "one that covers it before a later one": (
        [refund("r", 9, 4, 800)], [sale("a", 1, 4, 800), sale("b", 2, 1, 200)], [("r", "a", 4, 800)],
    ),
    "one refund over two lines, the latest first": (
        [refund("r", 9, 5, 1000)],
        [sale("a", 1, 4, 800), sale("b", 2, 3, 600)],
        [("r", "a", 2, 400), ("r", "b", 3, 600)],
    ),
    "several refunds on one line": (
        [refund("r", 9, 1, 200), refund("s", 8, 2, 400)], [sale("a", 1, 4, 800)],
        [("r", "a", 1, 200), ("s", "a", 2, 400)],
    ),
    "a third of ten, to the cent": (
        [refund("r", 9, 1, 333)], [sale("b", 1, 3, 1000), sale("c", 2, 3, 1002)], [("r", "b", 1, 333)],
    ),
    "another price, where there is none of its own": (
        [refund("r", 9, 2, 300)], [sale("a", 1, 4, 800)], [("r", "a", 2, 300)],
    ),
    "its own price is not lost to an earlier refund of another": (
        [refund("r", 8, 1, 150), refund("s", 9, 1, 200)], [sale("a", 2, 1, 200), sale("b", 1, 1, 180)],
        [("r", "b", 1, 150), ("s", "a", 1, 200)],
    ),
    "a dearer line gives what a cheaper one cannot": (
        [refund("r", 9, 4, 900)], [sale("a", 1, 2, 600), sale("b", 2, 2, 300)],
        [("r", "a", 2, 600), ("r", "b", 2, 300)],
    ),
    "more pieces than were sold": ([refund("r", 9, 5, 800)], [sale("a", 1, 4, 800)], [("r", "too large", None, 0)]),
    "more money than was paid": ([refund("r", 9, 4, 801)], [sale("a", 1, 4, 800)], [("r", "too large", None, 0)]),
    "the second of two when one is left": (
        [refund("s", 9, 3, 600), refund("r", 8, 3, 600)], [sale("a", 1, 4, 800)],
        [("r", "a", 3, 600), ("s", "too large", None, 0)],
    ),
    "one too large leaves the line to the next": (
        [refund("r", 8, 5, 1000), refund("s", 9, 4, 800)], [sale("a", 1, 4, 800)],
        [("r", "too large", None, 0), ("s", "a", 4, 800)],
    ),
    "another person's": ([refund("r", 9, 1, 200)], [sale("a", 1, 4, 800, tokens=BOB)], [("r", "unknown", None, 0)]),
    "a person by one of two identifiers": (
        [refund("r", 9, 1, 200, tokens=frozenset({"card:7"}))], [sale("a", 1, 4, 800, tokens=BOB)],
        [("r", "a", 1, 200)],
    ),
    "nobody's": ([refund("r", 9, 1, 200, tokens=frozenset())], [sale("a", 1, 4, 800)], [("r", "unknown", None, 0)]),
    "another product": (
        [refund("r", 9, 1, 200)], [sale("a", 1, 4, 800, product_id="cup")], [("r", "unknown", None, 0)],
    ),
    "a price of zero": ([refund("r", 9, 4, 0)], [sale("a", 1, 4, 0)], [("r", "a", 4, 0)]),
    "what the line's own refunds left": (
        [refund("r", 9, 2, 400)], [sale("a", 1, 4, 800, left_cents=300)], [("r", "too large", None, 0)],
    ),
    "a named order, though the sale is after it": (
        [refund("r", 1, 4, 800, is_named=True)], [sale("a", 9, 4, 800)], [("r", "a", 4, 800)],
    ),
    "a named order's product alone": (
        [refund("r", 9, 1, 200, is_named=True)],
        [sale("a", 1, 4, 800), sale("a", 1, 1, 200, line_id="2", product_id="cup")],
        [("r", "a", 1, 200)],
    ),
    "money alone, over all lines of a named order": (
        [refund("r", 9, None, 900, is_named=True, product_id=None)],
        [sale("a", 1, 4, 800), sale("a", 1, 1, 200, line_id="2", product_id="cup")],
        [("r", "a", None, 100), ("r", "a", None, 800)],
    ),
    "money alone, exactly one line's": (
        [refund("r", 9, None, 200, is_named=True, product_id=None)],
        [sale("a", 1, 4, 800), sale("a", 1, 1, 200, line_id="2", product_id="cup")],
        [("r", "a", None, 200)],
    ),
    "no product and no order": (
        [refund("r", 9, 1, 200, product_id=None)], [sale("a", 1, 4, 800)], [("r", "unknown", None, 0)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CASES)
def test_a_refund_pays_back(what: str) -> None:
    refunds, sales, expected = CASES[what]
    assert told(allocate(refunds, sales)) == expected


def test_money_alone_takes_the_line_that_it_equals() -> None:
    cup = sale("a", 1, 1, 200, line_id="2", product_id="cup")
    allocate([refund("r", 9, None, 200, is_named=True, product_id=None)], [sale("a", 1, 4, 800), cup])
    assert (cup.left_cents, cup.left_quantity) == (0, QUANTITY_SCALE)


PIECES, CENTS, TIMES = st.integers(1, 6), st.integers(0, 900), st.integers(0, 5)


@given(
    bought=st.lists(st.tuples(TIMES, PIECES, CENTS), max_size=6),
    back=st.lists(st.tuples(TIMES, st.none() | PIECES, CENTS), max_size=6),
    seed=st.integers(),
)
def test_whatever_comes_back_is_matched_whole_or_waits_and_order_changes_nothing(
    bought: list[tuple[int, int, int]], back: list[tuple[int, int | None, int]], seed: int
) -> None:
    def sales() -> list[Sale]:
        return [sale(str(n), *facts) for n, facts in enumerate(bought)]

    refunds = [refund(str(n), *facts) for n, facts in enumerate(back)]
    found = allocate(refunds, sales())
    waiting = {r.refund_id for r in (*found.unknown, *found.too_large)}
    for one in refunds:
        parts = [part for part in found.parts if part.refund == one]
        assert bool(parts) != (one.refund_id in waiting)
        if parts:
            assert sum(part.cents for part in parts) == one.cents
            assert one.quantity is None or sum(part.quantity or 0 for part in parts) == one.quantity
    for part in found.parts:
        assert part.sale.left_cents >= 0 and part.sale.left_quantity >= 0 and part.sale.at <= part.refund.at
    shuffled = sales()
    random.Random(seed).shuffle(shuffled)
    random.Random(seed).shuffle(refunds)
    assert told(allocate(refunds, shuffled)) == told(found)
