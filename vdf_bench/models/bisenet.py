"""BiSeNet for face parsing (Yu et al. 2018), in the layout of zllrunning/face-parsing.PyTorch.

One class serves two parsers. With ResNet-18's widths it is the network behind ``79999_iter.pth``, key for key, so
that a user's copy of those weights loads. With a quarter of the widths and half the strides it is ``builtin``: at
128 px it then sees a face on the grid that the official network has at 256 px.

As in that layout the spatial path is the backbone's own stride-8 stage rather than a separate stack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import nn

from vdf_bench.models.layers import BasicBlock, ConvBNReLU, fuse

if TYPE_CHECKING:
    from torch import Tensor

CLASS_COUNT = 19
RESNET18_WIDTHS = (64, 128, 256, 512)
QUARTER_WIDTHS = (24, 40, 80, 128)
NARROW_WIDTHS = (16, 32, 64, 96)


def _stage(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(BasicBlock(inputs, outputs, stride), BasicBlock(outputs, outputs))


class ResNet(nn.Module):
    """Residual backbone: a 7x7 stem and four stages of two basic blocks."""

    def __init__(self, widths: tuple[int, ...], dense: bool) -> None:
        super().__init__()
        first, *_ = widths
        self.conv1 = nn.Conv2d(3, first, 7, 2, 3, bias=False)
        self.bn1: nn.Module = nn.BatchNorm2d(first)
        self.layer1 = _stage(first, widths[0], 1)
        self.layer2 = _stage(widths[0], widths[1], 1 if dense else 2)
        self.layer3 = _stage(widths[1], widths[2], 2)
        self.layer4 = _stage(widths[2], widths[3], 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        fine: Tensor = self.layer2(self.layer1(x))
        middle: Tensor = self.layer3(fine)
        return fine, middle, self.layer4(middle)

    def fold(self) -> None:
        """Fold the stem's batch norm away."""
        self.conv1, self.bn1 = fuse(self.conv1, self.bn1)


class AttentionRefinement(nn.Module):
    """ARM (section 3.2): reweight channels by a global descriptor."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = ConvBNReLU(inputs, outputs)
        self.conv_atten = nn.Conv2d(outputs, outputs, 1, bias=False)
        self.bn_atten: nn.Module = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        features: Tensor = self.conv(x)
        descriptor = features.mean((2, 3), keepdim=True)
        return features * torch.sigmoid(self.bn_atten(self.conv_atten(descriptor)))

    def fold(self) -> None:
        """Fold the attention's batch norm away."""
        self.conv_atten, self.bn_atten = fuse(self.conv_atten, self.bn_atten)


class ContextPath(nn.Module):
    """Backbone, global context and two refined scales, coarse to fine."""

    def __init__(self, widths: tuple[int, ...], middle: int, dense: bool) -> None:
        super().__init__()
        self.resnet = ResNet(widths, dense)
        self.arm16 = AttentionRefinement(widths[2], middle)
        self.arm32 = AttentionRefinement(widths[3], middle)
        self.conv_head32 = ConvBNReLU(middle, middle)
        self.conv_head16 = ConvBNReLU(middle, middle)
        self.conv_avg = ConvBNReLU(widths[3], middle, kernel=1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        fine, middle, coarse = self.resnet(x)
        context = self.conv_avg(coarse.mean((2, 3), keepdim=True))
        refined = self.arm32(coarse) + context
        refined = self.conv_head32(F.interpolate(refined, middle.shape[2:], mode="nearest"))
        merged = self.arm16(middle) + refined
        merged = self.conv_head16(F.interpolate(merged, fine.shape[2:], mode="nearest"))
        return fine, merged, refined


class FeatureFusion(nn.Module):
    """FFM (section 3.2): join spatial detail and context, then gate the channels."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convblk = ConvBNReLU(inputs, outputs, kernel=1)
        self.conv1 = nn.Conv2d(outputs, outputs // 4, 1, bias=False)
        self.conv2 = nn.Conv2d(outputs // 4, outputs, 1, bias=False)

    def forward(self, spatial: Tensor, context: Tensor) -> Tensor:
        features: Tensor = self.convblk(torch.cat([spatial, context], 1))
        gate = self.conv2(F.relu(self.conv1(features.mean((2, 3), keepdim=True))))
        return features + features * torch.sigmoid(gate)


class Head(nn.Module):
    """Logits at feature resolution."""

    def __init__(self, inputs: int, middle: int) -> None:
        super().__init__()
        self.conv = ConvBNReLU(inputs, middle)
        self.conv_out = nn.Conv2d(middle, CLASS_COUNT, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.conv_out(self.conv(x))
        return logits


class BiSeNet(nn.Module):
    """Bilateral segmentation network: normalised RGB (N, 3, H, W) to logits (N, 19, H, W).

    Args:
        widths: channels of the four backbone stages.
        middle: channels of the context path.
        dense: halve every stride after the stem (features at 4/8/16 instead of 8/16/32).
    """

    def __init__(self, widths: tuple[int, ...] = RESNET18_WIDTHS, middle: int = 128, dense: bool = False) -> None:
        super().__init__()
        # The official layout stretches corner to corner; half-pixel alignment is what a resized frame has.
        self.align_corners = not dense
        self.cp = ContextPath(widths, middle, dense)
        self.ffm = FeatureFusion(widths[1] + middle, 2 * middle)
        self.conv_out = Head(2 * middle, 2 * middle if not dense else middle)
        self.conv_out16 = Head(middle, middle // 2)
        self.conv_out32 = Head(middle, middle // 2)

    def heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Main and the two auxiliary logits, each at its own resolution (for training)."""
        fine, merged, refined = self.cp(x)
        return self.conv_out(self.ffm(fine, merged)), self.conv_out16(merged), self.conv_out32(refined)

    def forward(self, x: Tensor) -> Tensor:
        fine, merged, _ = self.cp(x)
        logits = self.conv_out(self.ffm(fine, merged))
        return F.interpolate(logits, x.shape[2:], mode="bilinear", align_corners=self.align_corners)
