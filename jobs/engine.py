"""The engine: how to start one, and the session for its URL.

Every job speaks the Spark Connect API only, so an engine is an address. ``local[*]`` starts Apache
Spark's own Connect server on this machine, ``sail`` the Rust engine of the same API, and ``sc://`` is
somebody else's server. A started engine listens on 127.0.0.1, on a free port, behind a token.
"""

from __future__ import annotations

import ctypes
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.errors import EnvironmentFault
from jobs.settings import EngineOptions, Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

JAVA_VERSIONS = (17, 21)
TOKEN_VARIABLE = "SPARK_CONNECT_AUTHENTICATE_TOKEN"  # noqa: S105  # a name, no token
#: how an engine ends that ran out of memory: Spark of itself (its exit code), any by the kernel
_OUT_OF_MEMORY = {
    52: "ran out of the memory that it may have",
    -signal.SIGKILL: "was killed, as by a kernel that has no memory left",
}
_OF_A_SITE = (TOKEN_VARIABLE, "SPARK_CONF_DIR", "SPARK_LOCAL_DIRS", "PYSPARK_PYTHON")

#: what every session is told, whoever runs the server
SESSION_CONF = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "50000",
    # the folders of some hundred business dates are listed sooner than a job for it is started
    "spark.sql.sources.parallelPartitionDiscovery.threshold": "10000",
    # what lies together by business date is joined by date and order as it lies
    "spark.sql.requireAllClusterKeysForCoPartition": "false",
    # one side of a join that fits into memory, part by part, is hashed instead of sorting both
    "spark.sql.adaptive.maxShuffledHashJoinLocalMapThreshold": "64MB",
}

#: Throughput counts here, pauses do not. A night is many short queries, each with code of its own: the optimising
#: compiler takes up what runs ten times as long as it asks by default (docs/benchmarks.md)
JAVA_OPTIONS = (
    "-XX:+UseParallelGC",
    "-XX:Tier4InvocationThreshold=50000",
    "-XX:Tier4MinInvocationThreshold=6000",
    "-XX:Tier4CompileThreshold=150000",
    "-XX:Tier4BackEdgeThreshold=400000",
)


@dataclass(frozen=True)
class StartedEngine:
    """An engine that this process started and must stop."""

    url: str
    process: subprocess.Popen[bytes]

    def died(self, log: Path) -> EnvironmentFault | None:
        """How it ended by itself; None while it runs."""
        code = self.process.poll()
        if code is None:
            return None
        if code in _OUT_OF_MEMORY:
            return EnvironmentFault(
                f"the engine {_OUT_OF_MEMORY[code]}",
                next_command="engine_options.memory in regulars.toml bounds Spark (Sail has no bound); mend it or free "
                "memory, and run the night again",
            )
        return EnvironmentFault(f"the engine ended with code {code}", next_command=f"read {log}")

    def stop(self) -> None:
        """End it, gently first."""
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def java_problem() -> str | None:
    """What is wrong with this machine's Java, or None."""
    java = str(Path(os.environ["JAVA_HOME"]) / "bin" / "java") if "JAVA_HOME" in os.environ else shutil.which("java")
    wanted = " or ".join(map(str, JAVA_VERSIONS))
    if java is None or not Path(java).exists():
        return f"no Java found; Spark needs Java {wanted} (Debian: apt-get install openjdk-17-jre-headless)"
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    match = re.search(r'version "(\d+)', said)
    if match is None or int(match.group(1)) not in JAVA_VERSIONS:
        return f"Java {match.group(1) if match else '?'} found; Spark needs Java {wanted}"
    return None


def sail_is_installed() -> bool:
    """Sail's program stands beside this Python."""
    return _sail().exists()


def choose(settings: Settings) -> tuple[str, str | None]:
    """The engine of the settings and, where it is another one, a line that says so.

    Sail is it where nobody chose an engine, this machine has no fitting Java, and Sail is installed.
    """
    if "engine" in settings.model_fields_set or not sail_is_installed():
        return settings.engine, None
    problem = java_problem()
    return ("sail", f"{problem}: Sail is used instead") if problem else (settings.engine, None)


def start(engine: str, options: EngineOptions, log: Path) -> StartedEngine:
    """Start an engine as a child that dies with this process.

    Raises:
        EnvironmentFault: Java or Sail is missing, or the engine does not answer in time.
    """
    port, token = _free_port(), secrets.token_hex(16)
    if engine == "sail":
        command, url = _sail_command(port), f"sc://localhost:{port}"
        environment = dict(os.environ)
    else:
        problem = java_problem()
        if problem:
            raise EnvironmentFault(problem, next_command='regulars doctor; or set engine = "sail" in regulars.toml')
        command, url = _spark_command(engine, options, port), f"sc://localhost:{port}/;token={token}"
        environment = _spark_environment() | {TOKEN_VARIABLE: token}
    with log.open("ab") as stream:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            preexec_fn=_die_with_parent,  # noqa: PLW1509  # before any thread
        )
    started = StartedEngine(url, process)
    _wait_until_listening(started, port, options.start_seconds, log)
    return started


@contextmanager
def running(engine: str, options: EngineOptions, log: Path) -> Iterator[str]:
    """An engine for as long as the block lasts; gives its URL. See :func:`start`."""
    started = start(engine, options, log)
    try:
        yield started.url
    finally:
        started.stop()


