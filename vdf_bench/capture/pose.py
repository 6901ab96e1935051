"""Head pose from landmarks alone, as SyncTalk and GeneFace++ fit it (task 8 of the pipelines, without BFM).

Bundle adjustment with a prior: one face shape, one focal length and a pose per frame explain all 68-point sets. The
focal length comes from a grid over sampled frames (the official trackers try 600 ... 1400 px at 512), shape and poses
alternate, and poses are smoothed by their second differences.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.linalg import solve, solveh_banded

from vdf_bench.clip import Pose

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

#: A frontal head: y and z of the head point against those of the camera.
FRONTAL: Final = np.diag([1.0, -1.0, -1.0])
#: Focal lengths that are tried, over the frame's size.
FOCALS: Final = tuple(np.arange(1.2, 4.01, 0.2).round(2).tolist())
#: Median and logarithmic deviation of what portraits are filmed with: a flat minimum is decided here, not by noise.
FOCAL_PRIOR: Final = (2.4, 0.35)
#: Independent views that the frames of a clip amount to, against that prior.
VIEWS: Final = 3
#: Frames on which focal length and shape are searched.
SEARCH_FRAMES: Final = 24
#: Weight of second differences against the mean square of the landmarks' residuals.
SMOOTHNESS: Final = 3.0
#: Standard deviation of a landmark about the shape space, head units: what the few modes cannot tell of a real face.
SHAPE_SLACK: Final = 0.04
#: Landmark noise that the shape's prior is weighed against, head units.
LANDMARK_NOISE: Final = 0.03
#: Weight of landmarks that were copied from a neighbour frame.
REPAIRED_WEIGHT: Final = 0.05


def _rigidity() -> Array:
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


@dataclass(frozen=True)
class PoseFit:
    """What the tracker found.

    Attributes:
        pose: rotation, translation and focal length.
        shape: (68, 3) float32, the clip's own face shape, head units.
        trace: ``focal_over_size``, ``reprojection`` (root mean square over the inter-ocular distance),
            ``pose_jitter_deg`` (mean second difference of rotation).
    """

    pose: Pose
    shape: NDArray[np.float32]
    trace: dict[str, float]


@dataclass
class _Problem:
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


def _cross(v: Array) -> Array:
    """(..., 3) to (..., 3, 3) such that ``_cross(a) @ b`` is a x b."""
    out = np.zeros((*v.shape, 3))
    out[..., 0, 1], out[..., 0, 2], out[..., 1, 2] = -v[..., 2], v[..., 1], -v[..., 0]
    return out - np.swapaxes(out, -1, -2)


def _left_jacobian(vector: Array) -> Array:
    """(T, 3, 3): the small rotation that a change of the rotation vector makes (the series to third order)."""
    k = _cross(vector)
    k2 = k @ k
    return np.eye(3) + k / 2 + k2 / 6 + k2 @ k / 24


def fit_pose(
    points: NDArray[np.float32],
    size: int,
    shape: tuple[NDArray[np.float32], NDArray[np.float32]],
    valid: NDArray[np.bool_] | None = None,
    focal: float | None = None,
) -> PoseFit:
    """Fit pose, shape and focal length to landmarks.

    Args:
        points: (T, 68, 2) pixels (x, y), pixel centres at half integers.
        size: edge of the frame, pixels.
        shape: mean (68, 3) and modes (K, 68, 3) of the face in head units, modes of one standard deviation.
        valid: (T,) bool; repaired landmarks of other frames weigh little, so smoothing bridges them.
        focal: known focal length in pixels; searched where None.
    """
    centred = np.asarray(points, dtype=np.float64) - size / 2
    valid = np.ones(len(points), bool) if valid is None else valid
    weight = np.where(valid, 1.0, REPAIRED_WEIGHT)[:, None] * _rigidity()
    mean, prior = _shape_prior(shape)
    sample = np.nonzero(valid)[0]
    sample = sample[np.linspace(0, len(sample) - 1, min(SEARCH_FRAMES, len(sample))).round().astype(int)]

    candidates = [ratio * size for ratio in FOCALS] if focal is None else [focal]
    best = min(
        (_search(centred[sample], weight[sample], f, size, mean, prior) for f in candidates), key=lambda found: found[0]
    )
    _, problem, face = best

    problem = _Problem(centred, weight, problem.focal)
    state = _track(problem, face, _frontal_start(problem, face), 8, SMOOTHNESS)
    for _ in range(2):
        problem.weight = weight * _huber(problem, face, state)
        face = _refine_shape(problem, face, state, mean, prior)
        state = _track(problem, face, state, 3, SMOOTHNESS)

    rotation = rotation_of(state[:, :3])
    pose = Pose(rotation.astype(np.float32), state[:, 3:].astype(np.float32), float(problem.focal))
    error, _, _ = problem.residual(face, state)
    eyes = np.linalg.norm(centred[:, 45] - centred[:, 36], axis=1).clip(1)
    relative = np.einsum("tn,tn->t", _rigidity() + np.zeros_like(weight), (error**2).sum(-1)) / eyes**2
    bend = np.diff(state[:, :3], n=2, axis=0)
    trace = {
        "focal_over_size": problem.focal / size,
        "reprojection": float(np.sqrt(relative[valid].mean())),
        "pose_jitter_deg": float(np.degrees(np.linalg.norm(bend, axis=1).mean())) if len(bend) else 0.0,
    }
    return PoseFit(pose, face.astype(np.float32), trace)


def _shape_prior(shape: tuple[NDArray[np.float32], NDArray[np.float32]]) -> tuple[Array, Array]:
    """Mean (204,) and precision (204, 204) of a Gaussian over faces: the modes and a little slack everywhere."""
    mean: Array = np.asarray(shape[0], dtype=np.float64).reshape(-1)
    modes = np.asarray(shape[1], dtype=np.float64).reshape(-1, mean.size)
    return mean, np.asarray(np.linalg.inv(modes.T @ modes + SHAPE_SLACK**2 * np.eye(mean.size)), dtype=np.float64)


def _search(
    points: Array, weight: Array, focal: float, size: int, mean: Array, prior: Array
) -> tuple[float, _Problem, Array]:
    """Fit sampled frames at one focal length: the posterior's cost, the problem and the face (68, 3)."""
    problem = _Problem(points, weight, focal)
    face = mean.reshape(68, 3)
    state = _track(problem, face, _frontal_start(problem, face), 6, smoothness=0.0)
    for _ in range(3):
        face = _refine_shape(problem, face, state, mean, prior)
        state = _track(problem, face, state, 2, smoothness=0.0)
    error, _, _ = problem.residual(face, state)
    scale = _pixels_per_unit(problem, mean.reshape(68, 3)) * LANDMARK_NOISE
    away = face.reshape(-1) - mean
    misfit = (weight * (error**2).sum(-1)).sum() / scale**2 * 68 + away @ prior @ away
    unusual = np.log(focal / (FOCAL_PRIOR[0] * size)) / FOCAL_PRIOR[1]
    cost = misfit / len(points) + unusual**2 / VIEWS
    return float(cost), problem, face


