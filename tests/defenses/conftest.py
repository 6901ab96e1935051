"""A face parser that fits on one line of algebra, and a clip for it."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from vdf_bench.budget import Budget
from vdf_bench.interfaces import Setting

SIZE = 32


class BrightnessParser(nn.Module):
    """Calls a pixel skin where its 3x3 neighbourhood is brighter than mid grey, else background."""

    def forward(self, x):
        margin = 40 * (F.avg_pool2d(x.mean(1, keepdim=True), 3, 1, 1, count_include_pad=False) - 0.5)
        rest = torch.full_like(margin, -20).expand(-1, 17, -1, -1)
        return torch.cat([-margin, margin, rest], 1)


@pytest.fixture(scope="session")
def parser():
    return BrightnessParser()


@pytest.fixture(scope="session")
def frames():
    """Eight 32 px frames: a lit disc that wanders over a darker ground, with texture."""
    rng = np.random.default_rng(0)
    texture = rng.normal(0, 0.01, (SIZE, SIZE, 3))
    rows, columns = np.mgrid[:SIZE, :SIZE]
    clip = []
    for index in range(8):
        disc = np.hypot(rows - 16, columns - 14 - index / 2) < 9
        picture = np.where(disc[..., None], [0.56, 0.53, 0.51], 0.44) + texture
        levels = torch.from_numpy((picture * 255).round()).permute(2, 0, 1).float()
        clip.append(levels / 255)
    return clip


@pytest.fixture(scope="session")
def setting(parser):
    return Setting(budget=Budget(0.05), size=SIZE, seed=7, surrogate=parser)
