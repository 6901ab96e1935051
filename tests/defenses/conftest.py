"""A face parser and an attribute editor that fit on a few lines of algebra, and a clip for them."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from vdf_bench.core.budget import Budget
from vdf_bench.core.interfaces import Setting

SIZE = 32


class BrightnessParser(nn.Module):
    """Calls a pixel skin where its 3x3 neighbourhood is brighter than mid grey, else background."""

    def forward(self, x):
        margin = 40 * (F.avg_pool2d(x.mean(1, keepdim=True), 3, 1, 1, count_include_pad=False) - 0.5)
        rest = torch.full_like(margin, -20).expand(-1, 17, -1, -1)
        return torch.cat([-margin, margin, rest], 1)


class TintEditor:
    """Two edits that a random convolution steers: where it is positive the picture turns to white or to black."""

    size = SIZE
    edits = ("white", "black")

    def __init__(self):
        self.kernel = torch.randn(1, 3, 5, 5, generator=torch.Generator().manual_seed(0))
        self.asked = []

    def edit(self, pictures, edit):
        self.asked.append(edit)
        share = torch.sigmoid(4 * F.conv2d(pictures - 0.5, self.kernel, padding=2))
        return pictures * (1 - share) + share * (edit == "white")


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


@pytest.fixture
def editor():
    return TintEditor()


@pytest.fixture
def editing(editor):
    """The field's budget: 0.05 on [-1, 1] pictures."""
    return Setting(budget=Budget(6.4 / 255), size=SIZE, seed=7, editor=editor)
