"""Ctrl-C that is remembered: what it raises is lost where Python was in a library's callback or finaliser just then."""

from __future__ import annotations

import signal
from threading import Event
from types import FrameType

_heard = Event()


def listen() -> None:
    """Remember Ctrl-C from here on. A process that was started without it, as by nohup, stays without it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _hear)


def check() -> None:
    """Stop here if somebody wanted to stop before.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed since :func:`listen`.
    """
    if _heard.is_set():
        raise KeyboardInterrupt


def _hear(number: int, frame: FrameType | None) -> None:
    _heard.set()
    signal.default_int_handler(number, frame)
