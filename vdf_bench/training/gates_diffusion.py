"""What the shipped autoencoder and denoisers must reach, measured on people that they never saw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter

from vdf_bench.models.denoiser import add_noise, remove_noise

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from vdf_bench.models.autoencoder import Autoencoder
    from vdf_bench.models.denoiser import Denoiser

#: Steps at which the error of the predicted noise is measured; the gate looks at those up to ``GATED``.
MEASURED: Final = (50, 100, 200, 400, 800)
GATED: Final = 400
#: The step of DiffPure on CIFAR-10.
WASHED: Final = 100
#: Standard deviations, pixels, among which the best blur is looked for.
BLURS: Final = (0.6, 0.8, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)


def signals(frames: NDArray[np.uint8]) -> Tensor:
    """(T, H, W, 3) uint8 to (T, 3, H, W) in [-1, 1]."""
    return torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 127.5 - 1


def psnr(first: Tensor, second: Tensor) -> float:
    """Mean PSNR [dB] of pictures (N, 3, H, W) in [-1, 1], each clipped."""
    error = (first.clamp(-1, 1) - second.clamp(-1, 1)).square().mean((1, 2, 3)) / 4
    return float((-10 * error.clamp(min=1e-10).log10()).mean())


@torch.no_grad()
def autoencoder_gates(autoencoder: Autoencoder, frames: NDArray[np.uint8]) -> dict[str, Any]:
    """PSNR of what comes back, and how much better that is than the mean colours of 8 x 8 cells, enlarged.

    Three numbers a cell against four: a code that is no better has learnt nothing.
    """
    pictures = signals(frames)
    back = torch.cat([autoencoder.decode(autoencoder.encode(batch)) for batch in torch.split(pictures, 32)])
    cells = F.interpolate(F.avg_pool2d(pictures, 8), scale_factor=8.0, mode="bicubic", align_corners=False)
    reached = psnr(back, pictures)
    return {"autoencoder_psnr": reached, "autoencoder_gain": reached - psnr(cells, pictures)}


@torch.no_grad()
def noise_gates(denoiser: Denoiser, pictures: Tensor, alpha_bar: Tensor, seed: int) -> dict[str, Any]:
    """Mean square error of the predicted noise over that of the best linear prediction from a pixel alone.

    That is ``sqrt(1 - a) (x - sqrt(a) m) / (a v + 1 - a)`` for signals of mean m and variance v; 1 would mean that the
    network knows no more than these two numbers.

    Args:
        denoiser: under test.
        pictures: (N, C, H, W) signals.
        alpha_bar: (1000,) schedule.
        seed: of the noise.
    """
    generator = torch.Generator().manual_seed(seed)
    mean, variance = float(pictures.mean()), float(pictures.var())
    ratios = {}
    for step in MEASURED:
        share = alpha_bar[step].expand(len(pictures))
        a = float(alpha_bar[step])
        noise = torch.randn(pictures.shape, generator=generator)
        noisy = add_noise(pictures, noise, share)
        predicted = predict(denoiser, noisy, step)
        linear = (1 - a) ** 0.5 * (noisy - a**0.5 * mean) / (a * variance + 1 - a)
        ratios[step] = float(F.mse_loss(predicted, noise) / F.mse_loss(linear, noise))
    return {
        "noise_error": max(ratio for step, ratio in ratios.items() if step <= GATED),
        "noise_error_at": {f"t={step}": ratio for step, ratio in ratios.items()},
    }


@torch.no_grad()
def washing_gates(denoiser: Denoiser, pictures: Tensor, alpha_bar: Tensor, seed: int) -> dict[str, Any]:
    """What one denoising from step 100 gains over the noisy pictures, and over the best Gaussian blur of them [dB]."""
    share = alpha_bar[WASHED].expand(len(pictures))
    noise = torch.randn(pictures.shape, generator=torch.Generator().manual_seed(seed))
    noisy = add_noise(pictures, noise, share)
    clean = torch.cat(
        [
            remove_noise(batch, predict(denoiser, batch, WASHED), part)
            for batch, part in zip(torch.split(noisy, 32), torch.split(share, 32), strict=True)
        ]
    )
    seen = noisy / share.view(-1, 1, 1, 1).sqrt()
    reached = psnr(clean, pictures)
    blurred = max(psnr(_blur(seen, sigma), pictures) for sigma in BLURS)
    return {
        "denoised_psnr": reached,
        "denoised_gain": reached - psnr(seen, pictures),
        "denoised_gain_over_blur": reached - blurred,
    }


def _blur(pictures: Tensor, sigma: float) -> Tensor:
    return torch.from_numpy(gaussian_filter(pictures.numpy(), (0, 0, sigma, sigma)))


def predict(denoiser: Denoiser, noisy: Tensor, step: int) -> Tensor:
    """The noise of many signals at one step, in batches."""
    return torch.cat([denoiser(part, torch.full((len(part),), step)) for part in torch.split(noisy, 32)])
