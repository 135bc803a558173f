"""A night that a gate blocked, mended and run again, equals a night that was never blocked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import Undisturbed
from tests.faults.watching import assert_shows
from tests.support import Business, Site, tree_differences


@pytest.fixture
def whole(chain: Business, second: Undisturbed) -> Iterator[dict[Path, bytes]]:
    """The second night's receipts as they should be; they are so again afterwards."""
    files = {path: path.read_bytes() for path in (chain.folder / "pos").glob(f"receipts_*_{chain.nights[1]}.csv")}
    yield files
    _write(files)


def _write(files: dict[Path, bytes]) -> None:
    for path, content in files.items():
        path.write_bytes(content)


def _damage(whole: dict[Path, bytes]) -> None:
    """Turn every other quantity into words."""
    for path, content in whole.items():
        header, *lines = content.decode().splitlines()
        place = header.split(",").index("quantity")
        broken = [_worded(line, place) if n % 2 else line for n, line in enumerate(lines)]
        path.write_text("\n".join([header, *broken]) + "\n")


def _worded(line: str, place: int) -> str:
    cells = line.split(",")
    cells[place] = "many"
    return ",".join(cells)


@pytest.fixture
def blocked(first: Undisturbed, whole: dict[Path, bytes], tmp_path: Path) -> Site:
    """A warehouse whose second night was stopped by a gate."""
    _damage(whole)
    site = first.site.copy(tmp_path / "blocked")
    done = site.regulars("run", "--date", str(site.business.nights[1]))
    assert done.code == 1
    assert "gate_raw" in done.err
    assert "quarantine_share" in done.err
    assert_shows(site, first)
    return site


def test_what_was_blocked_cannot_be_published_by_going_on_behind_the_gate(blocked: Site, first: Undisturbed) -> None:
    for step in ("clean", "publish"):
        done = blocked.regulars("run", "--date", str(blocked.business.nights[1]), "--from", step)
        assert done.code != 0
        assert_shows(blocked, first)


def test_mended_and_run_again_it_equals_a_night_that_was_never_blocked(
    blocked: Site, second: Undisturbed, whole: dict[Path, bytes]
) -> None:
    _write(whole)
    blocked.night(blocked.business.nights[1])
    assert_shows(blocked, second)
    current, undisturbed = blocked.root / "current", second.site.root / "current"
    for zone in ("raw", "clean", "quarantine", "identity", "features"):
        assert tree_differences(current / zone, undisturbed / zone) == []
    assert _states(current) == _states(undisturbed)


def _states(night: Path) -> dict[str, object]:
    """Feed -> cursor and files taken in."""
    return {path.parent.name: json.loads(path.read_text()) for path in night.glob("raw/*/state.json")}
