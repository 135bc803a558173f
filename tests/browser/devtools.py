"""A headless Chromium under the DevTools protocol, over a pair of pipes: no driver, no library, no port.

The protocol is Chromium's own: JSON messages that end in a NUL byte, written to its descriptor 3 and read from 4.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
SECONDS = 30.0
QUIET = (
    "--headless=new", "--remote-debugging-pipe", "--no-first-run", "--no-default-browser-check", "--disable-gpu",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--disable-dev-shm-usage", "--hide-scrollbars",
)  # fmt: skip


def executable() -> str:
    """Where Chromium is: ``CHROMIUM``, or a usual name on the path.

    Raises:
        FileNotFoundError: there is none; the message says how to get one.
    """
    found = next(filter(None, map(shutil.which, (os.environ.get("CHROMIUM", ""), *NAMES))), None)
    if found is None:
        raise FileNotFoundError("no Chromium found; next: apt-get install chromium, or set CHROMIUM to its path")
    return found


class Page:
    """One tab. Everything that the browser says about it is kept in ``events``."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to, self._from = to_browser, from_browser
        self._buffer, self._number = b"", 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        message |= {"sessionId": self._session} if self._session else {}
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while (said := self._next()).get("id") != self._number:
            self.events.append(said)
        assert "error" not in said, said["error"]
        result: dict[str, Any] = said["result"]
        return result

    def wait_for(self, method: str) -> None:
        """Wait for an event that has not been seen yet."""
        while (said := self._next())["method"] != method:
            self.events.append(said)
        self.events.append(said)

    def _next(self) -> dict[str, Any]:
        deadline = time.monotonic() + SECONDS
        while b"\0" not in self._buffer:
            assert time.monotonic() < deadline, "the browser says nothing"
            data = os.read(self._from, 1 << 16)
            assert data, "the browser has gone"
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found

    def open(self, address: str) -> None:
        """Load a page anew and wait until it is there; what was said of an earlier one is forgotten."""
        self.events.clear()
        self.ask("Page.navigate", url=address)
        if not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.wait_for("Page.loadEventFired")

    def look(self, *, width: int, dark: bool = False, media: str = "screen") -> None:
        """Set the window's width, the colours a reader prefers, and screen or print."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def compute(self, expression: str) -> Any:
        """The value of a JavaScript expression, which the page's own policy does not hinder."""
        found = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def requests(self) -> list[str]:
        """Addresses that the page asked for, but for those that carry their content themselves."""
        asked = [e["params"]["request"]["url"] for e in self.events if e["method"] == "Network.requestWillBeSent"]
        return [address for address in asked if not address.startswith("data:")]

    def complaints(self) -> list[str]:
        """Exceptions of scripts, and whatever the console or the browser's log says."""
        kinds = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
        return [json.dumps(event["params"]) for event in self.events if event["method"] in kinds]

    def picture(self, path: Path) -> None:
        """The whole page, from top to bottom, as a PNG."""
        found = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(found["data"]))


@contextmanager
def chromium(profile: Path) -> Iterator[Page]:
    """Start Chromium with an empty profile, and end it.

    Args:
        profile: an empty folder of its own.
    """
    (browser_reads, we_write), (we_read, browser_writes) = os.pipe(), os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 100) for end in (browser_reads, browser_writes)]
    arguments = [executable(), *QUIET, f"--user-data-dir={profile}", "about:blank"]
    if os.geteuid() == 0:  # Chromium's sandbox does not work for root
        arguments.insert(1, "--no-sandbox")
    with (profile / "chromium.log").open("wb") as log:
        process = os.posix_spawn(
            arguments[0], arguments, os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, log.fileno(), 1), (os.POSIX_SPAWN_DUP2, log.fileno(), 2),
                (os.POSIX_SPAWN_DUP2, high[0], 3), (os.POSIX_SPAWN_DUP2, high[1], 4),
            ],
            setpgroup=0,
        )  # fmt: skip
    for end in (browser_reads, browser_writes, *high):
        os.close(end)
    try:
        yield Page(we_write, we_read)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(we_write)
        os.close(we_read)
