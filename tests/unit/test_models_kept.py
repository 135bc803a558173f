"""Which models are kept and what they are called; which refit a night takes in."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from jobs.models.lifetime import LifetimeFit, OrderModel
from jobs.models.rfm import RfmCuts
from jobs.steps import refits
from jobs.steps.models import Models
from jobs.storage.night import Night
from jobs.storage.warehouse import Warehouse

CUTS = RfmCuts("rfm-1", (1, 2, 3, 4), (1, 2, 3, 4), (1, 2, 3, 4), (2, 2, 2), 9)
HELD = LifetimeFit("value-1", OrderModel(1.0, 1.0, 1.0, 1.0, 0.0), None, 0.1, 10.0, ("Gamma-Gamma has no mean",))
MAKESHIFT = LifetimeFit("value-2", None, None, 0.1, 10.0, ("BG/NBD is not plausible",))


def test_models_come_back_from_their_files_and_each_has_a_card(tmp_path: Path) -> None:
    models = Models(rfm=CUTS, value=HELD)
    for name, text in models.texts().items():
        (tmp_path / name).write_text(text)
    assert Models.below(tmp_path) == models
    assert "9 customers" in (tmp_path / "rfm.md").read_text()
    assert "not believed: Gamma-Gamma has no mean" in (tmp_path / "value.md").read_text()


def test_a_fit_that_was_not_believed_is_not_kept_and_has_no_part_in_the_version() -> None:
    alone, beside = Models(rfm=CUTS), Models(rfm=CUTS, value=MAKESHIFT)
    assert (beside.version, beside.texts()) == (alone.version, alone.texts())
    assert Models(rfm=CUTS, value=HELD).version != alone.version
    assert (Models().version, Models(value=MAKESHIFT).version) == ("none", "none")


BASE = Night.at(Path("2026-06-30.20260701T000000-0000"))


@pytest.mark.parametrize(
    ("said", "base", "taken", "is_taken_in"),
    [
        ({"as_of": "2026-06-30", "is_stable": True}, BASE, None, True),
        ({"as_of": "2026-06-30", "is_stable": True}, BASE, "earlier", True),
        ({"as_of": "2026-06-30", "is_stable": True}, BASE, "r1", False),  # it has it already
        ({"as_of": "2026-07-01", "is_stable": True}, BASE, None, False),  # a backfill of an earlier night
        ({"as_of": "2026-06-30", "is_stable": True}, None, None, False),  # a first night
        ({"as_of": "2026-06-30", "is_stable": False}, BASE, None, False),
        ({"as_of": "2026-06-30", "is_stable": False, "approved_by": "anna"}, BASE, None, True),
    ],
)
def test_a_night_takes_in_an_accepted_refit_of_the_night_before_or_earlier_once(
    tmp_path: Path, said: dict[str, object], base: Night | None, taken: str | None, is_taken_in: bool
) -> None:
    warehouse = Warehouse(tmp_path)
    assert refits.to_take_in(warehouse, base, taken) is None
    kept = refits.keep(warehouse, Models(rfm=CUTS).texts(), {"refit": "r1", **said})
    found = refits.to_take_in(warehouse, base, taken)
    assert (found is not None) == is_taken_in
    assert kept.as_of == date.fromisoformat(str(said["as_of"]))
    assert Models.below(kept.folder) == Models(rfm=CUTS)


def test_an_approval_is_on_record(tmp_path: Path) -> None:
    refits.keep(Warehouse(tmp_path), {}, {"refit": "r1", "as_of": "2026-06-30", "is_stable": False})
    waiting = refits.last(Warehouse(tmp_path))
    assert waiting is not None and not waiting.is_accepted
    refits.approve(waiting, "anna")
    approved = refits.last(Warehouse(tmp_path))
    assert approved is not None and approved.is_accepted and approved.report["approved_by"] == "anna"
