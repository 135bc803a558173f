"""Dirt: what is damaged, where, and that nothing else is."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jobs.definitions.clean import NEAR_DUPLICATE
from jobs.errors import UsageError
from jobs.sample.dirt.kind import Copy, WholeFile
from jobs.sample.dirt.receipt_rows import read_lines
from jobs.sample.dirt.spoil import KINDS
from jobs.sample.restaurant import generate

SUITES = Path(__file__).parents[2] / "expectations"
LAST = date(2026, 7, 2)
SIZE = (400, 120, 3)
CRM = ("members", "campaigns", "campaign_members", "coupons", "redemptions", "products", "stores", "feedback")


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(*SIZE, tmp_path_factory.mktemp("chain") / "clean", LAST)


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(*SIZE, tmp_path_factory.mktemp("chain") / "dirty", LAST, 0.03)


def truth(folder: Path) -> list[dict[str, str]]:
    with (folder / "truth" / "dirt.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def of(folder: Path, what: type, feed: str = "") -> list[dict[str, str]]:
    """The truth about kinds with such a damage."""
    names = {kind.name for kind in KINDS if isinstance(kind.damage, what) and kind.feed.startswith(feed)}
    return [row for row in truth(folder) if row["kind"] in names]


def table(folder: Path, name: str) -> Counter[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "crm.sqlite")) as connection:
        return Counter(connection.execute(f"SELECT * FROM {name}"))


def documents(folder: Path, name: str) -> dict[str, str]:
    with closing(sqlite3.connect(folder / "online.sqlite")) as connection:
        return dict(connection.execute(f"SELECT id, document FROM {name}"))


def test_kinds_are_many_named_once_and_described() -> None:
    names = [kind.name for kind in KINDS]
    assert len(names) == len(set(names)) >= 49
    assert {kind.feed.partition(".")[0] for kind in KINDS} == {"pos", "crm", "online"}
    assert [kind.name for kind in KINDS if not kind.says.endswith(".") or len(kind.says) > 90] == []


def rule_ids() -> Iterator[str]:
    for path in (*(SUITES / "suites" / "conformed").glob("*.json"), *(SUITES / "business").glob("*.json")):
        for rule in json.loads(path.read_text("utf-8")).get("expectations", []):
            yield rule["meta"]["rule_id"]


def test_the_rules_that_dirt_has_to_fail_exist() -> None:
    known = set(rule_ids()) | {"orders.business_date.late_horizon", NEAR_DUPLICATE}
    known |= {f"unparsable.{reason}" for reason in ("column_count", "quote", "nul_byte", "encoding")}
    expected = {rule for kind in KINDS for rule in kind.expected.rules if not kind.gap}
    instead = {rule for kind in KINDS if kind.gap for rule in kind.gap.rules}
    assert (expected | instead) - known == set()


def test_every_kind_strikes_and_the_share_is_kept(clean: Path, dirty: Path) -> None:
    struck = Counter(row["kind"] for row in truth(dirty))
    assert set(struck) == {kind.name for kind in KINDS}
    lines = sum(len(read_lines(path)) - 1 for path in (clean / "pos").iterdir())
    rows = [row for row in truth(dirty) if row["feed"] == "pos.receipts" and row["line"]]
    assert 0.02 * lines < len(rows) < 0.04 * lines
    whole_files = {row["kind"] for row in of(dirty, WholeFile)}
    assert len({struck[row["kind"]] for row in rows if row["kind"] not in {*whole_files, "order_beyond_horizon"}}) == 1


def test_the_same_arguments_give_the_same_dirt(dirty: Path, tmp_path: Path) -> None:
    again = generate(*SIZE, tmp_path / "again", LAST, 0.03)
    files = sorted(path.relative_to(dirty) for path in dirty.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    assert [path for path in files if (dirty / path).read_bytes() != (again / path).read_bytes()] == []


def test_no_line_of_a_receipt_file_differs_but_those_of_the_truth(clean: Path, dirty: Path) -> None:
    told = {(row["place"], int(row["line"])) for row in truth(dirty) if row["feed"] == "pos.receipts" and row["line"]}
    marked = {row["place"] for row in truth(dirty) if row["kind"] == "byte_order_mark"}
    differing = set()
    for path in (dirty / "pos").iterdir():
        if "once_more" in path.name:
            continue
        after, original = read_lines(path), clean / "pos" / path.name
        before = read_lines(original) if original.exists() else after[:1]
        if path.name in marked:
            assert after[0] == b"\xef\xbb\xbf" + before[0]
            differing.add((path.name, 2))
        else:
            assert after[0] == before[0]
        differing |= {
            (path.name, index + 1)
            for index in range(1, len(after))
            if index >= len(before) or after[index] != before[index]
        }
    assert differing == told


def test_a_file_that_comes_again_has_the_same_bytes(dirty: Path) -> None:
    again = [row["place"] for row in truth(dirty) if row["kind"] == "file_under_another_name"]
    assert again == sorted(path.name for path in (dirty / "pos").glob("receipts_once_more_*"))
    for name in again:
        original = name.replace("_once_more", "")
        assert (dirty / "pos" / name).read_bytes() == (dirty / "pos" / original).read_bytes()
        assert name > original  # so that the original is the one that is read


@pytest.mark.parametrize("name", CRM)
def test_no_row_of_the_crm_differs_but_those_of_the_truth(clean: Path, dirty: Path, name: str) -> None:
    rows = [row for row in truth(dirty) if row["place"] == name]
    copies = [row for row in of(dirty, Copy, "crm") if row["place"] == name]
    before, after = table(clean, name), table(dirty, name)
    assert (before - after).total() == len(rows) - len(copies)
    assert (after - before).total() == len(rows)
    assert len(rows) > 0


@pytest.mark.parametrize("name", ["accounts", "orders"])
def test_no_document_differs_but_those_of_the_truth(clean: Path, dirty: Path, name: str) -> None:
    before, after = documents(clean, name), documents(dirty, name)
    rows = [row for row in truth(dirty) if row["feed"] == f"online.{name}"]
    copies = [row for row in of(dirty, Copy, "online") if row["feed"] == f"online.{name}"]
    assert before.keys() <= after.keys()
    assert len(after.keys() - before.keys()) == len(copies)
    assert sum(after[key] != text for key, text in before.items()) == len(rows) - len(copies) > 0


def test_late_orders_come_with_the_last_night_and_all_else_before(dirty: Path) -> None:
    late = [row for row in truth(dirty) if row["kind"] == "order_beyond_horizon"]
    assert late and {row["outcome"] for row in late} == {"held"}
    for row in late:
        line = read_lines(dirty / "pos" / row["place"])[int(row["line"]) - 1].decode()
        sold = datetime.fromisoformat(line.split(",")[3])
        assert LAST - timedelta(days=202) <= sold.date() <= LAST - timedelta(days=199)
    assert {row["place"][-14:-4] for row in late} == {str(LAST)}
    others = [row["place"] for row in truth(dirty) if row["feed"] == "pos.receipts" and row not in late]
    assert [place for place in others if place.endswith(f"{LAST}.csv")] == []


def test_a_clean_layout_leaves_no_dirt_behind(clean: Path, tmp_path: Path) -> None:
    generate(*SIZE, tmp_path, LAST, 0.001)
    generate(*SIZE, tmp_path, LAST)
    assert sorted(path.name for path in (tmp_path / "pos").iterdir()) == sorted(
        path.name for path in (clean / "pos").iterdir()
    )
    assert not (tmp_path / "truth" / "dirt.csv").exists()


@pytest.mark.parametrize("share", [0.0, -0.1, 1.5])
def test_a_share_that_is_none_is_refused(tmp_path: Path, share: float) -> None:
    with pytest.raises(UsageError, match="a share of rows"):
        generate(20, 10, 1, tmp_path, LAST, share)


def test_a_business_without_a_row_for_each_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="too small to be dirty: no row of"):
        generate(20, 10, 1, tmp_path, LAST, 0.01)
