"""Latent diffusion models as attacks and purifiers see them: pictures to latents, and the noise in latents.

Two provide it: ``synth`` ships and is small; ``stable-diffusion`` is the user's own copy of Stable Diffusion 1.x
(:mod:`vdf_bench.models.stable_diffusion`). Pictures are RGB in [0, 1] out here; the networks' [-1, 1] stays inside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

import torch
from torch import nn

from vdf_bench.assets.shipped import load_shipped
from vdf_bench.models.autoencoder import LATENT, Autoencoder
from vdf_bench.models.denoiser import STEPS, Denoiser
from vdf_bench.models.stable_diffusion import stable_diffusion_folder

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

#: What may be asked for: ``auto`` takes Stable Diffusion where its weights are.
Surrogate = Literal["auto", "synth", "stable-diffusion"]


class LatentDiffusion(Protocol):
    """A frozen latent diffusion model.

    Attributes:
        name: ``synth`` or ``stable-diffusion``.
        alpha_bar: (1000,) float32, share of the signal's variance that is left after each step.
    """

    name: str
    alpha_bar: Tensor

    def encode(self, picture: Tensor) -> Tensor:
        """Latents (N, 4, ceil(H/8), ceil(W/8)) of pictures (N, 3, H, W) in [0, 1]: means, scaled to unit variance.

        Differentiable; pictures that are no multiple of 8 are mirrored on.
        """
        ...

    def predict(self, latents: Tensor, step: Tensor) -> Tensor:
        """The noise in noisy latents (N, 4, h, w) at steps (N,) int64 below 1000; differentiable."""
        ...


def scaled_linear_schedule(start: float = 0.00085, end: float = 0.012) -> Tensor:
    """``alpha_bar`` (1000,) of Stable Diffusion: the roots of the variances rise evenly (Rombach et al. 2022)."""
    roots = torch.linspace(start**0.5, end**0.5, STEPS, dtype=torch.float64)
    return torch.cumprod(1 - roots.square(), 0).float()


class SynthDiffusion(nn.Module):
    """``latent-synth``: an autoencoder and a denoiser of its latents, both learnt from rendered heads."""

    name = "synth"
    alpha_bar: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.autoencoder = Autoencoder()
        self.denoiser = Denoiser(LATENT, 1, (56, 80, 112))
        self.register_buffer("alpha_bar", scaled_linear_schedule(), persistent=False)

    def encode(self, picture: Tensor) -> Tensor:
        return self.autoencoder.encode(picture * 2 - 1)

    def decode(self, latents: Tensor) -> Tensor:
        """Pictures (N, 3, 8h, 8w) in [0, 1] of latents (N, 4, h, w)."""
        return (self.autoencoder.decode(latents) / 2 + 0.5).clamp(0, 1)

    def predict(self, latents: Tensor, step: Tensor) -> Tensor:
        noise: Tensor = self.denoiser(latents, step)
        return noise


def load_synth(folder: Path | None = None) -> SynthDiffusion:
    """``latent-synth``, frozen.

    Raises:
        UserError: its weights are absent or damaged.
    """
    model = SynthDiffusion()
    model.load_state_dict(load_shipped("latent-synth", folder) if folder else load_shipped("latent-synth"))
    return model.eval().requires_grad_(False)


def load_diffusion(surrogate: Surrogate, device: str = "cpu") -> LatentDiffusion:
    """The latent diffusion model that ``surrogate`` names, on ``device``.

    Raises:
        UserError: Stable Diffusion is asked for and its weights or libraries are missing, or weights are damaged.
    """
    if surrogate == "stable-diffusion" or (surrogate == "auto" and stable_diffusion_folder().is_dir()):
        from vdf_bench.models.stable_diffusion import StableDiffusion

        return StableDiffusion(stable_diffusion_folder(), device)
    return load_synth().to(device)
