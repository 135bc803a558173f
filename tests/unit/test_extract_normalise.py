"""Contact values in many spellings, one normal form each."""

from __future__ import annotations

import pytest

from jobs.extract import normalise
from jobs.extract.contacts import plain_column


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ann@Example.COM ", "ann@example.com"),
        ("mailto:ann@example.com", "ann@example.com"),
        ("Ann Example <Ann@example.com>", "ann@example.com"),
        ("ａｎｎ@example.com", "ann@example.com"),
        ("ann+shop@example.com", "ann+shop@example.com"),
        ("ann.example.com", None),
        ("ann@localhost", None),
        ("a@b@c.de", None),
    ],
)
def test_email(text: str, expected: str | None) -> None:
    assert normalise.email(text, "US") == expected


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        ("(415) 555-2671", "US", "+14155552671"),
        ("+1 415 555 2671", "CN", "+14155552671"),
        ("138 1234 5678", "CN", "+8613812345678"),
        ("００８６ １３８１２３４５６７８", "CN", "+8613812345678"),
        ("123", "CN", None),
        ("unknown", "US", None),
    ],
)
def test_phone(text: str, region: str, expected: str | None) -> None:
    assert normalise.phone(text, region) == expected


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        ("1980-04-05", "US", "1980-04-05"),
        ("1980/4/5", "US", "1980-04-05"),
        ("19800405", "US", "1980-04-05"),
        ("1980年4月5日", "CN", "1980-04-05"),
        ("1980-04-05T00:00:00.000000", "US", "1980-04-05"),
        ("05.04.1980", "DE", "1980-04-05"),
        ("04/05/1980", "US", "1980-04-05"),
        ("05/04/1980", "GB", "1980-04-05"),
        ("1980-02-30", "US", None),
        ("0001-01-01", "US", None),
        ("soon", "US", None),
    ],
)
def test_birth_date(text: str, region: str, expected: str | None) -> None:
    assert normalise.birth_date(text, region) == expected


def test_the_rest() -> None:
    assert normalise.loyalty_card(" ab12-34 \u2013 5", "US") == "AB12345"
    assert normalise.loyalty_card("--", "US") is None
    assert normalise.payment_token(" tok_Ab ", "US") == "tok_Ab"
    assert normalise.name("  Ann \u3000 EXAMPLE", "US") == "ann example"
    assert normalise.address("1  Main\nSt", "US") == "1 main st"


def test_plain_columns() -> None:
    assert plain_column("card_no") == "card_no"
    assert plain_column("`客户 电话`") == "客户 电话"
    assert plain_column("客户") == "客户"
    for expression in ("lower(mail)", "'x'", "null", "a.b", "1", "a || b"):
        assert plain_column(expression) is None
