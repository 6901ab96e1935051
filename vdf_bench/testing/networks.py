"""A face parser and an attribute editor that fit on a few lines of algebra, for defenses to differentiate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Edge of the pictures that :class:`TintEditor` gives out, pixels.
EDGE: Final = 32


def gradient_of(value: Tensor, picture: Tensor) -> Tensor | None:
    """The gradient of a scalar with respect to a picture; None where it does not depend on it."""
    return torch.autograd.grad(value, picture, allow_unused=True)[0] if value.requires_grad else None


class BrightnessParser(nn.Module):
    """Calls a pixel skin where its 3x3 neighbourhood is brighter than mid grey, else background."""

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, 3, H, W) RGB in [0, 1] to logits (N, 19, H, W)."""
        light = F.avg_pool2d(pictures.mean(1, keepdim=True), 3, 1, 1, count_include_pad=False)
        margin = 40 * (light - 0.5)
        rest = torch.full_like(margin, -20).expand(-1, 17, -1, -1)
        return torch.cat([-margin, margin, rest], 1)

    def parse(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See :meth:`vdf_bench.core.interfaces.ParserModel.parse`."""
        pictures = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float() / 255
        found: NDArray[np.uint8] = self(pictures).argmax(1).byte().numpy()
        return found


class TintEditor:
    """Two edits that a random convolution steers: where it is positive the picture turns to white or to black."""

    size: int = EDGE
    edits: tuple[str, ...] = ("white", "black")

    def __init__(self) -> None:
        self.kernel = torch.randn(1, 3, 5, 5, generator=torch.Generator().manual_seed(0))

    def edit(self, pictures: Tensor, edit: str) -> Tensor:
        """See :meth:`vdf_bench.core.interfaces.EditorModel.edit`; pictures are of the editor's own size."""
        share = torch.sigmoid(4 * F.conv2d(pictures - 0.5, self.kernel, padding=2))
        return pictures * (1 - share) + share * (edit == "white")
