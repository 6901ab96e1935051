"""Cells of the video track: what 3D-field heads make of a protected clip."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from vdf_bench.attackers.spec import CaptureSpec
from vdf_bench.core import registry
from vdf_bench.plan.graph import Arm, Cell

if TYPE_CHECKING:
    from vdf_bench.attackers.attacker import Attacker
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
    attacker: Attacker,
    victims: list[str],
    seed: int,
    clean: dict[str, str],
    poison: str = "",
) -> dict[str, str]:
    """Add one arm's cells for all victims; the clean arm comes first and its step keys are returned."""
    plan = arrows.plan
    card = registry.load("defenses", by.defense).card
    arm: Arm = "control" if poison or "control" in card.tags else "defended"
    if by.defense == "none" and not poison:
        arm = "clean"
    base = base_steps(arrows, clip_key, published)
    base["frames"] = arrows.purified(clip_key, published, attacker.chain, clip, by.label, seed)
    spec = CaptureSpec.parse(attacker.capture)
    defense = poison or by.label
    if spec.finetuned:
        base["taught"] = arrows.hardened(spec, clip, seed)
    if spec.view:
        base["view"] = arrows.purified(clip_key, base["frames"], spec.view, clip, defense, seed)
    base["capture"] = arrows.captured(base, spec, f"{clip}, {defense}, {spec.name}", poison, seed)
    named = f"{clip}, {defense}, {spec.name}"
    found = dict(clean) if clean else {"capture": base["capture"]}
    twin = found["capture"]
    if arm != "clean" and not poison:
        base["judge.protect"] = judge_protection(arrows, base, f"{clip}, {defense}")
    seen = {**base, "clean_capture": twin}
    base["judge.capture"] = arrows.judge("capture", seen, arrows.costs(seen, clip_key), named)
    for target, victim in product(arrows.request.targets, victims):
        label = f"{victim} on {named}"
        steps = dict(base)
        steps["head"] = arrows.fit(base["capture"], victim, target, seed, label)
        steps["rendering"] = arrows.drive(steps["head"], base["capture"], twin, victim, label)
        found.setdefault(f"rendering {target} {victim}", steps["rendering"])
        every = {**steps, "clean_capture": twin, "clean_rendering": found[f"rendering {target} {victim}"]}
        steps["judge.clone"] = arrows.judge("clone", every, arrows.costs(every, clip_key), label)
        place = (attacker.chain, attacker.capture, target, victim, seed, arm, steps)
        plan.cells.append(Cell(clip, defense, budget.levels, *place, floor=budget.psnr))
    if not victims:
        ending = (attacker.chain, attacker.capture, "", "", seed, arm, base)
        plan.cells.append(Cell(clip, defense, budget.levels, *ending, floor=budget.psnr))
    return found


def base_steps(arrows: Arrows, clip_key: str, published: str) -> dict[str, str]:
    """The steps up to publication."""
    base = {"clip": clip_key, "protected": published}
    if published != clip_key and arrows.plan.steps[published].name == "floor":
        base["bounded"] = arrows.plan.steps[published].inputs["bounded"]
    return base


def judge_protection(arrows: Arrows, base: dict[str, str], label: str) -> str:
    """What the protection did to the picture, and what it cost."""
    return arrows.judge("protect", base, {"protect": "bounded" if "bounded" in base else "protected"}, label)
