"""What a second ``make run`` still has to do, by the warehouse and by what the nights were made from."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path

import pytest

from jobs.sample.demo import BUSINESSES, Business, note, owed
from jobs.storage.warehouse import Warehouse

NIGHTS = [date(2017, 12, day) for day in (28, 29, 30, 31)]


@pytest.fixture
def grocer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Business:
    monkeypatch.chdir(tmp_path)
    business = BUSINESSES["grocer"]
    for name, value in business.environment().items():
        monkeypatch.setenv(name, value)
    business.folder.mkdir(parents=True)
    (business.folder / "crm.sqlite").write_text("rows")
    return business


def publish(warehouse: Warehouse, day: date, run: str) -> None:
    """A published night that starts from the one before it."""
    base = warehouse.base_of(day)
    night = warehouse.nights / f"{day}.{run}"
    night.mkdir(parents=True)
    (night / "manifest.json").write_text(json.dumps({"base": base.path.name if base else None}))


@pytest.fixture
def warehouse(grocer: Business) -> Warehouse:
    made = Warehouse(Path(os.environ["REGULARS_WAREHOUSE"]))
    for day in NIGHTS:
        publish(made, day, "r1")
    return made


def test_all_nights_are_owed_at_first(grocer: Business) -> None:
    assert owed(grocer, Warehouse(Path("warehouse"))) == NIGHTS


def test_nothing_is_owed_when_all_is_published_from_these_inputs(grocer: Business, warehouse: Warehouse) -> None:
    assert owed(grocer, warehouse) == NIGHTS, "nobody has noted what they were made from"
    note(grocer, warehouse)
    assert owed(grocer, warehouse) == []


def test_another_source_owes_every_night(grocer: Business, warehouse: Warehouse) -> None:
    note(grocer, warehouse)
    (grocer.folder / "crm.sqlite").write_text("other rows")
    assert owed(grocer, warehouse) == NIGHTS


def test_a_night_that_was_run_again_owes_itself_and_those_after_it(grocer: Business, warehouse: Warehouse) -> None:
    note(grocer, warehouse)
    publish(warehouse, NIGHTS[2], "r2")
    assert owed(grocer, warehouse) == NIGHTS[2:]
