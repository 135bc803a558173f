"""Ctrl-C stops a night even where Python loses what it raises."""

from __future__ import annotations

import subprocess
import sys

LOST = """
import os, signal
from jobs.cli import interrupt, nights

class Finaliser:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(1000): pass

signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the tests were started with
interrupt.listen()
Finaliser()
print("lost")
try:
    nights.execute(None, "publish", None)
except KeyboardInterrupt:
    print("stopped")
"""
NOT_HEARD = """
import signal
from jobs.cli import interrupt

signal.signal(signal.SIGINT, signal.SIG_IGN)
interrupt.listen()
print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)
"""


def test_an_interruption_lost_in_a_finaliser_stops_the_next_step() -> None:
    done = subprocess.run([sys.executable, "-c", LOST], capture_output=True, text=True)
    assert "Exception ignored" in done.stderr  # Python itself goes on, which is what the test is about
    assert done.stdout == "lost\nstopped\n"


def test_a_process_started_without_ctrl_c_stays_without() -> None:
    done = subprocess.run([sys.executable, "-c", NOT_HEARD], capture_output=True, text=True)
    assert done.stdout == "True\n"
