"""Head pose from landmarks alone, as SyncTalk and GeneFace++ fit it (task 8 of the pipelines, without BFM).

Bundle adjustment with a prior: one face shape, one focal length and a pose per frame explain all 68-point sets. The
focal length comes from a grid over sampled frames (the official trackers try 600 ... 1400 px at 512), shape and poses
alternate, and poses are smoothed by their second differences.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.linalg import solve

from vdf_bench.capture.bundle import (
    FRONTAL,
    Problem,
    apply_bands,
    cross,
    huber,
    left_jacobian,
    pixels_per_unit,
    rigidity,
    rotation_of,
    second_differences,
    solve_banded,
    spread,
)
from vdf_bench.core.clip import Pose

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

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
    weight = np.where(valid, 1.0, REPAIRED_WEIGHT)[:, None] * rigidity()
    mean, prior = _shape_prior(shape)
    sample = np.nonzero(valid)[0]
    sample = sample[np.linspace(0, len(sample) - 1, min(SEARCH_FRAMES, len(sample))).round().astype(int)]

    def search(candidates: list[float]) -> tuple[float, Problem, Array]:
        tried = (_search(centred[sample], weight[sample], f, size, mean, prior) for f in candidates)
        return min(tried, key=lambda found: found[0])

    if focal is None:
        # The cost has one minimum: every second focal length, then the neighbours of the best.
        best = search([ratio * size for ratio in FOCALS[::2]])
        middle = int(np.argmin([abs(ratio * size - best[1].focal) for ratio in FOCALS]))
        beside = [FOCALS[k] * size for k in (middle - 1, middle + 1) if 0 <= k < len(FOCALS)]
        best = min(best, search(beside), key=lambda found: found[0])
    else:
        best = search([focal])
    _, problem, face = best

    problem = Problem(centred, weight, problem.focal)
    state = _track(problem, face, _frontal_start(problem, face), 8, SMOOTHNESS)
    for _ in range(2):
        problem.weight = weight * huber(problem, face, state)
        face = _refine_shape(problem, face, state, mean, prior)
        state = _track(problem, face, state, 3, SMOOTHNESS)

    rotation = rotation_of(state[:, :3])
    pose = Pose(rotation.astype(np.float32), state[:, 3:].astype(np.float32), float(problem.focal))
    error, _, _ = problem.residual(face, state)
    eyes = np.linalg.norm(centred[:, 45] - centred[:, 36], axis=1).clip(1)
    relative = np.einsum("tn,tn->t", rigidity() + np.zeros_like(weight), (error**2).sum(-1)) / eyes**2
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
) -> tuple[float, Problem, Array]:
    """Fit sampled frames at one focal length: the posterior's cost, the problem and the face (68, 3)."""
    problem = Problem(points, weight, focal)
    face = mean.reshape(68, 3)
    state = _track(problem, face, _frontal_start(problem, face), 6, smoothness=0.0)
    for _ in range(3):
        face = _refine_shape(problem, face, state, mean, prior)
        state = _track(problem, face, state, 2, smoothness=0.0)
    error, _, _ = problem.residual(face, state)
    scale = pixels_per_unit(problem, mean.reshape(68, 3)) * LANDMARK_NOISE
    away = face.reshape(-1) - mean
    misfit = (weight * (error**2).sum(-1)).sum() / scale**2 * 68 + away @ prior @ away
    unusual = np.log(focal / (FOCAL_PRIOR[0] * size)) / FOCAL_PRIOR[1]
    cost = misfit / len(points) + unusual**2 / VIEWS
    return float(cost), problem, face


def _frontal_start(problem: Problem, face: Array) -> Array:
    """(T, 6) frontal poses that put the landmarks' centre and spread in place."""
    centre = problem.points.mean(axis=1)
    depth = problem.focal * spread(face[None, :, :2]) / spread(problem.points)
    offset = (FRONTAL @ face.mean(axis=0))[:2]
    state = np.zeros((len(centre), 6))
    state[:, 3:5] = centre * (depth / problem.focal)[:, None] - offset
    state[:, 5] = depth + face[:, 2].mean()
    return state


def _track(problem: Problem, face: Array, state: Array, steps: int, smoothness: float) -> Array:
    """Damped Gauss-Newton on all poses at once: the normal matrix is banded, as frames meet in second differences."""
    scale = pixels_per_unit(problem, face)
    rough = second_differences(len(state)) * smoothness
    damping, cost = 1e-3, np.inf
    accepted = state
    pending: tuple[Array, Array] | None = None
    for _ in range(steps + 1):
        error, turned, slope = problem.residual(face, state)
        error, slope = error / scale, slope / scale
        bend = apply_bands(rough, state)
        now = float((problem.weight * (error**2).sum(-1)).sum() + (state * bend).sum())
        if np.isfinite(now) and now < cost:
            cost, accepted, damping = now, state, damping / 3
            by_rotation = -slope @ cross(turned) @ left_jacobian(state[:, :3])[:, None]
            jacobian = np.concatenate([by_rotation, slope], axis=-1)
            weighted = jacobian * problem.weight[..., None, None]
            hessian = np.einsum("tnai,tnaj->tij", weighted, jacobian, optimize=True)
            gradient = np.einsum("tnai,tna->ti", weighted, error, optimize=True) + bend
            pending = hessian, gradient
        else:
            damping *= 10
        assert pending is not None
        state = accepted - solve_banded(pending[0], pending[1], rough, damping)
    return accepted


def _refine_shape(problem: Problem, face: Array, state: Array, mean: Array, prior: Array) -> Array:
    """One Gauss-Newton step of the shape's posterior, poses held."""
    scale = pixels_per_unit(problem, face)
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
