"""The ``regulars`` command.

Belongs here: arguments, messages, exit codes, and the one place where steps and gates meet. Does not
belong here: anything that a step, a gate or the storage could do.
"""

from jobs.cli.app import main

__all__ = ["main"]
