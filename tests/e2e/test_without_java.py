"""A machine without Java, as far as ``regulars`` can see: nights run on Sail, and whoever runs them is told."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.support import REGULARS, Business, processes_of, wait_until

CONFIG = """
[sources.pos]
kind = "files"
location = "${REGULARS_SAMPLE}"

[sources.pos.feeds.receipts.maps.orders]
order_id = "receipt"
store_id = "store"
channel = "'store'"
ordered_at = "sold_at"
"""


def regulars(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command that finds no Java."""
    found = Business(folder, "127.0.0.1:1").environment(folder / "warehouse")
    hidden = {name: value for name, value in found.items() if name not in ("JAVA_HOME", "REGULARS_ENGINE")}
    ours = {"PATH": str(folder), "REGULARS_CONFIG": str(folder / "chain.toml")}
    return subprocess.run([REGULARS, *arguments], env=hidden | ours, capture_output=True, text=True)


def test_a_night_is_opened_on_sail_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "chain.toml").write_text(CONFIG)
    done = regulars(tmp_path, "begin", "--date", "2026-06-30")
    assert done.returncode == 0, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("engine: no Java found") and line.endswith("Sail is used instead")

    wait_until(lambda: "sail spark server" in str(processes_of(tmp_path / "warehouse")), 20, "Sail is started")
    regulars(tmp_path, "end", "--run", json.loads(done.stdout)["run"])
