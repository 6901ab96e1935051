"""Diffusion models of pictures, as purifiers use them: what noise is in a noisy picture.

Two provide it: ``denoiser-synth`` ships and is small; the other is the user's own unconditional model in diffusers'
format, such as DDPM's of CelebA-HQ at 256 px. Signals are RGB in [-1, 1]: published steps mean the noise of that range.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import torch
import torch.nn.functional as F

from vdf_bench.assets.checkpoints import check_model_folder
from vdf_bench.assets.folders import user_folder
from vdf_bench.core.errors import UserError
from vdf_bench.models.denoiser import STEPS, linear_schedule, load_denoiser

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

#: Folder of the user's own unconditional model, among the user's weights.
PIXEL_FOLDER: Final = "pixel-diffusion"


class PixelDiffusion(Protocol):
    """A frozen diffusion model of pictures.

    Attributes:
        alpha_bar: (1000,) float32, share of the signal's variance that is left after each step.
    """

    alpha_bar: Tensor

    def predict(self, noisy: Tensor, step: Tensor) -> Tensor:
        """The noise in noisy signals (N, 3, H, W) at steps (N,) int64 below 1000; differentiable, any size."""
        ...


class SynthPixels:
    """``denoiser-synth``, learnt from rendered heads.

    Args:
        device: torch device.

    Raises:
        UserError: its weights are absent or damaged.
    """

    def __init__(self, device: str = "cpu") -> None:
        self.alpha_bar = linear_schedule().to(device)
        # A third faster on the CPU in this order.
        self._denoiser = load_denoiser().to(device).to(memory_format=torch.channels_last)

    def predict(self, noisy: Tensor, step: Tensor) -> Tensor:
        noise: Tensor = self._denoiser(noisy.contiguous(memory_format=torch.channels_last), step)
        return noise.contiguous()


class UserPixels:
    """An unconditional ``UNet2DModel`` with its scheduler, from the user's folder, through diffusers.

    The folder holds both parts side by side or as ``unet`` and ``scheduler``. A model that predicts its variance too
    (six channels, Nichol and Dhariwal 2021) is asked for the noise alone.

    Args:
        folder: where the model lies.
        device: torch device.

    Raises:
        UserError: diffusers is not installed, or the folder does not hold such a model.
    """

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        check_model_folder(folder)
        try:
            from diffusers import DDPMScheduler, UNet2DModel
        except ImportError as error:
            raise UserError(f"{folder.name} needs diffusers ({error}): pip install 'vdf-bench[diffusion]'") from None
        from vdf_bench.models.stable_diffusion import load_part

        scheduler = load_part(DDPMScheduler, _either(folder, "scheduler"))
        kind, steps = scheduler.config.prediction_type, scheduler.config.num_train_timesteps
        network: Any = load_part(UNet2DModel, _either(folder, "unet"), use_safetensors=True)
        found = (kind, steps, network.config.in_channels, network.config.out_channels in (3, 6))
        if found != ("epsilon", STEPS, 3, True) or getattr(network.config, "num_class_embeds", None):
            raise UserError(
                f"{folder} predicts {kind} over {steps} steps: use an unconditional RGB model that predicts "
                "epsilon over 1000, such as google/ddpm-celebahq-256"
            )
        self.alpha_bar: Tensor = scheduler.alphas_cumprod.float().to(device)
        self._network = network.to(device).eval().requires_grad_(False)
        self._cell = 2 ** (len(network.config.block_out_channels) - 1)

    def predict(self, noisy: Tensor, step: Tensor) -> Tensor:
        height, width = noisy.shape[2:]
        beyond = (0, -width % self._cell, 0, -height % self._cell)
        noise: Tensor = self._network(F.pad(noisy, beyond, mode="replicate"), step).sample
        return noise[:, :3, :height, :width]


def _either(folder: Path, part: str) -> Path:
    return folder / part if (folder / part).is_dir() else folder


def load_pixels(shipped: bool, device: str = "cpu") -> PixelDiffusion:
    """``denoiser-synth``, or the user's own model.

    Raises:
        UserError: the weights are missing, too large or damaged, or diffusers is.
    """
    return SynthPixels(device) if shipped else UserPixels(user_folder() / PIXEL_FOLDER, device)