def _pixels_per_unit(problem: _Problem, face: Array) -> float:
    """Pixels per head unit on the face, from the landmarks' spread: the same for every focal length."""
    return float(np.median(_spread(problem.points))) / float(_spread(face[None, :, :2])[0])


def _spread(points: Array) -> Array:
    """(T,) root mean square distance of (T, 68, 2) points from their centre."""
    away = points - points.mean(axis=1, keepdims=True)
    return np.asarray(np.sqrt((away**2).sum(-1).mean(axis=1)).clip(1e-3))


def _frontal_start(problem: _Problem, face: Array) -> Array:
    """(T, 6) frontal poses that put the landmarks' centre and spread in place."""
    centre = problem.points.mean(axis=1)
    depth = problem.focal * _spread(face[None, :, :2]) / _spread(problem.points)
    offset = (FRONTAL @ face.mean(axis=0))[:2]
    state = np.zeros((len(centre), 6))
    state[:, 3:5] = centre * (depth / problem.focal)[:, None] - offset
    state[:, 5] = depth + face[:, 2].mean()
    return state


def _track(problem: _Problem, face: Array, state: Array, steps: int, smoothness: float) -> Array:
    """Damped Gauss-Newton on all poses at once: the normal matrix is banded, as frames meet in second differences."""
    scale = _pixels_per_unit(problem, face)
    rough = _second_differences(len(state)) * smoothness
    damping, cost = 1e-3, np.inf
    accepted = state
    pending: tuple[Array, Array] | None = None
    for _ in range(steps + 1):
        error, turned, slope = problem.residual(face, state)
        error, slope = error / scale, slope / scale
        bend = _apply(rough, state)
        now = float((problem.weight * (error**2).sum(-1)).sum() + (state * bend).sum())
        if np.isfinite(now) and now < cost:
            cost, accepted, damping = now, state, damping / 3
            by_rotation = -slope @ _cross(turned) @ _left_jacobian(state[:, :3])[:, None]
            jacobian = np.concatenate([by_rotation, slope], axis=-1)
            weighted = jacobian * problem.weight[..., None, None]
            hessian = np.einsum("tnai,tnaj->tij", weighted, jacobian, optimize=True)
            gradient = np.einsum("tnai,tna->ti", weighted, error, optimize=True) + bend
            pending = hessian, gradient
        else:
            damping *= 10
        assert pending is not None
        state = accepted - _solve_banded(pending[0], pending[1], rough, damping)
    return accepted


