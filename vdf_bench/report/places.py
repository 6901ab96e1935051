"""Who is ahead of whom in a run: effects person by person, places by a corrected test, and how stable orders are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from vdf_bench.stats import Ranking, agreement, paired_differences, rank
from vdf_bench.stats.curves import Curve, Point

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from vdf_bench.report.record import Run
    from vdf_bench.stats import Agreement

#: What a panel of defenses shares.
ATTACK = ("victim", "target", "capture", "purifier")
#: Said of places that no test stands behind.
OBSERVED = "Places are the order that was observed, single observations: a test needs five people."
#: Said of places that one does.
TESTED = (
    "Places differ where a test over people tells defenses apart, corrected for the number of pairs (sign flips, "
    "max-T, 5 %); = marks shared ones. Five people cannot tell anybody apart, six can."
)


def personal_effects(run: Run, attack: dict[str, Any], metric: str) -> pd.DataFrame:
    """What each defense does to a metric on each person under one attack: net of the clean twin where there is one.

    Args:
        run: the run.
        attack: values of :data:`ATTACK`.
        metric: of the clone (then paired with the clean twin) or of the capture.

    Returns:
        Columns ``defense, linf, floor, seed, clip, person, effect``; one row a clip and seed.
    """
    if attack["victim"]:
        table = paired_differences(run.results, metric).rename(columns={"delta": "effect"})
    else:
        table = run.results[(run.results["metric"] == metric) & (run.results["arm"] != "clean")]
        table = table.rename(columns={"value": "effect"})
    for column, value in attack.items():
        table = table[table[column] == value]
    person = [run.identities.get(str(clip), str(clip)) for clip in table["clip"]]
    return table.assign(person=person)[["defense", "linf", "floor", "seed", "clip", "person", "effect"]]


def personal_curves(effects: pd.DataFrame, curves: Iterable[Curve]) -> dict[str, dict[str, Curve]]:
    """Defense -> person -> its curve on that person, over the PSNR that the budgets have on average.

    So what is read off a mean curve is the mean of what is read off its people's, wherever all of them are.

    Args:
        effects: as of :func:`personal_effects`.
        curves: over the means.
    """
    # Seeds within a clip, then clips of a person.
    budget = ["defense", "linf", "floor", "person"]
    means = effects.groupby([*budget, "clip"])["effect"].mean().groupby(budget).mean()
    found: dict[str, dict[str, Curve]] = {}
    for curve in curves:
        own: dict[str, list[Point]] = {}
        for point in curve.points:
            key = (curve.defense, point.linf, point.floor)
            for person, effect in means.loc[key].items() if key in means.index else ():
                own.setdefault(str(person), []).append(Point(point.linf, point.floor, point.psnr, float(effect)))
        found[curve.defense] = {name: Curve(curve.defense, curve.control, tuple(own[name])) for name in own}
    return found


def place(people: dict[str, dict[str, Curve]], read: Callable[[Curve], float | None]) -> Ranking:
    """Rank defenses by what ``read`` finds on their curves, person by person.

    Args:
        people: defense -> person -> curve, without controls.
        read: such as the effect at one PSNR; None where a curve does not reach it.
    """
    table = {
        defense: {person: math.nan if (effect := read(curve)) is None else effect for person, curve in own.items()}
        for defense, own in people.items()
    }
    return rank(pd.DataFrame(table, dtype=float))


def seed_agreement(effects: pd.DataFrame, controls: Sequence[str]) -> Agreement | None:
    """Whether seeds order defenses alike, at the largest bound at which most of them were run.

    Args:
        effects: as of :func:`personal_effects`, up being the defender's.
        controls: left out.
    """
    return agreement(_orders(effects[~effects["defense"].isin(controls)], "seed"))


def _orders(effects: pd.DataFrame, by: str) -> list[dict[Any, float]]:
    """Mean effect by defense, for each value of ``by``."""
    if not len(effects):
        return []
    runs = effects.groupby(["linf", "floor"])["defense"].nunique()
    linf, floor = max(runs[runs == runs.max()].index)
    rows = effects[(effects["linf"] == linf) & (effects["floor"] == floor)]
    return [own.groupby("defense")["effect"].mean().to_dict() for _, own in rows.groupby(by)]


def victim_agreement(curves: Sequence[Sequence[Curve]]) -> Agreement | None:
    """Whether victims order defenses alike, at the largest budget that all of their curves share.

    Args:
        curves: of each victim, under attacks that are otherwise the same.
    """
    ranked = [[curve for curve in own if not curve.control] for own in curves]
    budgets = [{(p.linf, p.floor) for p in curve.points} for own in ranked for curve in own]
    shared = set.intersection(*budgets) if budgets else set()
    if not shared:
        return None
    linf, floor = max(shared)
    return agreement(
        [{c.defense: effect for c in own if (effect := c.at_budget(linf, floor)) is not None} for own in ranked]
    )


def stability(found: Agreement | None, what: str) -> str:
    """``Seeds agree on the order of 4 defenses: Kendall's tau-b .87 over 3 seeds, lowest pair .67.``; or nothing."""
    if found is None:
        return ""
    lowest = f", lowest pair {found.low:.2f}" if found.rankings > 2 else ""
    return (
        f" Rank agreement of {found.rankings} {what} on {found.defenses} defenses: Kendall's tau-b "
        f"{found.mean:.2f}{lowest}."
    )
