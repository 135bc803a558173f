"""A canary's name, e-mail and phone, in right and in wrong columns: in no log and in nothing published."""

from __future__ import annotations

import json
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from jobs.storage.warehouse import Warehouse
from tests.e2e.conftest import NIGHTS, Chain, change, read_lines, receipts, unlocked, write_lines

DAY = NIGHTS[0]
BUNDLE = "receipts_2026-05.csv.gz"
NAME, EMAIL, PHONE = "Kanaria Leckova", "kanaria.leckova@leak.example", "+86 139 1357 2468"
CARD, STREET = "KANARIENKARTE 77", "1 Kanarienweg"
#: in any spelling that a normaliser or an engine could make of them
CANARIES = [
    text.lower() for text in (NAME, EMAIL, PHONE, "13913572468", "139 1357 2468", CARD, STREET, "kanari", "leckova")
]

RECEIPT_COLUMNS = {
    "quantity": (EMAIL, PHONE, NAME),
    "sold_at": (EMAIL, PHONE, NAME),
    "store_id": (EMAIL, PHONE, NAME),
    "party_size": (EMAIL, PHONE, NAME),
    "gross": (EMAIL, PHONE, NAME),
    "product_id": (EMAIL, PHONE, NAME),
    "status": (EMAIL, PHONE, NAME),
    "seating": (EMAIL, PHONE),
    "coupon_id": (EMAIL,),
}
MEMBER_COLUMNS = {
    "birth_year": (EMAIL, PHONE, NAME),
    "registered_at": (EMAIL, PHONE, NAME),
    "profiling_consent": (EMAIL, PHONE, NAME),
    "city": (EMAIL, PHONE),
    "gender": (EMAIL, PHONE),
    "occupation": (EMAIL, PHONE),
    "income_band": (EMAIL,),
}
ORDER_FIELDS = {
    "ordered_at": (EMAIL, PHONE, NAME),
    "store_id": (EMAIL, PHONE, NAME),
    "channel": (EMAIL, PHONE, NAME),
    "currency": (EMAIL, PHONE, NAME),
    "status": (EMAIL, PHONE, NAME),
}
LINE_FIELDS = {"quantity": (EMAIL, PHONE, NAME), "gross": (EMAIL, PHONE, NAME), "product_id": (EMAIL, PHONE, NAME)}
MISPLACED = sum(
    len(values) for fields in (RECEIPT_COLUMNS, MEMBER_COLUMNS, ORDER_FIELDS, LINE_FIELDS) for values in fields.values()
)


def pairs(columns: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(column, value) for column, values in columns.items() for value in values]


def plant_in_receipts(sample: Path) -> None:
    path = sample / "pos" / BUNDLE
    lines = read_lines(path)
    names = lines[0].decode().split(",")
    rows = [row for row in receipts(sample) if row["file"] == BUNDLE]
    numbers = [row["receipt_no"] for row in rows]
    alone = [place for place, row in enumerate(rows, start=1) if numbers.count(row["receipt_no"]) == 1]
    planted = pairs(RECEIPT_COLUMNS)
    for place, (column, value) in zip(alone, planted, strict=False):
        lines[place] = ",".join({**rows[place - 1], column: value}[name] for name in names).encode()
    right, broken = alone[len(planted)], alone[len(planted) + 1]
    lines[right] = ",".join({**rows[right - 1], "card_number": CARD}[name] for name in names).encode()
    lines[broken] += f",{EMAIL},{PHONE}".encode()  # cannot be split: kept as it came
    write_lines(path, lines)


def plant_in_members(sample: Path) -> None:
    database = sample / "crm.sqlite"
    unlocked(database, "members")
    planted = pairs(MEMBER_COLUMNS)
    for place, (column, value) in enumerate(planted, start=1):
        change(database, f"UPDATE members SET {column} = ? WHERE rowid = ?", value, place)
    change(
        database,
        "UPDATE members SET full_name = ?, email = ?, phone = ?, street = ?, card_number = ? WHERE rowid = ?",
        *(NAME, EMAIL, PHONE, STREET, CARD, len(planted) + 1),
    )
    # contact data in the wrong contact column
    change(database, "UPDATE members SET phone = ?, email = ? WHERE rowid = ?", EMAIL, PHONE, len(planted) + 2)


def plant_online(sample: Path) -> None:
    database = sample / "online.sqlite"
    with closing(sqlite3.connect(database)) as connection:
        orders = connection.execute("SELECT id, document FROM orders ORDER BY id LIMIT 40").fetchall()
        accounts = connection.execute("SELECT id, document FROM accounts ORDER BY id LIMIT 1").fetchall()
    harms: list[dict[str, Any]] = [{column: value} for column, value in pairs(ORDER_FIELDS)]
    harms += [{"lines": {column: value}} for column, value in pairs(LINE_FIELDS)]
    harms.append({"email": EMAIL, "phone": PHONE})
    for harm, (identifier, text) in zip(harms, orders, strict=False):
        document = json.loads(text)
        document["lines"][0] |= harm.pop("lines", {})
        document |= harm
        change(database, "UPDATE orders SET document = ? WHERE id = ?", json.dumps(document), identifier)
    ((identifier, text),) = accounts
    document = json.loads(text) | {"name": NAME, "email": EMAIL, "phone": PHONE}
    change(database, "UPDATE accounts SET document = ? WHERE id = ?", json.dumps(document), identifier)


