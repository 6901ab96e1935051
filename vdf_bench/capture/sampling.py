"""Compiled look-up of a sheet of points in many frames."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numba as nb
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@nb.njit(cache=True)
def sample_sheet(
    pictures: NDArray[np.float32],
    rotation: NDArray[np.float64],
    translation: NDArray[np.float64],
    points: NDArray[np.float64],
    normals: NDArray[np.float64],
    focal: float,
    flattest: float,
    plain: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Bilinear brightness of points in all frames, with its derivative.

    Args:
        pictures: (T, s, s), optical axis in the middle.
        rotation: (T, 3, 3) head to camera.
        translation: (T, 3).
        points: (N, 3) head space.
        normals: (N, 3) outward.
        focal: pixels.
        flattest: cosine between normal and view at which trust starts.
        plain: cosine at which it is full.

    Returns:
        Value (T, N), trust (T, N) in [0, 1] (0 outside the frame) and d(value)/d(camera point) (T, N, 3).
    """
    count, size, total = len(pictures), pictures.shape[1], len(points)
    value, trust = np.zeros((count, total), np.float32), np.zeros((count, total), np.float32)
    slope = np.zeros((count, total, 3), np.float32)
    for t in range(count):
        turn, shift, picture = rotation[t], translation[t], pictures[t]
        for n in range(total):
            p, m = points[n], normals[n]
            x = turn[0, 0] * p[0] + turn[0, 1] * p[1] + turn[0, 2] * p[2] + shift[0]
            y = turn[1, 0] * p[0] + turn[1, 1] * p[1] + turn[1, 2] * p[2] + shift[1]
            z = turn[2, 0] * p[0] + turn[2, 1] * p[1] + turn[2, 2] * p[2] + shift[2]
            if z < 1e-3:
                continue
            u, v = focal * x / z + size / 2 - 0.5, focal * y / z + size / 2 - 0.5
            if not (0 <= u < size - 1 and 0 <= v < size - 1):
                continue
            a = turn[0, 0] * m[0] + turn[0, 1] * m[1] + turn[0, 2] * m[2]
            b = turn[1, 0] * m[0] + turn[1, 1] * m[1] + turn[1, 2] * m[2]
            c = turn[2, 0] * m[0] + turn[2, 1] * m[1] + turn[2, 2] * m[2]
            facing = -(a * x + b * y + c * z) / math.sqrt(x * x + y * y + z * z)
            trust[t, n] = min(max((facing - flattest) / (plain - flattest), 0.0), 1.0)
            column, row = int(u), int(v)
            fu, fv = u - column, v - row
            left, right = picture[row, column], picture[row, column + 1]
            low_left, low_right = picture[row + 1, column], picture[row + 1, column + 1]
            top, bottom = left + (right - left) * fu, low_left + (low_right - low_left) * fu
            value[t, n] = top + (bottom - top) * fv
            across = (right - left) * (1 - fv) + (low_right - low_left) * fv
            down = bottom - top
            scale = focal / z
            slope[t, n, 0], slope[t, n, 1] = across * scale, down * scale
            slope[t, n, 2] = -(across * x + down * y) * scale / z
    return value, trust, slope
