"""A toy person: an ellipse of a head over a neck and a torso, with parsing, landmarks and sound known exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vdf_bench.core.clip import Pose

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZE, COUNT = 64, 64


def mean_face() -> NDArray[np.float32]:
    """(68, 3) of a schematic face: contour, brows, nose, eyes, lips on a rounded front."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, 17)
    jaw = np.stack([0.75 * np.sin(angle), 0.1 - 1.1 * np.cos(angle)], 1)
    brow = np.linspace(-0.15, 0.15, 5)
    brows = [np.stack([side * 0.33 + brow, 0.3 - brow**2], 1) for side in (-1, 1)]
    bridge = np.stack([np.zeros(4), np.linspace(0.12, -0.25, 4)], 1)
    base = np.stack([np.linspace(-0.13, 0.13, 5), np.full(5, -0.35)], 1)
    lid = np.array([[-1, 0], [-0.4, 0.45], [0.4, 0.45], [1, 0], [0.4, -0.4], [-0.4, -0.4]]) * [0.14, 0.14]
    eyes = [lid + np.array([side * 0.32, 0.06]) for side in (-1, 1)]
    around = np.linspace(0, 2 * np.pi, 13)[:-1]
    outer = np.stack([-0.26 * np.cos(around), -0.6 + 0.1 * np.sin(around)], 1)
    inner = np.stack([-0.2 * np.cos(around[:8] * 1.5), -0.6 + 0.03 * np.sin(around[:8] * 1.5)], 1)
    flat = np.concatenate([jaw, *brows, bridge, base, *eyes, outer, inner])
    depth = 0.85 * np.sqrt(np.clip(1 - (flat[:, 0] / 0.95) ** 2 - (flat[:, 1] / 1.4) ** 2, 0, 1))
    depth[27:31] += np.linspace(0.05, 0.22, 4)
    return np.concatenate([flat, depth[:, None]], 1).astype(np.float32)


def face_modes() -> NDArray[np.float32]:
    """(3, 68, 3): width, height and depth of the face by six per cent."""
    return np.stack([mean_face() * axis for axis in 0.06 * np.eye(3)]).astype(np.float32)


def moving_pose(count: int, size: int, focal: float = 2.0) -> Pose:
    t = np.arange(count) / 25
    yaw, pitch, roll = 18 * np.sin(2.3 * t), 7 * np.sin(3.1 * t + 1), 4 * np.sin(1.7 * t)
    turn = Rotation.from_euler("yxz", np.stack([yaw, pitch, roll], 1), degrees=True).as_matrix()
    place = np.stack([0.1 * np.sin(t), 0.05 * np.cos(2 * t), 6 + 0.1 * np.sin(t)], 1)
    return Pose((turn @ np.diag([1, -1, -1])).astype(np.float32), place.astype(np.float32), focal * size)


@dataclass
class Person:
    """Fixed answers for frames that are drawn from them."""

    frames: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    plate: NDArray[np.uint8]
    points: NDArray[np.float32]
    score: NDArray[np.float32]
    pose: Pose

    def parse(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return self.labels

    def detect(self, frames: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return self.points, self.score


@pytest.fixture
def person() -> Person:
    pose = moving_pose(COUNT, SIZE)
    points = pose.project(mean_face(), SIZE)
    rng = np.random.default_rng(0)
    plate = rng.integers(0, 80, (SIZE, SIZE, 3)).astype(np.uint8)
    labels = np.zeros((COUNT, SIZE, SIZE), np.uint8)
    row, column = np.mgrid[0:SIZE, 0:SIZE] + 0.5
    for label, centre in zip(labels, points.mean(axis=1), strict=True):
        label[(row > 52) & (abs(column - 32) < 26)] = 16
        label[(abs(column - 32) < 5) & (row > 40) & (row <= 54)] = 14
        x, y = (column - centre[0]) / 12, (row - centre[1] + 3) / 17
        label[x**2 + y**2 < 1] = 1
        label[(x**2 + y**2 < 1) & (y < -0.6)] = 17
    colours = np.zeros((19, 3), np.uint8)
    colours[[1, 14, 16, 17]] = [[220, 170, 150], [200, 150, 130], [90, 90, 220], [120, 80, 90]]
    frames = np.where((labels == 0)[..., None], plate, colours[labels])
    return Person(frames, labels, plate, points, np.ones(COUNT, np.float32), pose)