def plant(sample: Path) -> None:
    """A canary in right and in wrong columns of each source."""
    plant_in_receipts(sample)
    plant_in_members(sample)
    plant_online(sample)


@dataclass
class Planted:
    chain: Chain
    said: str

    @property
    def files(self) -> list[Path]:
        return [path for path in self.chain.warehouse.rglob("*") if path.is_file()]

    def below(self, zone: str) -> list[Path]:
        return [path for path in self.files if self.chain.night(DAY).path / zone in path.parents]


def sings(path: Path) -> bool:
    """A canary is in a file: in its bytes, or in its values if it is Parquet (statistics and schema included)."""
    data = path.read_bytes()
    texts = [data.decode("utf-8", "replace"), data.decode("utf-16-le", "replace")]
    if path.suffix == ".parquet":
        file = pq.ParquetFile(path)
        texts += [str(file.read().to_pylist()), str(file.metadata.to_dict()), str(file.schema_arrow.metadata)]
    return any(canary in text.lower() for canary in CANARIES for text in texts)


@pytest.fixture(scope="module", params=["sail", "local[2]"])
def planted(request: pytest.FixtureRequest, copy_of: Callable[[str], Chain]) -> Planted:
    chain = replace(copy_of("canary"), engine=request.param)
    plant(chain.sample)
    return Planted(chain, chain.run(DAY))


def test_nothing_that_was_said_or_logged_holds_it(planted: Planted) -> None:
    assert not any(canary in planted.said.lower() for canary in CANARIES)
    runtime = [path for path in planted.files if ".run" in path.parts]
    assert {"engine.log", "keeper.log"} <= {path.name for path in runtime}
    assert not [path for path in runtime if sings(path)]


def test_it_is_in_the_vault_and_where_rows_are_kept_as_they_came_and_nowhere_else(planted: Planted) -> None:
    night = planted.chain.night(DAY).path
    found = {path.relative_to(night).parts[0] for path in planted.files if night in path.parents and sings(path)}
    assert found == {"raw", "vault", "quarantine"}
    outside = [path for path in planted.files if night not in path.parents and sings(path)]
    assert not outside
    assert planted.below("published") and planted.below("clean") and planted.below("identity")
    assert planted.chain.night(DAY).report in planted.below("published")


def test_right_columns_are_in_the_vault_and_only_wrong_ones_in_raw(planted: Planted) -> None:
    values = [
        row["value"]
        for feed in ("crm.members", "pos.receipts", "online.accounts", "online.orders")
        for row in planted.chain.rows(DAY, "vault", feed)
    ]
    assert {NAME, EMAIL, PHONE, CARD, STREET} <= set(values)
    rows = [
        str(row).lower()
        for feed in ("crm.members", "pos.receipts", "online.accounts", "online.orders")
        for row in planted.chain.rows(DAY, "raw", feed)
    ]
    loud = [row for row in rows if any(canary in row for canary in CANARIES)]
    # a member, a receipt line each; an order field is on each of the order's lines
    assert len(loud) >= MISPLACED
    assert not any(STREET.lower() in row or CARD.lower() in row for row in rows)


def test_every_misplaced_one_is_set_aside(planted: Planted) -> None:
    night = planted.chain.night(DAY)
    aside = {
        (row["_feed"], row["_file"], row["_row"])
        for entity in night.tables("quarantine")
        if not entity.startswith("unparsable.")
        for row in planted.chain.rows(DAY, "quarantine", entity)
    }
    members = [where for where in aside if where[0] == "crm.members"]
    assert len(members) == sum(map(len, MEMBER_COLUMNS.values()))
    lines = [where for where in aside if where[0] == "pos.receipts"]
    assert len(lines) == sum(map(len, RECEIPT_COLUMNS.values()))
    assert len(planted.chain.rows(DAY, "quarantine", "unparsable.pos.receipts")) == 1


def test_restricted_zones_are_for_the_owner_alone(planted: Planted) -> None:
    night = planted.chain.night(DAY).path
    zones = ("raw", "vault", "quarantine", "clean", "identity", "features", "models", "published/restricted")
    for zone in zones:
        paths = [night / zone, *(night / zone).rglob("*")]
        modes = {oct(stat.S_IMODE(path.stat().st_mode)) for path in paths if path.is_file()}
        assert modes <= {"0o600"}, (zone, modes)
        modes = {oct(stat.S_IMODE(path.stat().st_mode)) for path in paths if path.is_dir()}
        assert modes == {"0o700"}, (zone, modes)
    runtime = planted.chain.warehouse / ".run"
    assert {oct(stat.S_IMODE(path.stat().st_mode)) for path in runtime.rglob("*") if path.is_file()} <= {"0o600"}


def test_the_quality_page_of_a_blocked_night_holds_it_no_more_than_what_was_said(
    copy_of: Callable[[str], Chain],
) -> None:
    chain = replace(copy_of("blocked-canary"), more={"REGULARS_THRESHOLDS__MAX_QUARANTINE_SHARE": "0"})
    plant(chain.sample)
    said = chain.run(DAY, code=1)
    (night,) = Warehouse(chain.warehouse).open_nights()
    assert f"report: {night.report}" in said
    assert not any(canary in said.lower() for canary in CANARIES)
    assert "Not published: a rule stopped the night" in night.report.read_text("utf-8")
    assert not sings(night.report)