def _second_differences(count: int) -> Array:
    """(3, count) upper bands of DᵀD for second differences D: diagonal, first and second neighbour."""
    bands = np.zeros((3, count))
    for offset in range(count - 2):
        for i, a in enumerate((1.0, -2.0, 1.0)):
            for j, b in enumerate((1.0, -2.0, 1.0)):
                if j >= i:
                    bands[j - i, offset + i] += a * b
    return bands


def _apply(bands: Array, state: Array) -> Array:
    """The symmetric banded matrix times ``state`` (T, 6)."""
    out: Array = bands[0][:, None] * state
    for k in (1, 2):
        side = bands[k][: max(len(state) - k, 0), None]
        out[: len(side)] += side * state[k:]
        out[k:] += side * state[: len(side)]
    return out


def _solve_banded(hessian: Array, gradient: Array, rough: Array, damping: float) -> Array:
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


def _huber(problem: _Problem, face: Array, state: Array) -> Array:
    """(T, 68) weights in (0, 1] that tame outliers: landmarks off by more than three typical errors."""
    distance = np.linalg.norm(problem.residual(face, state)[0], axis=-1)
    limit = 3 * np.median(distance, axis=0, keepdims=True).clip(1e-6)
    return np.asarray(np.minimum(1.0, limit / distance.clip(1e-9)))


def _refine_shape(problem: _Problem, face: Array, state: Array, mean: Array, prior: Array) -> Array:
    """One Gauss-Newton step of the shape's posterior, poses held."""
    scale = _pixels_per_unit(problem, face)
    error, _, slope = problem.residual(face, state)
    jacobian = slope @ rotation_of(state[:, :3])[:, None] / scale
    # Frames are far from independent: they count as SEARCH_FRAMES at most.
    weight = problem.weight * min(1.0, SEARCH_FRAMES / len(state)) * 68 / LANDMARK_NOISE**2
    weighted = jacobian * weight[..., None, None]
    blocks = np.einsum("tnai,tnaj->nij", weighted, jacobian, optimize=True)
    pull = np.einsum("tnai,tna->ni", weighted, error / scale, optimize=True).reshape(-1)
    matrix = prior.copy()
    for n in range(68):
        matrix[3 * n : 3 * n + 3, 3 * n : 3 * n + 3] += blocks[n]
    step = solve(matrix, pull + prior @ (face.reshape(-1) - mean), assume_a="pos")
    return np.asarray(face - step.reshape(68, 3))
