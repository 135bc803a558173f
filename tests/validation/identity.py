"""Who is who, held against made-up people of whom it is known, and against what other ways find in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tests.validation import febrl, linkage_references
from tests.validation.nights import Nights
from tests.validation.partition import Agreement, agreement
from tests.validation.people import make_people

DAY = date(2026, 6, 1)
#: precision that a way has to reach to be compared by its F1
LEAST_PRECISION = 0.99
#: what Splink's own match probabilities are tried at, the usual ones first
STOCK = (0.95, 0.99, 0.999, 0.9999, 0.99999, 0.999999)
GROWTH = 30
Ints = NDArray[np.int64]
_T = TypeVar("_T")


def section(records: int, grown: int, seed: int) -> Iterator[str]:
    """Lines of the page.

    Args:
        records: made for the comparison.
        grown: of them, those that come in thirty nights.
        seed: of the people.
    """
    table = make_people(records, seed)
    truth, hidden = table["person_id"].to_numpy(), table.drop_columns("person_id")
    yield from ("## Who is who", "")
    yield f"{records:,} made-up records of {len(np.unique(truth)):,} people in three sources"
    yield f"(`tests/validation/people.py`, seed {seed}; the difficulty was set with seeds 1 and 2)."
    yield "Figures of pairs, and B-cubed."
    yield from ("", "| way | seconds | precision | recall | F1 | B-cubed F |", "|---|---|---|---|---|---|")
    for name, seconds, found in _ways(hidden, truth):
        figures = " | ".join(f"{one:.4f}" for one in (found.precision, found.recall, found.f1, found.b_f1))
        yield f"| {name} | {seconds:.1f} | {figures} |"
    yield from (
        "",
        f"Stock Splink is shown at its usual threshold and at the first of {STOCK}",
    )
    yield "at which it is right in 99 of 100"
    yield "pairs, which nobody would know without the truth. Ours is at its default and has not seen who is who;"
    yield "but that telephones' areas are compared was decided by somebody who had read how these people are made,"
    yield "whose new numbers keep the area. What that says of a match the model learns from each chain's own records."
    yield from ("", *_growth(hidden.slice(0, grown), truth[:grown]), "", *_febrl())


def _ways(table: pa.Table, truth: Ints) -> Iterator[tuple[str, float, Agreement]]:
    exact, seconds = _timed(lambda: linkage_references.exact_keys(table))
    yield "exact keys, telephone with the same first name", seconds, agreement(truth, exact)
    scored, seconds = _timed(lambda: linkage_references.stock_splink(table, threshold=STOCK[0]))
    found = [(at, agreement(truth, linkage_references.splink_at(table, scored, at))) for at in STOCK]
    precise = next((one for one in found if one[1].precision >= LEAST_PRECISION), found[-1])
    for at, figures in (found[0], precise):
        yield f"exact keys and stock Splink at {at}", seconds, figures
    nights = Nights(table)
    alone, seconds = _timed(lambda: nights.people(nights.night(DAY)))
    yield "**ours, identifiers alone**", seconds, agreement(truth, alone)
    again = Nights(table)
    fitted, fit_seconds = _timed(lambda: again.fit(DAY))
    linked, seconds = _timed(lambda: again.people(again.night(DAY, fitted=fitted, asks_all=True)))
    yield f"**ours, and by the model** (fitted in {fit_seconds:.0f} s)", seconds, agreement(truth, linked)


def _growth(table: pa.Table, truth: Ints) -> Iterator[str]:
    """Thirty nights that bring the records bit by bit, and one run over all of them."""
    fitted = Nights(table).fit(DAY)
    yield f"Of {len(table):,} of them half come on the first of {GROWTH} nights and the rest bit by bit; beside it one"
    yield "run over all:"
    yield ""
    yield "| | adjusted Rand index to one run | precision | recall | ids that changed | of them in the ledger |"
    yield "|---|---|---|---|---|---|"
    for name, asked in (("identifiers alone", None), ("and by the model", fitted)):
        whole = Nights(table)
        expected = whole.people(whole.night(DAY, fitted=asked, asks_all=True))
        grown = Nights(table)
        changed, told = 0, 0
        before: dict[tuple[str, str], str] = {}
        for number in range(GROWTH):
            upto = len(table) * (GROWTH - 1 + number) // (2 * (GROWTH - 1))
            found = grown.night(DAY + timedelta(days=number), upto, fitted=asked, asks_all=number == 0)
            now = _ids(found.records)
            moved = {(was, now[key]) for key, was in before.items() if was != now[key]}
            ledger = set(
                zip(*(found.events[c].to_pylist() for c in ("old_customer_id", "new_customer_id")), strict=True)
            )
            changed, told, before = changed + len(moved), told + len(moved & ledger), now
        people = grown.people(found)
        whole_rand, to_truth = agreement(expected, people).rand, agreement(truth, people)
        yield f"| {name} | {whole_rand:.6f} | {to_truth.precision:.4f} | {to_truth.recall:.4f} | {changed} | {told} |"


def _ids(records: pa.Table) -> dict[tuple[str, str], str]:
    names = ("source", "source_customer_id", "customer_id")
    return {(source, one): who for source, one, who in zip(*(records[n].to_pylist() for n in names), strict=True)}


def _febrl() -> Iterator[str]:
    """FEBRL 4, 10,000 records of 5,000 people, through the same code: only which column is what is said of it."""
    both = febrl.load()
    truth = both["person_id"].to_numpy()
    nights = Nights(febrl.mapped(both))
    fitted = nights.fit(DAY)
    ours = agreement(truth, nights.people(nights.night(DAY, fitted=fitted, asks_all=True)))
    yield from ("FEBRL 4 (10,000 records of 5,000 people), pairs, in this run:", "")
    yield from ("| way | precision | recall | F1 |", "|---|---|---|---|")
    for name, pairs in (
        ("recordlinkage's example", febrl.recordlinkage_pairs),
        ("Splink's example", febrl.splink_pairs),
    ):
        precision, recall, f1 = febrl.pairs_agreement(both, pairs(both))
        yield f"| {name} | {precision:.4f} | {recall:.4f} | {f1:.4f} |"
    yield f"| **ours** | {ours.precision:.4f} | {ours.recall:.4f} | {ours.f1:.4f} |"


def _timed(work: Callable[[], _T]) -> tuple[_T, float]:
    begun = time.perf_counter()
    return work(), time.perf_counter() - begun
