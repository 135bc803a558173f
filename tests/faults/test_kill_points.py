"""``kill -9`` of the whole process group at every named point of a night, from its first write to its last link.

Each kill starts on what the one before left behind: a step is killed, the night is gone on with from that step
and killed at its next point. After every kill, keeper and engine have to end: of themselves after one, by a
SIGKILL of their own after the next. The engine is Sail (``conftest.py``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs import flow
from jobs.storage.manifest import damaged_files
from jobs.storage.warehouse import PASSING
from tests.faults.conftest import Undisturbed
from tests.faults.watching import Reader, assert_no_one_left, assert_shows, kill_the_rest
from tests.support import ROOT, Site, tree_differences

#: (the step to go on from, or None to begin the night; the point, ``#n`` for the n-th time it is reached)
BEFORE_THE_RENAME: tuple[tuple[str | None, str], ...] = (
    (None, "restore.zone_gone"),
    (None, "begin.zone_linked"),
    (None, "begin.zone_linked#8"),
    (None, "files.text_written"),
    (None, "begin.recorded"),
    (None, "begin.opened"),
    (None, "remove.out_of_sight"),
    (None, "begin.swept"),
    (None, "extract.begin"),
    (None, "extract.batch_taken"),
    (None, "adopt.old_gone"),
    (None, "adopt.part_moved"),
    (None, "extract.raw_landed"),
    (None, "extract.vault_landed"),
    (None, "extract.quarantine_landed"),
    (None, "extract.feed_landed"),
    (None, "extract.feed_landed#9"),
    (None, "extract.end#3"),
    ("gate_raw", "gate_raw.begin"),
    ("gate_raw", "parquet.working_table_written"),
    ("gate_raw", "parquet.working_table_written#6"),
    ("gate_raw", "gate_raw.end"),
    ("clean", "clean.begin"),
    ("clean", "restore.zone_gone"),
    ("clean", "parquet.table_written"),
    ("clean", "adopt.old_gone"),
    ("clean", "adopt.part_moved#2"),
    ("clean", "clean.end"),
    ("gate_clean", "gate_clean.begin"),
    ("gate_clean", "gate_clean.end"),
    ("identity", "identity.begin"),
    ("identity", "parquet.small_table_written#2"),
    ("identity", "identity.end"),
    ("features", "features.begin"),
    ("features", "parquet.table_written#2"),
    ("features", "adopt.old_gone#3"),
    ("features", "features.end"),
    ("segments", "segments.begin"),
    ("segments", "adopt.old_gone#2"),
    ("segments", "parquet.table_written#4"),
    ("segments", "segments.end"),
    ("dimensions", "dimensions.begin"),
    ("dimensions", "adopt.part_moved#3"),
    ("dimensions", "dimensions.end"),
    ("gate_published", "gate_published.begin"),
    ("gate_published", "gate_published.end"),
    ("publish", "publish.begin"),
    ("publish", "report.drawn"),
    ("publish", "publish.quality_written"),
    ("publish", "publish.log_written"),
    ("publish", "manifest.listed"),
    ("publish", "manifest.written"),
)  # fmt: skip
#: each on a copy of a night that is ready to be published
#: point -> ``current`` has moved when the run dies there
ABOUT_THE_RENAME = {
    "publish.folder_opened": False,
    "publish.folder_opened#3": False,
    "publish.fence_passed": False,
    "close.staging_gone": False,
    "close.renamed": False,
    "flip.before": False,
    "files.link_made": False,
    "flip.after": True,
    "files.link_made#2": True,
    "links.one_made": True,
    "links.one_made#7": True,
    "publish.links_made": True,
    "publish.end": True,
}
#: with no more than two dates kept, when the third night is published
WHILE_RETIRING = ("links.one_gone", "links.one_gone#5", "remove.out_of_sight", "retire.one_gone")
#: where the keeper dies, and its engine with it
IN_THE_KEEPER = ("keeper.locked", "keeper.engine_started")

_REACHED = re.compile(r"""\breach\(\s*f?"([^"]+)"\s*\)""")


@pytest.fixture(scope="module")
def disturbed(place: Path, first: Undisturbed) -> Site:
    """The warehouse that one run after the other is killed in."""
    return first.site.copy(place / "disturbed")


@pytest.fixture(scope="module", autouse=True)
def reader(disturbed: Site, first: Undisturbed, second: Undisturbed) -> Iterator[Reader]:
    """A consumer that reads all the while."""
    with Reader.of(disturbed, first, second) as found:
        yield found


@pytest.fixture(scope="module")
def ready(place: Path, first: Undisturbed) -> Site:
    """A second night whose run was killed when there was nothing left to do but publish it."""
    site = first.site.copy(place / "ready")
    _kill_at(site, "publish.begin")
    kill_the_rest(site)
    return site


def _kill_at(site: Site, point: str, first_step: str | None = None) -> None:
    go_on = ("--from", first_step) if first_step else ()
    done = site.regulars("run", "--date", str(site.business.nights[1]), *go_on, REGULARS_KILL_AT=point)
    assert done.code == -9, f"{point} was not reached: {done.err}"


