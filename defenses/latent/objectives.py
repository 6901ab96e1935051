"""What is descended: losses of a picture's latents under a latent diffusion model.

With z = E(x) the latents of the picture x, eps normal noise, t a uniform step and z_t the latents noised to t:

- encoder attack (PhotoGuard, Salman et al. 2023): ``|| E(x) - E(target) ||^2``, descended;
- diffusion attack (AdvDM, Liang et al. 2023): ``|| eps_theta(z_t, t) - eps ||^2``, ascended;
- Mist (Liang and Wu 2023): the first, less ``rate`` times the second;
- score distillation (Xue et al. 2024): the gradient of the second without the denoiser's Jacobian,
  ``(eps_theta(z_t, t) - eps) dz/dx``.

The first is a sum and the second a mean over latents, as in Diff-Protect, so that ``rate`` means the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

import numpy as np
import torch
import torch.nn.functional as F

from vdf_bench.defenses.common.record import Rows
from vdf_bench.models.denoiser import STEPS, add_noise

if TYPE_CHECKING:
    from torch import Tensor

    from vdf_bench.models.diffusion import LatentDiffusion

Target = Literal["grey", "pattern"]
Sign = Literal["+", "-"]
#: Edge of a square of the pattern, as a share of the picture's edge.
SQUARE: Final = 1 / 16


def target_picture(kind: Target, size: int) -> Tensor:
    """(3, size, size) in [0, 1]: flat mid grey, or a board of black and white squares, each sliced by a thin diagonal.

    The board stands for the picture that Mist ships: like that one it is full of hard edges, everywhere alike.
    """
    if kind == "grey":
        return torch.full((3, size, size), 0.5)
    position = (torch.arange(size) + 0.5) / size / SQUARE
    rows, columns = position[:, None], position[None]
    dark = (rows.floor() + columns.floor()) % 2
    diagonal = ((rows - columns) % 1 - 0.5).abs() < 0.1
    return torch.where(diagonal, 1 - dark, dark).expand(3, size, size).clone()


@dataclass(frozen=True)
class Prepared:
    """What a frame's objective keeps.

    Attributes:
        clean: (1, 4, h, w) latents of the clean frame.
        generator: of the frame's random steps and noise.
    """

    clean: Tensor
    generator: torch.Generator


@dataclass(frozen=True)
class LatentResult:
    """A picture's loss.

    Attributes:
        loss: scalar; its gradient is what is descended.
        latents: (1, 4, h, w) of the picture.
        clean: (1, 4, h, w) of the clean frame.
        success: never: none of these methods knows when to stop.
    """

    loss: Tensor
    latents: Tensor
    clean: Tensor
    success: bool = False

    @property
    def shift(self) -> float:
        """Root mean square change of the latents, which have about unit variance."""
        return float((self.latents.detach() - self.clean).square().mean().sqrt())


class Loss(Protocol):
    """A loss of latents, lower is better for the defender."""

    def __call__(self, model: LatentDiffusion, latents: Tensor, generator: torch.Generator) -> Tensor:
        """Scalar loss of latents (1, 4, h, w)."""
        ...


@dataclass(frozen=True)
class Drawn:
    """Latents at a random step.

    Attributes:
        noisy: (1, 4, h, w).
        noise: what was added, unit variance.
        step: (1,) int64.
    """

    noisy: Tensor
    noise: Tensor
    step: Tensor

    @classmethod
    def of(cls, model: LatentDiffusion, latents: Tensor, generator: torch.Generator) -> Drawn:
        """Noise latents to a step drawn uniformly; drawn on the CPU, so that devices agree."""
        step = torch.randint(STEPS, (1,), generator=generator)
        noise = torch.randn(latents.shape, generator=generator).to(latents)
        step = step.to(latents.device)
        return cls(add_noise(latents, noise, model.alpha_bar[step]), noise, step)


def diffusion_loss(model: LatentDiffusion, latents: Tensor, generator: torch.Generator) -> Tensor:
    """Mean square error of the predicted noise at one random step; differentiable."""
    drawn = Drawn.of(model, latents, generator)
    return F.mse_loss(model.predict(drawn.noisy, drawn.step), drawn.noise)


class EncoderLoss:
    """Squared distance of the latents to those of a target picture, summed.

    Args:
        target: the picture.
        size: edge of the frames.
    """

    def __init__(self, target: Target, size: int) -> None:
        self._picture = target_picture(target, size)
        self._latents: Tensor | None = None

    def __call__(self, model: LatentDiffusion, latents: Tensor, generator: torch.Generator) -> Tensor:
        del generator
        if self._latents is None:
            with torch.no_grad():
                self._latents = model.encode(self._picture[None].to(latents.device))
        return (latents - self._latents).square().sum()


class DiffusionLoss:
    """AdvDM: the diffusion loss, ascended (``+``) or descended (``-``)."""

    def __init__(self, sign: Sign) -> None:
        self._sign = -1.0 if sign == "+" else 1.0

    def __call__(self, model: LatentDiffusion, latents: Tensor, generator: torch.Generator) -> Tensor:
        return self._sign * diffusion_loss(model, latents, generator)


class MistLoss:
    """Mist: towards the target's latents, and ``rate`` times up the diffusion loss."""

    def __init__(self, target: Target, size: int, rate: float) -> None:
        self._textural = EncoderLoss(target, size)
        self._rate = rate

    def __call__(self, model: LatentDiffusion, latents: Tensor, generator: torch.Generator) -> Tensor:
        textural = self._textural(model, latents, generator)
        return textural - self._rate * diffusion_loss(model, latents, generator)


