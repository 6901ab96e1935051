"""Photometric alignment of poses: all frames must agree on the colour of every point of the face.

Landmarks of a network jitter by half a pixel, lean with every fringe and shadow, and a field that is shown a head at
slightly wrong poses learns a blur. The older trackers of this family therefore fit the picture itself: AD-NeRF by
rendering its face model, SyncTalk by bundle adjustment of points that optical flow follows. Here the rigid part of
the fitted face (:mod:`vdf_bench.capture.surface`) carries one brightness per point, the robust mean over the frames;
poses follow by Gauss-Newton on brightness, landmarks and smoothness together, from coarse to fine, in the manner of
Lucas and Kanade (1981). Shading is slow and is filtered out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

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
)
from vdf_bench.core.clip import Pose

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.capture.pose import PoseFit

    Array = NDArray[np.float64]

#: Frames are looked at no larger than about this.
EDGE: Final = 128
#: Blur and slowest variation that pass, pixels of EDGE: from coarse to fine, and steps of each.
LEVELS: Final = ((2.5, 10.0), (1.5, 8.0), (0.8, 6.0))
STEPS: Final = 4
#: Weight of brightness against the landmarks.
PHOTOMETRIC: Final = 30.0
#: Weight of second differences, as of the landmarks' fit.
SMOOTHNESS: Final = 3.0
#: Beyond so many standard deviations a residual pulls no harder.
OUTLIER: Final = 1.5
#: Points seen at a flatter angle than the first cosine count nothing, beyond the second in full.
FACING: Final = (0.25, 0.6)
_LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)


def align_pose(
    frames: NDArray[np.uint8], points: NDArray[np.float32], fit: PoseFit, valid: NDArray[np.bool_] | None = None
) -> PoseFit:
    """Refine the poses that landmarks gave.

    Args:
        frames: (T, S, S, 3) uint8 RGB.
        points: (T, 68, 2) landmarks, pixels; they hold the head where brightness says nothing.
        fit: from :func:`vdf_bench.capture.pose.fit_pose` on these landmarks; shape and focal length are kept.
        valid: (T,) bool; frames without a face pull no point, and smoothness bridges them.

    Returns:
        The fit with new poses and ``alignment_gain``, the share by which frames now disagree less; unchanged poses
        and 0 where they do not.
    """
    from vdf_bench.capture.surface import rigid_sheet

    valid = np.ones(len(points), bool) if valid is None else valid
    try:
        sheet, normals = rigid_sheet(fit.shape.astype(np.float64))
    except ValueError:
        return replace(fit, trace=fit.trace | {"alignment_gain": 0.0})
    pictures, zoom = _shrink(frames)
    size, face = frames.shape[1], fit.shape.astype(np.float64)
    weight = valid[:, None] * rigidity()
    landmarks = Problem(points.astype(np.float64) - size / 2, weight, fit.pose.focal)
    start = state = _state_of(fit.pose)
    landmarks.weight = weight * huber(landmarks, face, state)
    rough = second_differences(len(state)) * SMOOTHNESS
    scale = pixels_per_unit(landmarks, face)

    for blur, slow in LEVELS:
        view = _Views(_band(pictures, blur, slow), sheet, normals, fit.pose.focal * zoom, valid)
        for _ in range(STEPS):
            hessian, gradient = view.normal_equations(state, PHOTOMETRIC)
            more = _landmark_equations(landmarks, face, state, scale)
            gradient = gradient + more[1] + apply_bands(rough, state)
            state = state - solve_banded(hessian + more[0], gradient, rough, 1e-4)
    before, after = view.disagreement(start), view.disagreement(state)
    if not (np.isfinite(state).all() and after < before):
        return replace(fit, trace=fit.trace | {"alignment_gain": 0.0})
    pose = Pose(rotation_of(state[:, :3]).astype(np.float32), state[:, 3:].astype(np.float32), fit.pose.focal)
    bend = np.diff(state[:, :3], n=2, axis=0)
    jitter = float(np.degrees(np.linalg.norm(bend, axis=1).mean())) if len(bend) else 0.0
    trace = {"alignment_gain": 1 - after / before, "pose_jitter_deg": jitter}
    return replace(fit, pose=pose, trace=fit.trace | trace)


def _state_of(pose: Pose) -> Array:
    """(T, 6) rotation vectors relative to a frontal head, and translations."""
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_matrix(pose.rotation.astype(np.float64) @ FRONTAL).as_rotvec()
    return np.concatenate([turn, pose.translation.astype(np.float64)], axis=1)


def _shrink(frames: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
    """Luma (T, s, s) in [0, 1] of frames brought near EDGE by whole pixels, and s over S (cut edges aside)."""
    step = max(1, round(frames.shape[1] / EDGE))
    edge = frames.shape[1] // step
    # Cut evenly at all sides, so that the optical axis stays in the middle.
    first = (frames.shape[1] - edge * step) // 2
    out = np.empty((len(frames), edge, edge), np.float32)
    for small, frame in zip(out, frames, strict=True):
        cut = frame[first : first + edge * step, first : first + edge * step].astype(np.float32) @ (_LUMA / 255)
        small[:] = cut.reshape(edge, step, edge, step).mean(axis=(1, 3))
    return out, 1 / step


def _band(pictures: NDArray[np.float32], blur: float, slow: float) -> NDArray[np.float32]:
    from scipy.ndimage import gaussian_filter

    unit = pictures.shape[1] / EDGE
    return np.stack([gaussian_filter(p, blur * unit) - gaussian_filter(p, slow * unit) for p in pictures])


def _landmark_equations(landmarks: Problem, face: Array, state: Array, scale: float) -> tuple[Array, Array]:
    """Gauss-Newton blocks (T, 6, 6) and gradient (T, 6) of the landmarks' residuals, head units."""
    error, turned, slope = landmarks.residual(face, state)
    error, slope = error / scale, slope / scale
    by_rotation = -slope @ cross(turned) @ left_jacobian(state[:, :3])[:, None]
    jacobian = np.concatenate([by_rotation, slope], axis=-1)
    weighted = jacobian * landmarks.weight[..., None, None]
    hessian = np.einsum("tnai,tnaj->tij", weighted, jacobian, optimize=True)
    return hessian, np.einsum("tnai,tna->ti", weighted, error, optimize=True)


