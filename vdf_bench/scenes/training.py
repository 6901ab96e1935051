"""Pictures to train the shipped networks on: random people, poses, light, rooms and cameras.

How to vary identity: an identity is an integer; ``identities`` says which may appear. A parser or a landmarker takes
``TRAIN_SEEDS`` (or a part of it), the held-out parser takes ``PARSER_HELDOUT_SEEDS``; no named clip uses either. For
an identity embedder ask for several views a person: ``sample_views(seed, identities, views=n, size=s, per_identity=8)``
yields eight views of one person, then eight of the next; :attr:`Sample.identity` is the class label.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter

from vdf_bench.scenes.background import sample_background
from vdf_bench.scenes.head import PIVOT, Head
from vdf_bench.scenes.identity import sample_identity
from vdf_bench.scenes.photometric import degrade, sample_light
from vdf_bench.scenes.render import CAMERA_DISTANCE, View, head_rotation, render_view

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

#: Identities that shipped networks learn from.
TRAIN_SEEDS = range(0, 4000)
#: Identities that only the held-out parser learns from.
PARSER_HELDOUT_SEEDS = range(4000, 8000)
#: Height of a head with its hair, head units: what a view's scale is measured by.
HEAD_HEIGHT = 2.45


@dataclass(frozen=True)
class Sample(View):
    """A training view.

    Attributes:
        identity: the seed of the person.
        rotation: (3, 3) float32 head to camera.
        mouth: opening and width.
        blink: 0 open to 1 closed.
    """

    identity: int
    rotation: NDArray[np.float32]
    mouth: tuple[float, float]
    blink: float


def sample_views(
    seed: int, identities: Sequence[int], views: int, size: int, per_identity: int = 4, strength: float = 1.0
) -> Iterator[Sample]:
    """Render ``views`` random views.

    Args:
        seed: the stream; the same arguments give the same bytes.
        identities: seeds to draw people from (a range or a list).
        views: how many to yield.
        size: edge, pixels.
        per_identity: views of a person in a row (building a person costs about twenty views at 64 px).
        strength: of the camera's degradations, 0 to 1.

    Yields:
        samples with yaw within 35, pitch within 20 and roll within 15 degrees, heads of 25 to 85 % of the frame.
    """
    rng = np.random.default_rng([seed, 68])
    head: Head | None = None
    for index in range(views):
        if head is None or index % per_identity == 0:
            head = Head.build(sample_identity(int(identities[int(rng.integers(len(identities)))])))
        yield _sample(head, rng, size, strength)


def _sample(head: Head, rng: np.random.Generator, size: int, strength: float) -> Sample:
    yaw = float(np.clip(rng.normal(0, 0.28), -0.61, 0.61))
    pitch = float(np.clip(rng.normal(0, 0.14), -0.35, 0.35))
    roll = float(np.clip(rng.normal(0, 0.09), -0.26, 0.26))
    rotation = head_rotation(yaw, pitch, roll)
    share = rng.uniform(0.25, 0.85) if rng.random() < 0.4 else rng.uniform(0.5, 0.8)
    distance = CAMERA_DISTANCE * float(rng.choice([0.7, 1.0, 1.6]))
    frame = HEAD_HEIGHT / share
    focal = size * distance / frame
    # The head's middle wanders over the frame as far as its size allows; small heads stand higher or lower.
    room = max(0.06, 0.5 * (1 - share))
    across = float(np.clip(rng.normal(0, 0.35), -1, 1)) * room * frame * 0.9
    lift = float(np.clip(rng.normal(0.1, 0.45), -1, 1)) * room * frame
    pivot = np.array([across, -(PIVOT[1] + lift), distance])
    translation = (pivot - rotation @ PIVOT).astype(np.float32)
    mouth = (float(rng.beta(0.8, 1.4)) if rng.random() < 0.7 else 0.0, float(np.clip(rng.normal(0.1, 0.45), -1, 1)))
    blink = 0.0 if rng.random() < 0.75 else float(rng.random())
    gaze = (float(np.clip(rng.normal(0, 0.5), -1, 1)), float(np.clip(rng.normal(0, 0.4), -1, 1)))
    background = sample_background(rng, size)
    view = render_view(head, rotation, translation, mouth, blink, gaze, size, sample_light(rng), background, 2, focal)
    rgb, labels, depth = view.rgb, view.labels, view.depth
    if rng.random() < 0.15:
        rgb, labels, depth = _occlude(rgb, labels, depth, view.landmarks, rng)
    rgb = degrade(rgb, rng, strength)
    return Sample(rgb, labels, depth, view.landmarks, view.plate, head.identity.seed, rotation, mouth, blink)


def _occlude(
    rgb: NDArray[np.float32],
    labels: NDArray[np.uint8],
    depth: NDArray[np.float32],
    marks: NDArray[np.float32],
    rng: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.float32]]:
    """A microphone, a hand-like blob or a plant before the chest: background class, below the chin."""
    size = labels.shape[0]
    v, u = np.meshgrid(*[np.arange(size) + 0.5] * 2, indexing="ij")
    chin = float(marks[8, 1])
    scale = float(marks[8, 1] - marks[27, 1])
    x = float(marks[8, 0]) + rng.normal(0, 0.7) * scale
    top = chin + rng.uniform(0.15, 0.6) * scale
    radius = rng.uniform(0.08, 0.28) * scale
    wobble = 1 + 0.25 * np.sin(rng.uniform(2, 6) * np.arctan2(v - top, u - x) + rng.uniform(0, 6))
    ball = np.hypot(u - x, v - top - radius) - radius * wobble
    stem = np.maximum(np.abs(u - x - rng.normal(0, 0.3) * (v - top)) - rng.uniform(0.1, 0.8) * radius, top + radius - v)
    cover = np.clip(0.5 - np.minimum(ball, stem), 0, 1)
    tone = rng.uniform(0.02, 0.8, 3) if rng.random() < 0.5 else np.full(3, rng.uniform(0.02, 0.4))
    paint = tone * (0.6 + 0.8 * gaussian_filter(rng.random((size, size)), 1.0)[..., None])
    blend = cover[..., None].astype(np.float32)
    hidden = cover > 0.5
    rgb = (rgb * (1 - blend) + np.clip(paint, 0, 1).astype(np.float32) * blend).astype(np.float32)
    return rgb, np.where(hidden, 0, labels).astype(np.uint8), np.where(hidden, 0, depth).astype(np.float32)
