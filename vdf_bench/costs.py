"""What steps cost: as recorded by earlier runs on a store, else a rough guess; advice for order and estimates only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vdf_bench import registry
from vdf_bench.store import Store, canonical, write_atomically

if TYPE_CHECKING:
    from vdf_bench.plan import Request, Step
    from vdf_bench.run import Run


def expected_seconds(run: Run) -> dict[str, float]:
    """CPU seconds of each step by key: as recorded by earlier runs on this store, else a rough guess."""
    from vdf_bench.clip import split_frames
    from vdf_bench.execute.local import ROUGH_SECONDS

    recorded = _recorded(run.store)
    preset = run.request.preset
    size, frames = preset.size, preset.frames or 1000
    scale = (size / 128) ** 2 * frames / 110

    def rough(step: Step) -> float:
        if step.name == "fit":
            victim = registry.load("victims", step.params["victim"]).configured(step.params["parameters"])
            effort = getattr(victim, "effort", None)  # official systems have none
            if effort:
                return float(effort(size, len(split_frames(frames).train), preset.scale, run.request.iterations))
        return ROUGH_SECONDS[step.name] * scale

    return {key: recorded.get(_signature(step, run.request), rough(step)) for key, step in run.plan.steps.items()}


def _signature(step: Step, request: Request) -> str:
    what = [str(step.params.get(name, "")) for name in ("defense", "victim", "chain", "stage", "linf", "floor")]
    preset = request.preset
    return canonical([step.name, what, preset.size, preset.frames, preset.scale, request.iterations, request.device])


def _recorded(store: Store) -> dict[str, float]:
    try:
        costs = json.loads((store.root / "costs.json").read_text())
        return {str(what): float(seconds) for what, seconds in costs.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # only advice


def record_costs(run: Run, steps: list[dict[str, Any]]) -> None:
    """Remember what steps cost, for later estimates; only advice, so the last writer wins."""
    costs = _recorded(run.store)
    costs |= {_signature(run.plan.steps[step["key"]], run.request): step["cpu"] for step in steps}
    write_atomically(run.store.root / "costs.json", canonical(costs).encode())
