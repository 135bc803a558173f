"""Numbers are rounded and written the same by every engine: halves up, never as 8.05E-4."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from jobs.definitions.model import in_cents, rounded
from jobs.transforms.words import doubles_of, in_words
from tests.spark.conftest import Table, rows_of


def test_shares_that_are_halves_in_the_seventh_decimal_are_rounded_up(table: Table) -> None:
    shares = sorted({part / whole for whole in (128, 640, 1280, 3200) for part in range(1, whole)})
    frame = table("share DOUBLE", [{"share": share} for share in shares])
    found = rows_of(frame.selectExpr("share", f"{rounded('share')} AS six", f"{in_cents('share')} AS cents"))
    assert len(found) == len(shares)
    for row in found:
        exact = Decimal(repr(row["share"]))
        assert row["six"] == float(exact.quantize(Decimal("0.000001"), ROUND_HALF_UP))
        assert row["cents"] == exact.quantize(Decimal("0.01"), ROUND_HALF_UP)


def test_numbers_in_sentences_are_written_as_people_do(table: Table) -> None:
    frame = table(
        "n INT, share DOUBLE", [{"n": n, "share": share} for n, share in enumerate((0.000805, 0, 0.95, 12, 120.5))]
    )
    sentence = in_words("concat('share of ', n, ' is ', share)", doubles_of(frame))
    assert [row["said"] for row in rows_of(frame.selectExpr("n", f"{sentence} AS said"), "n")] == [
        "share of 0 is 0.000805", "share of 1 is 0", "share of 2 is 0.95", "share of 3 is 12", "share of 4 is 120.5",
    ]  # fmt: skip


def test_no_number_is_no_word(table: Table) -> None:
    frame = table("share DOUBLE", [{"share": None}])
    sentence = in_words("coalesce(CAST(share AS STRING), 'unknown')", doubles_of(frame))
    assert rows_of(frame.selectExpr(f"{sentence} AS said")) == [{"said": "unknown"}]
