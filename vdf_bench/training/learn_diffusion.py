"""The training loops of the autoencoder and the denoisers, and the crops that they see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
import torch.nn.functional as F

from vdf_bench.models.denoiser import STEPS, add_noise
from vdf_bench.training.learn import Descent

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from vdf_bench.models.autoencoder import Autoencoder
    from vdf_bench.models.denoiser import Denoiser
    from vdf_bench.training.learn import Progress

#: Pictures in a batch.
BATCH: Final = 16
#: Edges of the crops: multiples of 8.
EDGES: Final = (64, 96, 128)
#: Share of crops that are textures, so that the networks are not lost off the face.
TEXTURES: Final = 0.25
#: Weight of the divergence from the normal distribution, per latent; it only keeps latents from wandering off.
DIVERGENCE: Final = 1e-4


class Crops:
    """Draws mirrored, recoloured crops.

    Args:
        pictures: (N, S, S, 3) uint8 RGB, S at least the largest crop.
        textures: (M, S, S, 3) uint8 RGB.
        seed: of every draw.
    """

    def __init__(self, pictures: NDArray[np.uint8], textures: NDArray[np.uint8], seed: int) -> None:
        self._sources = [torch.from_numpy(source).permute(0, 3, 1, 2) for source in (pictures, textures)]
        self.generator = torch.Generator().manual_seed(seed)

    def uniform(self, *shape: int) -> Tensor:
        """Uniform numbers in [0, 1)."""
        return torch.rand(shape, generator=self.generator)

    def below(self, limit: int) -> int:
        """A whole number from 0 on."""
        return int(torch.randint(limit, (), generator=self.generator))

    def normal_like(self, like: Tensor) -> Tensor:
        """Standard normal noise."""
        return torch.randn(like.shape, generator=self.generator)

    def draw(self, count: int = BATCH, edges: tuple[int, ...] = EDGES) -> Tensor:
        """(count, 3, s, s) float32 in [-1, 1], s one of ``edges``."""
        edge = edges[self.below(len(edges))]
        crops = []
        for textured in (self.uniform(count) < TEXTURES).tolist():
            source = self._sources[int(textured)]
            picture = source[self.below(len(source))]
            top, left = self.below(picture.shape[1] - edge + 1), self.below(picture.shape[2] - edge + 1)
            crop = picture[:, top : top + edge, left : left + edge]
            crops.append(crop.flip(2) if self.below(2) else crop)
        light = 0.75 + 0.4 * self.uniform(count, 1, 1, 1) + 0.1 * self.uniform(count, 3, 1, 1)
        return (torch.stack(crops).float() / 255 * light).clamp(0, 1) * 2 - 1


def learn_autoencoder(autoencoder: Autoencoder, crops: Crops, steps: int, progress: Progress) -> None:
    """Train to reproduce crops; ``scale`` is measured at the end."""
    descent = Descent(autoencoder, steps, 2e-3, progress)
    autoencoder.train().to(memory_format=torch.channels_last)
    for _ in range(steps):
        picture = crops.draw().contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            mean, spread = autoencoder.distribution(picture)
            latents = mean.float() + (0.5 * spread.float()).exp() * crops.normal_like(mean)
            error = autoencoder.decoder(latents).float() - picture
        divergence = 0.5 * (mean.float().square() + spread.float().exp() - 1 - spread.float()).mean()
        descent.step(error.abs().mean() + error.square().mean() + DIVERGENCE * divergence)
    autoencoder.eval().to(memory_format=torch.contiguous_format)
    with torch.no_grad():
        latents = autoencoder.distribution(crops.draw(64, (128,)))[0]
    autoencoder.get_buffer("scale").fill_(1 / float(latents.std()))


def learn_denoiser(
    denoiser: Denoiser,
    draw: Callable[[], Tensor],
    crops: Crops,
    alpha_bar: Tensor,
    steps: int,
    early: float,
    progress: Progress,
) -> None:
    """Train to predict noise: mean square error at random steps (Ho et al. 2020, their ``L_simple``).

    Args:
        denoiser: trained in place.
        draw: signals (N, C, H, W).
        crops: whose generator draws steps and noise.
        alpha_bar: (1000,) schedule.
        steps: optimiser steps.
        early: power of the uniform number that picks a step; above 1, small steps come more often.
        progress: called with the state of the training.
    """
    descent = Descent(denoiser, steps, 1.5e-3, progress)
    denoiser.train().to(memory_format=torch.channels_last)
    for _ in range(steps):
        signal = draw()
        step = (STEPS * crops.uniform(len(signal)) ** early).long()
        noise = crops.normal_like(signal)
        noisy = add_noise(signal, noise, alpha_bar[step]).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            predicted = denoiser(noisy, step)
        descent.step(F.mse_loss(predicted.float(), noise))
    denoiser.eval().to(memory_format=torch.contiguous_format)
