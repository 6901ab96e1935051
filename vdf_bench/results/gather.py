"""What a run's artifacts say beside the table: traces, pictures, and the record."""

from __future__ import annotations

import os
import platform
import sys
from collections import Counter
from dataclasses import asdict, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, TypeVar

from vdf_bench.attackers.attacker import SURROGATE
from vdf_bench.core import registry
from vdf_bench.core.errors import UserError
from vdf_bench.core.place import TREATMENT
from vdf_bench.results.table import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vdf_bench.core.artifact import Artifact
    from vdf_bench.execute.schedule import Tally
    from vdf_bench.plan import Cell, Plan
    from vdf_bench.plan.run import Run
    from vdf_bench.results.picture import Picture

#: Cells of which pictures are kept. The page shows fewer; a matrix of thousands would fill a disk.
PICTURES = 32
Found = TypeVar("Found")


def traces(run: Run) -> Iterator[dict[str, Any]]:
    """What every defense noted of every frame, once for each protected clip."""
    from vdf_bench.results.traces import trace_rows

    protected = {cell.steps["protected"]: cell for cell in run.plan.cells if "judge.protect" in cell.steps}
    for key, cell in protected.items():
        place = cell.only("clip", *TREATMENT, "seed")
        meta = fetch_meta(run, key)
        yield from trace_rows(place, meta["log"], meta["seconds"])


def pictures(run: Run, ended: Callable[[Cell], tuple[str, str]]) -> Iterator[Picture]:
    """What a person sees first: original, protected, clean clone and defended clone of every defended cell.

    Args:
        run: whose artifacts are shown.
        ended: outcome and code of a cell.
    """
    from vdf_bench.core.clip import split_frames
    from vdf_bench.results.picture import Picture
    from vdf_bench.stages.packing import unpack_clip, unpack_rendering

    clean = {cell.attacker: cell for cell in run.plan.cells if cell.arm == "clean"}
    for cell in run.plan.cells:
        if cell.arm == "clean" or not {"rendering", "edits"} & cell.steps.keys():
            continue
        if "edits" in cell.steps:
            yield _edits_picture(run, cell, clean[cell.attacker], ended(cell))
            continue
        clip = unpack_clip(fetch(run, cell.steps["clip"]))
        held = split_frames(len(clip)).heldout
        twin = unpack_rendering(fetch(run, clean[cell.attacker].steps["rendering"]))
        clone = unpack_rendering(fetch(run, cell.steps["rendering"]))
        outcome, code = ended(cell)
        yield Picture(
            **cell.only(),
            outcome=outcome,
            code=code,
            frames=held,
            fps=clip.fps,
            original=clip.frames[held],
            protected=fetch(run, cell.steps["protected"]).arrays["frames"][held],
            clean_clone=twin.rgb if twin else None,
            defended_clone=clone.rgb if clone else None,
        )


def _edits_picture(run: Run, cell: Cell, twin: Cell, ended: tuple[str, str]) -> Picture:
    """A portrait, once for every change that the editor makes, with both edits."""
    import numpy as np

    from vdf_bench.judges.editing import resized
    from vdf_bench.results.picture import Picture

    made, clean = fetch(run, cell.steps["edits"]), fetch(run, twin.steps["edits"]).arrays["edits"]
    size, count = clean.shape[1], len(clean)
    portraits = [fetch(run, cell.steps[role]).arrays["frames"][0] for role in ("clip", "protected")]
    original, protected = (np.repeat(resized(picture, size)[None], count, 0) for picture in portraits)
    outcome, code = ended
    return Picture(
        **cell.only(),
        outcome=outcome,
        code=code,
        frames=np.arange(count),
        original=original,
        protected=protected,
        clean_clone=clean,
        defended_clone=made.arrays["edits"],
        edits=tuple(made.meta["names"]),
    )


