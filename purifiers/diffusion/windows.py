"""GrIDPure: a picture of any size purified again and again in overlapping windows (Zhao et al. 2024)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from vdf_bench.purifiers.diffusion.stream import Wash


def starts(edge: int, window: int) -> list[int]:
    """Where windows begin along an edge: every half window, and flush with the end."""
    last = edge - window
    return sorted({*range(0, last + 1, max(1, window // 2)), last})


class GridWash:
    """Wash in windows, mean where they overlap, mixed with what was before; again.

    A window never exceeds the frame. Only frames that need several windows have corners purified apart: each corner of
    half a window lies in one window alone; the four are put together to one more. Iterations are rounded to 8 bits, as
    in the official code.

    Args:
        wash: of one window.
        window: edge, pixels.
        iterations: at least 1.
        gamma: share of the picture before.
    """

    def __init__(self, wash: Wash, window: int, iterations: int, gamma: float) -> None:
        self._wash, self._window, self._iterations, self._gamma = wash, window, iterations, gamma

    def __call__(self, signal: Tensor, generator: torch.Generator) -> Tensor:
        """Purify a picture (1, 3, H, W) in [-1, 1]."""
        for _ in range(self._iterations):
            washed = self._once(signal, generator)
            mixed = (1 - self._gamma) * washed + self._gamma * signal
            signal = ((mixed.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1
        return signal

    def _once(self, signal: Tensor, generator: torch.Generator) -> Tensor:
        height, width = signal.shape[2:]
        window = min(self._window, height, width)
        total, count = torch.zeros_like(signal), torch.zeros_like(signal)

        def add(top: int, left: int, washed: Tensor) -> None:
            place = (..., slice(top, top + washed.shape[2]), slice(left, left + washed.shape[3]))
            total[place] += washed
            count[place] += 1

        for top in starts(height, window):
            for left in starts(width, window):
                add(top, left, self._wash(signal[..., top : top + window, left : left + window], generator))
        half = window // 2
        if min(height, width) > window:
            places = [(top, left) for top in (0, height - half) for left in (0, width - half)]
            corners = [signal[..., top : top + half, left : left + half] for top, left in places]
            board = torch.cat([torch.cat(corners[:2], 3), torch.cat(corners[2:], 3)], 2)
            washed = self._wash(board, generator)
            for (top, left), y, x in zip(places, (0, 0, half, half), (0, half, 0, half), strict=True):
                add(top, left, washed[..., y : y + half, x : x + half])
        return total / count
