"""``kill -9`` from outside at ten random moments of a night, each on what the one before left behind.

Every other time keeper and engine are killed too. Then the night is run again and equals one that nothing happened to.
"""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

from tests.faults.conftest import Undisturbed
from tests.faults.watching import Reader, assert_no_one_left, assert_shows, kill_the_rest
from tests.support import Site, kill_group, tree_differences

KILLS = 10
SEED = 20260628


def test_killed_at_ten_random_moments_a_rerun_equals_an_undisturbed_night(
    place: Path, first: Undisturbed, second: Undisturbed
) -> None:
    site = first.site.copy(place / "random")
    draw = random.Random(SEED)
    with Reader.of(site, first, second) as reader:
        for number in range(KILLS):
            _kill_after(site, draw.uniform(0, second.seconds))
            (assert_no_one_left if number % 2 else kill_the_rest)(site)
            assert_shows(site, first, second)
        site.night(site.business.nights[1])
    assert_shows(site, second)
    assert tree_differences(site.root / "current" / "clean", second.site.root / "current" / "clean") == []
    assert site.warehouse.open_nights() == []
    assert len(reader.seen) == 2


def _kill_after(site: Site, seconds: float) -> None:
    run = site.start("run", "--date", str(site.business.nights[1]))
    try:
        run.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        kill_group(run.pid)
        run.communicate()
