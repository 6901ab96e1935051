"""The algebra that pose fitting shares: projection of a rigid face, its derivatives, and poses in a banded system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.linalg import solveh_banded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

#: A frontal head: y and z of the head point against those of the camera.
FRONTAL: Final = np.diag([1.0, -1.0, -1.0])


def rigidity() -> Array:
    """(68,) trust in each landmark as a point of a rigid head: lips, jaw and lids move, the contour slides with yaw.

    A moving jaw looks like perspective, so lips and jaw must weigh next to nothing or they choose the focal length.
    """
    weight = np.ones(68)
    weight[0:17] = 0.3
    weight[17:27] = 0.5
    weight[37:39] = weight[40:42] = weight[43:45] = weight[46:48] = 0.4
    weight[48:68] = 0.02
    weight[3:14] = 0.02
    return np.asarray(weight / weight.sum())


@dataclass
class Problem:
    """Landmarks in pixels from the frame's middle, with weights (T, 68) that sum to one in a trusted frame."""

    points: Array
    weight: Array
    focal: float

    def residual(self, shape: Array, state: Array) -> tuple[Array, Array, Array]:
        """Residual (T, 68, 2) in pixels, rotated points (T, 68, 3) and d(pixel)/d(camera point) (T, 68, 2, 3)."""
        turned = np.einsum("tij,nj->tni", rotation_of(state[:, :3]), shape)
        camera = turned + state[:, None, 3:]
        inverse = 1 / camera[..., 2]
        flat = camera[..., :2] * inverse[..., None]
        slope = np.zeros((*flat.shape, 3))
        slope[..., 0, 0] = slope[..., 1, 1] = self.focal * inverse
        slope[..., 2] = -self.focal * flat * inverse[..., None]
        return self.focal * flat - self.points, turned, slope


def rotation_of(vector: Array) -> Array:
    """(T, 3) rotation vectors about camera axes, relative to a frontal head, to (T, 3, 3) matrices."""
    from scipy.spatial.transform import Rotation

    return np.asarray(Rotation.from_rotvec(vector).as_matrix() @ FRONTAL)


def cross(v: Array) -> Array:
    """(..., 3) to (..., 3, 3) such that ``cross(a) @ b`` is a x b."""
    out = np.zeros((*v.shape, 3))
    out[..., 0, 1], out[..., 0, 2], out[..., 1, 2] = -v[..., 2], v[..., 1], -v[..., 0]
    return out - np.swapaxes(out, -1, -2)


def left_jacobian(vector: Array) -> Array:
    """(T, 3, 3): the small rotation that a change of the rotation vector makes (the series to third order)."""
    k = cross(vector)
    k2 = k @ k
    return np.eye(3) + k / 2 + k2 / 6 + k2 @ k / 24


def pixels_per_unit(problem: Problem, face: Array) -> float:
    """Pixels per head unit on the face, from the landmarks' spread: the same for every focal length."""
    return float(np.median(spread(problem.points))) / float(spread(face[None, :, :2])[0])


def spread(points: Array) -> Array:
    """(T,) root mean square distance of (T, 68, 2) points from their centre."""
    away = points - points.mean(axis=1, keepdims=True)
    return np.asarray(np.sqrt((away**2).sum(-1).mean(axis=1)).clip(1e-3))


def huber(problem: Problem, face: Array, state: Array) -> Array:
    """(T, 68) weights in (0, 1] that tame outliers: landmarks off by more than three typical errors."""
    distance = np.linalg.norm(problem.residual(face, state)[0], axis=-1)
    limit = 3 * np.median(distance, axis=0, keepdims=True).clip(1e-6)
    return np.asarray(np.minimum(1.0, limit / distance.clip(1e-9)))


def second_differences(count: int) -> Array:
    """(3, count) upper bands of DᵀD for second differences D: diagonal, first and second neighbour."""
    bands = np.zeros((3, count))
    for offset in range(count - 2):
        for i, a in enumerate((1.0, -2.0, 1.0)):
            for j, b in enumerate((1.0, -2.0, 1.0)):
                if j >= i:
                    bands[j - i, offset + i] += a * b
    return bands


def apply_bands(bands: Array, state: Array) -> Array:
    """The symmetric banded matrix times ``state`` (T, 6)."""
    out: Array = bands[0][:, None] * state
    for k in (1, 2):
        side = bands[k][: max(len(state) - k, 0), None]
        out[: len(side)] += side * state[k:]
        out[k:] += side * state[: len(side)]
    return out


def solve_banded(hessian: Array, gradient: Array, rough: Array, damping: float) -> Array:
    """Solve (H + rough ⊗ I + damping) x = g for blocks H (T, 6, 6); returns (T, 6)."""
    count = len(hessian)
    width = 12
    lower = np.zeros((width + 1, count, 6))
    for i in range(6):
        for j in range(i + 1):
            lower[i - j, :, j] = hessian[:, i, j]
    lower[0] += damping * (lower[0] + 1e-3) + rough[0][:, None]
    for k in (1, 2):
        lower[6 * k] += rough[k][:, None]
    return np.asarray(solveh_banded(lower.reshape(width + 1, -1), gradient.reshape(-1), lower=True)).reshape(count, 6)
