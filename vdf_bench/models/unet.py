"""A small U-Net (Ronneberger et al. 2015) with group norm: the held-out parser's network, unlike BiSeNet throughout."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor


def _stage(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1),
        nn.GroupNorm(8, outputs),
        nn.SiLU(),
        nn.Conv2d(outputs, outputs, 3, 1, 1),
        nn.GroupNorm(8, outputs),
        nn.SiLU(),
    )


class UNet(nn.Module):
    """Encoder and decoder joined by skips: normalised RGB (N, 3, H, W) to ``outputs`` maps of half the edge.

    Args:
        outputs: channels of the result.
        widths: channels at 1/2, 1/4, 1/8, 1/16 and 1/32 of the edge.
    """

    def __init__(self, outputs: int, widths: tuple[int, ...] = (16, 32, 64, 96, 128)) -> None:
        super().__init__()
        inputs = (3, *widths[:-1])
        self.down = nn.ModuleList(_stage(a, b, 2) for a, b in zip(inputs, widths, strict=True))
        self.up = nn.ModuleList(_stage(a + b, a, 1) for a, b in pairwise(widths))
        self.out = nn.Conv2d(widths[0], outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for stage in self.down:
            x = stage(x)
            skips.append(x)
        x = skips.pop()
        for stage in reversed(self.up):
            skip = skips.pop()
            x = F.interpolate(x, skip.shape[2:], mode="bilinear", align_corners=False)
            x = stage(torch.cat([skip, x], 1))
        logits: Tensor = self.out(x)
        return logits
