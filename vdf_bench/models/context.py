"""A context network (Yu & Koltun 2016): dilated convolutions at one resolution, no pyramid and no skips.

The parser ``surrogate-c`` is one. Its receptive field grows by dilation and not by strides, so that it looks at a face
in another way than BiSeNet and the held-out U-Net do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import nn

from vdf_bench.models.layers import fuse

if TYPE_CHECKING:
    from torch import Tensor

#: Of the residual blocks, in order: out to a third of a 128 px picture, and in again to smooth the grid that remains.
DILATIONS = (1, 2, 4, 8, 16, 4, 1)
SLOPE = 0.1


class DilatedBlock(nn.Module):
    """Residual 3x3 convolution with batch norm, its taps ``dilation`` apart."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, 1, dilation, dilation, bias=False)
        self.bn: nn.Module = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        return x + F.leaky_relu(self.bn(self.conv(x)), SLOPE)

    def fold(self) -> None:
        """Fold the batch norm away; evaluation only."""
        self.conv, self.bn = fuse(self.conv, self.bn)


class ContextNet(nn.Module):
    """Normalised RGB (N, 3, H, W) to ``outputs`` maps of a quarter of the edge.

    Args:
        outputs: channels of the result.
        width: channels throughout.
    """

    def __init__(self, outputs: int, width: int = 64) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width // 2, 5, 2, 2)
        self.down = nn.Conv2d(width // 2, width, 3, 2, 1)
        self.blocks = nn.Sequential(*(DilatedBlock(width, dilation) for dilation in DILATIONS))
        self.out = nn.Conv2d(width, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.leaky_relu(self.down(F.leaky_relu(self.stem(x), SLOPE)), SLOPE)
        logits: Tensor = self.out(self.blocks(x))
        return logits
