"""Nights on Sail equal those on Spark, late orders, refunds and a full rebuild among them: ``make test-sail``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engines.conftest import assert_same_nights, site_on
from tests.support import Business, Site


@pytest.fixture(scope="module")
def on_sail(chain: Business, place: Path) -> Site:
    """All nights on Sail."""
    site = site_on("sail", chain, place / "sail")
    for day in chain.nights:
        site.night(day)
    return site


def test_nights_with_late_orders_and_refunds_equal_sparks(on_sail: Site, on_spark: Site) -> None:
    assert_same_nights(on_sail, on_spark, *on_spark.business.nights)


def test_a_full_rebuild_on_one_equals_the_nights_of_the_other(on_sail: Site, on_spark: Site) -> None:
    last = on_spark.business.nights[-1]
    for site, other in ((on_sail, on_spark), (on_spark, on_sail)):
        rebuilt = site.copy(site.root.with_name(f"{site.root.name}_rebuilt"))
        rebuilt.night(last, "--full")
        assert_same_nights(rebuilt, other, last)
