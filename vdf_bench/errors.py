"""The one kind of error that a user can cause."""

from __future__ import annotations


class UserError(Exception):
    """Bad input: one clear line that says what to do. The command line prints it and exits with code 2."""
