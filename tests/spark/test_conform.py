"""Text to typed canonical rows: what is read how, what is unreadable, what is absent."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from jobs.definitions.canonical import BY_NAME, flags, has, needed, reads, typed
from jobs.transforms.conform import conform
from jobs.transforms.reading import Spelling
from tests.spark.conftest import Table, rows_of

META = "_file STRING, _row BIGINT, _landed STRING, _person_hash STRING"


UTC_PLAIN = Spelling("UTC")


def conformed(table: Table, entity: str, spelling: Spelling, *rows: dict[str, str | None]) -> list[dict[str, Any]]:
    """Rows through a mapping of each column to the column of its name, in the given order."""
    names = sorted({name for row in rows for name in row})
    raw = table(
        ", ".join(f"`{name}` STRING" for name in names) + ", " + META,
        [{**row, "_file": "f", "_row": place, "_landed": "2026-06-30"} for place, row in enumerate(rows)],
    )
    found = conform(
        raw,
        BY_NAME[entity],
        {name: name for name in names},
        source="pos",
        feed="till",
        spelling=spelling,
        currency="CNY",
    )
    return sorted(rows_of(found), key=lambda row: int(row["_row"]))


def one_by_one(
    table: Table, entity: str, column: str, texts: list[str], spelling: Spelling = UTC_PLAIN
) -> list[tuple[Any, bool]]:
    (definition,) = (c for c in BY_NAME[entity].columns if c.name == column)
    found = conformed(table, entity, spelling, *({column: text} for text in texts))
    return [(row[column], row[reads(definition)]) for row in found]


@pytest.mark.parametrize(
    ("entity", "column", "cases"),
    [
        (
            "order_lines",
            "quantity",
            {"2.5": Decimal("2.5"), " 7 ": Decimal(7), "-1": Decimal(-1), "+3": Decimal(3)},
        ),
        ("order_lines", "gross", {"12.50": Decimal("12.50"), "0.005": Decimal("0.01"), ".5": Decimal("0.50")}),
        ("orders", "party_size", {"4": 4, "2.0": 2, "１２": 12}),
        (
            "customers",
            "profiling_consent",
            {"1": True, "0": False, "true": True, "no": False, "是": True, "OFF": False},
        ),
        ("campaigns", "starts_on", {"2026-02-28": date(2026, 2, 28)}),
    ],
)
def test_readable(table: Table, entity: str, column: str, cases: dict[str, Any]) -> None:
    assert one_by_one(table, entity, column, list(cases)) == [(value, True) for value in cases.values()]


@pytest.mark.parametrize(
    ("entity", "column", "texts"),
    [
        ("order_lines", "quantity", ["two", "1,000", "1e3", "NaN", "Infinity", "0x10", "1 2", "9" * 25, "--1"]),
        ("order_lines", "gross", ["9" * 17, "¥20", "12,50", "1e30"]),
        ("order_lines", "discount", ["x"]),
        ("orders", "party_size", ["2.5", "3000000000", "two", "1e300"]),
        (
            "orders",
            "ordered_at",
            ["noon", "2026-02-30T10:00:00", "2026-06-30T25:00:00Z", "30/06/2026", "6/7/2026 12:00"],
        ),
        ("customers", "profiling_consent", ["maybe", "2"]),
        ("campaigns", "starts_on", ["2026-02-30", "soon"]),
    ],
)
def test_unreadable_is_null_and_flagged(table: Table, entity: str, column: str, texts: list[str]) -> None:
    assert one_by_one(table, entity, column, texts) == [(None, False)] * len(texts)


@pytest.mark.parametrize(
    ("zone", "text", "instant"),
    [
        ("Asia/Shanghai", "2026-06-30T12:00:00Z", datetime(2026, 6, 30, 12, tzinfo=UTC)),
        ("Asia/Shanghai", "2026-06-30T12:00:00+02:00", datetime(2026, 6, 30, 10, tzinfo=UTC)),
        ("Asia/Shanghai", "2026-06-30 12:00:00-05", datetime(2026, 6, 30, 17, tzinfo=UTC)),
        ("Asia/Shanghai", "2026-06-30 12:00:00", datetime(2026, 6, 30, 4, tzinfo=UTC)),
        ("Asia/Shanghai", "2026-06-30T12:00:00.123456", datetime(2026, 6, 30, 4, 0, 0, 123456, tzinfo=UTC)),
        ("Asia/Shanghai", "2026-06-30", datetime(2026, 6, 29, 16, tzinfo=UTC)),  # local midnight; -30 is no offset
        ("America/New_York", "2026-01-05", datetime(2026, 1, 5, 5, tzinfo=UTC)),
        ("Europe/Berlin", "2026-01-15 12:00:00", datetime(2026, 1, 15, 11, tzinfo=UTC)),
        ("Europe/Berlin", "2026-07-15 12:00:00", datetime(2026, 7, 15, 10, tzinfo=UTC)),
        ("Europe/Berlin", "2026-03-29 02:30:00", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),  # never was: 03:30 CEST
        ("Europe/Berlin", "2026-10-25 02:30:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # twice: the first
    ],
)
def test_times_become_one_instant(table: Table, zone: str, text: str, instant: datetime) -> None:
    assert one_by_one(table, "orders", "ordered_at", [text], Spelling(zone)) == [(instant, True)]


def noted(
    table: Table, entity: str, column: str, spelling: Spelling, texts: list[str]
) -> list[tuple[Any, bool, str | None]]:
    """Value, whether it could be read, and the row's notes."""
    (definition,) = (c for c in BY_NAME[entity].columns if c.name == column)
    found = conformed(table, entity, spelling, *({column: text} for text in texts))
    return [(row[column], row.get(reads(definition), True), row["_notes"]) for row in found]