def _points_in_the_source() -> set[str]:
    named: set[str] = set()
    for path in (ROOT / "jobs").rglob("*.py"):
        for point in _REACHED.findall(path.read_text("utf-8")):
            named |= {point.replace("{name}", step.name) for step in flow.STEPS} if "{name}" in point else {point}
    return {zone for point in named for zone in _zones(point)}


def _zones(point: str) -> list[str]:
    return [point.replace("{zone}", zone) for zone in ("raw", "vault", "quarantine")] if "{zone}" in point else [point]


def test_every_named_point_is_one_that_runs_are_killed_at() -> None:
    killed = [point for _, point in BEFORE_THE_RENAME] + [*ABOUT_THE_RENAME, *WHILE_RETIRING, *IN_THE_KEEPER]
    assert {point.partition("#")[0] for point in killed} == _points_in_the_source()


@pytest.mark.parametrize(("number", "step", "point"), [(n, *entry) for n, entry in enumerate(BEFORE_THE_RENAME)])
def test_killed_before_the_rename_yesterday_stays(
    disturbed: Site, first: Undisturbed, number: int, step: str | None, point: str
) -> None:
    _kill_at(disturbed, point, step)
    assert_shows(disturbed, first)
    (assert_no_one_left if number % 2 else kill_the_rest)(disturbed)


def test_going_on_where_the_last_one_died_equals_an_undisturbed_night(
    disturbed: Site, second: Undisturbed, tmp_path: Path
) -> None:
    resumed = disturbed.copy(tmp_path / "resumed")
    resumed.night(resumed.business.nights[1], "--from", "publish")
    _assert_equal(resumed, second)


def test_running_again_from_the_start_equals_an_undisturbed_night(
    disturbed: Site, second: Undisturbed, reader: Reader
) -> None:
    disturbed.night(disturbed.business.nights[1])
    _assert_equal(disturbed, second)
    assert [path for path in disturbed.warehouse.nights.iterdir() if path.name.startswith(PASSING)] == []
    assert disturbed.warehouse.open_nights() == []
    assert reader.wrong == []
    assert reader.reads > 50


@pytest.mark.parametrize("point", ABOUT_THE_RENAME)
def test_killed_about_the_flip_the_next_run_does_what_is_owed(
    ready: Site, first: Undisturbed, second: Undisturbed, point: str, tmp_path: Path
) -> None:
    site = ready.copy(tmp_path / "site")
    with Reader.of(site, first, second):
        _kill_at(site, point, "publish")
        assert_shows(site, second if ABOUT_THE_RENAME[point] else first)
        kill_the_rest(site)
        site.night(site.business.nights[1])
    _assert_equal(site, second)
    _assert_links_lead_to(site, 2)
    log = site.regulars("sql", "--format", "csv", "SELECT count(*) AS n FROM publish_log")
    assert log.out.split() == ["n", "2"], log.out + log.err


@pytest.fixture(scope="module")
def ready_to_retire(place: Path, second: Undisturbed) -> Site:
    """Two nights are published, no more may stay, and the third has nothing left to do but be published."""
    site = second.site.copy(place / "ready_to_retire", REGULARS_RETENTION__NIGHTS="2")
    assert site.regulars("run", "--date", str(site.business.nights[2]), REGULARS_KILL_AT="publish.begin").code == -9
    kill_the_rest(site)
    return site


@pytest.mark.parametrize("point", WHILE_RETIRING)
def test_killed_while_old_nights_go_nothing_half_is_left(
    ready_to_retire: Site, third: Undisturbed, point: str, tmp_path: Path
) -> None:
    site = ready_to_retire.copy(tmp_path / "site")
    day = site.business.nights[2]
    assert site.regulars("run", "--date", str(day), "--from", "publish", REGULARS_KILL_AT=point).code == -9
    assert_shows(site, third)
    kill_the_rest(site)
    site.night(day)
    assert_shows(site, third)
    kept = site.warehouse.published()
    assert {night.date for night in kept} >= set(site.business.nights[1:3])
    assert [night.path.name for night in kept if damaged_files(night)] == []
    assert [path for path in site.warehouse.nights.iterdir() if path.name.startswith(PASSING)] == []
    _assert_links_lead_to(site, len(kept))


@pytest.mark.parametrize("point", IN_THE_KEEPER)
def test_a_run_whose_keeper_dies_says_so_at_once(first: Undisturbed, point: str, tmp_path: Path) -> None:
    site = first.site.copy(tmp_path / "site")
    done = site.regulars("run", "--date", str(site.business.nights[1]), REGULARS_KILL_AT=point)
    assert done.code in (1, 3)
    assert "keeper" in done.err or "no longer holds" in done.err
    assert_shows(site, first)
    assert_no_one_left(site)


def _assert_equal(site: Site, undisturbed: Undisturbed) -> None:
    assert_shows(site, undisturbed)
    for zone in ("clean", "identity", "features"):
        assert tree_differences(site.root / "current" / zone, undisturbed.site.root / "current" / zone) == []


def _assert_links_lead_to(site: Site, dates: int) -> None:
    """Every table has a link per date, and each leads to a folder with files."""
    links = list(site.warehouse.by_date.glob("*/ds=*"))
    assert len({link.name for link in links}) == dates
    assert len(links) == dates * len({link.parent for link in links})
    assert [link for link in links if not any(link.glob("*.parquet"))] == []
