"""A small moving picture, and what sends it through a chain of purifiers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch

from vdf_bench.attackers.chain import build_chain
from vdf_bench.core.budget import Budget
from vdf_bench.core.interfaces import Setting


def portrait(size: int, count: int) -> torch.Tensor:
    """(T, 3, S, S) in [0, 1], multiples of 1/255: smooth colours, an edge that moves, and fine texture."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[:size, :size] / size
    base = np.stack([0.5 + 0.3 * np.sin(5 * x), 0.4 + 0.3 * y, 0.5 + 0.2 * np.cos(4 * (x + y))])
    texture = rng.normal(0, 0.02, (3, size, size))
    frames = [np.where(np.hypot(x - 0.4 - 0.004 * t, y - 0.5) < 0.25, base[::-1], base) + texture for t in range(count)]
    return torch.tensor(np.rint(np.clip(np.stack(frames), 0, 1) * 255) / 255, dtype=torch.float32)


def setting(size: int, clean: torch.Tensor | None = None) -> Setting:
    footage = None if clean is None else lambda: (frame.clone() for frame in clean)
    return Setting(budget=Budget(0.0), size=size, fps=Fraction(25), seed=0, clean=footage)


def purified(chain: str, frames: torch.Tensor, clean: torch.Tensor | None = None) -> torch.Tensor:
    return torch.stack(list(build_chain(chain).purify(iter(frames), setting(frames.shape[-1], clean))))


def psnr(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(-10 * torch.log10(((a - b) ** 2).mean()))


@pytest.fixture(scope="session")
def frames() -> torch.Tensor:
    return portrait(64, 60)
