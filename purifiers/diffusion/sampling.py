"""DiffPure: a picture noised to a step, and sampled back from there (Nie et al. 2022, section 3).

The way back is DDPM's ancestral sampling (Ho et al. 2020, equation 7) over evenly spaced steps (Nichol and Dhariwal
2021): with all of them, the official code's ``ddpm`` sampler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from vdf_bench.models.denoiser import add_noise, remove_noise
from vdf_bench.purifiers.diffusion.stream import normal_like

if TYPE_CHECKING:
    from torch import Tensor

    from vdf_bench.models.pixels import PixelDiffusion


def spaced_steps(t: int, count: int) -> list[int]:
    """``count`` steps from t - 1 down, evenly spaced, at most all of them: noise after t steps has index t - 1."""
    count = min(t, count)
    return [round(t * part / count) - 1 for part in range(count, 0, -1)]


class DiffusionWash:
    """Noise to ``t`` thousandths and back.

    Args:
        model: of pictures in [-1, 1].
        t: 1 to 1000.
        steps: denoising steps, at least 1.
    """

    def __init__(self, model: PixelDiffusion, t: int, steps: int) -> None:
        self._model = model
        self._steps = spaced_steps(t, steps)

    @torch.no_grad()
    def __call__(self, signal: Tensor, generator: torch.Generator) -> Tensor:
        """Purify pictures (N, 3, H, W) in [-1, 1]."""
        shares = self._model.alpha_bar[self._steps]
        noisy = add_noise(signal, normal_like(signal, generator), shares[:1])
        for step, share, after in zip(self._steps, shares, [*shares[1:], None], strict=True):
            predicted = self._model.predict(noisy, torch.full((len(noisy),), step, device=noisy.device))
            clean = remove_noise(noisy, predicted, share).clamp(-1, 1)
            if after is None:
                return clean
            noisy = _ancestor(noisy, clean, share, after, normal_like(signal, generator))
        raise AssertionError("there is a last step")


def _ancestor(noisy: Tensor, clean: Tensor, share: Tensor, after: Tensor, noise: Tensor) -> Tensor:
    """A draw at the share ``after`` given the picture at ``share`` and the clean one: DDPM's posterior."""
    kept = share / after
    mean = after.sqrt() * (1 - kept) / (1 - share) * clean + kept.sqrt() * (1 - after) / (1 - share) * noisy
    return mean + ((1 - after) / (1 - share) * (1 - kept)).sqrt() * noise