class _Views:
    """The sheet in all frames of one level.

    Args:
        pictures: (T, s, s) filtered luma.
        sheet, normals: (N, 3) twice.
        focal: pixels of ``pictures``.
        valid: (T,) frames that may speak.
    """

    def __init__(
        self, pictures: NDArray[np.float32], sheet: Array, normals: Array, focal: float, valid: NDArray[np.bool_]
    ) -> None:
        self.pictures, self.sheet, self.normals, self.focal, self.valid = pictures, sheet, normals, focal, valid

    def look(self, state: Array) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Brightness (T, N), trust in [0, 1] (T, N) and d(brightness)/d(camera point) (T, N, 3)."""
        from vdf_bench.capture.sampling import sample_sheet

        rotation = rotation_of(state[:, :3])
        value, trust, slope = sample_sheet(
            self.pictures, rotation, state[:, 3:], self.sheet, self.normals, self.focal, FACING[0], FACING[1]
        )
        return value, trust * self.valid[:, None], slope

    def residuals(self, state: Array) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Difference from the mean frame (T, N), robust weight (T, N) and slope (T, N, 3)."""
        value, trust, slope = self.look(state)
        mean = (trust * value).sum(axis=0) / np.maximum(trust.sum(axis=0), 1e-6)
        error = value - mean
        typical = 1.48 * float(np.median(np.abs(error[trust > 0.3]))) if (trust > 0.3).any() else 1.0
        robust = np.minimum(1, OUTLIER * typical / np.maximum(np.abs(error), 1e-9))
        return error, trust * robust.astype(np.float32), slope

    def normal_equations(self, state: Array, strength: float) -> tuple[Array, Array]:
        """Gauss-Newton blocks (T, 6, 6) and gradient (T, 6); a unit of weight is a head unit across the picture."""
        error, weight, slope = self.residuals(state)
        energy = (weight * (slope[..., 0] ** 2 + slope[..., 1] ** 2)).sum(axis=1) / 2
        unit = strength / max(float(np.median(energy[self.valid])) if self.valid.any() else 1.0, 1e-12)
        rotation, spin = rotation_of(state[:, :3]), left_jacobian(state[:, :3])
        hessian, gradient = np.zeros((len(state), 6, 6)), np.zeros((len(state), 6))
        for t in range(len(state)):
            # A turn by w moves the camera point X by w x X, so brightness by w . (X x slope).
            by_turn = np.cross(self.sheet @ rotation[t].T, slope[t]) @ spin[t]
            jacobian = np.concatenate([by_turn, slope[t]], axis=1)
            weighted = jacobian * (unit * weight[t])[:, None]
            hessian[t], gradient[t] = weighted.T @ jacobian, weighted.T @ error[t]
        return hessian, gradient

    def disagreement(self, state: Array) -> float:
        """Mean absolute difference from the mean frame."""
        value, trust, _ = self.look(state)
        mean = (trust * value).sum(axis=0) / np.maximum(trust.sum(axis=0), 1e-6)
        return float((trust * np.abs(value - mean)).sum() / max(float(trust.sum()), 1e-6))
