"""Runs again, runs at once, runs out of order, runs that lose their warehouse: faults.md 1, 2, 6 to 9, 43."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import Undisturbed
from tests.faults.watching import Reader, assert_no_one_left, assert_shows, kill_the_rest
from tests.support import Business, Site, differences, ended, serving, wait_until


def test_a_published_date_with_the_same_inputs_is_not_written_again(second: Undisturbed, tmp_path: Path) -> None:
    site = second.site.copy(tmp_path / "site")
    before = _files(site)
    done = site.night(site.business.nights[1])
    assert "inputs unchanged" in done.err
    assert "nothing rewritten" in done.err
    assert _files(site) == before
    assert_shows(site, second)


def test_the_same_date_computed_in_full_gives_the_same_rows_once(second: Undisturbed, tmp_path: Path) -> None:
    site = second.site.copy(tmp_path / "site")
    done = site.night(site.business.nights[1], "--full")
    assert done.answer["is_current"] is True
    assert _shown_run(site) == done.answer["run"] != _shown_run(second.site)
    assert_shows(site, second)


@pytest.mark.parametrize(
    ("other", "code", "said"),
    [
        ({"REGULARS_KEY_K1": "another-key-of-nobody-in-particular"}, 3, "REGULARS_KEY_K1 is not the value"),
        ({"REGULARS_KEY_K2": "another-key-of-nobody", "REGULARS_PRIVACY__KEY_ID": "k2"}, 3, "are of key k1"),
        ({"REGULARS_CURRENCY": "EUR"}, 2, "are in CNY, the settings say EUR"),
    ],
)
def test_a_night_of_another_key_or_chain_is_refused_before_anything_is_read(
    first: Undisturbed, tmp_path: Path, other: dict[str, str], code: int, said: str
) -> None:
    site = first.site.copy(tmp_path / "site")
    before = _files(site)
    for _ in range(2):  # and it is not taken for granted the next time
        done = site.regulars("run", "--date", str(site.business.nights[1]), **other)
        assert (done.code, done.out) == (code, "")
        assert said in done.err
    assert _files(site) == before
    assert_shows(site, first)


def test_ctrl_c_says_so_and_the_next_run_finishes(first: Undisturbed, second: Undisturbed, tmp_path: Path) -> None:
    # a shell starts what it runs in the background without Ctrl-C, these tests among it, and that would be handed down
    signal.signal(signal.SIGINT, signal.default_int_handler)
    site = first.site.copy(tmp_path / "site")
    run = site.start("run", "--date", str(site.business.nights[1]))
    wait_until(lambda: any(site.root.glob("nights/*.open/log/time.gate_raw.json")), 60, "gate_raw is done")
    run.send_signal(signal.SIGINT)
    done = ended(run, 60)
    assert (done.code, done.out) == (130, "")
    assert "error: interrupted" in done.err
    assert_no_one_left(site)
    assert_shows(site, first)
    site.night(site.business.nights[1])
    assert_shows(site, second)


def test_an_engine_without_its_run_cannot_publish(first: Undisturbed, tmp_path: Path) -> None:
    """The run is killed before its last step; what is left of it is not let through the fence."""
    site = first.site.copy(tmp_path / "site")
    day = str(site.business.nights[1])
    assert site.regulars("run", "--date", day, REGULARS_KILL_AT="publish.begin").code == -9
    kill_the_rest(site)
    (night,) = site.warehouse.open_nights()
    done = site.regulars("step", "publish", "--run", night.run)
    assert done.code == 1
    assert "no longer holds the warehouse" in done.err
    assert_shows(site, first)


def test_steps_of_a_night_whose_keeper_is_killed_are_refused(first: Undisturbed, tmp_path: Path) -> None:
    site = first.site.copy(tmp_path / "site")
    run = site.regulars("begin", "--date", str(site.business.nights[1])).answer["run"]
    assert site.regulars("step", "extract", "--run", run, "--source", "crm").code == 0
    kill_the_rest(site)
    for step in (("extract", "--source", "crm"), ("gate_raw",), ("publish",)):
        done = site.regulars("step", step[0], "--run", run, *step[1:])
        assert done.code == 1
        assert f"run {run} no longer holds the warehouse" in done.err
    assert_shows(site, first)


def test_a_run_that_loses_its_keeper_while_it_works_fails_and_shows_nothing(first: Undisturbed, tmp_path: Path) -> None:
    site = first.site.copy(tmp_path / "site")
    run = site.start("run", "--date", str(site.business.nights[1]))
    wait_until(lambda: any(site.root.glob("nights/*.open/log/time.gate_raw.json")), 60, "gate_raw is done")
    os.kill(int((site.holder() or {})["pid"]), signal.SIGKILL)
    done = ended(run, 60)
    assert done.code in (1, 3, 75)
    assert "next:" in done.err
    assert_no_one_left(site)
    assert_shows(site, first)


def test_two_runs_of_one_date_at_once_one_wins(first: Undisturbed, second: Undisturbed, tmp_path: Path) -> None:
    site = first.site.copy(tmp_path / "site")
    day = str(site.business.nights[1])
    runs = [site.start("run", "--date", day) for _ in range(2)]
    winner, loser = sorted((ended(run) for run in runs), key=lambda done: done.code)
    assert winner.code == 0, winner.err
    assert loser.code == 1
    assert f"of {day} is at work" in loser.err
    assert winner.answer["run"] in loser.err
    assert_shows(site, second)


def test_two_dates_at_once_the_second_waits_and_starts_from_the_first(
    first: Undisturbed, second: Undisturbed, third: Undisturbed, tmp_path: Path
) -> None:
    site = first.site.copy(tmp_path / "site")
    earlier, later = (str(day) for day in site.business.nights[1:3])
    with Reader.of(site, first, second, third):
        one = site.start("run", "--date", earlier)
        wait_until(lambda: (site.holder() or {}).get("date") == earlier, 60, "the earlier date holds the warehouse")
        other = site.start("run", "--date", later)
        for run in (one, other):
            assert ended(run).code == 0
    assert_shows(site, third)
    assert [night["date"] for night in _status(site)] == [later, earlier, str(site.business.nights[0])]
    assert not any(night["is_stale"] for night in _status(site))


def test_a_date_run_after_a_later_one_leaves_current_and_makes_the_later_one_stale(
    first: Undisturbed, second: Undisturbed, third: Undisturbed, tmp_path: Path
) -> None:
    site = first.site.copy(tmp_path / "site")
    earlier, later = site.business.nights[1:3]
    site.night(later)
    assert site.night(earlier).answer["is_current"] is False
    assert [(night["is_current"], night["is_stale"]) for night in _status(site)][:2] == [(True, True), (False, False)]
    latest = site.warehouse.latest(earlier)
    assert latest is not None
    assert differences(latest.path / "published", second.site.published) == {}
    site.night(later)
    assert_shows(site, third)
    assert not any(night["is_stale"] for night in _status(site) if night["is_current"])


@pytest.fixture
def moved(third: Undisturbed, tmp_path: Path) -> Iterator[Site]:
    """Three nights of a business of its own, which may change."""
    folder = tmp_path / "business"
    shutil.copytree(third.site.business.folder, folder)
    with serving(folder) as host:
        own: Business = replace(third.site.business, folder=folder, host=host)
        yield Site(own, third.site.copy(tmp_path / "site").root)


def test_the_middle_night_again_with_a_changed_row_does_not_take_current_back(moved: Site, third: Undisturbed) -> None:
    middle, last = moved.business.nights[1:3]
    with closing(sqlite3.connect(moved.business.folder / "crm.sqlite")) as crm, crm:
        crm.execute(
            "UPDATE members SET city = 'Elsewhere', updated_at = ? WHERE member_id = (SELECT min(member_id)"
            " FROM members)",
            (f"{middle}T05:00:00Z",),
        )
    assert moved.night(middle).answer["is_current"] is False
    assert_shows(moved, third)
    told = {(night["date"], night["is_current"]): night["is_stale"] for night in _status(moved)}
    assert told[str(last), True] is True
    assert moved.night(last).answer["is_current"] is True
    assert [night["is_stale"] for night in _status(moved) if night["is_current"]] == [False]
    assert differences(moved.published, third.site.published)["dim_customer"] == (1, 1)


@pytest.mark.parametrize("command", [("begin",), ("run",)])
def test_without_a_date_nothing_runs(first: Undisturbed, command: tuple[str, ...], tmp_path: Path) -> None:
    site = first.site.copy(tmp_path / "site")
    done = site.regulars(*command)
    assert done.code == 2
    assert "date" in done.err
    assert not (site.root / ".run").exists() or site.holder() is None
    assert site.warehouse.open_nights() == []


def _status(site: Site) -> list[dict[str, Any]]:
    """Nights as ``status`` tells them, newest first."""
    told: list[dict[str, Any]] = json.loads(site.regulars("status", "--json").out)
    return told


def _shown_run(site: Site) -> str:
    night = site.warehouse.current()
    assert night is not None
    return night.run


def _files(site: Site) -> dict[str, tuple[int, int]]:
    """Every file of every night, and its time of change."""
    found = [path for path in site.warehouse.nights.rglob("*") if path.is_file()]
    return {str(path.relative_to(site.root)): (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}