@pytest.mark.parametrize(
    ("text", "formats", "instant"),
    [
        ("2026/6/3 8:26", (), datetime(2026, 6, 3, 0, 26, tzinfo=UTC)),
        ("2026.6.3", (), datetime(2026, 6, 2, 16, tzinfo=UTC)),
        ("03.06.2026 08:26:11", (), datetime(2026, 6, 3, 0, 26, 11, tzinfo=UTC)),
        ("20260603", (), datetime(2026, 6, 2, 16, tzinfo=UTC)),
        ("20260603082611", (), datetime(2026, 6, 3, 0, 26, 11, tzinfo=UTC)),
        ("2026年6月3日 8:26", (), datetime(2026, 6, 3, 0, 26, tzinfo=UTC)),
        ("6/3/2026 8:26", ("M/d/yyyy H:mm",), datetime(2026, 6, 3, 0, 26, tzinfo=UTC)),
        ("3/6/2026 8:26", ("d/M/yyyy H:mm",), datetime(2026, 6, 3, 0, 26, tzinfo=UTC)),
        ("6/3/2026 8:26 PM", ("M/d/yyyy H:mm", "M/d/yyyy h:mm a"), datetime(2026, 6, 3, 12, 26, tzinfo=UTC)),
        ("1782820800", ("epoch_seconds",), datetime(2026, 6, 30, 12, tzinfo=UTC)),
        ("1782820800123", ("epoch_millis",), datetime(2026, 6, 30, 12, 0, 0, 123000, tzinfo=UTC)),
    ],
)
def test_other_spellings_of_a_time_are_read_and_noted(
    table: Table, text: str, formats: tuple[str, ...], instant: datetime
) -> None:
    spelling = Spelling("Asia/Shanghai", formats)
    assert noted(table, "orders", "ordered_at", spelling, [text]) == [(instant, True, "ordered_at.reformatted")]


@pytest.mark.parametrize("unit", ["epoch_seconds", "epoch_millis"])
def test_digits_beyond_all_time_are_no_epoch(table: Table, unit: str) -> None:
    texts = ["20260531182205999", "9" * 18, "9" * 25, "-1"]
    assert noted(table, "orders", "ordered_at", Spelling("UTC", (unit,)), texts) == [(None, False, None)] * 4


def test_a_day_that_no_calendar_has_is_read_in_no_format(table: Table) -> None:
    texts = ["2026/2/30 8:26", "30.02.2026", "20260230", "2026年2月30日"]
    assert noted(table, "orders", "ordered_at", UTC_PLAIN, texts) == [(None, False, None)] * 4
    assert noted(table, "campaigns", "starts_on", UTC_PLAIN, [*texts, "28.02.2026"]) == [
        *[(None, False, None)] * 4,
        (date(2026, 2, 28), True, "starts_on.reformatted"),
    ]


