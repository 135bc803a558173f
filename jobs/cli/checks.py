"""The checks of ``regulars doctor``: each says one line, and the mend where something is wrong."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from jobs import engine, reachable
from jobs.cli import expressions, sampling
from jobs.errors import ContractError, EnvironmentFault, RegularsError, TransientFault, UsageError
from jobs.mapping import check_mappings
from jobs.settings import Settings, config_path, load_settings
from jobs.source_settings import Source
from jobs.steps import belonging
from jobs.storage.manifest import damaged_files
from jobs.storage.night import Night
from jobs.storage.warehouse import Warehouse

SOURCE_SECONDS = 20.0
FREE_BYTES = 1 << 30
REPAIR = "regulars doctor --repair"


@dataclass(frozen=True)
class Result:
    """What a check found."""

    name: str
    said: str
    mend: str | None = None  #: None when all is well


Check = Callable[[], str]


def results(*, deep: bool) -> Iterator[Result]:
    """Every check in turn; without a configuration those that need none."""
    try:
        settings = load_settings()
    except RegularsError as error:
        yield Result("configuration", error.message, error.next_command)
        yield _judged("packages", packages)
        return
    yield Result("configuration", str(config_path()))
    yield _judged("time zones", lambda: _time_zones(settings))
    yield _judged("mappings", lambda: _mappings(settings))
    yield _judged("segments", lambda: reachable.check(settings))
    ready = _judged("engine", lambda: _engine(settings))
    yield ready
    if not ready.mend:
        yield _judged("expressions", lambda: expressions.check(settings))
    yield _judged("packages", packages)
    for name, source in sorted(settings.sources.items()):
        yield _judged(f"source {name}", lambda name=name, source=source: source_reachable(settings, name, source))  # type: ignore[misc]  # bound early
    warehouse = Warehouse(settings.warehouse)
    yield _judged("warehouse", lambda: writable(warehouse))
    yield _judged("keys", lambda: belonging.check_key(settings.privacy.key_id, warehouse))
    yield _judged("chain", lambda: belonging.check_chain(settings, warehouse))
    yield _judged("current night", lambda: pointer(warehouse, deep=deep))


def _judged(name: str, check: Check) -> Result:
    """Run a check; one that raises has failed."""
    try:
        return Result(name, check())
    except RegularsError as error:
        return Result(name, error.message, error.next_command)
    except OSError as error:
        said = f"{error.strerror or type(error).__name__}: {error.filename or ''}"
        return Result(name, said, "check the permissions")
    except Exception as error:  # a check that breaks must not hide the others; its words might hold a value
        return Result(name, f"the check failed with {type(error).__name__}", "report this as a fault of Regulars")


def _time_zones(settings: Settings) -> str:
    named = {settings.time_zone, *(s.time_zone for s in settings.sources.values() if s.time_zone)}
    for name in sorted(named):
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise UsageError(f"there is no time zone {name}", next_command="edit regulars.toml: time_zone") from None
    return ", ".join(sorted(named))


def _mappings(settings: Settings) -> str:
    check_mappings(settings)
    feeds = sum(len(source.feeds) for source in settings.sources.values())
    return f"{feeds} feeds of {len(settings.sources)} sources"


def _engine(settings: Settings) -> str:
    url, instead = engine.choose(settings)
    ready = engine_ready(url)
    return f"{ready} ({instead})" if instead else ready


def engine_ready(url: str) -> str:
    """The chosen engine can be started, or is there.

    Raises:
        EnvironmentFault: it cannot.
    """
    if url == "sail":
        if not engine.sail_is_installed():
            raise EnvironmentFault("Sail is not installed", next_command="pip install 'regulars[sail]'")
    elif url.startswith("sc://"):
        place = urlsplit(url.partition(";")[0])
        try:
            socket.create_connection((place.hostname or "", place.port or 15002), 3).close()
        except OSError as error:
            raise EnvironmentFault(
                f"nothing listens at {place.hostname}:{place.port or 15002} ({type(error).__name__})",
                next_command="start the Connect server, or set engine in regulars.toml",
            ) from None
    elif problem := engine.java_problem():
        raise EnvironmentFault(problem, next_command='install it, or set engine = "sail" in regulars.toml')
    return url.partition(";")[0]


def packages() -> str:
    """No package has overwritten another's files, as pyspark-client does to pyspark.

    Raises:
        EnvironmentFault: one has.
    """
    mend = "make install, which leaves pyspark-client out"
    if _installed("pyspark-client") is not None:
        raise EnvironmentFault("pyspark-client is installed and overwrites files of pyspark", next_command=mend)
    spark = _installed("pyspark")
    if spark is None:
        raise EnvironmentFault("pyspark is not installed", next_command=mend)
    changed = changed_files(spark)
    if changed:
        raise EnvironmentFault(f"{len(changed)} files of pyspark are not its own, as {changed[0]}", next_command=mend)
    return f"pyspark {spark.version}, its Connect files as released"


def _installed(name: str) -> importlib.metadata.Distribution | None:
    try:
        return importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def changed_files(package: importlib.metadata.Distribution, below: str = "pyspark/sql/connect") -> list[str]:
    """Python files below a folder that are missing or differ from the package's RECORD."""
    changed = []
    for file in package.files or []:
        if file.suffix == ".py" and file.hash is not None and str(file).startswith(below):
            path = Path(str(package.locate_file(file)))
            digest = hashlib.new(file.hash.mode, path.read_bytes()).digest() if path.is_file() else b""
            if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != file.hash.value:
                changed.append(str(file))
    return changed


