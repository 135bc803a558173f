"""A disk that fills up at different moments, and one that cannot be written at all: real small file systems.

They are tmpfs mounts, which takes root with the right to mount.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import Undisturbed
from tests.faults.watching import Reader, assert_no_one_left, assert_shows

ROOMY = "400m"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={ROOMY}", "tmpfs", str(place))
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def _remount(disk: Path, options: str) -> None:
    _mount("-o", f"remount,{options}", str(disk))


def _bytes_used(disk: Path) -> int:
    said = subprocess.run(["df", "-B1", "--output=used", str(disk)], check=True, capture_output=True, text=True)
    return int(said.stdout.split()[-1])


@pytest.mark.parametrize("free_kib", [16, 160, 1000])
def test_a_disk_that_fills_up_fails_the_night_and_shows_nothing(
    disk: Path, first: Undisturbed, second: Undisturbed, free_kib: int
) -> None:
    site = first.site.copy(disk / "warehouse")
    day = site.business.nights[1]
    _remount(disk, f"size={_bytes_used(disk) + free_kib * 1024}")
    with Reader.of(site, first, second):
        done = site.regulars("run", "--date", str(day))
        assert done.code == 3, done.err
        assert "space" in done.err
        assert_no_one_left(site)
        assert_shows(site, first)
        _remount(disk, f"size={ROOMY}")
        site.night(day)
    assert_shows(site, second)


def test_a_warehouse_that_cannot_be_written_is_noticed_before_anything_is_extracted(
    disk: Path, first: Undisturbed
) -> None:
    site = first.site.copy(disk / "warehouse")
    _remount(disk, "ro")
    done = site.regulars("run", "--date", str(site.business.nights[1]))
    assert done.code == 3
    assert "cannot be written" in done.err
    assert "extract" not in done.err
    assert_shows(site, first)
