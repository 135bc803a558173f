"""The example business, end to end: ``python -m jobs.sample.demo grocer`` (``make run``), or ``restaurant``.

Lays out the business, starts its online shop and an Airflow, has Airflow's scheduler run the nights one after the
other, stops everything again and shows what was published. What is already there is not made again.
``--airflow`` keeps Airflow in the foreground instead, to look at it and to trigger runs (``make airflow``).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NoReturn

import httpx

from jobs import engine
from jobs.errors import EnvironmentFault, RegularsError
from jobs.keeper import Keeper
from jobs.sample.dag_runs import run_nights, say, under_way
from jobs.sample.files import DAILY_NIGHTS
from jobs.sample.standalone import DAG, USER, Airflow, standalone
from jobs.settings import load_settings
from jobs.steps.inputs import code_version, settings_hash
from jobs.storage import files
from jobs.storage.night import REPORT
from jobs.storage.warehouse import Warehouse

HERE = Path(__file__).parent
REGULARS = str(Path(sys.executable).with_name("regulars"))
MARKER = ".laid_out"
RECEIPT = ".nights.json"


@dataclass(frozen=True)
class Business:
    """One of the examples: the command that makes it, its last night, where it is kept."""

    name: str
    what: str
    made_by: tuple[str, ...]
    last_night: date
    warehouse: str

    @property
    def nights(self) -> list[date]:
        """The business dates that are run; the first one loads all history."""
        return [self.last_night - timedelta(days=back) for back in reversed(range(DAILY_NIGHTS))]

    @property
    def folder(self) -> Path:
        """Where its source systems are laid out."""
        return Path.cwd() / "business" / self.name

    def environment(self) -> dict[str, str]:
        """Settings of the pipeline for this business; the key and the token are public examples."""
        lines = (HERE / "example.env").read_text(encoding="utf-8").splitlines()
        example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        return example | {
            "REGULARS_CONFIG": str(HERE / f"{self.name}.toml"),
            "REGULARS_SAMPLE": str(self.folder),
            "REGULARS_WAREHOUSE": str(Path.cwd() / self.warehouse),
            "REGULARS_SCHEDULE": "",  # the data is of the past: nights run when they are asked for
        }


BUSINESSES = {
    "grocer": Business(
        "grocer",
        "real purchases of 2017, contact data invented",
        (sys.executable, "-m", "jobs.sample", "grocer"),
        date(2017, 12, 31),
        "warehouse",
    ),
    "restaurant": Business(
        "restaurant",
        "a generated chain; everything in it is SYNTHETIC",
        (REGULARS, "generate", "--customers", "2000", "--days", "365", "--seed", "7", "--last-date", "2026-06-30"),
        date(2026, 6, 30),
        "warehouse-restaurant",
    ),
}


def lay_out(business: Business) -> None:
    """Make the source systems, unless the same generator has made them already."""
    made_by = json.dumps([business.made_by[1:], _hash_of(sorted(HERE.rglob("*.py")))])
    marker = business.folder / MARKER
    if marker.is_file() and marker.read_text() == made_by:
        say(f"business: {business.folder} is there")
        return
    started = time.monotonic()
    marker.unlink(missing_ok=True)
    subprocess.run([*business.made_by, "--out", str(business.folder)], check=True, stdout=subprocess.DEVNULL)
    marker.write_text(made_by)
    say(f"business: laid out in {business.folder} in {time.monotonic() - started:.1f} s")


def inputs(business: Business) -> dict[str, str]:
    """Hashes of what the nights follow from: the source systems, the code, the settings."""
    sources = [path for path in sorted(business.folder.rglob("*")) if path.is_file() and path.name[0] != "."]
    return {
        "sources": _hash_of([path for path in sources if "truth" not in path.parts]),
        "code": code_version(),
        "settings": settings_hash(load_settings()),
    }


def _hash_of(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            digest.update(path.name.encode() + b"\0" + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def owed(business: Business, warehouse: Warehouse) -> list[date]:
    """The nights that are not published yet, or not from these inputs: the first such one and all after it."""
    receipt = business.folder / RECEIPT
    said: dict[str, Any] = files.read_json(receipt) if receipt.is_file() else {}
    if said.get("inputs") != inputs(business):
        return business.nights
    for number, day in enumerate(business.nights):
        night = warehouse.latest(day)
        if night is None or said["runs"].get(str(day)) != night.run or warehouse.is_stale(night):
            return business.nights[number:]
    return []


def note(business: Business, warehouse: Warehouse) -> None:
    """Keep which run of each night came from which inputs."""
    runs = {str(night.date): night.run for night in warehouse.published()}
    files.write_json(business.folder / RECEIPT, {"inputs": inputs(business), "runs": runs})


@contextmanager
def online_shop(business: Business) -> Iterator[None]:
    """The online shop's API while it is needed; its address goes into ``ONLINE_API_HOST``."""
    with tempfile.TemporaryDirectory() as folder:
        listening = Path(folder) / "port"
        command = [sys.executable, "-m", "jobs.sample.server", "--port-file", str(listening)]
        server = subprocess.Popen(
            [*command, "--database", str(business.folder / "online.sqlite")], stdout=subprocess.DEVNULL
        )
        try:
            os.environ["ONLINE_API_HOST"] = f"127.0.0.1:{_port_of(server, listening)}"
            yield
        finally:
            server.terminate()
            server.wait()