@pytest.mark.parametrize(
    ("mark", "cases"),
    [
        (None, {"1,234.50": None, "1.234,50": None, "１２．５": ("12.50", False), "12.50": ("12.50", False)}),
        (".", {"1,234.50": ("1234.50", True), "1.234,50": None, "12,34.50": None, "1,234": ("1234", True),
               "-1,234.5": ("-1234.50", True), "12.50": ("12.50", False)}),
        (",", {"1.234,50": ("1234.50", True), "1,234.50": None, "12,5": ("12.50", False), "1.234": ("1234", True),
               "12.50": None}),
    ],
)  # fmt: skip
def test_numbers_are_grouped_only_where_the_mark_is_declared(
    table: Table, mark: str | None, cases: dict[str, tuple[str, bool] | None]
) -> None:
    spelling = Spelling("UTC", decimal_mark=mark)
    wanted = [
        (None, False, None) if case is None else (Decimal(case[0]), True, "gross.reformatted" if case[1] else None)
        for case in cases.values()
    ]
    assert noted(table, "order_lines", "gross", spelling, list(cases)) == wanted


def test_codes_in_odd_case_are_the_code_and_noted(table: Table) -> None:
    texts = ["dine_in", "Dine In", "DINE-IN", "drive-in"]
    assert [(value, note) for value, _, note in noted(table, "orders", "fulfilment", UTC_PLAIN, texts)] == [
        ("dine_in", None),
        ("dine_in", "fulfilment.reformatted"),
        ("dine_in", "fulfilment.reformatted"),
        ("drive-in", None),
    ]


def test_hours_that_the_clocks_skip_or_repeat_are_noted(table: Table) -> None:
    cases = {
        "2026-03-29 01:59:59": None,
        "2026-03-29 02:00:00": "ordered_at.skipped_hour",
        "2026-03-29 02:30:00": "ordered_at.skipped_hour",
        "2026-03-29 03:00:00": None,
        "2026-10-25 01:59:59": None,
        "2026-10-25 02:00:00": "ordered_at.repeated_hour",
        "2026-10-25 02:30:00": "ordered_at.repeated_hour",
        "2026-10-25 03:00:00": None,
        "2026-10-25T02:30:00+02:00": None,
        "25.10.2026 02:30": "ordered_at.reformatted,ordered_at.repeated_hour",
    }
    found = noted(table, "orders", "ordered_at", Spelling("Europe/Berlin"), list(cases))
    assert [note for _, _, note in found] == list(cases.values())
    assert [note for _, _, note in noted(table, "orders", "ordered_at", Spelling("Asia/Shanghai"), list(cases))] == [
        *[None] * 9,
        "ordered_at.reformatted",
    ]


def test_absent_and_default(table: Table) -> None:
    entity = BY_NAME["order_lines"]
    (row,) = conformed(table, "order_lines", UTC_PLAIN, {"order_id": "o", "line_id": "  ", "discount": ""})
    assert {c.name: row[has(c)] for c in needed(entity)} == {
        "source": True, "order_id": True, "line_id": False, "product_id": False, "quantity": False, "gross": False,
    }  # fmt: skip
    assert all(row[reads(c)] for c in typed(entity))
    assert (row["discount"], row["refunded"], row["unit_cost"]) == (Decimal(0), Decimal(0), None)
    assert (row["source"], row["_feed"], row["_landed"], row["_copies"]) == ("pos", "pos.till", date(2026, 6, 30), 1)
    (order,) = conformed(table, "orders", UTC_PLAIN, {"order_id": "o"})
    assert (order["status"], order["currency"]) == ("completed", "CNY")
    assert set(flags(BY_NAME["orders"])) <= set(order)


def test_contact_columns_keep_the_hash_under_its_name(table: Table) -> None:
    (row,) = conformed(table, "customers", UTC_PLAIN, {"source_customer_id": "1", "email": "k1:ab"})
    assert row["email_hash"] == "k1:ab"
    assert "email" not in row


def test_equal_headers_of_a_file_fold_and_others_stay(table: Table) -> None:
    raw = table(
        f"receipt STRING, store STRING, {META}",
        [
            {"receipt": "r", "store": "1", "_file": "a", "_row": 3, "_landed": "2026-06-30"},
            {"receipt": "r", "store": "1", "_file": "a", "_row": 2, "_landed": "2026-06-30"},
            {"receipt": "r", "store": "2", "_file": "a", "_row": 4, "_landed": "2026-06-30"},
            {"receipt": "r", "store": "1", "_file": "b", "_row": 2, "_landed": "2026-06-30"},
        ],
    )
    mapping = {"order_id": "receipt", "store_id": "store", "channel": "'store'"}
    orders = conform(
        raw, BY_NAME["orders"], mapping, source="p", feed="f", spelling=Spelling("UTC"), currency="CNY", folds=True
    )
    found = [(r["_file"], r["store_id"], r["_row"], r["_copies"]) for r in rows_of(orders)]
    assert sorted(found) == [("a", "1", 2, 2), ("a", "2", 4, 1), ("b", "1", 2, 1)]


