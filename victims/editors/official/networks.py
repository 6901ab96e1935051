"""Generators of StarGAN, AttentionGAN and AttGAN at their published sizes, with parameters under the official keys."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn

#: Residual blocks of StarGAN and AttentionGAN (Choi et al. 2018, table 4).
BLOCKS: Final = 6
#: Levels of AttGAN, and its widest (He et al. 2019, table 2).
LEVELS: Final = 5
WIDEST: Final = 1024


def _normed(layer: nn.Module, channels: int) -> list[nn.Module]:
    return [layer, nn.InstanceNorm2d(channels, affine=True), nn.ReLU(inplace=True)]


class _Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        first = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        second = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.main = nn.Sequential(*_normed(first, channels), *_normed(second, channels)[:2])

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.main(x)
        return out


def _star_layers(width: int, conditions: int) -> list[nn.Module]:
    """All of StarGAN's generator but its last convolution."""
    layers = _normed(nn.Conv2d(3 + conditions, width, 7, 1, 3, bias=False), width)
    for a, b in ((width, 2 * width), (2 * width, 4 * width)):
        layers += _normed(nn.Conv2d(a, b, 4, 2, 1, bias=False), b)
    layers += [_Block(4 * width) for _ in range(BLOCKS)]
    for a, b in ((4 * width, 2 * width), (2 * width, width)):
        layers += _normed(nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False), b)
    return layers


class StarGenerator(nn.Module):
    """StarGAN's generator: picture and label planes (N, 3 + conditions, H, W) to (N, 3, H, W) in [-1, 1]."""

    def __init__(self, width: int, conditions: int) -> None:
        super().__init__()
        self.main = nn.Sequential(*_star_layers(width, conditions), nn.Conv2d(width, 3, 7, 1, 3, bias=False), nn.Tanh())

    def forward(self, told: Tensor) -> Tensor:
        edited: Tensor = self.main(told)
        return edited


class AttentionGenerator(nn.Module):
    """AttentionGAN's generator: as StarGAN's, with a mask of what stays of the picture."""

    def __init__(self, width: int, conditions: int) -> None:
        super().__init__()
        self.main = nn.Sequential(*_star_layers(width, conditions))
        self.image = nn.Sequential(nn.Conv2d(width, 3, 7, 1, 3, bias=False), nn.Tanh())
        self.mask = nn.Sequential(nn.Conv2d(width, 1, 7, 1, 3, bias=False), nn.Sigmoid())

    def forward(self, told: Tensor) -> Tensor:
        features = self.main(told)
        mask = self.mask(features)
        edited: Tensor = mask * told[:, :3] + (1 - mask) * self.image(features)
        return edited


class _Level(nn.Module):
    """A (transposed) strided convolution, batch norm unless it is the last, and an activation."""

    def __init__(self, convolution: nn.Module, channels: int | None, activation: nn.Module) -> None:
        super().__init__()
        norm = [] if channels is None else [nn.BatchNorm2d(channels)]
        self.layers = nn.Sequential(convolution, *norm, activation)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(x)
        return out


class AttGenerator(nn.Module):
    """AttGAN's generator with one skip connection and one injection: (N, 3, H, W) and (N, conditions) to (N, 3, H, W).

    Args:
        width: channels of the first level.
        conditions: attributes.
    """

    def __init__(self, width: int, conditions: int) -> None:
        super().__init__()
        widths = [min(width * 2**level, WIDEST) for level in range(LEVELS)]
        self.enc_layers = nn.ModuleList(
            _Level(nn.Conv2d(a, b, 4, 2, 1, bias=False), b, nn.LeakyReLU(0.2)) for a, b in pairwise([3, *widths])
        )
        inputs, levels = widths[-1] + conditions, []
        for level, outputs in enumerate(reversed(widths[1:])):
            levels.append(_Level(nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False), outputs, nn.ReLU()))
            inputs = outputs + (widths[-2] + conditions if level == 0 else 0)
        levels.append(_Level(nn.ConvTranspose2d(inputs, 3, 4, 2, 1), None, nn.Tanh()))
        self.dec_layers = nn.ModuleList(levels)

    def forward(self, x: Tensor, attributes: Tensor) -> Tensor:
        codes = []
        for encode in self.enc_layers:
            x = encode(x)
            codes.append(x)
        x = _beside(x, attributes)
        for level, decode in enumerate(self.dec_layers):
            x = decode(x)
            if level == 0:
                x = _beside(torch.cat([x, codes[-2]], 1), attributes)
        return x


def _beside(x: Tensor, attributes: Tensor) -> Tensor:
    return torch.cat([x, attributes[:, :, None, None].expand(-1, -1, *x.shape[2:])], 1)
