"""Frame-by-frame transforms: nothing, JPEG, scaling, cropping, and changes of tone."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from vdf_bench.core.cards import Card, Component, Parameters
from vdf_bench.core.interfaces import Harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PIL.Image import Image, Resampling
    from torch import Tensor

    from vdf_bench.core.interfaces import Setting

Kernel = Literal["lanczos", "bicubic", "bilinear", "area"]


class Identity(Component):
    """Passes every frame on."""

    card = Card(
        name="identity",
        title="no purification",
        summary="Passes every frame on: the attacker has the file exactly as it was published.",
        tags=("control",),
    )
    harmless: ClassVar[Harmless | None] = Harmless({})

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
    harmless: ClassVar[Harmless | None] = Harmless({"quality": 100, "subsampling": "4:4:4"}, levels=5)

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
    kernel: Kernel = Field("lanczos", description="antialiased filter, both ways; area repeats pixels when enlarging")


class Resize(Component):
    """Scaling to another size and back."""

    card = Card(
        name="resize",
        title="scaling and back",
        summary="Each frame scaled by a factor and back to its size, antialiased Lanczos by default. Always back: what "
        "an attacker captures has the size of what was published.",
        source="the half-size attack of protection benchmarks; VDF trains against 0.5, 0.75, 1.5 and 2 (bilinear)",
        short="factor",
    )
    parameters_model = ResizeParameters
    harmless: ClassVar[Harmless | None] = Harmless({"factor": 1})

    def purify(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        del setting
        kernel = _resampling(self.parameters.kernel)

        def there_and_back(picture: Image) -> Image:
            between = [max(1, round(edge * self.parameters.factor)) for edge in picture.size]
            return picture.resize((between[0], between[1]), kernel).resize(picture.size, kernel)

        return _each(frames, there_and_back)


class CropResizeParameters(Parameters):
    """Parameters of cropping and resizing."""

    share: float = Field(0.1, ge=0, lt=1, description="share of width and of height that is cut off, half at each side")
    kernel: Kernel = Field("lanczos", description="filter of the enlargement")


class CropResize(Component):
    """Cropping at the border and enlarging to the old size."""

    card = Card(
        name="crop-resize",
        title="cropping and enlarging",
        summary="10 % of the width and of the height are cut off, half at each side, and the middle is enlarged to the "
        "old size (Lanczos): a grid that fits the pixels no longer does. The rule is this project's; its source gives "
        "the share alone.",
        source="the crop-and-resize attack of DIA (10 %)",
        short="share",
    )
    parameters_model = CropResizeParameters
    harmless: ClassVar[Harmless | None] = Harmless({"share": 0})

    def purify(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        del setting
        kernel, share = _resampling(self.parameters.kernel), self.parameters.share

        def enlarge(picture: Image) -> Image:
            width, height = picture.size
            left, top = share / 2 * width, share / 2 * height
            return picture.resize(picture.size, kernel, box=(left, top, width - left, height - top))

        return _each(frames, enlarge)


class GammaParameters(Parameters):
    """Parameters of gamma correction."""

    gamma: float = Field(1.2, ge=0.1, le=10, description="exponent on values in [0, 1]; above 1 is darker")


class Gamma(Component):
    """Gamma correction."""

    card = Card(
        name="gamma",
        title="gamma correction",
        summary="Each value in [0, 1] to the power of 1.2 by default: what an edit of brightness does. No publication "
        "sets the exponent.",
        short="gamma",
    )
    parameters_model = GammaParameters
    harmless: ClassVar[Harmless | None] = Harmless({"gamma": 1})

    def purify(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        del setting
        for frame in frames:
            yield frame.float().clamp(0, 1) ** self.parameters.gamma


class BitDepthParameters(Parameters):
    """Parameters of bit depth reduction."""

    bits: int = Field(5, ge=1, le=8, description="bits that are left of each colour value; 5 and 4 are usual")


class BitDepth(Component):
    """Fewer levels per colour."""

    card = Card(
        name="bit-depth",
        title="bit depth reduction",
        summary="Each colour value rounded to the nearest of 2^bits equally spaced levels, 5 bits by default.",
        source="feature squeezing, Xu et al. 2018; FaceShield tests against it",
        url="https://arxiv.org/abs/1704.01155",
        year=2018,
        short="bits",
    )
    parameters_model = BitDepthParameters
    harmless: ClassVar[Harmless | None] = Harmless({"bits": 8}, levels=1e-4)

    def purify(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        del setting
        steps = 2**self.parameters.bits - 1
        for frame in frames:
            yield (frame.float().clamp(0, 1) * steps).round() / steps


def _resampling(kernel: Kernel) -> Resampling:
    from PIL.Image import Resampling

    return Resampling["BOX" if kernel == "area" else kernel.upper()]


def _each(frames: Iterator[Tensor], change: Callable[[Image], Image]) -> Iterator[Tensor]:
    """Apply a change of 8-bit pictures to (3, H, W) float32 frames in [0, 1]."""
    import numpy as np
    from PIL import Image as Images

    from vdf_bench.core.frames import to_bytes
    from vdf_bench.purifiers.common import from_bytes

    for frame in frames:
        yield from_bytes(np.asarray(change(Images.fromarray(to_bytes(frame)))))
