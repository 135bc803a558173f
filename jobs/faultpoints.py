"""Named points at which a test can kill a run: the process stops itself where ``REGULARS_KILL_AT`` says.

A real SIGKILL from inside, so that a fault test can hit an exact moment. Without the variable, which
only fault tests set, reaching a point does nothing.
"""

from __future__ import annotations

import os
import signal

VARIABLE = "REGULARS_KILL_AT"


def reach(point: str) -> None:
    """Die here if a fault test asked for it: the whole process group, as an operator's ``kill -9`` would."""
    if os.environ.get(VARIABLE) == point:
        os.killpg(os.getpgrp(), signal.SIGKILL)
