"""Which tests run in one worker, one after the other, when there are several (``-n``)."""

from __future__ import annotations

from pathlib import Path

import pytest

#: folders that share something costly: the engine, an Airflow; and files that share a published business
_TOGETHER = ("spark", "dags")
_OF_PLAIN = ("test_behaviour_arithmetic", "test_conservation", "test_personas", "test_quarantine")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Say what a test belongs to."""
    item.add_marker(pytest.mark.xdist_group(_group(item.path)))


def _group(path: Path) -> str:
    if path.stem in _OF_PLAIN:
        return "plain"
    return path.parent.name if path.parent.name in _TOGETHER else f"{path.parent.name}/{path.stem}"
