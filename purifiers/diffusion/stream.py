"""Frames through a wash, one by one, each with its own noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from vdf_bench.core.interfaces import Setting


class Wash(Protocol):
    """What happens to a picture."""

    def __call__(self, signal: Tensor, generator: torch.Generator) -> Tensor:
        """Wash a picture.

        Args:
            signal: (1, 3, H, W) RGB in [-1, 1].
            generator: of its noise, on the CPU, so that devices agree.

        Returns:
            (1, 3, H, W) RGB, about [-1, 1].
        """
        ...


def normal_like(signal: Tensor, generator: torch.Generator) -> Tensor:
    """Standard normal noise on the device of ``signal``, drawn on the CPU."""
    return torch.randn(signal.shape, generator=generator).to(signal)


def each(frames: Iterator[Tensor], wash: Wash | None, setting: Setting) -> Iterator[Tensor]:
    """Wash frames (3, H, W) in [0, 1] one at a time and round them to 8 bits; None leaves them as they are.

    A frame's noise follows from the seed and its number: it does not matter how many came before or come after.
    """
    if wash is None:
        yield from frames
        return
    for number, frame in enumerate(frames):
        state = np.random.SeedSequence([setting.seed, number]).generate_state(1)
        generator = torch.Generator().manual_seed(int(state[0]))
        washed = wash(frame.detach().to(setting.device)[None] * 2 - 1, generator)[0]
        yield ((washed + 1) * 127.5).round().clamp(0, 255).div(255).cpu().contiguous()
