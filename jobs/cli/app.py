"""The command line's frame: verbs, errors, exit codes."""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Any

import typer

from jobs.errors import RegularsError

app = typer.Typer(
    name="regulars",
    help="Nightly customer segmentation: run nights, look at what they published.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

#: exit code of a command that somebody stopped with Ctrl-C
INTERRUPTED = 130


def say(line: str) -> None:
    """One line to people; results for programs go to standard output instead."""
    print(line, file=sys.stderr, flush=True)


def answer(result: Any) -> None:
    """One line of JSON to programs."""
    print(json.dumps(result, default=str, ensure_ascii=False), flush=True)


def main() -> None:
    """Run a command and turn whatever happens into a message and an exit code.

    1 is data or a contract, 2 usage, 3 the environment, 75 something that may pass by itself, 130 Ctrl-C.
    """
    os.umask(0o077)
    from jobs.cli import approve, explain, interrupt, look, nights, prepare, preview, quarantine, refit, refresh

    interrupt.listen()
    for module in (nights, refresh, approve, look, explain, preview, refit, prepare, quarantine):
        module.register(app)
    try:
        if code := app(standalone_mode=False):  # typer returns the code of an exit, and of Ctrl-C
            if code == INTERRUPTED:
                say("error: interrupted; what was published before is untouched\n next: run the command again")
            sys.exit(code)
    except RegularsError as error:
        report = f"\n report: {error.report}" if error.report else ""
        say(f"error: {error.message}{report}\n next: {error.next_command}")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        # a full disk or a folder taken away; the file is named, never what was in it
        say(f"error: {error.strerror or type(error).__name__}: {error.filename or ''}\n next: regulars doctor")
        sys.exit(3)
    except Exception as error:
        _unexpected(error)


def _unexpected(error: Exception) -> None:
    """Usage errors of the command line itself, and faults of ours: where, never with a row's value."""
    show = getattr(error, "show", None)
    if callable(show):  # typer carries its own click, whose exceptions have no public base
        show()
        sys.exit(2)
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/jobs/" in frame.filename or "/expectations/" in frame.filename]
    where = "\n".join(f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in ours[-6:])
    condition = getattr(error, "getErrorClass", lambda: None)()
    full = "No space left on device" in str(error)
    cause = "no space left on the disk" if full else f"{type(error).__name__} {condition or ''}".strip()
    say(f"error: {cause}, at\n{where}\n next: regulars doctor")
    sys.exit(3 if full else 1)