PLACED = f"id STRING, home STRING, town STRING, tier STRING, _address_region STRING, _address_city STRING, {META}"
TIERS = {"Graz": "2", "上海": "1", "L'Aquila": "3", "ÖREBRO": "4"}


def placed(table: Table, mapping: dict[str, str], *rows: dict[str, str | None]) -> list[tuple[Any, ...]]:
    """City, region, tier and notes of customers whose raw rows hold what their addresses told."""
    raw = table(PLACED, [{**row, "id": str(n), "_row": n, "_landed": "2026-06-30"} for n, row in enumerate(rows)])
    found = conform(
        raw, BY_NAME["customers"], {"source_customer_id": "id", **mapping}, source="crm", feed="people",
        spelling=UTC_PLAIN, currency="EUR", city_tiers=TIERS,
    )  # fmt: skip
    ordered = sorted(rows_of(found), key=lambda row: int(row["_row"]))
    return [(row["city"], row["region"], row["city_tier"], row["_notes"]) for row in ordered]


def test_an_address_gives_region_and_city_where_the_mapping_leaves_them_out(table: Table) -> None:
    rows: list[dict[str, str | None]] = [
        {"home": "k1:a", "town": "Wien", "_address_city": "Graz", "_address_region": "Steiermark"},
        {"home": "k1:b", "_address_region": "Tirol"},
        {"home": "k1:!c", "town": "Linz"},
    ]
    assert placed(table, {"address": "home"}, *rows) == [
        ("Graz", "Steiermark", "2", "city.from_address,region.from_address,city_tier.looked_up"),
        (None, "Tirol", None, "region.from_address"),
        (None, None, None, None),
    ]
    assert placed(table, {"address": "home", "city": "town"}, *rows) == [
        ("Wien", "Steiermark", None, "region.from_address"),
        (None, "Tirol", None, "region.from_address"),
        ("Linz", None, None, None),
    ]
    assert placed(table, {"city": "town"}, *rows) == [
        ("Wien", None, None, None),
        (None,) * 4,
        ("Linz", None, None, None),
    ]


def test_raw_of_before_addresses_told_places_stays_without(table: Table) -> None:
    raw = table(f"id STRING, home STRING, {META}", [{"id": "1", "home": "k1:a", "_row": 1, "_landed": "2026-06-30"}])
    mapping = {"source_customer_id": "id", "address": "home"}
    people = BY_NAME["customers"]
    (row,) = rows_of(conform(raw, people, mapping, source="c", feed="p", spelling=UTC_PLAIN, currency="EUR"))
    assert (row["city"], row["region"], row["_notes"], row["address_hash"]) == (None, None, None, "k1:a")


def test_a_city_s_tier_is_looked_up_where_none_is_given(table: Table) -> None:
    rows: list[dict[str, str | None]] = [
        {"town": "graz"},
        {"town": " GRAZ "},
        {"town": "Graz", "tier": "9"},
        {"town": "上海"},
        {"town": "l'aquila"},
        {"town": "Örebro"},
        {"town": "Linz"},
        {"tier": "9"},
    ]
    assert [row[2:] for row in placed(table, {"city": "town", "city_tier": "tier"}, *rows)] == [
        ("2", "city_tier.looked_up"),
        ("2", "city_tier.looked_up"),
        ("9", None),
        ("1", "city_tier.looked_up"),
        ("3", "city_tier.looked_up"),
        ("4", "city_tier.looked_up"),
        (None, None),
        ("9", None),
    ]


def test_stores_have_tiers_too(table: Table) -> None:
    raw = table(f"id STRING, town STRING, {META}", [{"id": "1", "town": "GRAZ", "_row": 1, "_landed": "2026-06-30"}])
    found = conform(
        raw, BY_NAME["stores"], {"store_id": "id", "city": "town"}, source="crm", feed="stores",
        spelling=UTC_PLAIN, currency="EUR", city_tiers=TIERS,
    )  # fmt: skip
    assert [(row["city"], row["city_tier"], row["_notes"]) for row in rows_of(found)] == [
        ("GRAZ", "2", "city_tier.looked_up")
    ]
