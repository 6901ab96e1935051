"""What every training shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    #: Told the phase, the share of it done, and the running loss (NaN outside training).
    Progress = Callable[[str, float, float], None]

#: Identity seeds on which gates are measured: no network trains on them.
UNSEEN = range(900_000, 900_040)


def rounded(value: Any) -> Any:
    """Gates with their figures rounded, as model cards hold them."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return round(value, 4) if isinstance(value, float) else value
