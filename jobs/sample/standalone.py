"""An ``airflow standalone`` on SQLite of its own: started, asked over its REST API, stopped with all it started."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]  # has no stubs

from jobs.errors import EnvironmentFault

DAG = "nightly"
DAGS_FOLDER = Path(__file__).parents[2] / "dags"
USER = "admin"
PREFERRED_PORT = 8080
READY_SECONDS = 240.0
#: a standalone is ten processes that wait for each other when asked to end; not waiting for them loses nothing
STOP_SECONDS = 3.0
_UNFINISHED = "unfinished"


def free_port(preferred: int = 0) -> int:
    """The preferred port of 127.0.0.1 if nobody listens there, else any free one."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise EnvironmentFault("no free port on 127.0.0.1")


def airflow_environment(home: Path, port: int) -> dict[str, str]:
    """Settings of a small, quick Airflow for one machine, on top of this process's environment.

    The scheduler looks for the next task every quarter of a second instead of every second: with some fifteen
    tasks in a row that is most of what Airflow adds to a night.
    """
    beside = str(Path(sys.executable).parent)
    return os.environ | {
        "PATH": f"{beside}{os.pathsep}{os.environ.get('PATH', '')}",
        "NO_PROXY": f"127.0.0.1,localhost,{os.environ.get('NO_PROXY', '')}",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS_FOLDER),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__PARALLELISM": "3",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64),
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.25",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "REGULARS_EXECUTABLE": os.environ.get("REGULARS_EXECUTABLE", str(Path(beside) / "regulars")),
    }


@dataclass
class Airflow:
    """A running standalone."""

    home: Path
    port: int
    process: subprocess.Popen[bytes]
    started: datetime

    @property
    def url(self) -> str:
        """Address of its page and its API."""
        return f"http://127.0.0.1:{self.port}"

    def password(self) -> str:
        """The administrator's password, which Airflow made up and keeps in its home."""
        said = json.loads((self.home / "simple_auth_manager_passwords.json.generated").read_text())
        return str(said[USER])

    def wait_until_ready(self) -> httpx.Client:
        """A client that is logged in, once the scheduler works and the DAG has been read.

        Raises:
            EnvironmentFault: it ended, could not read the DAG, or took too long.
        """
        client = httpx.Client(base_url=self.url, timeout=30.0, trust_env=False)
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise self._fault("airflow standalone ended by itself")
            if self._is_ready(client):
                return client
            time.sleep(0.3)
        raise self._fault(f"airflow standalone was not ready after {READY_SECONDS:.0f} s")

    def _is_ready(self, client: httpx.Client) -> bool:
        try:
            if "Authorization" not in client.headers:
                answer = client.post("/auth/token", json={"username": USER, "password": self.password()})
                client.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['access_token']}"
            health = client.get("/api/v2/monitor/health").raise_for_status().json()
            errors = client.get("/api/v2/importErrors").raise_for_status().json()["import_errors"]
            dag = client.get(f"/api/v2/dags/{DAG}")
        except (httpx.HTTPError, OSError, ValueError, KeyError):
            return False
        if errors:
            raise self._fault(f"Airflow cannot import {errors[0]['filename']}: {errors[0]['stack_trace'][-500:]}")
        return health["scheduler"]["status"] == "healthy" and self._has_been_read(dag)

    def _has_been_read(self, dag: httpx.Response) -> bool:
        """The DAG as it is now, not as an earlier standalone left it in the database."""
        read = dag.json().get("last_parsed_time") if dag.status_code == httpx.codes.OK else None
        return read is not None and datetime.fromisoformat(read) > self.started - timedelta(seconds=1)

    def _fault(self, message: str) -> EnvironmentFault:
        return EnvironmentFault(message, next_command=f"read {self.home / 'standalone.log'}")

    def stop(self) -> None:
        """End it and everything it started, gently first."""
        family = _family(self.process.pid)
        for member in family:
            _quietly(member.terminate)
        _, alive = psutil.wait_procs(family, timeout=STOP_SECONDS)
        left = [*alive, *(late for one in alive for late in _family(one.pid))]
        for member in left:
            _quietly(member.kill)
        psutil.wait_procs(left, timeout=STOP_SECONDS)
        self.process.wait()


def _family(pid: int) -> list[psutil.Process]:
    try:
        head = psutil.Process(pid)
        return [head, *head.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _quietly(action: Callable[[], None]) -> None:
    with suppress(psutil.NoSuchProcess):
        action()


@contextmanager
def standalone(home: Path) -> Iterator[Airflow]:
    """Start ``airflow standalone`` with its home in ``home`` and stop it whatever happens.

    If the one before was interrupted, its database is dropped: the scheduler would take up its half-done runs.

    Raises:
        EnvironmentFault: another one is at work in the same home.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (home / "lock").open("w") as lock:
        _take(lock.fileno(), home)
        if (home / _UNFINISHED).exists():
            for path in home.glob("airflow.db*"):
                path.unlink()
        (home / _UNFINISHED).touch()
        airflow = _start(home, lock.fileno())
        try:
            yield airflow
        finally:
            airflow.stop()
        (home / _UNFINISHED).unlink()


def _take(descriptor: int, home: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise EnvironmentFault(
            f"an Airflow is at work in {home}", next_command="stop the other `make run` or `make airflow`"
        ) from None


def _start(home: Path, lock: int) -> Airflow:
    port = free_port(PREFERRED_PORT)
    environment = airflow_environment(home, port)
    started = datetime.now(UTC)
    with (home / "standalone.log").open("wb") as log:
        process = subprocess.Popen(
            [str(Path(sys.executable).parent / "airflow"), "standalone"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=(lock,),  # so that the home stays taken if this process is killed and Airflow is not
        )
    return Airflow(home, port, process, started)