def source_reachable(settings: Settings, name: str, source: Source) -> str:
    """The first rows of every feed can be read within some seconds.

    Raises:
        RegularsError: they cannot.
    """
    quick = source.model_copy(update={"timeout_seconds": 5.0, "max_attempts": 1, "settle_seconds": 0.0})
    said: list[str] = []
    fault: list[Exception] = []

    def look() -> None:
        try:
            for feed_name, feed in sorted(source.feeds.items()):
                sample = sampling.read(settings, (name, feed_name), quick, feed, 1, None)
                said.append(feed_name if sample.rows else f"{feed_name} (no rows)")
        except Exception as error:
            fault.append(error)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(SOURCE_SECONDS)
    if fault:
        raise fault[0]
    if thread.is_alive():
        raise TransientFault(f"no answer within {SOURCE_SECONDS:.0f} s", next_command=f"regulars check-source {name}")
    return f"{source.kind}, feeds {', '.join(said)}"


def writable(warehouse: Warehouse) -> str:
    """The warehouse can be written and its disk has room.

    Raises:
        EnvironmentFault: it cannot, or has not.
    """
    warehouse.check_writable()
    free = shutil.disk_usage(warehouse.root).free
    if free < FREE_BYTES:
        raise EnvironmentFault(
            f"{free / FREE_BYTES:.2f} GiB free below {warehouse.root}",
            next_command="make room, or lower retention.nights",
        )
    return f"{warehouse.root}, {free / FREE_BYTES:.0f} GiB free"


def pointer(warehouse: Warehouse, *, deep: bool) -> str:
    """``current`` leads to a published night with a readable manifest, and the derived links follow it.

    Raises:
        ContractError: they do not, or with ``deep`` a file is not what the manifest says.
    """
    for night in warehouse.published():
        if not readable(night):
            raise ContractError(f"the manifest of {night.path.name} is damaged", next_command=REPAIR)
    shown = warehouse.current()
    if shown is None:
        if warehouse.published():
            raise ContractError("nights are published and current points at none", next_command=REPAIR)
        return "nothing is published yet"
    if warehouse.published_link.resolve() != (shown.path / "published").resolve():
        raise ContractError(f"{warehouse.published_link} does not lead to the current night", next_command=REPAIR)
    if deep and (damaged := damaged_files(shown)):
        said = f"{len(damaged)} files of {shown.path.name} are damaged, as {damaged[0]}"
        raise ContractError(said, next_command=REPAIR)
    checked = f"{len(shown.manifest()['files'])} files hashed" if deep else "files not hashed (--deep)"
    return f"{shown.date} run {shown.run}, {checked}"


def readable(night: Night) -> bool:
    """A night's manifest can be read and has what a manifest has."""
    try:
        manifest = night.manifest()
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and {"files", "steps", "base"} <= manifest.keys()
