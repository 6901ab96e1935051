"""What a frame costs the baselines on the surrogates that they were published with: for timing only.

PhotoGuard's encoder attack goes through Stable Diffusion's image encoder, AdvDM and Mist through encoder and UNet, SDS
through the UNet forwards only; all take 100 steps at 512 px in Diff-Protect, their common implementation. Networks
have the published sizes and random weights, one step of each is timed, and the other 99 are taken to cost the same.
VDF's side is its own: the work that it does on the parser that ships, priced on the full-size BiSeNet. Success is not
equal here, it cannot even be compared: these attacks never look at a parser.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE: Final = 512
STEPS: Final = 100
#: Stable Diffusion 1.x (model card of v1-4): image encoder, and UNet on 4 x 64 x 64 latents with a 77 x 768 prompt.
ENCODER: Final[dict[str, Any]] = {
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "latent_channels": 4,
    "layers_per_block": 2,
    "sample_size": SIZE,
}
UNET: Final[dict[str, Any]] = {"cross_attention_dim": 768, "attention_head_dim": 8, "sample_size": SIZE // 8}


def step_seconds(tell: Callable[[str], None] = lambda text: None) -> dict[str, float]:
    """CPU seconds of one optimisation step of each baseline at 512 px, one thread.

    Raises:
        UserError: diffusers is not installed.
    """
    try:
        import diffusers  # noqa: F401 - a probe: the parts below import what they use
    except ImportError:
        raise UserError("timing published surrogates needs diffusers: pip install 'vdf-bench[diffusion]'") from None
    tell("image encoder of Stable Diffusion 1.x, random weights")
    encoding = _encoder_seconds()
    tell("UNet of Stable Diffusion 1.x, random weights")
    predicting, through = _unet_seconds()
    return {
        "photoguard": encoding,
        "advdm": encoding + through,
        "mist": encoding + through,  # semantic and textural loss share the encoding
        "sds": encoding + predicting,
    }


def _encoder_seconds() -> float:
    """Forward and back to the picture."""
    import torch
    from diffusers import AutoencoderKL

    torch.manual_seed(0)
    encoder = AutoencoderKL(**ENCODER).eval().requires_grad_(False)
    picture = torch.rand(1, 3, SIZE, SIZE, requires_grad=True)
    began = time.process_time()
    torch.autograd.backward(encoder.encode(picture * 2 - 1).latent_dist.mean.square().mean())
    return time.process_time() - began


def _unet_seconds() -> tuple[float, float]:
    """A forward pass alone, and one with the way back to the latents."""
    import torch
    from diffusers import UNet2DConditionModel

    torch.manual_seed(0)
    unet = UNet2DConditionModel(**UNET).eval().requires_grad_(False)
    latents, prompt = torch.randn(1, 4, SIZE // 8, SIZE // 8), torch.randn(1, 77, 768)
    began = time.process_time()
    with torch.no_grad():
        unet(latents, torch.tensor([500]), prompt)
    between = time.process_time()
    torch.autograd.backward(unet(latents.requires_grad_(), torch.tensor([500]), prompt).sample.square().mean())
    return between - began, time.process_time() - between
