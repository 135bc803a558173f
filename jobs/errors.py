"""The four ways in which work can stop, each with its exit code and the next command.

An error says what failed, which file, rule or setting, and what to do now. It never holds a value
from a customer's row.
"""

from __future__ import annotations


class RegularsError(Exception):
    """Something a person has to act on.

    Args:
        message: what failed and where, in one sentence.
        next_command: what to type or mend next.
    """

    exit_code = 1

    def __init__(self, message: str, *, next_command: str = "regulars doctor") -> None:
        super().__init__(message)
        self.message = message
        self.next_command = next_command
        self.report: str | None = None  #: where the page about the night that it stopped is


class ContractError(RegularsError):
    """Data or a contract is not as promised; trying again without a change cannot help."""

    exit_code = 1


class UsageError(RegularsError):
    """A command, an argument or a setting is wrong."""

    exit_code = 2


class EnvironmentFault(RegularsError):
    """The machine or an account is not fit: no Java, no space, read-only, wrong password."""

    exit_code = 3


class TransientFault(RegularsError):
    """Something outside did not answer this time; the same command may work later (EX_TEMPFAIL)."""

    exit_code = 75
