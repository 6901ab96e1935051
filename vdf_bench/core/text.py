"""Numbers in words."""

from __future__ import annotations

import math


def duration(seconds: float) -> str:
    """Such as ``0.25 s``, ``40 s``, ``12 min`` or ``3 h 20 min``; a dash where it is not finite."""
    if not math.isfinite(seconds):
        return "–"
    if seconds < 120:
        return f"{seconds:.3g} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours < 48 else f"{hours / 24:.0f} days"
