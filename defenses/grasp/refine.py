"""GRASP-style protection against an editor: descend until every edit is spoilt, then give back what is seen.

All losses pull at every step, and only how much the visual ones count changes: less and less until the picture
protects, more and more while it does. So the loop walks to the border of success and along it, toward pictures that
look cleaner; each crossing shortens the step. Of all pictures that protect, the one nearest to the clean picture is
published.

What is fixed in the other defenses is free here: a step moves each pixel in proportion to its gradient, not by one
length for all. Signs alone spend as much on a flat wall as on the hair that an editor repaints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from vdf_bench.defenses.common.pixels import publish, whole_levels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from vdf_bench.core.interfaces import Setting
    from vdf_bench.defenses.common.editing import EditingObjective, EditingRecord, EditingResult
    from vdf_bench.defenses.grasp.direction import ProjectedGradient, Rule
    from vdf_bench.defenses.grasp.parameters import GraspParameters

#: What a step multiplies the visual losses' share by before success, and after; it never exceeds MOST.
YIELD: Final = 0.85
PRESS: Final = 1.5
MOST: Final = 5.0
#: What a crossing of the border multiplies the step by, once the picture has protected.
SHORTEN: Final = 0.7


@dataclass(frozen=True)
class Candidate:
    """A picture that was judged.

    Attributes:
        picture: (3, S, S).
        result: on it.
        change: mean squared change.
    """

    picture: Tensor
    result: EditingResult
    change: float


def who_gives_way(projection: Rule | Literal["turns"], protects: bool) -> Rule:
    """The rule of a step; in ``turns`` the loss whose aim is met gives way to the other."""
    if projection != "turns":
        return projection
    return "visual-first" if protects else "defense-first"


def refine(
    frames: Iterator[Tensor],
    setting: Setting,
    objective: EditingObjective,
    direction: ProjectedGradient,
    parameters: GraspParameters,
    record: EditingRecord,
    start: Callable[[Tensor], Tensor],
) -> Iterator[Tensor]:
    """Protect pictures one by one, each from ``start``.

    Args:
        frames: (3, S, S) RGB in [0, 1].
        setting: with the budget.
        objective: with a stopping rule: success is that every edit is spoilt.
        direction: turns losses into steps.
        parameters: steps, their length, and the rule of projection.
        record: notes every picture; ``first`` is the step at which it first protected (the last where it never did).
        start: gives the perturbation from which a picture sets out.

    Yields:
        the nearest picture that protects, or, where none did, the last.
    """
    bound = whole_levels(setting.budget) / 255
    limit = parameters.editor_steps if bound else 0
    longest = parameters.editor_step_size / 255 or bound / max(limit, 1)
    for frame in frames:
        clean = frame.to(setting.device)
        prepared = objective.prepare(clean)
        delta = start(clean).clamp(-bound, bound)
        direction.begin()
        size, share, before, first = longest, 1.0, False, limit
        best: Candidate | None = None
        for step in range(limit + 1):
            delta = delta.detach().requires_grad_()
            picture = publish(clean, delta)
            result = objective.judge(picture, prepared)
            change = float((picture.detach() - clean).square().mean())
            last = Candidate(picture.detach(), result, change)
            if result.success and (best is None or change < best.change):
                first = step if best is None else first
                best = last
            if step == limit:
                break
            if best is not None and result.success != before and step != first:
                size *= SHORTEN
            before = result.success
            share = min(share * PRESS, MOST) if result.success else share * YIELD
            rule = who_gives_way(parameters.editor_projection, result.success)
            gradient = direction.descent(result, picture, clean, delta, rule, share)
            move = size * gradient / gradient.abs().mean().clamp(min=1e-12)
            delta = (clean + (delta - move).clamp(-bound, bound)).clamp(0, 1) - clean
        published = best or last
        record.add(limit, published.result, first=float(first), **direction.notes())
        yield published.picture.to(frame.device)
