"""From a run's tables to one value a person: how the parts of a claim are computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.stats import UNPURIFIED, paired_differences, per_unit

if TYPE_CHECKING:
    import pandas as pd

    from vdf_bench.claims.claim import Part
    from vdf_bench.report.record import Run


def people(run: Run, part: Part) -> dict[str, float]:
    """Person -> the figure that ``part`` names; people whose cells are void or absent are left out."""
    if part.how == "net":
        rows = paired_differences(run.results, part.metric)
        values = per_unit(rows[_of(rows, part, part.defense)], "delta", run.identities)
    else:
        values = _plain(run, part, part.defense)
    if part.against:
        values, other = values.align(_plain(run, part, part.against), join="inner")
        values = {"ratio": values / other, "gained": values - other, "lost": other - values}[part.how]
    return {str(person): float(value) for person, value in values.items() if np.isfinite(value)}


def _plain(run: Run, part: Part, defense: str) -> pd.Series[float]:
    if part.traced:
        rows = run.traces[(run.traces["name"] == part.metric) & (run.traces["defense"] == defense)]
    else:
        rows = run.results[(run.results["metric"] == part.metric) & (run.results["outcome"] != "void")]
        rows = rows[_of(rows, part, defense)]
    return per_unit(rows, "value", run.identities)


def _of(rows: pd.DataFrame, part: Part, defense: str) -> pd.Series[bool]:
    """Rows of the part's attacker; what a metric does not depend on is empty."""
    chains = UNPURIFIED if part.purifier in UNPURIFIED else (part.purifier, "")
    found = (rows["defense"] == defense) & rows["purifier"].isin(chains)
    return found & rows["victim"].isin(("", part.victim)) if part.victim else found
