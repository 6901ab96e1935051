"""Structural similarity (Wang et al. 2004) from windowed moments, of tensors and arrays alike."""

from __future__ import annotations

from typing import Final, TypeVar

Values = TypeVar("Values")

#: Of the stabilising constants, for a data range of 1.
K1: Final = 0.01
K2: Final = 0.03


def ssim_of_moments(mean_a: Values, mean_b: Values, power: Values, product: Values) -> Values:
    """Local SSIM of pictures a and b in [0, 1], differentiable where its arguments are.

    Args:
        mean_a: windowed mean of a.
        mean_b: windowed mean of b.
        power: windowed mean of ``a*a + b*b``.
        product: windowed mean of ``a*b``.
    """
    cross, squares = mean_a * mean_b, mean_a * mean_a + mean_b * mean_b  # type: ignore[operator]
    ratio = (2 * cross + K1**2) * (2 * (product - cross) + K2**2)
    return ratio / ((squares + K1**2) * (power - squares + K2**2))  # type: ignore[no-any-return]
