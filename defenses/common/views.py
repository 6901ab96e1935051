"""Views of a published picture: what may have happened to it before a parser looks, drawn at random.

Expectation over transformation (Athalye et al. 2018) averages a loss over such views. All are differentiable.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import torch
from torch.nn.functional import interpolate

from vdf_bench.defenses.common.jpeg import jpeg
from vdf_bench.defenses.common.visual import gaussian_blur

if TYPE_CHECKING:
    from torch import Tensor

    from vdf_bench.defenses.common.parameters import Transform

#: libjpeg quality factors.
QUALITIES: Final = (50, 95)
#: Standard deviations of the blur, pixels, and of the noise, in units of a picture in [0, 1].
BLURS: Final = (0.3, 1.5)
NOISES: Final = (0.0, 0.04)
#: Parsers are made for pictures from this edge on.
SMALLEST: Final = 32


def uniform(low: float, high: float, generator: torch.Generator) -> float:
    """A number between ``low`` and ``high``."""
    return low + (high - low) * float(torch.rand((), generator=generator))


def choose(count: int, generator: torch.Generator) -> int:
    """A number from 0 to ``count`` - 1."""
    return int(torch.randint(count, (), generator=generator))


def draw_view(
    picture: Tensor, transforms: tuple[Transform, ...], scales: tuple[float, float], generator: torch.Generator
) -> Tensor:
    """One view of ``picture``: as it is or through one of ``transforms``, with equal chances.

    ``rescale`` is a size between ``scales``, evenly on a logarithmic axis, in which the picture is seen or, as often,
    from which it is brought back to its own size; it may follow any of the others.

    Args:
        picture: (3, H, W) RGB in [0, 1].
        transforms: what may happen.
        scales: smallest and largest factor of ``rescale``.
        generator: on the CPU.

    Returns:
        (3, h, w); differentiable in ``picture``.
    """
    kinds = [kind for kind in transforms if kind != "rescale"]
    chosen = choose(len(kinds) + 1, generator)
    view = _apply(kinds[chosen], picture, generator) if chosen < len(kinds) else picture
    if "rescale" not in transforms:
        return view
    way = ("not", "there", "there and back")[choose(3, generator)]
    if way == "not":
        return view
    factor = math.exp(uniform(math.log(scales[0]), math.log(scales[1]), generator))
    return rescale(view, factor, back=way == "there and back")


def rescale(picture: Tensor, factor: float, *, back: bool) -> Tensor:
    """Antialiased bicubic resizing of (3, H, W) by ``factor``, and ``back`` to (3, H, W) if wished."""
    height, width = picture.shape[1:]
    # A picture that is seen small is not smaller than parsers can look at; one that comes back may have been.
    factor = max(factor, (2 if back else SMALLEST) / min(height, width))
    size = (round(factor * height), round(factor * width))
    if size == (height, width):
        return picture
    resized = interpolate(picture[None], size, mode="bicubic", align_corners=False, antialias=True)
    if back:
        resized = interpolate(resized, (height, width), mode="bicubic", align_corners=False, antialias=True)
    return resized[0].clamp(0, 1)


def _apply(kind: Transform, picture: Tensor, generator: torch.Generator) -> Tensor:
    if kind == "jpeg":
        return jpeg(picture, round(uniform(*QUALITIES, generator)))
    if kind == "blur":
        return gaussian_blur(picture, uniform(*BLURS, generator))
    deviation = uniform(*NOISES, generator)
    noise = torch.randn(picture.shape, generator=generator).to(picture.device)
    return (picture + deviation * noise).clamp(0, 1)
