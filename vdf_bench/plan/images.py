"""Cells of the images track: what attribute editors make of a protected portrait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdf_bench.core import registry
from vdf_bench.plan.graph import Arm, Cell
from vdf_bench.plan.video import base_steps, judge_protection

if TYPE_CHECKING:
    from vdf_bench.core.budget import Budget
    from vdf_bench.plan.arrows import Arrows
    from vdf_bench.plan.protector import Protector


def add_cells(
    arrows: Arrows,
    clip_key: str,
    clip: str,
    by: Protector,
    budget: Budget,
    published: str,
    chain: str,
    victims: list[str],
    seed: int,
    clean: dict[str, str],
) -> dict[str, str]:
    """Add one arm's cells for the editors that attack it; the clean arm comes first and its step keys are returned."""
    arm: Arm = "control" if "control" in registry.load("defenses", by.defense).card.tags else "defended"
    if by.defense == "none":
        arm = "clean"
    base = base_steps(arrows, clip_key, published)
    if arm != "clean":
        base["judge.protect"] = judge_protection(arrows, base, f"{clip}, {by.label}")
    base["frames"] = arrows.purified(clip_key, published, chain, clip, by.label, seed)
    found = dict(clean)
    for victim in [victim for victim in victims if by.only in ("", victim)]:
        label = f"{clip}, {by.label}" + ("" if chain == "identity" else f", {chain}") + f", by {victim}"
        steps = {**base, "edits": arrows.edit(base["frames"], victim, label)}
        every = {**steps, "clean_edits": found.setdefault(victim, steps["edits"])}
        steps["judge.edit"] = arrows.judge("edit", every, arrows.costs(every, clip_key), label)
        arrows.plan.cells.append(
            Cell(clip, by.label, budget.levels, chain, "", "", victim, seed, arm, steps, floor=budget.psnr)
        )
    return found
