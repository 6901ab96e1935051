"""The official code's visual term: distance of VGG16 features, 0.5 x sum of w x MSE (``SemanticLoss``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch.nn.functional import mse_loss

from vdf_bench.defenses.vdf.perturbation import normalise

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from vdf_bench.models.vgg import Vgg16Features

#: Of the layers 3, 8, 15 and 22.
LAYER_WEIGHTS: Final = (1.0, 0.75, 0.5, 0.25)


class VisualLoss:
    """How much of a perturbation VGG16 sees.

    Args:
        network: frozen.
        weight: of the term in the whole loss; official 0.5.
    """

    def __init__(self, network: Vgg16Features, weight: float) -> None:
        self._network = network
        self._weight = weight

    def to(self, device: str) -> VisualLoss:
        """The same on ``device``."""
        return VisualLoss(self._network.to(device), self._weight)

    def against(self, clean: Tensor) -> Callable[[Tensor], Tensor]:
        """The term as a function of pictures (3, H, W) of one clean frame, differentiable.

        The clean frame's features are computed once; the official code does so at every iteration.
        """
        with torch.no_grad():
            reference = self._network(normalise(clean)[None])

        def loss(picture: Tensor) -> Tensor:
            features = self._network(normalise(picture)[None])
            terms = [w * mse_loss(a, b) for w, a, b in zip(LAYER_WEIGHTS, features, reference, strict=True)]
            return self._weight * torch.stack(terms).sum()

        return loss
