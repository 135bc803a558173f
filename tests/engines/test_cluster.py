"""Nights on a standalone cluster of two workers equal those on this machine alone, and a worker may die.

``make test-cluster``; it takes minutes, so it is not part of ``make test``.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import cluster
from tests.engines.cluster import Cluster
from tests.engines.conftest import assert_same_nights, site_on
from tests.support import ROOT, Business, Site, ended, is_alive, kill_group, wait_for_work_after, wait_until


@pytest.fixture(scope="module")
def workers(place: Path) -> Iterator[Cluster]:
    """Two workers behind one Connect server."""
    with cluster.running(place / "cluster") as found:
        yield found


@pytest.fixture(scope="module")
def on_cluster(workers: Cluster, chain: Business, place: Path) -> Site:
    """The first nights, of history and of what is late and paid back, computed by both workers."""
    site = site_on(workers.url, chain, place / "on_cluster")
    for day in chain.nights[:2]:
        site.night(day)
    return site


def test_two_workers_publish_what_one_machine_does(on_cluster: Site, on_spark: Site, workers: Cluster) -> None:
    assert_same_nights(on_cluster, on_spark, *on_spark.business.nights[:2])
    night = on_cluster.warehouse.current()
    assert night is not None and night.rows("clean", "refund_matches") > 20, "the workers' Python had work"
    assert workers.executors() == [1, 1]
    assert "Lost executor" not in workers.log


def test_a_worker_dies_in_the_middle_of_a_step_and_the_night_ends_right(
    on_cluster: Site, on_spark: Site, workers: Cluster
) -> None:
    day = on_spark.business.nights[2]
    run = on_cluster.start("run", "--date", str(day))
    wait_for_work_after(run, "gate_raw", on_cluster)
    kill_group(workers.workers[0])
    done = ended(run)
    assert done.code == 0, done.err
    assert f"{day} clean:" in done.err, "it was still at work when the worker died"
    assert "Lost executor" in workers.log
    assert is_alive(workers.workers[1])
    assert_same_nights(on_cluster, on_spark, day)


def test_a_cluster_ends_with_whoever_started_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.engines.cluster", str(tmp_path / "cluster")]
    starter = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert starter.stdout is not None
    with starter.stdout:
        assert starter.stdout.readline().startswith(b"sc://localhost:")
    assert len(cluster.processes_of_cluster(tmp_path / "cluster")) > 4
    starter.kill()
    starter.wait()
    wait_until(lambda: not cluster.processes_of_cluster(tmp_path / "cluster"), 20, "nothing is left of it")
