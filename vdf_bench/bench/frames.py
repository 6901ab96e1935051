"""How many frames a second VDF protects on a device: the first frame apart, for later ones inherit from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from vdf_bench.core import registry
from vdf_bench.core.budget import Budget
from vdf_bench.core.frames import to_tensors
from vdf_bench.core.interfaces import Setting
from vdf_bench.parsers.network import load_parser

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.bench.clock import Clock
    from vdf_bench.core.interfaces import Precision

#: The official code's bound.
BUDGET: Final = Budget(0.05)


@dataclass(frozen=True)
class FrameRate:
    """VDF with its defaults on one clip, against the parser that ships.

    Attributes:
        precision: of its looks at a frame.
        size: edge, pixels.
        first: seconds of the first frame.
        later: seconds of a later one, mean over ``n``.
        updates: of a later one, mean.
        success: share of later ones that meet VDF's own rule.
        n: later frames.
    """

    precision: str
    size: int
    first: float
    later: float
    updates: float
    success: float
    n: int

    @property
    def fps(self) -> float:
        """Later frames a second."""
        return 1 / self.later


def measure_frames(frames: NDArray[np.uint8], clock: Clock, precision: Precision = "float32") -> FrameRate:
    """Protect ``frames`` (T, S, S, 3) uint8 RGB, T > 1; pictures come from and go to the CPU's memory."""
    device, size = clock.device, frames.shape[1]
    parser = load_parser("builtin").to(device)
    _warm_up(parser, size, device, precision)
    defense = registry.create("defenses", "vdf", {"precision": precision})
    setting = Setting(budget=BUDGET, size=size, surrogate=parser, device=str(device))
    stream = iter(defense.protect(to_tensors(frames), setting))
    seconds = [clock.time(lambda: next(stream)) for _ in frames]
    log = defense.log()
    return FrameRate(
        precision=precision,
        size=size,
        first=seconds[0],
        later=float(np.mean(seconds[1:])),
        updates=float(np.mean(log["iterations"][1:])),
        success=float(np.mean(log["success"][1:])),
        n=len(frames) - 1,
    )


def _warm_up(parser: torch.nn.Module, size: int, device: torch.device, precision: Precision) -> None:
    """Choose algorithms and load libraries, which is done once."""
    picture = torch.rand(1, 3, size, size, device=device, requires_grad=True)
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        logits = parser(picture)
    torch.autograd.grad(logits.sum(), picture)