class ScoreLoss:
    """Score distillation: its gradient in the latents is (predicted - true noise), up (``+``) or down (``-``).

    The denoiser runs forward only. The loss's value means nothing.
    """

    def __init__(self, sign: Sign) -> None:
        self._sign = -1.0 if sign == "+" else 1.0

    def __call__(self, model: LatentDiffusion, latents: Tensor, generator: torch.Generator) -> Tensor:
        with torch.no_grad():
            drawn = Drawn.of(model, latents.detach(), generator)
            score = model.predict(drawn.noisy, drawn.step) - drawn.noise
        return self._sign * (score * latents).sum()


class LatentObjective:
    """Objective of :func:`vdf_bench.defenses.common.descent.descend`: a loss of every frame's latents.

    Args:
        model: the surrogate.
        loss: what is descended.
        seed: frame k draws its steps and noise from a generator seeded by (seed, k).
    """

    def __init__(self, model: LatentDiffusion, loss: Loss, seed: int) -> None:
        self._model = model
        self._loss = loss
        self._seed = seed
        self._frame = 0

    def prepare(self, clean: Tensor) -> Prepared:
        state = np.random.SeedSequence([self._seed, self._frame]).generate_state(1)
        self._frame += 1
        with torch.no_grad():
            return Prepared(self._model.encode(clean[None]), torch.Generator().manual_seed(int(state[0])))

    def judge(self, picture: Tensor, prepared: Prepared) -> LatentResult:
        latents = self._model.encode(picture[None])
        return LatentResult(self._loss(self._model, latents, prepared.generator), latents, prepared.clean)


class LatentRecord(Rows):
    """Per-frame record: steps taken, last loss, ``latent_shift``, and 1 in ``stable_diffusion`` if that was attacked.

    Losses of random steps are single draws, those of score distillation no losses at all: ``latent_shift``, the root
    mean square change of the latents, is what can be compared.
    """

    def __init__(self, surrogate: str = "") -> None:
        super().__init__()
        self._stable_diffusion = float(surrogate == "stable-diffusion")

    def add(self, iterations: int, result: LatentResult, **more: float) -> None:
        """Note one frame."""
        self.note(
            iterations=float(iterations),
            success=float(result.success),
            loss=float(result.loss.detach()),
            latent_shift=result.shift,
            stable_diffusion=self._stable_diffusion,
            **more,
        )
