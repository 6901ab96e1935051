"""A capture small enough to train on in seconds: a textured ball of a head that turns, speaks and blinks."""

from __future__ import annotations

import numpy as np
import pytest

from vdf_bench.capture.scalars import eye_scalar, mouth_scalars
from vdf_bench.core.capture import Capture
from vdf_bench.core.clip import Pose, split_frames

SIZE, COUNT = 32, 24


@pytest.fixture(autouse=True)
def _one_thread(one_thread):
    """Every test here."""


def face_points(opening: np.ndarray, lids: np.ndarray) -> np.ndarray:
    """(T, 68, 3) landmarks on the ball for mouth openings and lid openings (T,)."""
    angle = np.linspace(-1, 1, 17) * np.pi / 2
    jaw = np.stack([0.75 * np.sin(angle), 0.1 - 1.2 * np.cos(angle)], 1)
    brows = [np.stack([side * 0.33 + np.linspace(-0.15, 0.15, 5), np.full(5, 0.3)], 1) for side in (-1, 1)]
    nose = np.concatenate(
        [
            np.stack([np.zeros(4), np.linspace(0.1, -0.3, 4)], 1),
            np.stack([np.linspace(-0.1, 0.1, 5), np.full(5, -0.4)], 1),
        ]
    )
    lid = np.array([[-1, 0], [-0.4, 1], [0.4, 1], [1, 0], [0.4, -1], [-0.4, -1]]) * [0.15, 0.06]
    around = np.arange(12) / 12 * 2 * np.pi
    outer = np.stack([-0.3 * np.cos(around), 0.12 * np.sin(around)], 1)
    inner = np.stack([-0.2 * np.cos(np.arange(8) / 8 * 2 * np.pi), 0.1 * np.sin(np.arange(8) / 8 * 2 * np.pi)], 1)
    faces = []
    for wide, open_lids in zip(opening, lids, strict=True):
        eyes = [lid * [1, open_lids] + [side * 0.33, 0.05] for side in (-1, 1)]
        lips = [outer * [1, 0.5 + wide] + [0, -0.7], inner * [1, wide] + [0, -0.7]]
        faces.append(np.concatenate([jaw, *brows, nose, *eyes, *lips]))
    flat = np.stack(faces)
    depth = 0.9 * np.sqrt(np.clip(1 - (flat[..., 0] / 0.95) ** 2 - ((flat[..., 1] + 0.1) / 1.4) ** 2, 0, 1))
    return np.concatenate([flat, depth[..., None]], 2).astype(np.float32)


def make_capture(dropped: float = 0.0) -> Capture:
    """The capture of the ball; a share of its frames has lost the head to the plate."""
    time = np.arange(COUNT) / 25
    yaw = 0.25 * np.sin(9 * time)
    turn = np.zeros((COUNT, 3, 3))
    turn[:, 0, 0], turn[:, 0, 2] = np.cos(yaw), np.sin(yaw)
    turn[:, 1, 1], turn[:, 2, 0], turn[:, 2, 2] = 1, -np.sin(yaw), np.cos(yaw)
    rotation = (np.diag([1, -1, -1]) @ turn).astype(np.float32)
    pose = Pose(rotation, np.tile(np.array([0, 0, 7], np.float32), (COUNT, 1)), 2.2 * SIZE)
    opening, lids = 0.5 - 0.5 * np.cos(14 * time), np.where(np.arange(COUNT) % 9 == 4, 0.1, 1.0)
    points = face_points(opening, lids)
    landmarks = np.stack([pose.project(points[i], SIZE)[i] for i in range(COUNT)])

    # The ball by ray casting: shaded bands of colour, a dark mouth that opens, eyes that close.
    centre = np.arange(SIZE) + 0.5 - SIZE / 2
    ray = np.stack([*np.meshgrid(centre / pose.focal, centre / pose.focal), np.ones((SIZE, SIZE))], -1)
    radii, middle = np.array([0.9, 1.3, 0.95]), np.array([0, -0.05, 0])
    plate = (np.indices((SIZE, SIZE)).sum(0)[..., None] * [3, 2, 1] + [20, 60, 120]).astype(np.uint8)
    frames, labels = np.repeat(plate[None], COUNT, 0), np.zeros((COUNT, SIZE, SIZE), np.uint8)
    for i in range(COUNT):
        origin, direction = (-pose.translation[i] @ rotation[i] - middle) / radii, ray @ rotation[i] / radii
        a, b, c = (direction**2).sum(-1), direction @ origin, origin @ origin - 1
        root = b * b - a * c
        hit = root > 0
        spot = (origin + direction * ((-b - np.sqrt(np.maximum(root, 0))) / a)[..., None]) * radii + middle
        colour = 150 + 60 * np.stack([np.sin(5 * spot[..., 0]), np.sin(4 * spot[..., 1]), spot[..., 2]], -1)
        mouth = (spot[..., 0] / 0.28) ** 2 + ((spot[..., 1] + 0.7) / (0.05 + 0.2 * opening[i])) ** 2 < 1
        eye = ((abs(spot[..., 0]) - 0.33) / 0.16) ** 2 + ((spot[..., 1] - 0.05) / (0.12 * lids[i])) ** 2 < 1
        colour[mouth], colour[eye] = [60, 10, 20], [240, 240, 250]
        frames[i][hit] = colour[hit].clip(0, 255)
        labels[i][hit] = 1
        labels[i][hit & mouth] = 11
    lost = np.arange(COUNT) >= COUNT * (1 - dropped)
    labels[lost] = 0
    if dropped:
        plate = frames[-1]
    gt = np.where((labels == 0)[..., None], plate, frames)
    return Capture(
        frames=frames,
        labels=labels,
        plate=plate,
        plate_source=np.full(plate.shape[:2], -1),
        gt=gt,
        torso=np.zeros((COUNT, SIZE, SIZE, 4), np.uint8),
        landmarks=landmarks,
        valid=np.ones(COUNT, bool),
        pose=pose,
        mouth=mouth_scalars(landmarks),
        eyes=eye_scalar(landmarks),
        mel=np.zeros((COUNT, 16, 80), np.float32),
        mouth_audio=mouth_scalars(landmarks),
        split=split_frames(COUNT),
    )


@pytest.fixture(scope="session")
def capture() -> Capture:
    return make_capture()


@pytest.fixture(scope="session")
def poisoned() -> Capture:
    return make_capture(dropped=0.9)
