"""A face parser and an attribute editor that fit on a few lines of algebra, and a clip for them."""

import numpy as np
import pytest
import torch

from vdf_bench.core.budget import Budget
from vdf_bench.core.interfaces import Setting
from vdf_bench.testing.networks import EDGE as SIZE
from vdf_bench.testing.networks import BrightnessParser, TintEditor


class RecordingEditor(TintEditor):
    """Keeps what it was asked for."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def edit(self, pictures, edit):
        self.asked.append(edit)
        return super().edit(pictures, edit)


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
    return RecordingEditor()


@pytest.fixture
def editing(editor):
    """The field's budget: 0.05 on [-1, 1] pictures."""
    return Setting(budget=Budget(6.4 / 255), size=SIZE, seed=7, editor=editor)
