"""Frame-by-frame transforms: nothing, JPEG, and down- and upscaling."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from vdf_bench.cards import Card, Component, Parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PIL.Image import Image
    from torch import Tensor

    from vdf_bench.interfaces import Setting


class Identity(Component):
    """Passes every frame on."""

    card = Card(
        name="identity",
        title="no purification",
        summary="Passes every frame on: the attacker has the file exactly as it was published.",
        tags=("control",),
    )

    def purify(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        del setting
        yield from frames


class JpegParameters(Parameters):
    """Parameters of JPEG."""

    quality: int = Field(75, ge=1, le=100, description="libjpeg quality factor")
    subsampling: Literal["4:2:0", "4:2:2", "4:4:4"] = Field("4:2:0", description="chroma subsampling")


class Jpeg(Component):
    """JPEG compression of each frame."""

    card = Card(
        name="jpeg",
        title="JPEG compression",
        summary="Each frame through baseline JPEG, quality 75 and 4:2:0 by default; 70, 80 and 90 are also usual.",
        source="Dziugaite et al. 2016; quality as in DiffShortcut",
        url="https://arxiv.org/abs/1608.00853",
        year=2016,
        short="quality",
    )
    parameters_model = JpegParameters

    def purify(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        from PIL import Image

        del setting
        quality, subsampling = self.parameters.quality, self.parameters.subsampling

        def compress(picture: Image.Image) -> Image.Image:
            buffer = io.BytesIO()
            picture.save(buffer, "JPEG", quality=quality, subsampling=subsampling)
            return Image.open(buffer).convert("RGB")

        return _each(frames, compress)


class ResizeParameters(Parameters):
    """Parameters of resizing."""

    factor: float = Field(0.5, gt=0, le=4, description="size in between over frame size")
    kernel: Literal["lanczos", "bicubic", "bilinear", "area"] = Field(
        "lanczos", description="antialiased filter, both ways; area repeats pixels when enlarging"
    )


class Resize(Component):
    """Scaling to another size and back."""

    card = Card(
        name="resize",
        title="scaling and back",
        summary="Each frame scaled by a factor and back to its size, antialiased Lanczos by default.",
        source="the half-size attack of protection benchmarks; VDF trains against 0.5, 0.75, 1.5 and 2 (bilinear)",
        short="factor",
    )
    parameters_model = ResizeParameters

    def purify(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        from PIL import Image

        del setting
        kernels = {"area": "BOX"}
        kernel = Image.Resampling[kernels.get(self.parameters.kernel, self.parameters.kernel.upper())]

        def there_and_back(picture: Image.Image) -> Image.Image:
            between = [max(1, round(edge * self.parameters.factor)) for edge in picture.size]
            return picture.resize((between[0], between[1]), kernel).resize(picture.size, kernel)

        return _each(frames, there_and_back)


def _each(frames: Iterator[Tensor], change: Callable[[Image], Image]) -> Iterator[Tensor]:
    """Apply a change of 8-bit pictures to (3, H, W) float32 frames in [0, 1]."""
    import numpy as np
    import torch
    from PIL import Image as Images

    for frame in frames:
        picture = (frame.detach().cpu() * 255).round().clamp(0, 255).byte().permute(1, 2, 0).numpy()
        changed = np.asarray(change(Images.fromarray(picture)), np.float32) / np.float32(255)
        yield torch.from_numpy(changed).permute(2, 0, 1).contiguous()
