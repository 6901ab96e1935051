"""Protection against fidelity: the curve of a defense over its budgets, and defenses compared at equal strength.

Two defenses may be compared at an equal bound, or at an equal price to the viewer, the PSNR of what is published. The
first favours whoever spends the whole bound; the second asks what a viewer asks. Between two budgets of a defense the
effect is interpolated linearly over PSNR; beyond its budgets nothing is said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Steps between the PSNR values at which defenses are compared, dB.
_STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 10.0)


@dataclass(frozen=True)
class Point:
    """A defense at one budget.

    Attributes:
        linf, floor: the budget, in 8-bit levels and dB.
        psnr: of the protected video, dB.
        effect: up is the defender's.
    """

    linf: float
    floor: float
    psnr: float
    effect: float


@dataclass(frozen=True)
class Curve:
    """A defense at several budgets.

    Attributes:
        defense: its name.
        control: it is a yardstick, and takes no rank.
        points: finite, in any order.
    """

    defense: str
    control: bool
    points: tuple[Point, ...]

    @property
    def span(self) -> tuple[float, float]:
        """Lowest and highest PSNR, dB."""
        values = [point.psnr for point in self.points]
        return min(values), max(values)

    def at_budget(self, linf: float, floor: float = 0.0) -> float | None:
        """The effect measured at a budget; None where it was not run."""
        return next((p.effect for p in self.points if p.linf == linf and p.floor == floor), None)

    def at_psnr(self, psnr: float) -> float | None:
        """The effect at ``psnr`` dB, linear between neighbours; None outside :attr:`span`, never extrapolated.

        Points of one PSNR, such as two bounds under one binding floor, are averaged.
        """
        low, high = self.span
        if not low <= psnr <= high:
            return None
        where = sorted({point.psnr for point in self.points})
        means = [np.mean([point.effect for point in self.points if point.psnr == at]) for at in where]
        return float(np.interp(psnr, where, means))


def common_budgets(curves: Sequence[Curve]) -> list[tuple[float, float]]:
    """The budgets (bound, floor) at which two curves or more were measured."""
    budgets = [{(point.linf, point.floor) for point in curve.points} for curve in curves]
    return sorted({shared for a, b in combinations(budgets, 2) for shared in a & b})


def common_psnr(curves: Sequence[Curve], most: int = 5) -> list[float]:
    """Round PSNR values, dB, that two curves or more reach: at most ``most``, evenly spaced; none without overlap."""
    both = [(max(a.span[0], b.span[0]), min(a.span[1], b.span[1])) for a, b in combinations(curves, 2)]
    both = [(low, high) for low, high in both if low <= high]
    if not both:
        return []
    low, high = min(pair[0] for pair in both), max(pair[1] for pair in both)
    for step in _STEPS:
        values = [round(n * step, 1) for n in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
        if len(values) <= most:
            break
    # Overlaps may leave a gap between them; one too narrow for a round value is taken at its middle.
    return [at for at in values if any(a <= at <= b for a, b in both)] or [(both[0][0] + both[0][1]) / 2]


def without_common_psnr(curves: Sequence[Curve]) -> list[tuple[Curve, Curve]]:
    """Pairs of defenses that reach no common PSNR: no fair comparison of them can be made. Controls are left out."""
    ranked = [curve for curve in curves if not curve.control]
    return [(a, b) for a, b in combinations(ranked, 2) if max(a.span[0], b.span[0]) > min(a.span[1], b.span[1])]


def ranks(effects: Mapping[str, float | None]) -> dict[str, int]:
    """Place of each defense that has an effect, 1 for the largest; equal effects share a place."""
    known = {name: effect for name, effect in effects.items() if effect is not None}
    return {name: 1 + sum(other > effect for other in known.values()) for name, effect in known.items()}
