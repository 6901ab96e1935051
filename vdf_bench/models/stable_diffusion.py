"""Stable Diffusion 1.x (Rombach et al. 2022) from the user's own folder, through diffusers; nothing is downloaded.

The folder has diffusers' layout: ``vae``, ``unet``, ``text_encoder``, ``tokenizer``, ``scheduler``. Weights are read
from safetensors alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from vdf_bench.assets.folders import user_folder
from vdf_bench.core.errors import UserError
from vdf_bench.models.autoencoder import pad_to_cells
from vdf_bench.models.denoiser import STEPS

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor


def stable_diffusion_folder() -> Path:
    """Where the user's Stable Diffusion 1.x lies, in the layout of diffusers; it need not be there."""
    return user_folder() / "stable-diffusion-v1"


def load_part(part: Any, folder: Path, **options: Any) -> Any:
    """``part`` as it lies in ``folder``, never from elsewhere.

    Raises:
        UserError: something is missing or damaged.
    """
    if not folder.is_dir():
        raise UserError(f"folder {folder} not found: copy the model there in diffusers' format")
    try:
        return part.from_pretrained(folder, local_files_only=True, **options)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(f"{folder} cannot be loaded ({reason}): copy the model again, with safetensors") from None


class StableDiffusion:
    """A :class:`vdf_bench.models.diffusion.LatentDiffusion`, frozen and conditioned on the empty prompt.

    Args:
        folder: where the model lies.
        device: torch device.

    Raises:
        UserError: diffusers is not installed, or the folder does not hold a Stable Diffusion 1.x.
    """

    name = "stable-diffusion"

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        try:
            from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
            from transformers import CLIPTextModel, CLIPTokenizer
        except ImportError as error:
            raise UserError(
                f"Stable Diffusion needs diffusers and transformers ({error}): pip install 'vdf-bench[diffusion]', "
                "or set surrogate=synth"
            ) from None
        scheduler = load_part(DDPMScheduler, folder / "scheduler")
        kind, steps = scheduler.config.prediction_type, scheduler.config.num_train_timesteps
        if kind != "epsilon" or steps != STEPS:
            raise UserError(
                f"{folder} predicts {kind} over {steps} steps: use a Stable Diffusion 1.x model, which predicts "
                "epsilon over 1000"
            )
        self.alpha_bar: Tensor = scheduler.alphas_cumprod.float().to(device)
        self._vae = load_part(AutoencoderKL, folder / "vae", use_safetensors=True).to(device)
        self._unet = load_part(UNet2DConditionModel, folder / "unet", use_safetensors=True).to(device)
        for network in (self._vae, self._unet):
            network.eval().requires_grad_(False)
        text = load_part(CLIPTextModel, folder / "text_encoder", use_safetensors=True).eval()
        tokenizer = load_part(CLIPTokenizer, folder / "tokenizer")
        length = text.config.max_position_embeddings
        words = tokenizer([""], padding="max_length", max_length=length, return_tensors="pt").input_ids
        with torch.no_grad():
            self._empty_prompt: Tensor = text(words)[0].to(device)

    def encode(self, picture: Tensor) -> Tensor:
        distribution = self._vae.encode(pad_to_cells(picture * 2 - 1)).latent_dist
        latents: Tensor = distribution.mean * self._vae.config.scaling_factor
        return latents

    def decode(self, latents: Tensor) -> Tensor:
        """Pictures (N, 3, 8h, 8w), about [0, 1], of latents (N, 4, h, w); differentiable."""
        picture: Tensor = self._vae.decode(latents / self._vae.config.scaling_factor).sample
        return picture / 2 + 0.5

    def predict(self, latents: Tensor, step: Tensor) -> Tensor:
        prompt = self._empty_prompt.expand(len(latents), -1, -1)
        noise: Tensor = self._unet(latents, step, encoder_hidden_states=prompt).sample
        return noise
