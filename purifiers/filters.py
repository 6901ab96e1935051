"""Filters: noise that drowns a perturbation, and smoothing that takes it out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from pydantic import Field, field_validator

from vdf_bench.core.cards import Card, Component, Parameters
from vdf_bench.core.interfaces import Harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from vdf_bench.core.interfaces import Setting

    Planes = NDArray[np.float32]

#: Keeps this noise from being the one that a defense draws from the same seed.
NOISE_STREAM: Final = 0x7075
ODD: Final = "must be odd, so that the window has a middle"


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError(ODD)
    return value


class GaussianNoiseParameters(Parameters):
    """Parameters of Gaussian noise."""

    sigma: float = Field(0.05, ge=0, le=1, description="standard deviation, of values in [0, 1]")


class GaussianNoise(Component):
    """Gaussian noise on every value."""

    card = Card(
        name="gaussian-noise",
        title="Gaussian noise",
        summary="Independent noise on every value of every frame, sigma 0.05 in [0, 1] by default (DIA takes 0.1), "
        "from the seed of the run; clipped.",
        source="Gaussian noising, Hönig et al. 2024",
        url="https://arxiv.org/abs/2406.12027",
        year=2024,
        short="sigma",
    )
    parameters_model = GaussianNoiseParameters
    harmless: ClassVar[Harmless | None] = Harmless({"sigma": 0})

    def purify(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        import numpy as np

        rng = np.random.default_rng((setting.seed, NOISE_STREAM))
        sigma = np.float32(self.parameters.sigma)
        return _planewise(frames, lambda planes: planes + sigma * rng.standard_normal(planes.shape, np.float32))


class GaussianBlurParameters(Parameters):
    """Parameters of Gaussian blur."""

    sigma: float = Field(1.5, ge=0, le=50, description="standard deviation, pixels")
    size: int = Field(11, ge=1, le=201, description="edge of the window, pixels, odd")

    _odd_size = field_validator("size")(_odd)


class GaussianBlur(Component):
    """Gaussian low-pass."""

    card = Card(
        name="gaussian-blur",
        title="Gaussian blur",
        summary="A Gaussian window of 11 pixels and sigma 1.5 by default, mirrored at the border.",
        source="the blur of Disrupting Deepfakes, Ruiz et al. 2020",
        url="https://arxiv.org/abs/2003.01279",
        year=2020,
        short="sigma",
    )
    parameters_model = GaussianBlurParameters
    harmless: ClassVar[Harmless | None] = Harmless({"sigma": 0})

    def purify(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        from scipy.ndimage import gaussian_filter

        del setting
        sigma, radius = self.parameters.sigma, self.parameters.size // 2

        def blur(planes: Planes) -> Planes:
            blurred: Planes = gaussian_filter(planes, (0, sigma, sigma), radius=(0, radius, radius), mode="mirror")
            return blurred

        return _planewise(frames, blur)


class MedianParameters(Parameters):
    """Parameters of the median filter."""

    size: int = Field(3, ge=1, le=15, description="edge of the window, pixels, odd")

    _odd_size = field_validator("size")(_odd)


class Median(Component):
    """Median over a window, colour by colour."""

    card = Card(
        name="median",
        title="median filter",
        summary="The median of a window of 3 by 3 pixels by default, each colour for itself, mirrored at the border.",
        source="spatial smoothing in feature squeezing, Xu et al. 2018",
        url="https://arxiv.org/abs/1704.01155",
        year=2018,
        short="size",
    )
    parameters_model = MedianParameters
    harmless: ClassVar[Harmless | None] = Harmless({"size": 1})

    def purify(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        from scipy.ndimage import median_filter

        del setting
        size = self.parameters.size

        def middle(planes: Planes) -> Planes:
            return _stack([median_filter(plane, size, mode="mirror") for plane in planes])

        return _planewise(frames, middle)


class BilateralParameters(Parameters):
    """Parameters of the bilateral filter."""

    sigma_color: float = Field(75, gt=0, le=1000, description="range sigma, of summed differences of 8-bit levels")
    sigma_space: float = Field(75, gt=0, le=1000, description="spatial sigma, pixels")
    size: int = Field(9, ge=1, le=31, description="diameter of the round window, pixels, odd")

    _odd_size = field_validator("size")(_odd)


class Bilateral(Component):
    """Smoothing that stops at edges."""

    card = Card(
        name="bilateral",
        title="bilateral filter",
        summary="A round window of 9 pixels with both sigmas 75, the settings of OpenCV's tutorial; colours differ by "
        "the sum of their differences, as in OpenCV.",
        source="Tomasi and Manduchi 1998",
        url="https://doi.org/10.1109/ICCV.1998.710815",
        year=1998,
        short="sigma_color",
    )
    parameters_model = BilateralParameters
    harmless: ClassVar[Harmless | None] = Harmless({"size": 1}, levels=1e-4)

    def purify(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        import numpy as np

        del setting
        chosen, level = self.parameters, np.float32(255)

        def smooth(planes: Planes) -> Planes:
            return bilateral_filter(planes * level, chosen.size, chosen.sigma_color, chosen.sigma_space) / level

        return _planewise(frames, smooth)


class AdverseCleanerParameters(Parameters):
    """Parameters of AdverseCleaner."""

    bilateral: int = Field(64, ge=0, le=1000, description="passes of the bilateral filter (5 pixels, sigmas 8 and 8)")
    guided: int = Field(4, ge=0, le=100, description="passes of the guided filter (radius 4, eps 16)")


class AdverseCleaner(Component):
    """Bilateral filtering to the limit, then the picture's own edges back."""

    card = Card(
        name="adverse-cleaner",
        title="AdverseCleaner",
        summary="64 passes of a bilateral filter (5 pixels, sigmas 8 and 8 of 255), then 4 of a guided filter (radius "
        "4, eps 16) that has the frame itself as its guide. Written anew from these numbers.",
        source="AdverseCleaner, L. Zhang 2023",
        url="https://github.com/lllyasviel/AdverseCleaner",
        year=2023,
        short="bilateral",
    )
    parameters_model = AdverseCleanerParameters
    harmless: ClassVar[Harmless | None] = Harmless({"bilateral": 0, "guided": 0}, levels=1e-4)

    def purify(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        import numpy as np

        del setting
        level = np.float32(255)

        def clean(planes: Planes) -> Planes:
            guide = planes * level
            cleaned = guide
            for _ in range(self.parameters.bilateral):
                cleaned = bilateral_filter(cleaned, 5, 8, 8)
            for _ in range(self.parameters.guided):
                cleaned = guided_filter(guide, cleaned, 4, 16)
            return cleaned / level

        return _planewise(frames, clean)


def bilateral_filter(planes: Planes, size: int, sigma_color: float, sigma_space: float) -> Planes:
    """Bilateral filter over a round window, mirrored at the border (Tomasi and Manduchi 1998).

    Args:
        planes: (C, H, W) float32.
        size: diameter of the window, pixels.
        sigma_color: of the differences of two pixels summed over the channels, in units of ``planes``.
        sigma_space: pixels.

    Returns:
        (C, H, W) float32.
    """
    import numpy as np

    radius = size // 2
    height, width = planes.shape[1:]
    padded = np.pad(planes, ((0, 0), (radius, radius), (radius, radius)), mode="reflect")
    total, weights = planes.copy(), np.ones((height, width), np.float32)
    span = range(-radius, radius + 1)
    for down, right in ((down, right) for down in span for right in span):
        square = down**2 + right**2
        if not 0 < square <= radius**2:
            continue
        neighbour = padded[:, radius + down : radius + down + height, radius + right : radius + right + width]
        apart = np.abs(neighbour - planes).sum(0) / np.float32(sigma_color)
        weight = np.exp(apart**2 * np.float32(-0.5) - np.float32(square / (2 * sigma_space**2)))
        weights += weight
        total += weight * neighbour
    smoothed: Planes = total / weights
    return smoothed


def guided_filter(guide: Planes, planes: Planes, radius: int, eps: float) -> Planes:
    """Guided filter with a colour guide, mirrored at the border (He, Sun and Tang 2010, equations 19 to 21).

    Args:
        guide: (3, H, W) float32; its edges are kept.
        planes: (C, H, W) float32, what is smoothed.
        radius: of the square window, pixels.
        eps: added to the variances of the guide, in its squared units.

    Returns:
        (C, H, W) float32.
    """
    import numpy as np
    from scipy.ndimage import uniform_filter

    def mean(values: NDArray[Any]) -> NDArray[np.float64]:
        edges = (1,) * (values.ndim - 2) + (2 * radius + 1,) * 2
        averaged: NDArray[np.float64] = uniform_filter(values.astype(np.float64), edges, mode="mirror")
        return averaged

    guide_mean, mean_of = mean(guide), mean(planes)
    variance = mean(guide[:, None] * guide[None]) - guide_mean[:, None] * guide_mean[None]
    covariance = mean(guide[:, None] * planes[None]) - guide_mean[:, None] * mean_of[None]
    regular = np.moveaxis(variance, (0, 1), (-2, -1)) + eps * np.eye(len(guide))
    slope = np.moveaxis(np.linalg.solve(regular, np.moveaxis(covariance, (0, 1), (-2, -1))), (-2, -1), (0, 1))
    offset = mean_of - (slope * guide_mean[:, None]).sum(0)
    filtered: Planes = ((mean(slope) * guide[:, None]).sum(0) + mean(offset)).astype(np.float32)
    return filtered


def _stack(planes: list[Planes]) -> Planes:
    import numpy as np

    return np.stack(planes)


def _planewise(frames: Iterator[Tensor], change: Callable[[Planes], Planes]) -> Iterator[Tensor]:
    """Apply a change of (3, H, W) float32 arrays in [0, 1] to every frame; clip what it gives."""
    from vdf_bench.purifiers.common import from_planes, to_planes

    for frame in frames:
        yield from_planes(change(to_planes(frame)))
