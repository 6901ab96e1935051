"""Numbers that a user sets in the environment."""

from __future__ import annotations

import os

from vdf_bench.core.errors import UserError

#: Less would ask a store without a pause; more is no end.
LEAST, MOST = 1.0, 1e6


def seconds(variable: str, otherwise: float) -> float:
    """Seconds, 1 to 1e6, that an environment variable gives; ``otherwise`` where it is not set or empty.

    Raises:
        UserError: it holds no number, or one out of bounds.
    """
    text = os.environ.get(variable, "").strip()
    if not text:
        return otherwise
    try:
        value = float(text)
    except ValueError:
        raise UserError(f"{variable}={text!r} is not a number: give seconds, or unset the variable") from None
    if not LEAST <= value <= MOST:
        raise UserError(f"{variable}={text} is out of range: give seconds, {LEAST:g} to {MOST:g}")
    return value
