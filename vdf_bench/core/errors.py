"""The errors that are one line, not a traceback."""

from __future__ import annotations

from typing import ClassVar


class UserError(Exception):
    """Bad input: one clear line that says what to do. The command line prints it and exits with ``code``."""

    code: ClassVar[int] = 2


class IncompleteError(UserError):
    """A run that was asked for well and has nothing to show yet: the same command goes on from there."""

    code = 3


class StoreError(UserError):
    """A place that cannot be written, is full or does not answer: no step can go on."""
