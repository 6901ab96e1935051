"""What stands behind the person: photographs that scikit-image installs, and procedural rooms.

Every background is blurred a little, as a portrait lens would, and graded.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter, map_coordinates, zoom

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Photographs inside the scikit-image package (nothing is downloaded); those with people in them are left out.
PHOTOGRAPHS = (
    "brick.png", "chelsea.png", "clock_motion.png", "coffee.png", "coins.png", "grass.png", "gravel.png",
    "hubble_deep_field.jpg", "moon.png", "page.png", "rocket.jpg",
)  # fmt: skip
KINDS = ("photo", "gradient", "wall", "shelves", "foliage", "panels", "bokeh", "clutter")


@cache
def photograph(name: str) -> NDArray[np.float32]:
    """A photograph bundled with scikit-image as (H, W, 3) float32 in [0, 1]."""
    with as_file(files("skimage.data") / name) as path, Image.open(path) as image:
        return (np.asarray(image.convert("RGB"), np.float32) / np.float32(255)).astype(np.float32)


def _crop(image: NDArray[np.float32], size: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """A rotated, scaled, possibly mirrored crop (S, S, 3)."""
    height, width = image.shape[:2]
    edge = rng.uniform(0.3, 0.95) * min(height, width)
    angle = rng.normal(0, 0.12)
    v, u = np.meshgrid(*[np.linspace(-0.5, 0.5, size)] * 2, indexing="ij")
    if rng.random() < 0.5:
        u = -u
    x = rng.uniform(edge / 2, width - edge / 2) + edge * (u * np.cos(angle) - v * np.sin(angle))
    y = rng.uniform(edge / 2, height - edge / 2) + edge * (u * np.sin(angle) + v * np.cos(angle))
    blur = max(edge / size / 2, 0.0)
    soft = gaussian_filter(image, (blur, blur, 0)) if blur > 0.6 else image
    return np.stack([map_coordinates(soft[..., k], [y, x], order=1, mode="reflect") for k in range(3)], 2)


def cloud(size: int, cells: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Smooth noise (S, S) in about [0, 1] with ``cells`` cells across."""
    cells = max(2, min(cells, size))
    field = zoom(rng.random((cells + 3, cells + 3)), (size + 4) / (cells + 1), order=3)
    return field[:size, :size].astype(np.float32)


def _colour(rng: np.random.Generator, strength: float = 0.35) -> NDArray[np.float64]:
    grey = rng.uniform(0.08, 0.9)
    return np.clip(grey + rng.uniform(-strength, strength, 3) * rng.random(), 0.02, 0.98)


def _room(kind: str, size: int, rng: np.random.Generator) -> NDArray[np.float32]:
    v, u = np.meshgrid(*[(np.arange(size) + 0.5) / size] * 2, indexing="ij")
    a, b, c = (_colour(rng) for _ in range(3))
    image = a + (b - a) * np.clip(u * rng.uniform(-1, 1) + v * rng.uniform(-1, 1) + 0.5, 0, 1)[..., None]
    if kind == "wall":
        glow = np.exp(-((u - rng.random()) ** 2 + (v - rng.uniform(0, 0.6)) ** 2) / rng.uniform(0.05, 0.4))
        image = image * (0.6 + 0.6 * glow + 0.15 * (cloud(size, 12, rng) - 0.5))[..., None]
    elif kind == "shelves":
        rows = int(rng.integers(2, 5))
        for k in range(rows):
            low, high = k / rows, (k + 0.86) / rows
            x = 0.0
            while x < 1:
                width = rng.uniform(0.015, 0.06)
                top = low + rng.uniform(0.01, 0.4) * (high - low)
                image[(u >= x) & (u < x + width) & (v > top) & (v < high)] = _colour(rng, 0.6) * 0.8
                x += width + (rng.uniform(0.02, 0.2) if rng.random() < 0.1 else 0.0)
            image[(v >= high) & (v < (k + 1) / rows)] = c
    elif kind == "foliage":
        green = np.array([0.25, 0.4, 0.15]) * rng.uniform(0.5, 1.6)
        leaves = np.sum([cloud(size, n, rng) * w for n, w in ((5, 0.5), (12, 0.3), (28, 0.2))], 0)
        image = green * (0.3 + 1.4 * leaves[..., None]) + np.array([0.2, 0.2, 0.1]) * (
            cloud(size, 20, rng)[..., None] > 0.7
        )
        sky = cloud(size, 6, rng) > 0.72
        image[sky] = np.array([0.8, 0.88, 0.95])
    elif kind == "panels":
        edges = np.sort(rng.random(int(rng.integers(2, 6))))
        for left in edges:
            width, top = rng.uniform(0.03, 0.3), rng.uniform(-0.3, 0.5)
            image[(u > left) & (u < left + width) & (v > top) & (v < top + rng.uniform(0.3, 1.2))] = _colour(rng, 0.5)
    elif kind == "bokeh":
        image = image * 0.5
        for _ in range(int(rng.integers(8, 30))):
            x, y, r = rng.random(), rng.random(), rng.uniform(0.015, 0.07)
            disc = np.clip((r - np.hypot(u - x, v - y)) * size / 2 + 0.5, 0, 1)[..., None]
            image = image + disc * _colour(rng, 0.6) * 0.6
    elif kind == "clutter":
        for _ in range(int(rng.integers(5, 18))):
            x, y, w, h = rng.random(), rng.random(), rng.uniform(0.03, 0.3), rng.uniform(0.03, 0.3)
            angle = rng.uniform(0, np.pi)
            du, dv = (
                (u - x) * np.cos(angle) + (v - y) * np.sin(angle),
                (v - y) * np.cos(angle) - (u - x) * np.sin(angle),
            )
            shape = np.maximum(np.abs(du) / w, np.abs(dv) / h) if rng.random() < 0.5 else np.hypot(du / w, dv / h)
            image[shape < 1] = _colour(rng, 0.6) + 0.2 * (cloud(size, 9, rng)[shape < 1][:, None] - 0.5)
    return image.astype(np.float32)


def sample_background(rng: np.random.Generator, size: int, kind: str | None = None) -> NDArray[np.float32]:
    """A background (S, S, 3) float32 in [0, 1].

    Args:
        rng: source of randomness.
        size: edge, pixels.
        kind: one of :data:`KINDS` or the name of a photograph; None draws one.
    """
    if kind is None:
        kind = str(rng.choice(KINDS, p=[0.34, 0.1, 0.12, 0.1, 0.1, 0.1, 0.06, 0.08]))
    if kind == "photo":
        kind = str(rng.choice(PHOTOGRAPHS))
    image = _crop(photograph(kind), size, rng) if kind in PHOTOGRAPHS else _room(kind, size, rng)
    if kind in PHOTOGRAPHS and rng.random() < 0.5:
        grade = rng.uniform(0.5, 1.3, 3) if rng.random() < 0.5 else np.full(3, rng.uniform(0.5, 1.3))
        image = (image * grade).astype(np.float32)
    blur = size * rng.choice([0.003, 0.008, 0.02, 0.035])
    image = gaussian_filter(image, (blur, blur, 0), mode="nearest")
    image = image * (1 + 0.06 * (cloud(size, 4, rng)[..., None] - 0.5))
    return np.clip(image, 0, 1).astype(np.float32)
