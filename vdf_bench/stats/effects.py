"""Effects as paired differences, with intervals over clips.

A defended cell is compared with its clean twin: the undefended clip through the same attacker with the same seed.
The unit of the interval is the person (clips of one identity are averaged), never the frame: frames of one clip are
so alike that frame-level "95 %" intervals miss the truth most of the time. Seeds are averaged within a clip, and
their spread is reported on its own.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from vdf_bench.core import place
from vdf_bench.stats.intervals import bootstrap_interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

#: An attacked defense: what a row of the summary is.
GROUP = [*place.TREATMENT, *place.ATTACK]
#: What a defended cell shares with its clean twin.
TWIN = list(place.TWIN)

#: Net DSR from which a defense is said to work, and up to which it is said not to.
FAILS, STILL = 0.5, 0.1
#: Names under which "published as it is" goes.
UNPURIFIED = ("", "identity")


def paired_differences(df: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Defended (or control) cells beside their clean twins; void cells and cells without a twin are left out.

    Args:
        df: a result table.
        metric: a metric measured per cell, such as ``dsr``.

    Returns:
        Columns :data:`GROUP`, ``clip, seed, arm, outcome, unit, better, clean, value, delta``; one row per cell.
    """
    rows = df[(df["metric"] == metric) & (df["outcome"] != "void")]
    clean = rows[rows["arm"] == "clean"]
    # A clean twin is one cell, whatever name its "defense" goes by and however often it was listed.
    clean = clean.groupby(TWIN)["value"].mean().rename("clean").reset_index()
    pairs = rows[rows["arm"] != "clean"].merge(clean, on=TWIN, how="inner")
    pairs["delta"] = pairs["value"] - pairs["clean"]
    columns = [*GROUP, "clip", "seed", "arm", "outcome", "unit", "better", "clean", "value", "delta"]
    return pairs[columns].sort_values([*GROUP, "clip", "seed"], ignore_index=True)


def worst_case(pairs: pd.DataFrame) -> pd.DataFrame:
    """The purifier that serves the attacker best, cell by cell: the smallest ``delta`` (DSR: up is the defender's).

    Args:
        pairs: :func:`paired_differences` of a metric that rises with the defender's success.

    Returns:
        The same columns, one row per cell apart from its purifier.
    """
    cell = [name for name in [*GROUP, "clip", "seed"] if name != "purifier"]
    # As published wins ties: a purifier is only named where it helped.
    order = pairs.assign(_plain=~pairs["purifier"].isin(UNPURIFIED)).sort_values([*cell, "delta", "_plain", "purifier"])
    return order.drop_duplicates(cell).drop(columns="_plain").reset_index(drop=True)


def per_unit(pairs: pd.DataFrame, column: str, identities: Mapping[str, str] | None = None) -> pd.Series[Any]:
    """Means over seeds within a clip, then over the clips of a person: (units,) values indexed by person."""
    clips = pairs.groupby("clip")[column].mean()
    return clips.groupby([(identities or {}).get(str(clip), str(clip)) for clip in clips.index]).mean()


def seed_spread(pairs: pd.DataFrame, column: str) -> float:
    """Pooled standard deviation over seeds within clips (ddof 1); NaN where no clip has two seeds."""
    groups = pairs.groupby("clip")[column]
    variances = groups.var(ddof=1).dropna()
    weights = (groups.count() - 1).reindex(variances.index)
    return math.sqrt(float((variances * weights).sum() / weights.sum())) if len(variances) else math.nan


def effect_sizes(
    df: pd.DataFrame,
    metric: str,
    identities: Mapping[str, str] | None = None,
    seed: int = 0,
    by: Sequence[str] = GROUP,
    reach: float = math.inf,
) -> pd.DataFrame:
    """The effect of each attacked defense on a metric, net of the clean twin.

    Args:
        df: a result table.
        metric: a metric measured per cell.
        identities: clip -> person, where clips share one; a clip is its own person otherwise.
        seed: of the bootstrap; every group draws its own stream from it, so that groups do not sway each other.
        by: what to keep apart.
        reach: upper bound of the metric less its lower one, which no effect can exceed.

    Returns:
        One row per group: ``by``, ``arm, unit, better, clean, value, delta, low, high, wide, seed_sd, units, clips,
        seeds, pairs``. ``low`` and ``high`` are NaN where there is no interval, ``seed_sd`` where there is one seed.
    """
    import pandas as pd

    pairs = paired_differences(df, metric)
    rows = []
    for key, group in pairs.groupby(list(by), sort=True):
        deltas = per_unit(group, "delta", identities)
        interval = bootstrap_interval(deltas, np.random.default_rng(seed), bounds=(-reach, reach))
        rows.append(
            {
                **dict(zip(by, key, strict=True)),
                "arm": group["arm"].iloc[0],
                "unit": group["unit"].iloc[0],
                "better": group["better"].iloc[0],
                "clean": float(per_unit(group, "clean", identities).mean()),
                "value": float(per_unit(group, "value", identities).mean()),
                "delta": float(deltas.mean()),
                "low": interval.low if interval else math.nan,
                "high": interval.high if interval else math.nan,
                "wide": bool(interval and interval.wide),
                "seed_sd": seed_spread(group, "delta"),
                "units": len(deltas),
                "clips": group["clip"].nunique(),
                "seeds": group["seed"].nunique(),
                "pairs": len(group),
            }
        )
    columns = ["arm", "unit", "better", "clean", "value", "delta", "low", "high", "wide"]
    return pd.DataFrame(rows, columns=[*by, *columns, "seed_sd", "units", "clips", "seeds", "pairs"])
