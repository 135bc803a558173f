"""Spark itself dies: the whole group in the middle of a step, then the JVM alone; the night is run again.

The night before is Sail's, as in all other fault tests, and so is the undisturbed one that the result is held to:
both engines have to give the same tables.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.conftest import Undisturbed
from tests.faults.watching import Reader, assert_no_one_left, assert_shows
from tests.support import Outcome, Site, ended, kill_group, processes_of, tree_differences, wait_for_work_after


@pytest.fixture(scope="module")
def site(place: Path, first: Undisturbed) -> Site:
    """The first night is published; from now on Spark is the engine."""
    return first.site.copy(place / "spark", REGULARS_ENGINE="local[2]")


def test_killed_in_the_middle_of_clean_and_without_its_jvm_the_rerun_equals_sails(
    site: Site, first: Undisturbed, second: Undisturbed
) -> None:
    day = str(site.business.nights[1])
    with Reader.of(site, first, second):
        run = site.start("run", "--date", day)
        wait_for_work_after(run, "gate_raw", site)
        kill_group(run.pid)
        run.communicate()
        assert_no_one_left(site)
        assert_shows(site, first)

        run = site.start("run", "--date", day, "--from", "clean")
        wait_for_work_after(run, "gate_clean", site)
        os.kill(_jvm(site), 9)
        _assert_gave_up(ended(run, 60))
        assert_no_one_left(site)
        assert_shows(site, first)

        site.night(site.business.nights[1])
    assert_shows(site, second)
    assert tree_differences(site.root / "current" / "clean", second.site.root / "current" / "clean") == []


def _jvm(site: Site) -> int:
    (process,) = (pid for pid, line in processes_of(site.root).items() if "SparkConnectServer" in line)
    return process


def _assert_gave_up(done: Outcome) -> None:
    assert done.code == 3
    assert "error: the engine was killed, as by a kernel that has no memory left" in done.err
    assert "engine_options.memory" in done.err
