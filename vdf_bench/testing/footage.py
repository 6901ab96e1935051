"""Small clips of the package's own scenes, and what an attacker who sees everything exactly makes of them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from vdf_bench.core import registry
from vdf_bench.core.clip import Pose
from vdf_bench.core.frames import to_tensors
from vdf_bench.core.interfaces import Drive
from vdf_bench.stages.capture import capture_frames

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from vdf_bench.core.capture import Capture
    from vdf_bench.core.clip import Clip, Truth

#: Edge in pixels and frames of the clip that victims are trained on.
SIZE: Final = 48
FRAMES: Final = 24


@cache
def clip(size: int = SIZE, frames: int = FRAMES, name: str = "synth-a") -> Clip:
    """A rendered clip: (T, S, S, 3) uint8 frames with sound and truth."""
    rendered: Clip = registry.create("clips", "synth").load(name, size=size, frames=frames)
    return rendered


def truth(size: int = SIZE, frames: int = FRAMES) -> Truth:
    """What is exactly known of :func:`clip`."""
    known = clip(size, frames).truth
    assert known is not None
    return known


def tensors(size: int, frames: int) -> Tensor:
    """(T, 3, S, S) float32 RGB in [0, 1], multiples of 1/255; a new copy each time."""
    return torch.stack(list(to_tensors(clip(size, frames).frames)))


class _Exact:
    """A parser and a landmarker that know the truth."""

    def __init__(self, known: Truth) -> None:
        self._known = known

    def parse(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        del frames
        return self._known.labels

    def detect(self, frames: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return self._known.landmarks, np.ones(len(frames), np.float32)


@cache
def capture() -> Capture:
    """:func:`clip`, captured with the true parsing and the true landmarks."""
    exact = _Exact(truth())
    return capture_frames(clip().frames, clip().audio, exact, exact, "repair")


def headless() -> Capture:
    """:func:`capture` by a parser that sees nobody."""
    return replace(capture(), labels=np.zeros_like(capture().labels))


def drive_of(captured: Capture, index: NDArray[np.int64]) -> Drive:
    """What the frames ``index`` of a capture show: their poses, lips and lids, before their backdrop."""
    pose = Pose(captured.pose.rotation[index], captured.pose.translation[index], captured.pose.focal)
    return Drive(pose, captured.mouth[index], captured.eyes[index], captured.backdrop(index))
