"""What is far out and what stands in for a missing value, by hand on literal tables."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from jobs.definitions.canonical import BY_NAME
from jobs.models.cleaning import CleaningFit, Filling, applied, fence, fit
from tests.spark.conftest import Table, rows_of

LINES = "line_id STRING, quantity DECIMAL(18,4), gross DECIMAL(18,2), unit_cost DECIMAL(18,2), _notes STRING"
PEOPLE = "source_customer_id STRING, gender STRING, birth_month INT, marketing_consent BOOLEAN, _notes STRING"
ORDER_LINES, CUSTOMERS = BY_NAME["order_lines"], BY_NAME["customers"]


def line(number: int, gross: str, cost: str | None = None, note: str | None = None) -> dict[str, Any]:
    return {
        "line_id": str(number), "quantity": Decimal(1), "gross": Decimal(gross),
        "unit_cost": None if cost is None else Decimal(cost), "_notes": note,
    }  # fmt: skip


#: sorted: 1 2 3 4 5 6 7 8; quartiles by inverted CDF: places 2 and 6
EIGHT = [line(n, str(n)) for n in (5, 3, 8, 1, 7, 2, 6, 4)]


def test_the_fence_is_tukeys_outer_one_of_the_logarithm(table: Table) -> None:
    # ln 3 and ln 7: the middle half is ln 7/3 wide; 7 * (7/3)^3 - 1
    assert fit(table(LINES, EIGHT), ORDER_LINES, {}, "v").fences["gross"] == f"{7 * (7 / 3) ** 3 - 1:.2f}" == "87.93"


def test_a_column_of_one_value_has_a_fence_too(table: Table) -> None:
    assert fit(table(LINES, EIGHT), ORDER_LINES, {}, "v").fences["quantity"] == f"{2 * 2**3 - 1:.2f}" == "15.00"
    assert fence(Decimal(0), Decimal(0)) == f"{math.expm1(3 * math.log(2)):.2f}"


@pytest.mark.parametrize(
    ("rule", "values", "filling"),
    [
        ("mean", ["1.00", "2.00", "2.01", None], "1.67"),
        ("mean", ["1.00", "1.01"], "1.01"),  # 1.005, halves up
        ("median", ["5.00", "1.00", None, "2.00"], "2.00"),
        ("median", ["5.00", "1.00", "2.00", "2.03"], "2.02"),  # 2.015, halves up
        ("mode", ["3.00", "1.00", "3.00", "1.00", "9.00"], "1.00"),  # a tie: the smallest
        ("constant:0.50", [None], "0.50"),
        ("mean", [None], None),
    ],
)
def test_fillings(table: Table, rule: str, values: list[str | None], filling: str | None) -> None:
    rows = table(LINES, [line(n, "1", cost) for n, cost in enumerate(values)])
    found = fit(rows, ORDER_LINES, {"unit_cost": rule}, "v").fillings["unit_cost"]
    assert found == Filling(rule.partition(":")[0], filling)


def test_a_fit_is_its_file() -> None:
    made = CleaningFit("v", {"gross": "9.00"}, {"unit_cost": Filling("mean", "1.00")})
    assert CleaningFit.from_json(made.to_json()) == made


def test_rows_are_flagged_and_filled_and_nothing_is_cut(table: Table) -> None:
    frozen = CleaningFit("v", {"gross": "9.00", "quantity": "15.00"}, {"unit_cost": Filling("median", "0.40")})
    rows = [line(1, "9.00", "0.10"), line(2, "9.01"), line(3, "1.00", note="gross.reformatted")]
    found = rows_of(applied(table(LINES, rows), ORDER_LINES, frozen), "line_id")
    assert [(row["gross"], row["unit_cost"], row["is_outlier"], row["is_imputed"], row["_notes"]) for row in found] == [
        (Decimal("9.00"), Decimal("0.10"), False, False, None),
        (Decimal("9.01"), Decimal("0.40"), True, True, "unit_cost.imputed_median"),
        (Decimal("1.00"), Decimal("0.40"), False, True, "gross.reformatted,unit_cost.imputed_median"),
    ]


def test_words_and_truths_are_filled_by_the_most_frequent_and_by_constants(table: Table) -> None:
    people = [
        {"source_customer_id": "1", "gender": "f", "birth_month": 3, "marketing_consent": None},
        {"source_customer_id": "2", "gender": "f", "birth_month": None, "marketing_consent": True},
        {"source_customer_id": "3", "gender": None, "birth_month": 6, "marketing_consent": None},
    ]
    rows = table(PEOPLE, people)
    rules = {"gender": "mode", "birth_month": "median", "marketing_consent": "constant:false"}
    found = rows_of(applied(rows, CUSTOMERS, fit(rows, CUSTOMERS, rules, "v")), "source_customer_id")
    assert [(row["gender"], row["birth_month"], row["marketing_consent"]) for row in found] == [
        ("f", 3, False),
        ("f", 5, True),  # 4.5, halves up
        ("f", 6, False),
    ]
    assert [row["_notes"] for row in found] == [
        "marketing_consent.imputed_constant",
        "birth_month.imputed_median",
        "gender.imputed_mode,marketing_consent.imputed_constant",
    ]


def test_without_a_fit_nothing_is_touched(table: Table) -> None:
    (row,) = rows_of(applied(table(LINES, [line(1, "99999")]), ORDER_LINES, CleaningFit("none")))
    assert (row["is_outlier"], row["is_imputed"], row["unit_cost"], row["_notes"]) == (False, False, None, None)
