"""What steps cost: as recorded by earlier runs on a store, else a rough guess; advice for order and estimates only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vdf_bench.core import registry
from vdf_bench.core.artifact import canonical

if TYPE_CHECKING:
    from vdf_bench.plan import Request, Step
    from vdf_bench.plan.run import Run
    from vdf_bench.store import Store

#: Rough CPU seconds of a step at 128 px and 110 frames on one core: for the order of work and for the first estimate.
ROUGH_SECONDS = {
    "clip": 4.0,
    "prepare": 4000.0,
    "protect": 30.0,
    "submitted": 0.5,
    "floor": 0.5,
    "purify": 3.0,
    "harden": 40.0,
    "capture": 3.0,
    "fit": 25.0,
    "drive": 2.0,
    "edit": 60.0,
    "judge": 1.0,
}
#: The same of a defense, by its card, and of one that only is a control, such as noise.
ROUGH_DEFENSES = {"seconds": 20.0, "minutes": 150.0, "hours": 4000.0}
ROUGH_CONTROL = 0.3
#: Rough MiB of a step: what torch, numba and the networks take, and what a clip of that size and length adds.
ROUGH_MIB, ROUGH_MIB_OF_CLIP = 800.0, 100.0
_FILE = "costs.json"


@dataclass(frozen=True)
class Expected:
    """What a step is expected to cost.

    Attributes:
        seconds: CPU time.
        mib: peak memory of its process.
        recorded: whether an earlier run says so; else it is a guess.
    """

    seconds: float
    mib: float
    recorded: bool


def expected_costs(run: Run) -> dict[str, Expected]:
    """What each step of a plan is expected to cost, by key."""
    from vdf_bench.core.clip import split_frames

    recorded = _recorded(run.store)
    preset = run.request.preset
    size, frames = preset.size, preset.frames or 1000
    scale = (size / 128) ** 2 * frames / 110
    efforts: dict[str, float | None] = {}

    def rough(step: Step) -> float:
        if step.name == "fit":
            chosen = canonical([step.params["victim"], step.params["parameters"]])
            if chosen not in efforts:
                victim = registry.load("victims", step.params["victim"]).configured(step.params["parameters"])
                effort = getattr(victim, "effort", None)  # official systems have none
                iterations = run.request.iterations
                efforts[chosen] = (
                    float(effort(size, len(split_frames(frames).train), preset.scale, iterations)) if effort else None
                )
            if (known := efforts[chosen]) is not None:
                return known
        if step.name == "protect":
            card = registry.load("defenses", step.params["defense"]).card
            return (ROUGH_CONTROL if "control" in card.tags else ROUGH_DEFENSES[card.cost]) * scale
        return ROUGH_SECONDS.get(step.name, 5.0) * scale

    found = {}
    for key, step in run.plan.steps.items():
        known = recorded.get(_signature(step, run.request))
        if known:
            found[key] = Expected(known["cpu"], known.get("peak_mib", ROUGH_MIB + ROUGH_MIB_OF_CLIP * scale), True)
        else:
            found[key] = Expected(rough(step), ROUGH_MIB + ROUGH_MIB_OF_CLIP * scale, False)
    return found


def expected_seconds(run: Run) -> dict[str, float]:
    """CPU seconds of each step by key: as recorded by earlier runs on this store, else a rough guess."""
    return {key: cost.seconds for key, cost in expected_costs(run).items()}


def _signature(step: Step, request: Request) -> str:
    what = [str(step.params.get(name, "")) for name in ("defense", "victim", "chain", "stage", "linf", "floor")]
    preset = request.preset
    return canonical([step.name, what, preset.size, preset.frames, preset.scale, request.iterations, request.device])


def _recorded(store: Store) -> dict[str, dict[str, float]]:
    """Signature -> CPU seconds and, but for records of older versions, peak MiB."""
    try:
        costs = json.loads(store.place.read(_FILE) or b"{}")
        return {str(what): _cost(cost) for what, cost in costs.items()}
    except (ValueError, TypeError, AttributeError, KeyError):
        return {}  # only advice


def _cost(cost: Any) -> dict[str, float]:
    if isinstance(cost, dict):
        return {"cpu": float(cost["cpu"]), "peak_mib": float(cost["peak_mib"])}
    return {"cpu": float(cost)}


def record_costs(run: Run, steps: list[dict[str, Any]]) -> None:
    """Remember what steps cost, for later estimates; only advice, so the last writer wins."""
    costs = _recorded(run.store)
    for step in steps:
        signature = _signature(run.plan.steps[step["key"]], run.request)
        costs[signature] = {"cpu": step["cpu"], "peak_mib": step["peak_mib"]}
    run.store.place.replace(_FILE, canonical(costs).encode())
