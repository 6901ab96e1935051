"""HiSD's generator at whatever size a checkpoint has: encoder, translators, mappers and decoder (Li et al. 2021).

Blocks are those of StarGAN v2 (Choi et al. 2020): pre-activated, instance norm or AdaIN, an average pool or a nearest
enlargement, a 1 x 1 shortcut, the sum over the root of two.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vdf_bench.victims.editors.official.common import width_of

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Layout:
    """Widths of a HiSD generator.

    Attributes:
        encoder: channels after the first 1 x 1 convolution and after each halving.
        translators: channels inside a translator.
        extractors: channels inside the extractors.
        mapper: channels of a mapper before it parts by attribute.
        heads: channels after it.
        style: length of a style.
        noise: length of the latent code.
        attributes: number of attributes of each tag.
    """

    encoder: tuple[int, ...]
    translators: tuple[int, ...]
    extractors: tuple[int, ...]
    mapper: tuple[int, ...]
    heads: tuple[int, ...]
    style: int
    noise: int
    attributes: tuple[int, ...]


def layout_of(state: dict[str, Tensor], wanted: Sequence[tuple[int, int]]) -> Layout:
    """Read the widths from a checkpoint's shapes.

    Args:
        state: tensors by official key.
        wanted: (tag, attribute) that must be there.

    Raises:
        UserError: no such layers, or too few tags or attributes.
    """

    def width(key: str, axis: int = 0) -> int:
        return width_of(state, key, "hisd", axis)

    def count(pattern: str) -> int:
        found = [int(match[1]) for key in state if (match := re.match(pattern, key))]
        # No genuine network has a hundred layers in a row; a made-up number must not become work.
        return min(max(found, default=-1) + 1, 100)

    def blocks(prefix: str) -> tuple[int, ...]:
        number = count(rf"{re.escape(prefix)}\.(\d+)\.conv2\.weight")
        return (width(f"{prefix}.0.weight"), *(width(f"{prefix}.{k}.conv2.weight") for k in range(1, number)))

    def lines(prefix: str) -> tuple[int, ...]:
        number = count(rf"{re.escape(prefix)}\.(\d+)\.linear\.weight")
        first = 0 if f"{prefix}.0.linear.weight" in state else 1
        return tuple(width(f"{prefix}.{k}.linear.weight") for k in range(first, number))

    tags = count(r"translators\.(\d+)\.")
    attributes = tuple(count(rf"mappers\.{tag}\.post_models\.(\d+)\.") for tag in range(tags))
    for tag, attribute in wanted:
        if tag >= tags or attribute >= attributes[tag]:
            width(f"mappers.{tag}.post_models.{attribute}.0.linear.weight")
    return Layout(
        encoder=blocks("encoder"),
        translators=blocks("translators.0.model"),
        extractors=blocks("extractors.model"),
        mapper=(width("mappers.0.pre_model.0.weight"), *lines("mappers.0.pre_model")),
        heads=lines("mappers.0.post_models.0"),
        style=width("translators.0.style_to_params.weight", 1),
        noise=width("mappers.0.pre_model.0.weight", 1),
        attributes=attributes,
    )


class _AdaIn(nn.Module):
    """Instance norm whose scale and shift come with the style."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor, parameters: Tensor) -> Tensor:
        """(N, C, H, W) and (N, 2 C), shift before scale."""
        shift, scale = parameters[:, :, None, None].chunk(2, 1)
        return F.instance_norm(x) * scale + shift


class _Block(nn.Module):
    """Residual block; ``resample`` halves (-1), keeps (0) or doubles (1) the edge."""

    def __init__(self, inputs: int, outputs: int, resample: int, normed: bool) -> None:
        super().__init__()
        self.resample, self.normed = resample, normed
        self.conv1 = nn.Conv2d(inputs, inputs, 3, 1, 1)
        self.conv2 = nn.Conv2d(inputs, outputs, 3, 1, 1)
        self.sc = nn.Conv2d(inputs, outputs, 1, bias=False)

    def _normed(self, x: Tensor) -> Tensor:
        return F.leaky_relu(F.instance_norm(x) if self.normed else x, 0.2)

    def forward(self, x: Tensor) -> Tensor:
        short, y = self.sc(x), self._normed(x)
        if self.resample > 0:
            short, y = (F.interpolate(part, scale_factor=2.0) for part in (short, y))
        y = self.conv1(y)
        if self.resample < 0:
            short, y = F.avg_pool2d(short, 2), F.avg_pool2d(y, 2)
        out: Tensor = (short + self.conv2(self._normed(y))) / math.sqrt(2)
        return out


