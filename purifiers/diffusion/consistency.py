"""IMPRESS: a picture optimised until a model reproduces it (Cao et al. 2023).

A protected picture and its reconstruction differ more than a clean one's do; the frame is moved until they agree, and
a bound on its perceived change keeps it the same picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import torch
import torch.nn.functional as F

from vdf_bench.models.denoiser import add_noise, remove_noise
from vdf_bench.purifiers.diffusion.stream import normal_like

if TYPE_CHECKING:
    from torch import Tensor

    from vdf_bench.models.pixels import PixelDiffusion


class Reconstruction(Protocol):
    """What a model makes of a picture."""

    def __call__(self, signal: Tensor, generator: torch.Generator) -> Tensor:
        """(1, 3, H, W) in [-1, 1] to the same; differentiable."""
        ...


class Distance(Protocol):
    """How far two pictures are apart."""

    def __call__(self, first: Tensor, second: Tensor) -> Tensor:
        """Scalar distance of pictures (1, 3, H, W) in [-1, 1]; differentiable."""
        ...


class Denoised:
    """The picture that a denoiser finds under fresh noise of one step.

    Args:
        model: of pictures in [-1, 1].
        t: thousandths of the schedule, at least 1.
    """

    def __init__(self, model: PixelDiffusion, t: int) -> None:
        self._model, self._step = model, t - 1

    def __call__(self, signal: Tensor, generator: torch.Generator) -> Tensor:
        share = self._model.alpha_bar[self._step]
        noisy = add_noise(signal, normal_like(signal, generator), share)
        predicted = self._model.predict(noisy, torch.full((1,), self._step, device=signal.device))
        return remove_noise(noisy, predicted, share)


def root_mean_square(first: Tensor, second: Tensor) -> Tensor:
    """Root mean square difference."""
    # The tiny number keeps the gradient finite where both are equal.
    return ((first - second).square().mean() + 1e-12).sqrt()


def autoencoded(device: str) -> Reconstruction:
    """Stable Diffusion's autoencoder, from the user's folder.

    Raises:
        UserError: diffusers or the model is missing, or the model is damaged.
    """
    from vdf_bench.assets.checkpoints import check_model_folder
    from vdf_bench.models.stable_diffusion import StableDiffusion, stable_diffusion_folder

    check_model_folder(stable_diffusion_folder())
    model = StableDiffusion(stable_diffusion_folder(), device)

    def reconstruct(signal: Tensor, generator: torch.Generator) -> Tensor:
        del generator
        height, width = signal.shape[2:]
        return model.decode(model.encode(signal / 2 + 0.5))[..., :height, :width] * 2 - 1

    return reconstruct


def lpips_from(device: str) -> Distance:
    """LPIPS over the user's VGG-16.

    Raises:
        UserError: the backbone is missing, too large or damaged.
    """
    from vdf_bench.models.perceptual import backbone_path, load_lpips

    model: Any = load_lpips("vgg", backbone_path("vgg")).to(device)

    def distance(first: Tensor, second: Tensor) -> Tensor:
        result: Tensor = model(first, second).squeeze()
        return result

    return distance


class ConsistencyWash:
    """Descend ``mse(reconstruction(x), x) + alpha * max(distance(x, frame) - bound, 0)`` with Adam.

    As in the official code, the gradient passes through the model, the rate falls along a cosine to 1e-5, and the
    start has noise on it.

    Args:
        reconstruct: the model's view of a picture.
        distance: perceived change.
        steps: of Adam, at least 1.
        rate: learning rate at the start.
        alpha: weight of what exceeds ``bound``.
        bound: distance that costs nothing.
        noise: standard deviation of the start's noise, on [-1, 1] pixels.
    """

    def __init__(
        self,
        reconstruct: Reconstruction,
        distance: Distance,
        steps: int,
        rate: float,
        alpha: float,
        bound: float,
        noise: float,
    ) -> None:
        self._reconstruct, self._distance = reconstruct, distance
        self._steps, self._rate = steps, rate
        self._alpha, self._bound, self._noise = alpha, bound, noise

    def __call__(self, signal: Tensor, generator: torch.Generator) -> Tensor:
        """Purify a picture (1, 3, H, W) in [-1, 1]."""
        x = (signal + self._noise * normal_like(signal, generator)).clamp(-1, 1).requires_grad_()
        adam = torch.optim.Adam([x], lr=self._rate, eps=1e-5)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, self._steps, eta_min=min(1e-5, self._rate))
        for _ in range(self._steps):
            adam.zero_grad()
            beyond = (self._distance(x, signal) - self._bound).clamp(min=0)
            loss = F.mse_loss(self._reconstruct(x, generator), x) + self._alpha * beyond
            torch.autograd.backward(loss, inputs=[x])
            adam.step()
            schedule.step()
            with torch.no_grad():
                x.clamp_(-1, 1)
        return x.detach()
