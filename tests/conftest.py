"""Which tests run in one worker, one after the other, when there are several (``-n``)."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from xdist.scheduler import LoadScopeScheduling

#: folders that share something costly: the engine, an Airflow; and files that share a published business
_TOGETHER = ("spark", "dags")
_OF_PLAIN = ("test_behaviour_arithmetic", "test_conservation", "test_personas", "test_quarantine")


class Together(LoadScopeScheduling):
    """A group of tests to a worker at a time; the group of most tests first."""

    def _split_scope(self, nodeid: str) -> str:
        path = PurePath(nodeid.partition("::")[0])
        if path.stem in _OF_PLAIN:
            return "plain"
        return path.parent.name if path.parent.name in _TOGETHER else str(path)


def pytest_xdist_make_scheduler(config: Any, log: Any) -> Together:
    """How tests are handed out."""
    return Together(config, log)