def _port_of(server: subprocess.Popen[bytes], listening: Path, seconds: float = 30.0) -> int:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.poll() is None:
        if listening.is_file():
            return int(listening.read_text())
        time.sleep(0.05)
    raise EnvironmentFault("the online shop's API did not start", next_command="python -m jobs.sample.server --help")


def free_warehouse(warehouse: Warehouse) -> None:
    """Stop the keeper of a run that was cut short, so that its engine goes too."""
    holder = Keeper.of(warehouse, "none").lock.holder()
    if holder and holder.get("run"):
        Keeper.of(warehouse, str(holder["run"])).stop()


def bring_up_to_date(business: Business, warehouse: Warehouse) -> None:
    """Run what is owed through Airflow."""
    nights = owed(business, warehouse)
    if not nights:
        say(f"nights: {business.nights[0]} to {business.nights[-1]} are published from these inputs; nothing to run")
        return
    chosen = choose_engine()
    say(f"airflow: starting in {home()}")
    home().mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with online_shop(business), shared_engine(chosen), standalone(home()) as airflow:
            run_nights(airflow, business.name, nights)
    finally:
        free_warehouse(warehouse)
    note(business, warehouse)


@contextmanager
def shared_engine(chosen: str) -> Iterator[None]:
    """One engine for all the nights, as a cluster is one for many; its address goes into ``REGULARS_ENGINE``.

    A JVM is slow until it has compiled what it runs often, so nights one after the other are quicker on the same one.
    """
    if chosen.startswith("sc://"):
        yield
        return
    with engine.running(chosen, load_settings().engine_options, home() / "engine.log") as url:
        os.environ["REGULARS_ENGINE"] = url
        try:
            yield
        finally:
            os.environ["REGULARS_ENGINE"] = chosen


def home() -> Path:
    """Airflow's own folder."""
    return Path.cwd() / ".airflow"


def choose_engine() -> str:
    """The engine of the nights; says so where Sail takes Spark's place for want of Java.

    Raises:
        EnvironmentFault: Spark is wanted and there is no fitting Java.
    """
    chosen, instead = engine.choose(load_settings())
    if instead:
        say(f"engine: {instead}")
    problem = engine.java_problem() if chosen.startswith("local") else None
    if problem:
        raise EnvironmentFault(
            problem, next_command="install it and type `make run` again, or set REGULARS_ENGINE=sail"
        )
    return chosen


def stay(business: Business) -> None:
    """Keep the online shop and Airflow in the foreground until interrupted."""
    choose_engine()
    try:
        with online_shop(business), standalone(home()) as airflow, closing(airflow.wait_until_ready()) as client:
            say(f"airflow: {airflow.url}  user {USER}  password {airflow.password()}")
            say(f"trigger a night there (DAG {DAG}, business_date {business.nights[0]} to {business.nights[-1]})")
            say("Ctrl-C stops it")
            _wait_for_interrupt(airflow, client)
    finally:
        free_warehouse(Warehouse(load_settings().warehouse))


def _wait_for_interrupt(airflow: Airflow, client: httpx.Client) -> None:
    """Wait; with a run under way the interruption is passed on, and what is half done will be forgotten."""
    try:
        airflow.process.wait()
    except KeyboardInterrupt:
        if under_way(client):
            raise
        say("stopping")


def show(business: Business, warehouse: Warehouse, seconds: float) -> None:
    """The published tables, where they are, how to look further."""
    say()
    subprocess.run([REGULARS, "tables"], check=True)
    say()
    say(f"tables    {warehouse.published_link}/<table>/*.parquet ({business.name}: {business.what})")
    say(f"quality   {warehouse.published_link}/{REPORT} (open it in a browser)")
    say(f"Airflow   make airflow BUSINESS={business.name}")
    say(f"total     {seconds:.0f} s")


def _interrupted(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def main(argv: Sequence[str] | None = None) -> int:
    """Run or keep open an example business."""
    parser = argparse.ArgumentParser(prog="python -m jobs.sample.demo", description=__doc__.split("\n")[0])
    parser.add_argument("business", choices=sorted(BUSINESSES))
    parser.add_argument("--airflow", action="store_true", help="keep Airflow in the foreground")
    options = parser.parse_args(argv)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    try:
        _serve(BUSINESSES[options.business], only_airflow=options.airflow)
    except RegularsError as error:
        print(f"error: {error.message}\n next: {error.next_command}", file=sys.stderr)
        return error.exit_code
    except httpx.HTTPError as error:
        print(f"error: Airflow: {error}\n next: read {home() / 'standalone.log'}", file=sys.stderr)
        return 3
    except subprocess.CalledProcessError as error:
        return error.returncode  # it has said why
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    return 0


def _serve(business: Business, *, only_airflow: bool) -> None:
    started = time.monotonic()
    os.environ.update(business.environment())
    say(f"{business.name}: {business.what}")
    business.folder.mkdir(parents=True, exist_ok=True)
    lay_out(business)
    if only_airflow:
        stay(business)
        return
    warehouse = Warehouse(load_settings().warehouse)
    bring_up_to_date(business, warehouse)
    show(business, warehouse, time.monotonic() - started)


if __name__ == "__main__":
    sys.exit(main())
