"""One generated restaurant for all fault tests, its first night, and what its later nights come to undisturbed.

Sail is the engine wherever the engine itself is not what dies: it starts in a second and gives the same tables as
Spark, so that there is time for many kills. ``test_spark.py`` kills Spark.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import Business, Site, business

pytest.register_assert_rewrite("tests.faults.watching")  # so that it says which tables differ, and by how many rows


@dataclass(frozen=True)
class Undisturbed:
    """A warehouse in which nothing ever went wrong."""

    site: Site
    seconds: float  #: how long its last night took


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the session."""
    return tmp_path_factory.mktemp("faults")


@pytest.fixture(scope="session")
def chain(place: Path) -> Iterator[Business]:
    """The restaurant."""
    with business(place / "business") as found:
        yield found


@pytest.fixture(scope="session")
def first(place: Path, chain: Business) -> Undisturbed:
    """The first night is published."""
    return _next_night(Site(chain, place / "first"), 0)


@pytest.fixture(scope="session")
def second(place: Path, first: Undisturbed) -> Undisturbed:
    """The second night is published too."""
    return _next_night(first.site.copy(place / "second"), 1)


@pytest.fixture(scope="session")
def third(place: Path, second: Undisturbed) -> Undisturbed:
    """The third night is published too."""
    return _next_night(second.site.copy(place / "third"), 2)


def _next_night(site: Site, number: int) -> Undisturbed:
    started = time.monotonic()
    site.night(site.business.nights[number])
    return Undisturbed(site, time.monotonic() - started)
