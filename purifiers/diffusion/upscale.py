"""Noisy upscaling: Gaussian noise, then super-resolution that cleans it away (Hönig et al. 2025)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch
import torch.nn.functional as F

from vdf_bench.core.errors import UserError
from vdf_bench.models.autoencoder import pad_to_cells
from vdf_bench.models.denoiser import remove_noise
from vdf_bench.purifiers.diffusion.sampling import DiffusionWash
from vdf_bench.purifiers.diffusion.stream import normal_like

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from vdf_bench.models.pixels import PixelDiffusion

#: Denoising steps of the refinement.
REFINING: Final = 2


class UpscaleWash:
    """Noise, denoise at the step that has as much of it, enlarge, refine, shrink.

    Args:
        model: of pictures in [-1, 1].
        sigma: of the noise, on [0, 1] pixels.
        factor: enlargement.
        refine: thousandths of the schedule at which the enlarged picture is purified; 0 leaves that out.
    """

    def __init__(self, model: PixelDiffusion, sigma: float, factor: int, refine: int) -> None:
        self._model, self._sigma, self._factor = model, 2 * sigma, factor
        spread = ((1 - model.alpha_bar) / model.alpha_bar).sqrt()
        self._step = int((spread - self._sigma).abs().argmin())
        self._refine = DiffusionWash(model, refine, REFINING) if refine else None

    @torch.no_grad()
    def __call__(self, signal: Tensor, generator: torch.Generator) -> Tensor:
        """Purify a picture (1, 3, H, W) in [-1, 1]."""
        share = self._model.alpha_bar[self._step]
        noisy = share.sqrt() * (signal + self._sigma * normal_like(signal, generator))
        predicted = self._model.predict(noisy, torch.full((1,), self._step, device=signal.device))
        clean = remove_noise(noisy, predicted, share).clamp(-1, 1)
        large = F.interpolate(clean, scale_factor=float(self._factor), mode="bicubic", align_corners=False)
        if self._refine is not None:
            large = self._refine(large.clamp(-1, 1), generator)
        return F.avg_pool2d(large, self._factor)


class StableUpscaleWash:
    """Noise, then Stable Diffusion's 4x upscaler from the user's folder, then back to size by area.

    Args:
        folder: of ``StableDiffusionUpscalePipeline``, in diffusers' layout.
        sigma: of the noise, on [0, 1] pixels.
        noise_level: that is added and given to the upscaler.
        steps: of its sampler.
        device: torch device.

    Raises:
        UserError: diffusers is missing, or the model is or is damaged.
    """

    def __init__(self, folder: Path, sigma: float, noise_level: int, steps: int, device: str) -> None:
        from vdf_bench.assets.checkpoints import check_model_folder
        from vdf_bench.models.stable_diffusion import load_part

        check_model_folder(folder)
        try:
            from diffusers import StableDiffusionUpscalePipeline
        except ImportError as error:
            raise UserError(f"the upscaler needs diffusers ({error}): pip install 'vdf-bench[diffusion]'") from None
        self._pipeline: Any = load_part(StableDiffusionUpscalePipeline, folder, use_safetensors=True).to(device)
        self._pipeline.set_progress_bar_config(disable=True)
        self._sigma, self._noise_level, self._steps = 2 * sigma, noise_level, steps

    @torch.no_grad()
    def __call__(self, signal: Tensor, generator: torch.Generator) -> Tensor:
        """Purify a picture (1, 3, H, W) in [-1, 1]."""
        height, width = signal.shape[2:]
        noisy = (signal + self._sigma * normal_like(signal, generator)).clamp(-1, 1)
        # Without words to guide it, guidance would compare a prediction with itself.
        large: Tensor = self._pipeline(
            prompt="",
            image=pad_to_cells(noisy),
            noise_level=self._noise_level,
            num_inference_steps=self._steps,
            guidance_scale=1.0,
            generator=generator,
            output_type="pt",
        ).images
        return F.avg_pool2d(large.float(), 4)[..., :height, :width] * 2 - 1
