"""Named points at which a test can kill a run: the process stops itself where ``REGULARS_KILL_AT`` says.

A real SIGKILL from inside, so that a fault test can hit an exact moment: ``POINT``, or ``POINT#3`` for the third time
that the process comes by. Without the variable, which only fault tests set, reaching a point does nothing.
"""

from __future__ import annotations

import itertools
import os
import signal

VARIABLE = "REGULARS_KILL_AT"

_times = itertools.count(1)  # one step in C: threads cannot share a number


def reach(point: str) -> None:
    """Die here if a fault test asked for it: the whole process group, as an operator's ``kill -9`` would."""
    wanted, _, times = os.environ.get(VARIABLE, "").partition("#")
    if wanted == point and next(_times) == int(times or 1):
        os.killpg(os.getpgrp(), signal.SIGKILL)
