"""Which tests run in one worker, one after the other, when there are several (``-n``)."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

#: folders that share something costly: the engine, an Airflow; and files that share a published business
_TOGETHER = ("spark", "dags")
_OF_PLAIN = ("test_behaviour_arithmetic", "test_conservation", "test_personas", "test_quarantine")
#: groups of minutes, the longest first: begun last they would run alone
_LONG = ("test_grocer_arithmetic", "test_airflow_alone", "spark", "plain", "dags", "test_odd_chain", "test_replay")


def group(path: PurePath) -> str:
    """What a file's tests belong to."""
    if path.stem in _OF_PLAIN:
        return "plain"
    return path.parent.name if path.parent.name in _TOGETHER else path.stem


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long groups first."""
    items.sort(key=lambda item: _LONG.index(one) if (one := group(item.path)) in _LONG else len(_LONG))


class Together(LoadScopeScheduling):
    """A group of tests to a worker at a time, in the order that they are collected in."""

    def _split_scope(self, nodeid: str) -> str:
        return group(PurePath(nodeid.partition("::")[0]))


def pytest_xdist_make_scheduler(config: Any, log: Any) -> Together:
    """How tests are handed out."""
    return Together(config, log)