def describe(run: Run, tally: Tally, gates: list[dict[str, Any]], wall: float) -> dict[str, Any]:
    """The content of ``run.json``: everything a reader needs to trust or repeat the run, and what every step cost."""
    from vdf_bench.judges.declared import declared_metrics
    from vdf_bench.recognisers.choice import choose

    request, plan = run.request, run.plan
    computed = set(tally.computed)
    steps = []
    for key, step in plan.steps.items():
        cost = fetch_meta(run, key)["cost"]
        steps.append({"key": key, "step": step.name, "label": step.label, "cached": key not in computed, **cost})
    clips, recognisers = {}, {}
    notes = []
    deciding = [name for name in ("dsr", "editing", "identity") if name in plan.judges]
    for name, key in {cell.clip: cell.steps["clip"] for cell in plan.cells}.items():
        artifact = fetch(run, key)
        clips[name] = artifact.meta
        notes += [f"{name}: {note}" for note in artifact.meta["notes"]]
        if not deciding:
            continue
        real = "truth.rotation" not in artifact.arrays
        chosen = choose(request.recogniser, request.overrides, real)
        recognisers[name] = chosen.record()
        notes += [f"{name}: {note}" for note in [chosen.note(real)] if note]
    if len({chosen["name"] for chosen in recognisers.values()}) > 1:
        notes.append("dsr_identity, and with it dsr, is decided by two recognisers here, each at its own threshold")
    collected: list[str] = []
    for cell in plan.cells:
        collected += [f"{cell.victim} on {cell.clip}, {cell.defense}: {note}" for note in fit_notes(run, cell)]
    notes += list(dict.fromkeys(collected))
    notes += [f"failed ({failure.cause}): {failure.label}: {failure.line}" for failure in tally.failures]
    if request.protected_share < 1:
        notes.append(f"only the first {100 * request.protected_share:g} % of every clip's frames are protected")
    if not request.versions:
        notes.append("versions of libraries were ignored: results of other versions count as these (--ignore-versions)")
    if run.store.quarantined():
        notes.append(f"{run.store.quarantined()} damaged artifacts were set aside in the store and computed again")
    driven = {cell.steps["rendering"] for cell in plan.cells if "rendering" in cell.steps}
    drives = {fetch_meta(run, key).get("drive", "") for key in driven} - {""}
    return {
        "schema": SCHEMA,
        "version": version("vdf-bench"),
        "run": run.identity,
        "environment": environment(),
        "library_versions": "in keys" if request.versions else "ignored",
        "plugins": plugins(plan),
        "command": run.command or " ".join(["vdf-bench", *sys.argv[1:]]),
        "preset": {"name": request.preset.name, "size": request.preset.size, "frames": request.preset.frames},
        "seeds": sorted({cell.seed for cell in plan.cells}),
        "budget": [str(budget) for budget in request.budgets],
        "drive": sorted(drives),
        "parameters": {name: dict(values) for name, values in request.overrides.items()},
        "identities": {name: meta["identity"] for name, meta in clips.items()},
        "recognisers": recognisers,
        "track": request.track,
        "metrics": [metric.record() for metric in declared_metrics(plan.judges).values()],
        "surrogate": SURROGATE,
        "suite": request.suite.record() if request.suite else None,
        "inputs": {name: {"sha256": plan.inputs.get(name, ""), **meta["source"]} for name, meta in clips.items()},
        "plan": {
            "cells": len(plan.cells),
            "steps": len(plan.steps),
            "computed": len(computed),
            # How often a cell looks at a step: what arms, attackers and defenses share is computed once.
            "uses": sum(len(cell.steps) for cell in plan.cells),
        },
        "steps": steps,
        # Steps that could not be computed; the cells behind them are among what is left out.
        "failures": [asdict(failure) for failure in tally.failures],
        "unreached": len(tally.unreached),
        "notes": notes,
        "left_out": plan.left_out,
        "gates": gates,
        "wall": wall,
    }


def fit_notes(run: Run, cell: Cell) -> list[str]:
    """What the victim of a cell says of its fit."""
    notes: list[str] = fetch_meta(run, cell.steps["head"]).get("notes", []) if "head" in cell.steps else []
    return notes


def plugins(plan: Plan) -> list[dict[str, str]]:
    """Every component that took part, with the installed package that it comes from and its version."""
    found = []
    for kind, name in plan.components:
        package = registry.distribution(kind, name)
        found.append({"kind": kind, "name": name, "distribution": package.name, "version": package.version})
    return found


def environment() -> dict[str, str]:
    """Machine and versions behind the figures."""
    packages = ("vdf-bench", "torch", "numpy", "numba", "av", "scipy", "scikit-image")
    cpu = platform.processor()
    if sys.platform == "linux":
        from pathlib import Path

        models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        cpu = models[0].partition(":")[2].strip() if models else cpu
    return {
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "cpu": cpu or platform.machine(),
        "cores": str(os.cpu_count()),
        **{name: version(name) for name in packages},
    }


class DamagedError(UserError):
    """An artifact that is needed was damaged, and has been set aside."""


def fetch(run: Run, key: str) -> Artifact:
    """An artifact that the run made.

    Raises:
        DamagedError: it was damaged and has been set aside.
    """
    return _sound(run.store.get(key))


def fetch_meta(run: Run, key: str) -> dict[str, Any]:
    """The record of an artifact that the run made, its arrays left where they are.

    Raises:
        DamagedError: it was damaged and has been set aside.
    """
    return _sound(run.store.meta(key))


def _sound(found: Found | None) -> Found:
    if found is None:
        raise DamagedError(
            "an artifact in the store was damaged and has been removed: run the same command again to compute it anew"
        )
    return found


def pictured(plan: Plan) -> Plan:
    """The plan with the cells that are shown: of many, the first of every defense under every victim, then others."""
    shown = [cell for cell in plan.cells if cell.arm != "clean"]
    if len(shown) <= PICTURES:
        return plan
    turns: Counter[tuple[Any, ...]] = Counter()
    ranked = []
    for place, cell in enumerate(shown):
        who = (cell.defense, cell.linf, cell.floor, cell.victim)
        ranked.append((turns[who], place))
        turns[who] += 1
    kept = {id(shown[place]) for _, place in sorted(ranked)[:PICTURES]}
    return replace(plan, cells=[cell for cell in plan.cells if cell.arm == "clean" or id(cell) in kept])
