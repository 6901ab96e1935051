"""Motion between two frames, so that what one frame leaves to the next lies where it was meant to.

Block matching, coarse to fine: what is found at a level is taken out of the older frame before the next level
refines it. Integers of pixels are enough for a perturbation, and a few dozen shifted differences cost a fiftieth of
one look at a frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch.nn.functional import avg_pool2d, grid_sample, interpolate, pad

if TYPE_CHECKING:
    from torch import Tensor

#: Downscalings of the levels; a level that would be smaller than COARSEST pixels is skipped.
LEVELS: Final = (4, 2, 1)
COARSEST: Final = 48
#: Largest displacement that a level looks for, pixels of that level.
REACH: Final = 2
#: Blocks stand this far apart and are twice as wide, pixels of the level.
BLOCK: Final = 8
#: Mean absolute difference, of pictures in [0, 1], that a displacement must save per pixel of its length.
STIFFNESS: Final = 2e-4


def estimate_flow(previous: Tensor, current: Tensor) -> Tensor:
    """Displacement (2, H, W) in pixels, down before right, that carries ``previous`` (3, H, W) onto ``current``."""
    before, after = previous.mean(0, keepdim=True), current.mean(0, keepdim=True)
    height, width = before.shape[1:]
    flow = torch.zeros(2, height, width, dtype=before.dtype, device=before.device)
    for level in LEVELS:
        if level > 1 and min(height, width) < level * COARSEST:
            continue
        found = level * _match(_shrink(warp(before, flow), level), _shrink(after, level))
        flow = flow + interpolate(found[None], (height, width), mode="bilinear", align_corners=False)[0]
    return flow


def warp(maps: Tensor, flow: Tensor) -> Tensor:
    """Move ``maps`` (C, H, W) by ``flow`` (2, H, W): bilinear, repeated at the border."""
    height, width = maps.shape[1:]
    rows = torch.arange(height, dtype=flow.dtype, device=flow.device)[:, None] - flow[0]
    columns = torch.arange(width, dtype=flow.dtype, device=flow.device) - flow[1]
    grid = torch.stack([(2 * columns + 1) / width - 1, (2 * rows + 1) / height - 1], -1)
    return grid_sample(maps[None], grid[None], mode="bilinear", padding_mode="border", align_corners=False)[0]


def _shrink(picture: Tensor, level: int) -> Tensor:
    return avg_pool2d(picture, level, ceil_mode=True) if level > 1 else picture


def _match(previous: Tensor, current: Tensor) -> Tensor:
    """Best whole displacement (2, h, w) of each block of (1, H, W) pictures."""
    height, width = previous.shape[1:]
    span = range(-REACH, REACH + 1)
    # Nearest first: of equal ones the first is taken.
    moves = sorted(((down, right) for down in span for right in span), key=lambda move: move[0] ** 2 + move[1] ** 2)
    padded = pad(previous[None], (REACH,) * 4, mode="replicate")[0]
    costs = []
    for down, right in moves:
        moved = padded[:, REACH - down : REACH - down + height, REACH - right : REACH - right + width]
        difference = avg_pool2d((moved - current).abs(), 2 * BLOCK, BLOCK, BLOCK // 2, ceil_mode=True)[0]
        costs.append(difference + STIFFNESS * (down**2 + right**2) ** 0.5)
    best = torch.stack(costs).argmin(0)
    return torch.tensor(moves, dtype=previous.dtype, device=previous.device)[best].permute(2, 0, 1)
