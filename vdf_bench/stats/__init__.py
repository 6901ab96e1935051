"""Effects, their intervals, and rankings. The unit is always the person, never the frame, the clip or the seed."""

from vdf_bench.stats.effects import (
    FAILS,
    GROUP,
    STILL,
    TWIN,
    UNPURIFIED,
    effect_sizes,
    paired_differences,
    per_unit,
    seed_spread,
    worst_case,
)
from vdf_bench.stats.intervals import MIN_UNITS, WIDE_UNITS, Interval, bootstrap_interval, interval_ends
from vdf_bench.stats.ranking import Agreement, Ranking, agreement, rank, sign_flip_test

__all__ = [
    "FAILS",
    "GROUP",
    "MIN_UNITS",
    "STILL",
    "TWIN",
    "UNPURIFIED",
    "WIDE_UNITS",
    "Agreement",
    "Interval",
    "Ranking",
    "agreement",
    "bootstrap_interval",
    "effect_sizes",
    "interval_ends",
    "paired_differences",
    "per_unit",
    "rank",
    "seed_spread",
    "sign_flip_test",
    "worst_case",
]
