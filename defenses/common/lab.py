"""CIE Lab, differentiably: lightness L, green to red a, blue to yellow b (sRGB primaries, white D65)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch

if TYPE_CHECKING:
    from torch import Tensor

#: IEC 61966-2-1: linear sRGB to CIE XYZ, and the white (1, 1, 1) in XYZ.
TO_XYZ: Final = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
WHITE: Final = (0.950456, 1.0, 1.088754)
#: CIE 15: below EPSILON the cube root gives way to a line of slope KAPPA / 116.
EPSILON: Final = 216 / 24389
KAPPA: Final = 24389 / 27


def to_lab(picture: Tensor) -> Tensor:
    """(3, H, W) sRGB in [0, 1] to (3, H, W) Lab: L in 0 to 100, a and b about -100 to 100."""
    linear = torch.where(picture > 0.04045, ((picture.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4, picture / 12.92)
    white = picture.new_tensor(WHITE)[:, None, None]
    xyz = torch.einsum("kc,chw->khw", picture.new_tensor(TO_XYZ), linear) / white
    x, y, z = torch.where(xyz > EPSILON, xyz.clamp(min=EPSILON) ** (1 / 3), (KAPPA * xyz + 16) / 116)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def to_rgb(lab: Tensor) -> Tensor:
    """The inverse of :func:`to_lab`; colours that sRGB cannot show leave [0, 1]."""
    y = (lab[0] + 16) / 116
    root = torch.stack([y + lab[1] / 500, y, y - lab[2] / 200])
    xyz = torch.where(root**3 > EPSILON, root**3, (116 * root - 16) / KAPPA) * lab.new_tensor(WHITE)[:, None, None]
    linear = torch.einsum("ck,khw->chw", torch.linalg.inv(lab.new_tensor(TO_XYZ)), xyz)
    return torch.where(linear > 0.0031308, 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055, 12.92 * linear)