def connect(url: str) -> SparkSession:
    """A session on a running engine.

    Raises:
        EnvironmentFault: it does not answer.
    """
    from pyspark.sql import SparkSession
    from pyspark.sql.connect.client.retries import DefaultPolicy

    try:
        session = SparkSession.Builder().config("spark.remote", url).getOrCreate()
        # by default an engine that is gone is asked again for ten minutes; here it is up or it is gone
        session.client.set_retry_policies(  # type: ignore[operator]  # a property, which mypy takes for a method
            [DefaultPolicy(max_retries=5, max_backoff=4000)]
        )
        for name, value in SESSION_CONF.items():
            _configure(session, name, value)
    except Exception as error:
        raise EnvironmentFault(
            f"the engine at {url.split(';', maxsplit=1)[0]} does not answer ({type(error).__name__})",
            next_command="regulars doctor",
        ) from error
    return session


def disconnect(session: SparkSession) -> None:
    """Release a session while its engine still runs; afterwards there is nobody to tell."""
    session.stop()


def _configure(session: SparkSession, name: str, value: str) -> None:
    if session.conf.get(name, "") != value:
        session.conf.set(name, value)


def _spark_command(
    engine: str, options: EngineOptions, port: int, address: str = "127.0.0.1", host: str = "127.0.0.1"
) -> list[str]:
    import pyspark

    cores = options.cores or os.cpu_count() or 1
    master = f"local[{options.cores}]" if engine == "local[*]" and options.cores else engine
    conf = {
        "spark.connect.grpc.binding.address": address,
        "spark.connect.grpc.binding.port": str(port),
        "spark.driver.bindAddress": host,
        "spark.driver.host": host,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.files.openCostInBytes": str(256 * 1024),
        "spark.hadoop.fs.permissions.umask-mode": "077",
        "spark.hadoop.fs.file.impl.disable.cache": "false",
        "spark.sql.catalogImplementation": "in-memory",
        **SESSION_CONF,
    }
    if master.startswith("local"):  # of a cluster its spark-defaults.conf says it
        conf["spark.sql.shuffle.partitions"] = str(max(2, cores * 2))
        # what is large is cut small enough to be sorted in memory; what is small is put together again
        conf["spark.sql.adaptive.coalescePartitions.initialPartitionNum"] = str(cores * 16)
    home = Path(pyspark.__file__).parent
    java = " ".join((*JAVA_OPTIONS, f"-Dlog4j2.configurationFile={Path(__file__).with_name('log4j2.properties')}"))
    command = [str(home / "bin" / "spark-submit"), "--master", master, "--driver-memory", options.memory]
    command += ["--driver-java-options", java, "--class", "org.apache.spark.sql.connect.service.SparkConnectServer"]
    for name, value in conf.items():
        command += ["--conf", f"{name}={value}"]
    return [*command, "spark-internal"]


def _spark_environment(host: str = "127.0.0.1") -> dict[str, str]:
    import pyspark

    ours = {
        "SPARK_HOME": str(Path(pyspark.__file__).parent),
        "SPARK_LOCAL_IP": host,
        "PYSPARK_PYTHON": sys.executable,
    }
    # the engine never needs a source's password or a pseudonym key
    kept = {
        name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "JAVA_HOME", "LANG", "TMPDIR")
    }
    return kept | ours


def _sail_command(port: int) -> list[str]:
    if not sail_is_installed():
        raise EnvironmentFault("Sail is not installed", next_command="pip install 'regulars[sail]'")
    return [str(_sail()), "spark", "server", "--ip", "127.0.0.1", "--port", str(port)]


def _sail() -> Path:
    return Path(sys.executable).with_name("sail")


def _die_with_parent() -> None:
    """Have the kernel end this child when its parent is gone, however it went (Linux; elsewhere it idles out)."""
    os.umask(0o077)
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_listening(started: StartedEngine, port: int, seconds: float, log: Path) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if fault := started.died(log):
            raise fault
        try:
            socket.create_connection(("127.0.0.1", port), 0.5).close()
            return
        except OSError:
            time.sleep(0.1)
    started.process.kill()
    raise EnvironmentFault(f"the engine did not listen within {seconds:.0f} s", next_command=f"read {log}")


def serve() -> None:
    """Become a Spark Connect server for others, as the container image does; the environment says where.

    ``SPARK_ADDRESS`` (127.0.0.1), ``SPARK_PORT`` (15002), ``SPARK_MEMORY`` (3g); for a cluster ``SPARK_MASTER``
    (``spark://...``; by default this machine is all there is), ``SPARK_HOST`` (127.0.0.1; where the workers reach this
    server), and Spark's own ``SPARK_CONF_DIR``, ``SPARK_LOCAL_DIRS`` and ``PYSPARK_PYTHON`` (the workers' Python).
    Without a token in ``SPARK_CONNECT_AUTHENTICATE_TOKEN`` whoever reaches the address may use it, so it has to be one
    that only the nightly run reaches.
    """
    os.umask(0o077)
    said = os.environ.get
    host, options = said("SPARK_HOST", "127.0.0.1"), EngineOptions(memory=said("SPARK_MEMORY", "3g"))
    address, port = said("SPARK_ADDRESS", "127.0.0.1"), int(said("SPARK_PORT", "15002"))
    command = _spark_command(said("SPARK_MASTER", "local[*]"), options, port, address, host)
    kept = {name: os.environ[name] for name in _OF_A_SITE if os.environ.get(name)}
    os.execve(command[0], command, _spark_environment(host) | kept)  # noqa: S606  # our own program, no shell


if __name__ == "__main__":
    serve()
