"""The watch over a fit: time is limited and the loss must stay finite."""

from __future__ import annotations

import math
import time

from vdf_bench.core.interfaces import FitFailed


class Watch:
    """Ends a fit that runs too long or diverges.

    Args:
        timeout: wall seconds from now.
    """

    def __init__(self, timeout: float) -> None:
        self._end = time.monotonic() + timeout

    def check(self, iteration: int, loss: float) -> None:
        """Raise :class:`FitFailed` where ``loss`` is not finite or the time is up."""
        if not math.isfinite(loss):
            raise FitFailed("diverged", f"nan@iteration {iteration}")
        if time.monotonic() >= self._end:
            raise FitFailed("timed-out", f"timeout@iteration {iteration}")
