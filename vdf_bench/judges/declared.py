"""The metrics of all judges, each with the one who measures it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdf_bench.core import registry
from vdf_bench.core.errors import UserError
from vdf_bench.core.metrics import EFFECT_PARTS, EFFECT_STAGES, STAGES, Definition

if TYPE_CHECKING:
    from collections.abc import Iterable


def declared_metrics(judges: Iterable[str] | None = None) -> dict[str, Definition]:
    """Every metric that judges declare, by name, in the order of the story.

    Judges of different stages may share one metric, defined alike; the first of them is told with it.

    Args:
        judges: names of registered judges; None takes all of them.

    Raises:
        UserError: no such judge, it cannot be loaded or declares nothing, or two declare one name or column.
    """
    found: dict[str, Definition] = {}
    owners: dict[tuple[str, str], str] = {}
    for judge in registry.names("judges") if judges is None else judges:
        component = registry.load("judges", judge)
        metrics = component.declared() if hasattr(component, "declared") else ()
        if not metrics:
            raise UserError(f"judge {judge!r} declares no metrics: give {component.__name__} the attribute metrics")
        for metric in metrics:
            if metric.stage in EFFECT_STAGES and component.stage not in EFFECT_STAGES:
                raise UserError(
                    f"judge {judge!r} sees no clone at the stage {component.stage}, but declares the metric "
                    f"{metric.name!r} of the stage {metric.stage}"
                )
            mine = Definition(**vars(metric), judge=judge)
            first = found.setdefault(metric.name, mine)
            other = owners.setdefault((metric.name, component.stage), judge)
            if other != judge or vars(first) != {**vars(mine), "judge": first.judge}:
                raise UserError(
                    f"judges {first.judge!r} and {judge!r} both declare the metric {metric.name!r}: rename one, "
                    "uninstall one, or choose between them with --judge"
                )
    for name, one in found.items():
        base, _, part = name.rpartition("_")
        if one.shown and base in found and part in EFFECT_PARTS:
            raise UserError(f"judge {one.judge!r}: the summary needs the name {name!r} for {base!r}: rename the metric")
    return dict(sorted(found.items(), key=lambda item: STAGES.index(item[1].stage)))
