"""A standalone cluster of Spark on this machine: master, workers and a Connect server, processes without root.

``python -m tests.engines.cluster FOLDER`` starts one, prints where it is, and keeps it until it is killed.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyspark

from jobs import engine
from tests.support import ROOT, kill_group, processes_with, wait_until

HOME = Path(pyspark.__file__).parent
#: each worker's
MEMORY = "1g"
EXECUTOR_MEMORY = "768m"
SERVER_MEMORY = "1500m"
#: where Spark puts what it spills; everything of a cluster inherits it, so that it is known by it
MARK = "SPARK_LOCAL_DIRS"


@dataclass(frozen=True)
class Cluster:
    """A running cluster."""

    folder: Path
    url: str  #: of its Connect server, token and all
    workers: tuple[int, ...]  #: their process groups: a worker, its executor, their Pythons

    @property
    def log(self) -> str:
        """What the Connect server, who drives the work, has said."""
        return (self.folder / "server.log").read_text()

    def executors(self) -> list[int]:
        """How many executors each worker has had."""
        return [len(list((self.folder / f"worker{number}").glob("app-*/*"))) for number in range(len(self.workers))]

    def processes(self) -> set[int]:
        """All that lives of it."""
        return processes_of_cluster(self.folder)


def processes_of_cluster(folder: Path) -> set[int]:
    """What lives of a cluster that was started in a folder."""
    return processes_with(MARK, str(folder / "local"))


@contextmanager
def running(folder: Path, workers: int = 2) -> Iterator[Cluster]:
    """A cluster for as long as the block lasts; should this process be killed, the kernel ends it too."""
    _configure(folder)
    started: list[subprocess.Popen[bytes]] = []
    ports = [engine._free_port() for _ in range(2)]
    token, master = secrets.token_hex(16), f"spark://127.0.0.1:{ports[0]}"
    try:
        started.append(_master(folder, ports[0]))
        started += [_worker(folder, number, master) for number in range(workers)]
        started.append(_server(folder, ports[1], master, token))
        groups = tuple(one.pid for one in started[1:-1])
        cluster = Cluster(folder, f"sc://localhost:{ports[1]}/;token={token}", groups)
        wait_until(lambda: all(cluster.executors()), 60, "each worker has an executor")
        wait_until(lambda: _listens(ports[1]), 60, "the Connect server listens")
        yield cluster
    finally:
        for one in started:
            kill_group(one.pid)
            one.wait()
        wait_until(lambda: not processes_of_cluster(folder), 10, "nothing is left of the cluster")


def _configure(folder: Path) -> None:
    """What a site says in its conf folder: how large executors are, and logs that hold no rows."""
    (folder / "conf").mkdir(parents=True)
    shutil.copy(ROOT / "jobs" / "log4j2.properties", folder / "conf")
    conf = {"spark.executor.memory": EXECUTOR_MEMORY, "spark.sql.shuffle.partitions": "4"}
    (folder / "conf" / "spark-defaults.conf").write_text("".join(f"{name} {value}\n" for name, value in conf.items()))


def _master(folder: Path, port: int) -> subprocess.Popen[bytes]:
    options = ["--host", "127.0.0.1", "--port", str(port), "--webui-port", "0"]
    master = _start(folder, "master", _spark_class("master.Master", *options))
    wait_until(lambda: _listens(port), 60, "the master listens")
    return master


def _worker(folder: Path, number: int, master: str) -> subprocess.Popen[bytes]:
    options = ["--host", "127.0.0.1", "--webui-port", "0", "--cores", "1", "--memory", MEMORY]
    place = ["--work-dir", str(folder / f"worker{number}")]
    return _start(folder, f"worker{number}", _spark_class("worker.Worker", *options, *place, master))


def _server(folder: Path, port: int, master: str, token: str) -> subprocess.Popen[bytes]:
    where = {"SPARK_MASTER": master, "SPARK_PORT": str(port), "SPARK_MEMORY": SERVER_MEMORY}
    command = [sys.executable, "-m", "jobs.engine"]
    return _start(folder, "server", command, where | {engine.TOKEN_VARIABLE: token})


def _spark_class(name: str, *options: str) -> list[str]:
    return [str(HOME / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}", *options]


def _start(
    folder: Path, name: str, command: list[str], more: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a process in a group of its own, below no Python of ours but of the same death."""
    ours = {
        MARK: str(folder / "local"),
        "SPARK_HOME": str(HOME),
        "SPARK_CONF_DIR": str(folder / "conf"),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_DAEMON_MEMORY": "256m",
    }
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "JAVA_HOME", "LANG")}
    with (folder / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=kept | ours | (more or {}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=engine._die_with_parent,  # noqa: PLW1509  # nothing of ours has threads here
        )


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.5).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    with running(Path(sys.argv[1])) as found:
        print(found.url, flush=True)
        while True:
            time.sleep(1)
