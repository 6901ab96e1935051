"""Adaptive density: split the Gaussians that are pulled hardest on screen, drop the transparent ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from vdf_bench.victims.gaussian.motion import FaceMotion
    from vdf_bench.victims.gaussian.splats import Splats

#: Gaussians fainter than this are dropped.
FAINT: Final = 0.03
#: Both halves of a split shrink by this in log scale, and lie this many standard deviations apart.
SHRINK, APART = 0.35, 0.7


def densify(
    splats: Splats,
    motion: FaceMotion,
    optimiser: torch.optim.Optimizer,
    stress: Tensor,
    target: int,
    generator: torch.Generator,
) -> None:
    """Split and prune to ``target`` Gaussians (Kerbl et al. 2023, section 5.2).

    The optimiser's memory follows the rows; its groups must have a parameter each.

    Args:
        splats: the Gaussians.
        motion: moves them.
        optimiser: over both.
        stress: (N,) how hard each was pulled.
        target: how many there shall be; reached exactly where each need be split but once.
        generator: of the places of the halves.
    """
    keep = (torch.sigmoid(splats.opacity.detach()) > FAINT).nonzero()[:, 0]
    room = max(0, target - len(keep))
    split = keep[stress[keep].argsort(descending=True, stable=True)[:room]]
    index = torch.cat([keep, split])
    halves = torch.isin(keep, split)
    halves = torch.cat([halves, torch.ones_like(split, dtype=torch.bool)])
    groups = {id(group["params"][0]): group for group in optimiser.param_groups}
    for owner, name in [(each, name) for each in (splats, motion) for name in each.ROWS]:
        old = getattr(owner, name)
        new = nn.Parameter(old.detach()[index].clone())
        if old in optimiser.state:  # not before its first gradient
            memory = optimiser.state.pop(old)
            for key in ("exp_avg", "exp_avg_sq"):
                memory[key] = memory[key][index].clone()
            optimiser.state[new] = memory
        groups[id(old)]["params"] = [new]
        setattr(owner, name, new)
    with torch.no_grad():
        deviation = splats.scale[halves].exp()
        jitter = torch.randn(deviation.shape, generator=generator).to(deviation.device)
        splats.position[halves] += jitter * deviation * APART
        splats.scale[halves] -= SHRINK