class _MiddleBlock(nn.Module):
    """Residual block of a translator: two AdaIN."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, 1, 1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1)
        self.adain1, self.adain2 = _AdaIn(inputs), _AdaIn(outputs)
        self.sc = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: Tensor, parameters: Tensor) -> Tensor:
        at = 2 * self.adain1.channels
        first, second = parameters[:, :at], parameters[:, at:]
        y = self.conv1(F.leaky_relu(self.adain1(x, first), 0.2))
        y = self.conv2(F.leaky_relu(self.adain2(y, second), 0.2))
        out: Tensor = (self.sc(x) + y) / math.sqrt(2)
        return out


class _Line(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.linear(x).relu()
        return out


class _Translator(nn.Module):
    """Changes features of one tag where a mask says so."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        code, widths = layout.encoder[-1], layout.translators
        self.model = nn.Sequential(nn.Conv2d(code, widths[0], 1), *(_MiddleBlock(a, b) for a, b in pairwise(widths)))
        self.style_to_params = nn.Linear(layout.style, 2 * sum(a + b for a, b in pairwise(widths)))
        self.features = nn.Sequential(nn.Conv2d(widths[-1], code, 1))
        self.masks = nn.Sequential(nn.Conv2d(widths[-1], code, 1), nn.Sigmoid())

    def forward(self, code: Tensor, style: Tensor) -> Tensor:
        parameters, x, at = self.style_to_params(style), self.model[0](code), 0
        for block in list(self.model)[1:]:
            assert isinstance(block, _MiddleBlock)
            size = 2 * (block.adain1.channels + block.adain2.channels)
            x = block(x, parameters[:, at : at + size])
            at += size
        mask = self.masks(x)
        out: Tensor = mask * self.features(x) + (1 - mask) * code
        return out


class _Mapper(nn.Module):
    """Noise to a style of each attribute."""

    def __init__(self, layout: Layout, attributes: int) -> None:
        super().__init__()
        first, *_ = layout.mapper
        self.pre_model = nn.Sequential(
            nn.Linear(layout.noise, first), *(_Line(a, b) for a, b in pairwise(layout.mapper))
        )
        widths = (layout.mapper[-1], *layout.heads)
        self.post_models = nn.ModuleList(
            nn.Sequential(*(_Line(a, b) for a, b in pairwise(widths)), nn.Linear(widths[-1], layout.style))
            for _ in range(attributes)
        )

    def forward(self, noise: Tensor, attribute: int) -> Tensor:
        style: Tensor = self.post_models[attribute](self.pre_model(noise))
        return style


class _Extractors(nn.Module):
    """Styles of a reference picture; kept so that a checkpoint fits whole, though latent-guided edits never ask it."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        widths = layout.extractors
        self.model = nn.Sequential(
            nn.Conv2d(3, widths[0], 1),
            *(_Block(a, b, -1, normed=False) for a, b in pairwise(widths)),
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(widths[-1], layout.style * len(layout.attributes), 1),
        )


class HisdGenerator(nn.Module):
    """HiSD's generator.

    Args:
        layout: its widths.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        widths = layout.encoder
        self.encoder = nn.Sequential(
            nn.Conv2d(3, widths[0], 1), *(_Block(a, b, -1, normed=True) for a, b in pairwise(widths))
        )
        self.decoder = nn.Sequential(
            *(_Block(a, b, 1, normed=True) for a, b in pairwise(widths[::-1])), nn.Conv2d(widths[0], 3, 1)
        )
        self.extractors = _Extractors(layout)
        self.translators = nn.ModuleList(_Translator(layout) for _ in layout.attributes)
        self.mappers = nn.ModuleList(_Mapper(layout, count) for count in layout.attributes)

    @torch.no_grad()
    def style(self, noise: Tensor, tag: int, attribute: int) -> Tensor:
        """Style (1, style) of one attribute, from a latent code (1, noise)."""
        style: Tensor = self.mappers[tag](noise, attribute)
        return style

    def translate(self, x: Tensor, style: Tensor, tag: int) -> Tensor:
        """Edit (N, 3, H, W) in [-1, 1] by styles (N, style) of a tag."""
        edited: Tensor = self.decoder(self.translators[tag](self.encoder(x), style))
        return edited
