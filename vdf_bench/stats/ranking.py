"""Who is ahead of whom: paired tests over people, corrected for how many pairs are compared, and rank agreement.

Every two defenses are compared on the same people, by the mean of paired differences. The test flips the sign of all
of a person's differences at once (a defense that is no better or worse is as often ahead as behind), and takes the
largest standardised difference over all pairs as its yardstick (max-T, Westfall and Young 1993), step by step from the
clearest pair down. So the chance of any false order in a table is at most 5 %, whatever the distribution, as long as
differences are symmetric about their mean; and because defenses share people, the joint flips lose less than Holm's or
Bonferroni's division would. Bootstrap intervals would not do here: of five people all differences have one sign once
in 16 times by chance, and no resampling of them then reaches zero, so that ten pairs would be full of false orders.

The price is plain: n people allow no p below 2 / 2**n. Five cannot put any defense ahead of any other at 5 %; six can.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.stats.intervals import MIN_UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: Chance of any false order among the defenses of a table.
LEVEL = 0.05
#: Up to this many people every flip is looked at; beyond it so many are drawn.
EXACT_UNITS = 14
DRAWN_FLIPS = 9999


@dataclass(frozen=True)
class Ranking:
    """Defenses in order.

    Attributes:
        places: defense -> 1 + the number of defenses that are ahead of it; who cannot be told apart may share one.
        tested: whether places rest on a test; else they are the order of means, as observed.
        units: people on whom the defenses were compared, the fewest of any pair; 0 without a pair.
        p_values: (better, worse) by mean -> corrected p of their difference; empty where nothing was tested.
    """

    places: dict[str, int]
    tested: bool
    units: int
    p_values: dict[tuple[str, str], float]

    def text(self, defense: str) -> str:
        """``2``, or ``2=`` where the place is shared."""
        place = self.places[defense]
        shared = sum(other == place for other in self.places.values()) > 1
        return f"{place}=" if shared else str(place)


def rank(effects: pd.DataFrame, level: float = LEVEL, seed: int = 0) -> Ranking:
    """Rank defenses; from :data:`vdf_bench.stats.MIN_UNITS` people on, places differ only where a test tells them.

    Args:
        effects: one row a person, one column a defense; up is the defender's, NaN where it was not measured.
        level: chance of any false order that is accepted.
        seed: of drawn flips.
    """
    known = effects.dropna(axis=1, how="all")
    names = [str(name) for name in known.columns]
    values = known.to_numpy(float)
    pairs = list(combinations(range(len(names)), 2))
    differences = values[:, [a for a, _ in pairs]] - values[:, [b for _, b in pairs]]
    units = int(np.isfinite(differences).sum(0).min()) if pairs else 0
    if units < MIN_UNITS:
        means = np.nanmean(values, axis=0)
        places = {name: 1 + int((means > mean).sum()) for name, mean in zip(names, means, strict=True)}
        return Ranking(places, False, units, {})
    found = sign_flip_test(differences, np.random.default_rng(seed))
    places = dict.fromkeys(names, 1)
    p_values = {}
    for (a, b), p, mean in zip(pairs, found, np.nanmean(differences, axis=0), strict=True):
        ahead, behind = (names[a], names[b]) if mean > 0 else (names[b], names[a])
        p_values[ahead, behind] = float(p)
        places[behind] += p <= level
    return Ranking(places, True, units, p_values)


def sign_flip_test(differences: Floats, rng: np.random.Generator) -> Floats:
    """Two-sided p-values of paired differences, corrected for their number by step-down max-T over sign flips.

    Args:
        differences: (N, P) of N people and P pairs; NaN where a pair was not measured on a person.
        rng: of the flips, where there are too many to look at all.

    Returns:
        (P,) corrected p-values: the chance that any true zero among the pairs is rejected at level a is at most a.
    """
    known = np.nan_to_num(differences)
    count, pairs = known.shape
    # The standardised mean is monotone in |sum| / root of the sum of squares, which no flip changes.
    scale = np.sqrt((known**2).sum(0))
    unit = np.divide(known, scale, out=np.zeros_like(known), where=scale > 0)
    if count <= EXACT_UNITS:
        # The statistic is the same with all signs turned round: the first person's may stay.
        bits = (np.arange(2 ** max(count - 1, 0))[:, None] >> np.arange(max(count - 1, 0))) & 1
        flips = np.concatenate([np.ones((len(bits), 1)), 1.0 - 2.0 * bits], 1)
    else:
        flips = rng.choice([-1.0, 1.0], (DRAWN_FLIPS + 1, count))
        flips[0] = 1  # the order that was observed is one of the flips
    drawn = np.abs(flips @ unit)
    observed = np.abs(unit.sum(0))
    p = np.ones(pairs)
    least = 0.0
    order = np.argsort(-observed, kind="stable")
    for step, pair in enumerate(order):
        largest = drawn[:, order[step:]].max(1)
        least = max(least, float((largest >= observed[pair] - 1e-9).mean()))
        p[pair] = least
    return p


@dataclass(frozen=True)
class Agreement:
    """How well several rankings of the same defenses agree.

    Attributes:
        mean, low: Kendall's tau-b, mean and smallest over all pairs of rankings: 1 the same order, -1 the reverse.
        rankings: how many rankings, such as seeds.
        defenses: how many defenses each of them ranks.
    """

    mean: float
    low: float
    rankings: int
    defenses: int


def agreement(rankings: Sequence[Mapping[str, float]]) -> Agreement | None:
    """Kendall's tau-b between the orders of the defenses that all rankings measure.

    Tau-b counts pairs of defenses that two rankings order alike less those that they order differently, corrected for
    ties. Where a ranking has all defenses equal it is undefined, and that pair of rankings is left out.

    Args:
        rankings: of each seed or victim, defense -> effect.

    Returns:
        None with fewer than two rankings, fewer than three shared defenses, or nothing but ties.
    """
    from scipy.stats import kendalltau

    shared = sorted(set.intersection(*(set(ranking) for ranking in rankings))) if rankings else []
    if len(rankings) < 2 or len(shared) < 3:
        return None
    rows = [[ranking[name] for name in shared] for ranking in rankings]
    found = [float(kendalltau(a, b).statistic) for a, b in combinations(rows, 2)]
    known = [tau for tau in found if math.isfinite(tau)]
    return Agreement(float(np.mean(known)), min(known), len(rankings), len(shared)) if known else None
