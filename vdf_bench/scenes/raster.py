"""A z-buffer for triangle meshes and the 2x2 resolve that antialiases it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba as nb
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@nb.njit(cache=True)
def rasterise(
    pixels: NDArray[np.float32], faces: NDArray[np.int32], size: int
) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.float32]]:
    """Visibility of projected triangles.

    Args:
        pixels: (V, 3) u, v in pixels (centres at half integers) and camera depth z > 0.
        faces: (F, 3) vertex indices, either winding.
        size: edge of the square picture.

    Returns:
        depth (S, S), 0 where nothing is seen; face index (S, S), -1 there; and perspective-correct barycentric
        weights (S, S, 3).
    """
    depth = np.full((size, size), np.inf, np.float32)
    owner = np.full((size, size), -1, np.int32)
    weights = np.zeros((size, size, 3), np.float32)
    for t in range(faces.shape[0]):
        a, b, c = faces[t, 0], faces[t, 1], faces[t, 2]
        x0, y0, z0 = pixels[a, 0], pixels[a, 1], pixels[a, 2]
        x1, y1, z1 = pixels[b, 0], pixels[b, 1], pixels[b, 2]
        x2, y2, z2 = pixels[c, 0], pixels[c, 1], pixels[c, 2]
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if abs(area) < 1e-9 or z0 <= 0.1 or z1 <= 0.1 or z2 <= 0.1:
            continue
        left = max(0, int(np.ceil(min(x0, x1, x2) - 0.5)))
        right = min(size - 1, int(np.floor(max(x0, x1, x2) - 0.5)))
        top = max(0, int(np.ceil(min(y0, y1, y2) - 0.5)))
        bottom = min(size - 1, int(np.floor(max(y0, y1, y2) - 0.5)))
        inverse = 1.0 / area
        for row in range(top, bottom + 1):
            v = row + 0.5
            for column in range(left, right + 1):
                u = column + 0.5
                w0 = ((x1 - u) * (y2 - v) - (x2 - u) * (y1 - v)) * inverse
                w1 = ((x2 - u) * (y0 - v) - (x0 - u) * (y2 - v)) * inverse
                w2 = 1.0 - w0 - w1
                if w0 < -1e-6 or w1 < -1e-6 or w2 < -1e-6:
                    continue
                z = 1.0 / (w0 / z0 + w1 / z1 + w2 / z2)
                if z < depth[row, column]:
                    depth[row, column] = z
                    owner[row, column] = t
                    weights[row, column, 0] = z * w0 / z0
                    weights[row, column, 1] = z * w1 / z1
                    weights[row, column, 2] = z * w2 / z2
    for row in range(size):
        for column in range(size):
            if owner[row, column] < 0:
                depth[row, column] = 0.0
    return depth, owner, weights


@nb.njit(cache=True)
def resolve(
    rgb: NDArray[np.float32], labels: NDArray[np.uint8], depth: NDArray[np.float32], factor: int
) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.float32]]:
    """Average colours, vote labels and average the depth of the winning label over ``factor`` x ``factor`` samples."""
    size = labels.shape[0] // factor
    colour = np.zeros((size, size, 3), np.float32)
    winner = np.zeros((size, size), np.uint8)
    near = np.zeros((size, size), np.float32)
    for row in range(size):
        for column in range(size):
            votes = np.zeros(32, np.int64)
            for i in range(factor):
                for j in range(factor):
                    y, x = row * factor + i, column * factor + j
                    votes[labels[y, x]] += 1
                    for k in range(3):
                        colour[row, column, k] += rgb[y, x, k]
            best = np.argmax(votes)
            total = 0.0
            for i in range(factor):
                for j in range(factor):
                    y, x = row * factor + i, column * factor + j
                    if labels[y, x] == best:
                        total += depth[y, x]
            winner[row, column] = best
            near[row, column] = total / votes[best]
            for k in range(3):
                colour[row, column, k] /= factor * factor
    return colour, winner, near
