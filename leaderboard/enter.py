"""How published frames enter a plan: they take the place of a defense's step, and all that follows is as in any run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vdf_bench.plan import build_plan
from vdf_bench.plan.graph import Plan, Step
from vdf_bench.plan.keys import code_digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from vdf_bench.plan import Request

#: The defense whose steps are replaced: one that keeps any budget.
PLACEHOLDER = "noise"


@dataclass(frozen=True)
class Frames:
    """Protected frames of one clip at one budget.

    Attributes:
        path: an ``.npy`` file of (T, S, S, 3) uint8 RGB.
        sha256: digest of the frames (:func:`vdf_bench.core.frames.frames_digest`).
        clean: they are the clean frames: then nothing is computed twice.
    """

    path: Path
    sha256: str
    clean: bool = False


def plan_with(request: Request, entry: str, frames: Mapping[tuple[str, float], Frames]) -> Plan:
    """The plan of ``request`` with published frames in place of a defense.

    Args:
        request: without defenses.
        entry: what the table calls them.
        frames: (clip, budget in levels) -> what was published; cells without any are left out.
    """
    drawn = build_plan(replace(request, defenses=(PLACEHOLDER,)))
    cells = [cell for cell in drawn.cells if cell.arm == "clean" or (cell.clip, cell.linf) in frames]
    published = {cell.steps["protected"]: (cell, frames[cell.clip, cell.linf]) for cell in cells if cell.arm != "clean"}
    code = code_digest("vdf_bench.stages.submitted")
    plan = Plan(left_out=drawn.left_out, inputs=drawn.inputs)
    renamed: dict[str, str] = {}
    # What attackers take of unchanged frames is the clip itself, and they have taken it before.
    taken: dict[str, str] = {}

    def of(role: str, key: str) -> str:
        return taken.get(key, renamed[key]) if role != "protected" else renamed[key]

    for key, step in drawn.steps.items():
        inputs = {role: of(role, upstream) for role, upstream in step.inputs.items()}
        label = step.label.replace(f", {PLACEHOLDER}", f", {entry}")
        new = replace(step, label=label, inputs=inputs)
        if key in published:
            cell, given = published[key]
            if given.clean:
                taken[key] = inputs["clip"]
            label = f"{entry} on {cell.clip} within {cell.linf:g}/255"
            new = Step("submitted", label, {"sha256": given.sha256}, inputs, code, where={"file": str(given.path)})
        renamed[key] = plan.add(new)
    for cell in cells:
        steps = {role: of(role, key) for role, key in cell.steps.items()}
        own = cell if cell.arm == "clean" else replace(cell, defense=entry, arm="defended")
        plan.cells.append(replace(own, steps=steps))
    return _reachable(plan)


def _reachable(plan: Plan) -> Plan:
    return plan.restricted(plan.cells)
