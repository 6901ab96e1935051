"""How a measured figure becomes a verdict on a claim: one rule for all claims, written once.

The burden of proof lies with the claim: a mean that misses the bound is no reproduction, however wide its interval, and
a mean that meets it is half of one as long as its interval does not, or there is none for want of people.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from vdf_bench.stats import MIN_UNITS, bootstrap_interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Verdict = Literal["reproduced", "partly", "not reproduced", "not testable here"]
VERDICTS: Final[tuple[Verdict, ...]] = ("reproduced", "partly", "not reproduced", "not testable here")

#: The rule in words; pages and docs print it as it stands.
RULE: Final = (
    f"Reproduced: the whole 95 % interval over people reaches the bound. Partly: the mean does, but not the whole "
    f"interval, or there is no interval because fewer than {MIN_UNITS} people were measured. Not reproduced: the mean "
    f"misses the bound. Where {MIN_UNITS} people or more all gave the same figure, that figure decides. A claim of "
    "several parts is reproduced, or not, where all its parts are, and partly otherwise; where any part will do, the "
    "best one counts. Not testable here: what the claim speaks of is missing, or no clean clone passed its gates."
)


@dataclass(frozen=True)
class Measured:
    """A figure over people.

    Attributes:
        value: mean over people; geometric of ratios.
        low, high: its 95 % interval; None where there is none.
        people: person -> own value.
        spread: the people differ.
    """

    value: float
    low: float | None
    high: float | None
    people: dict[str, float]
    spread: bool

    @property
    def basis(self) -> str:
        """What an interval is wanting, if anything: said beside the verdict."""
        count = len(self.people)
        if count == 1:
            return "single observation"
        if count < MIN_UNITS:
            return f"{count} people, no interval"
        return f"{count} people" if self.spread else f"{count} people, all alike"


def summarise(
    people: Mapping[str, float],
    ratio: bool = False,
    seed: int = 0,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> Measured | None:
    """Mean and interval of one value a person; None where there is nobody.

    Args:
        people: person -> value.
        ratio: average logarithms, as ratios want it; values must be positive.
        seed: of the bootstrap.
        bounds: between which the mean lies whatever was measured; not of ratios.
    """
    values = np.array(list(people.values()), dtype=float)
    if not len(values):
        return None
    scale = np.log(values) if ratio else values
    interval = bootstrap_interval(scale, np.random.default_rng(seed), bounds=bounds)
    back = math.exp if ratio else float
    return Measured(
        value=back(float(scale.mean())),
        low=back(interval.low) if interval else None,
        high=back(interval.high) if interval else None,
        people=dict(people),
        spread=bool(np.ptp(values) > 1e-9),
    )


def judge(measured: Measured | None, bound: float) -> Verdict:
    """The verdict on one figure that is claimed to be at least ``bound``."""
    if measured is None:
        return "not testable here"
    if measured.value < bound:
        return "not reproduced"
    if measured.low is None:
        return "reproduced" if len(measured.people) >= MIN_UNITS and not measured.spread else "partly"
    return "reproduced" if measured.low >= bound else "partly"


def combine(verdicts: Sequence[Verdict], any_part: bool = False) -> Verdict:
    """The verdict on a claim of several parts.

    Args:
        verdicts: of the parts.
        any_part: one part is enough to bear the claim out.
    """
    tested = [verdict for verdict in verdicts if verdict != "not testable here"]
    if not tested:
        return "not testable here"
    if any_part:
        return min(tested, key=VERDICTS.index)
    if len(set(tested)) == 1 and (len(tested) == len(verdicts) or tested[0] == "not reproduced"):
        return tested[0]
    return "partly"
