"""Numbers are rounded and written the same by every engine: halves up, never as 8.05E-4."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from random import Random

import pytest

from jobs.definitions.model import in_cents, rounded
from jobs.transforms.words import doubles_of, in_words
from tests.spark.conftest import Table, rows_of


@pytest.mark.parametrize(("unit", "most", "over"), [("share", 1, 10_000_000), ("orders", 400, 10_000)])
def test_a_ratio_of_whole_numbers_is_rounded_as_if_it_were_exact(table: Table, unit: str, most: int, over: int) -> None:
    draw = Random(3)
    wholes = [over // 2**n * 2**n or over for n in range(12)] + [640, 1280, 3200, 6400]
    pairs = [(draw.randint(0, most * whole), whole) for whole in wholes for _ in range(300)]
    pairs += [(part, whole) for whole in (128, 640, 1280, 3200) for part in range(1, 2 * most * 64, 2)]  # many a half
    frame = table(
        "n INT, part BIGINT, whole BIGINT", [{"n": n, "part": a, "whole": b} for n, (a, b) in enumerate(pairs)]
    )
    found = rows_of(frame.selectExpr("n", f"{rounded('part / whole', unit=unit)} AS six"))
    assert len(found) == len(pairs)
    for row in found:
        part, whole = pairs[row["n"]]
        assert row["six"] == (2_000_000 * part + whole) // (2 * whole) / 1_000_000, (part, whole)


def test_amounts_are_rounded_to_cents_half_up(table: Table) -> None:
    amounts = [Decimal(n) / 200 for n in range(20_001)]
    frame = table("amount DOUBLE", [{"amount": float(amount)} for amount in amounts])
    found = rows_of(frame.selectExpr("amount", f"{in_cents('amount')} AS cents"))
    for row in found:
        exact = Decimal(repr(row["amount"]))
        assert row["cents"] == exact.quantize(Decimal("0.01"), ROUND_HALF_UP)


def test_numbers_in_sentences_are_written_as_people_do(table: Table) -> None:
    frame = table(
        "n INT, share DOUBLE", [{"n": n, "share": share} for n, share in enumerate((0.000805, 0, 0.95, 12, 120.5))]
    )
    sentence = in_words("concat('share of ', n, ' is ', share)", doubles_of(frame))
    assert [row["said"] for row in rows_of(frame.selectExpr("n", f"{sentence} AS said"), "n")] == [
        "share of 0 is 0.000805", "share of 1 is 0", "share of 2 is 0.95", "share of 3 is 12", "share of 4 is 120.5",
    ]  # fmt: skip


def test_a_share_or_a_probability_is_written_per_cent(table: Table) -> None:
    shares = (0, 0.0005, 0.000499, 0.089848, 0.125, 0.333333, 0.9995, 1, 1.2)
    rows = [{"n": n, "online_share": share, "churn_probability_90d": share} for n, share in enumerate(shares)]
    frame = table("n INT, online_share DOUBLE, churn_probability_90d DOUBLE", rows)
    sentence = in_words("concat(online_share, ' online_share, ', churn_probability_90d)", doubles_of(frame))
    said = [row["said"] for row in rows_of(frame.selectExpr("n", f"{sentence} AS said"), "n")]
    written = ("0%", "0.1%", "0%", "9%", "12.5%", "33.3%", "100%", "100%", "120%")
    assert said == [f"{one} online_share, {one}" for one in written]


def test_no_number_is_no_word(table: Table) -> None:
    frame = table("share DOUBLE", [{"share": None}])
    sentence = in_words("coalesce(CAST(share AS STRING), 'unknown')", doubles_of(frame))
    assert rows_of(frame.selectExpr(f"{sentence} AS said")) == [{"said": "unknown"}]
