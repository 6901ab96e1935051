"""Noise predictors (Ho et al. 2020): small U-Nets that ship, and the schedule of the noise that they were taught.

``denoiser-synth`` works on pictures, for whoever wants to wash noise out of them; the denoiser of ``latent-synth``
(:mod:`vdf_bench.models.diffusion`) is the same network on latents.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Final, cast

import torch
import torch.nn.functional as F
from torch import nn

from vdf_bench.assets.shipped import load_shipped

if TYPE_CHECKING:
    from torch import Tensor

#: Steps of the noise schedule.
STEPS: Final = 1000
#: Channels of the embedded step.
EMBEDDED: Final = 128


def linear_schedule(start: float = 1e-4, end: float = 0.02) -> Tensor:
    """``alpha_bar`` (1000,) of DDPM: the share of the signal's variance that is left after each step."""
    return torch.cumprod(1 - torch.linspace(start, end, STEPS, dtype=torch.float64), 0).float()


def add_noise(signal: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
    """``sqrt(a) signal + sqrt(1 - a) noise``, for signals of about unit variance, or pictures in [-1, 1].

    Args:
        signal: (N, C, H, W).
        noise: of the same shape, standard normal.
        alpha_bar: (N,) of each picture's step.
    """
    share = alpha_bar.view(-1, 1, 1, 1)
    return share.sqrt() * signal + (1 - share).sqrt() * noise


def remove_noise(noisy: Tensor, predicted: Tensor, alpha_bar: Tensor) -> Tensor:
    """The signal that :func:`add_noise` would have made ``noisy`` from, had the noise been ``predicted``."""
    share = alpha_bar.view(-1, 1, 1, 1)
    return (noisy - (1 - share).sqrt() * predicted) / share.sqrt()


def embed(step: Tensor) -> Tensor:
    """Sinusoids (N, 128) of steps (N,), as in Ho et al."""
    half = EMBEDDED // 2
    frequency = torch.exp(-math.log(10_000) * torch.arange(half, device=step.device) / half)
    angle = step.float()[:, None] * frequency
    return torch.cat([angle.cos(), angle.sin()], 1)


class ResidualBlock(nn.Module):
    """Two convolutions with group norm and a shortcut; where a step is embedded, it scales and shifts in between."""

    def __init__(self, inputs: int, outputs: int, embedded: int = 0) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(8, inputs), nn.Conv2d(inputs, outputs, 3, 1, 1)
        self.norm2, self.conv2 = nn.GroupNorm(8, outputs), nn.Conv2d(outputs, outputs, 3, 1, 1)
        self.modulate = nn.Linear(embedded, 2 * outputs) if embedded else None
        self.shortcut = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)
        # A block begins as its shortcut.
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor, embedded: Tensor | None = None) -> Tensor:
        """(N, inputs, h, w) to (N, outputs, h, w)."""
        h = self.norm2(self.conv1(F.silu(self.norm1(x))))
        if self.modulate is not None and embedded is not None:
            scale, shift = self.modulate(embedded)[:, :, None, None].chunk(2, 1)
            h = h * (1 + scale) + shift
        result: Tensor = self.shortcut(x) + self.conv2(F.silu(h))
        return result


class Denoiser(nn.Module):
    """Predicts the noise in (N, C, H, W): a U-Net of three scales whose finest cells are ``fold`` x ``fold`` pixels.

    Args:
        channels: of the signal.
        fold: edge of the cells that are folded into channels at the entrance (FFDNet, Zhang et al. 2018).
        widths: channels of the three scales.
    """

    def __init__(self, channels: int, fold: int, widths: tuple[int, int, int]) -> None:
        super().__init__()
        self.fold = fold
        cell = channels * fold**2
        self.embedding = nn.Sequential(nn.Linear(EMBEDDED, EMBEDDED), nn.SiLU(), nn.Linear(EMBEDDED, EMBEDDED))
        self.enter = nn.Conv2d(cell, widths[0], 3, 1, 1)
        self.down = nn.ModuleList(ResidualBlock(width, width, EMBEDDED) for width in widths[:-1])
        self.shrink = nn.ModuleList(nn.Conv2d(a, b, 3, 2, 1) for a, b in pairwise(widths))
        self.middle = ResidualBlock(widths[-1], widths[-1], EMBEDDED)
        self.up = nn.ModuleList(ResidualBlock(a + b, a, EMBEDDED) for a, b in pairwise(widths))
        self.leave = nn.Sequential(nn.GroupNorm(8, widths[0]), nn.SiLU(), nn.Conv2d(widths[0], cell, 3, 1, 1))
        # Late steps are noise almost alone: what enters passes, by a share that depends on the step.
        self.share = nn.Linear(EMBEDDED, 1)
        nn.init.zeros_(cast("nn.Conv2d", self.leave[2]).weight)
        nn.init.zeros_(self.share.weight)

    def forward(self, noisy: Tensor, step: Tensor) -> Tensor:
        """The noise in ``noisy`` (N, C, H, W) at steps (N,) below 1000; any size, differentiable."""
        height, width = noisy.shape[2:]
        beyond = (0, -width % self.fold, 0, -height % self.fold)
        x = F.pixel_unshuffle(F.pad(noisy, beyond, mode="replicate"), self.fold)
        embedded = F.silu(self.embedding(embed(step)))
        x = self.enter(x)
        skips: list[Tensor] = []
        for block, shrink in zip(self.down, self.shrink, strict=True):
            x = block(x, embedded)
            skips.append(x)
            x = shrink(x)
        x = self.middle(x, embedded)
        for block in reversed(self.up):
            skip = skips.pop()
            x = F.interpolate(x, skip.shape[2:], mode="nearest")
            x = block(torch.cat([skip, x], 1), embedded)
        change = F.pixel_shuffle(self.leave(x), self.fold)[:, :, :height, :width]
        passed: Tensor = self.share(embedded)[:, :, None, None] * noisy
        return passed + change


def new_denoiser() -> Denoiser:
    """``denoiser-synth`` untrained: pictures in [-1, 1], any size."""
    return Denoiser(3, 2, (64, 96, 128))


def load_denoiser() -> Denoiser:
    """``denoiser-synth``, frozen; its noise follows :func:`linear_schedule`.

    Raises:
        UserError: its weights are absent or damaged.
    """
    denoiser = new_denoiser()
    denoiser.load_state_dict(load_shipped("denoiser-synth"))
    return denoiser.eval().requires_grad_(False)
