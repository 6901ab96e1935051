"""What a panel of defenses at equal strength holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdf_bench.stats import Agreement
    from vdf_bench.stats.curves import Curve


@dataclass(frozen=True)
class Effect:
    """What a defense does, up being the defender's.

    Attributes:
        name, unit: for headings.
        digits: shown after the point.
        of: the value of a summary row; NaN where it was not measured.
        ends: the 95 % interval of it, NaN where there is none.
        metric, factor: the metric behind it, and by what a person's effect on it is multiplied.
    """

    name: str
    unit: str
    digits: int
    metric: str
    factor: float
    of: Callable[[dict[str, Any]], float]
    ends: Callable[[dict[str, Any]], tuple[float, float]]

    @property
    def label(self) -> str:
        """``net DSR [%]``."""
        return f"{self.name} [{self.unit}]"


@dataclass(frozen=True)
class Panel:
    """The defenses under one attack.

    Attributes:
        attack: its name.
        plain: nothing purifies the published video.
        rows: summary rows of every defense at every budget.
        effects: those that were measured.
        curves: over the first of them, one a defense.
        swept: there are several budgets, so that curves can be drawn.
        people: defense -> person -> its curve on that person; no controls.
        seeds, victims: how well their orders of the defenses agree; None where there is nothing to compare.
    """

    attack: str
    plain: bool
    rows: list[dict[str, Any]]
    effects: tuple[Effect, ...]
    curves: tuple[Curve, ...]
    swept: bool
    people: dict[str, dict[str, Curve]] = field(default_factory=dict)
    seeds: Agreement | None = None
    victims: Agreement | None = None
