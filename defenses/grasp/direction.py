"""The GRASP-style step: three gradients, their conflicts projected away, smoothed, by sign."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final, Literal

import torch

from vdf_bench.defenses.common.visual import gaussian_blur, low_band, ssim

if TYPE_CHECKING:
    from torch import Tensor

    from vdf_bench.defenses.common.descent import Evaluation
    from vdf_bench.defenses.grasp.parameters import GraspParameters

Rule = Literal["cross", "defense-first", "visual-first", "none"]
#: Shorter gradients have no direction: visual losses are flat at the clean picture.
FLAT: Final = 1e-12


def project(gradients: list[Tensor], rule: Rule) -> tuple[list[Tensor], int]:
    """Remove from gradients what opposes others (PCGrad: off the original of the other, pair by pair).

    Args:
        gradients: of one shape, the defense loss's first.
        rule: which of an opposed pair gives way; two visual losses give way to each other except under ``none``.

    Returns:
        The projected gradients, and how many pairs opposed each other.
    """
    projected = list(gradients)
    conflicts = 0
    for first, second in combinations(range(len(gradients)), 2):
        if float((gradients[first] * gradients[second]).sum()) >= 0:
            continue
        conflicts += 1
        if rule == "none":
            continue
        visual_pair = first > 0
        if visual_pair or rule in ("cross", "visual-first"):
            projected[first] = _without(projected[first], gradients[second])
        if visual_pair or rule in ("cross", "defense-first"):
            projected[second] = _without(projected[second], gradients[first])
    return projected, conflicts


def _without(gradient: Tensor, other: Tensor) -> Tensor:
    """``gradient`` without its part against ``other``."""
    along = (gradient * other).sum() / (other * other).sum().clamp(min=FLAT)
    return gradient - along.clamp(max=0) * other


class ProjectedGradient:
    """Direction of :func:`vdf_bench.defenses.common.descent.descend`."""

    def __init__(self, parameters: GraspParameters) -> None:
        self._parameters = parameters
        self._conflicts = self._pairs = 0

    def begin(self) -> None:
        self._conflicts = self._pairs = 0

    def step(self, result: Evaluation, picture: Tensor, clean: Tensor, delta: Tensor) -> Tensor:
        return self.descent(result, picture, clean, delta, self._parameters.projection).sign()

    def descent(
        self, result: Evaluation, picture: Tensor, clean: Tensor, delta: Tensor, rule: Rule, share: float = 1.0
    ) -> Tensor:
        """The projected, smoothed sum of the gradients; ``share`` multiplies the weights of the visual ones."""
        parameters = self._parameters
        low = low_band(picture, parameters.low_frequency) - low_band(clean, parameters.low_frequency)
        losses = [
            (1.0, result.loss),
            (share * parameters.ssim_weight, 1 - ssim(picture, clean)),
            (share * parameters.low_frequency_weight, low.square().mean()),
        ]
        gradients = []
        for weight, loss in losses:
            if not weight:
                continue
            (gradient,) = torch.autograd.grad(loss, delta, retain_graph=True)
            length = gradient.norm()
            gradients.append(weight * gradient / length if length > FLAT else torch.zeros_like(gradient))
        gradients, conflicts = project(gradients, rule)
        self._conflicts += conflicts
        self._pairs += len(gradients) * (len(gradients) - 1) // 2
        return gaussian_blur(sum(gradients, torch.zeros_like(delta)), parameters.smoothing)

    def notes(self) -> dict[str, float]:
        return {"conflict_rate": self._conflicts / max(self._pairs, 1)}
