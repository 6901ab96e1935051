"""8-bit pixels within a budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from vdf_bench.core.budget import Budget


def whole_levels(budget: Budget) -> int:
    """The largest whole number of 8-bit levels within ``budget``: 12 for 0.05, which is 12.75/255."""
    return budget.whole_levels


def quantise(picture: Tensor) -> Tensor:
    """Round to multiples of 1/255; the gradient passes straight through."""
    rounded = torch.round(picture.detach() * 255) / 255
    # The difference is exactly zero, so that the value is exactly the rounded one.
    return rounded + (picture - picture.detach())


def publish(clean: Tensor, delta: Tensor) -> Tensor:
    """The 8-bit picture ``clean + delta``, differentiable in ``delta``.

    Args:
        clean: RGB in [0, 1], multiples of 1/255.
        delta: perturbation of the same shape in [0, 1] units. Where it keeps within a whole number of levels, the
            result does so too: rounding cannot carry it beyond.
    """
    return quantise((clean + delta).clamp(0, 1))
