"""One view of a person: pose, expression, light, background in; picture, classes, depth and landmarks out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import zoom
from scipy.spatial.transform import Rotation

from vdf_bench.scenes.head import PIVOT
from vdf_bench.scenes.raster import rasterise, resolve
from vdf_bench.scenes.shade import shade

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.scenes.head import Head

#: Head axes (y up, z out of the face) to camera axes (y down, z forward) of a frontal head.
FRONTAL = np.diag([1.0, -1.0, -1.0])
#: The default camera stands this many head units away and frames this many at the face.
CAMERA_DISTANCE = 10.0
FRAME_UNITS = 3.45
#: Height of the picture's centre on the default head: eyes a little above the middle.
FRAME_CENTRE = -0.34
#: How much of the head's turn the shoulders make.
BODY_SHARE = 0.2


@dataclass(frozen=True)
class Light:
    """Key, fill and ambient light; directions in view axes (x right, y up, z to the camera), colours linear RGB."""

    key: tuple[float, float, float] = (-0.5, 0.6, 0.8)
    key_colour: tuple[float, float, float] = (0.85, 0.82, 0.78)
    fill: tuple[float, float, float] = (0.8, 0.2, 0.7)
    fill_colour: tuple[float, float, float] = (0.26, 0.28, 0.31)
    sky: tuple[float, float, float] = (0.34, 0.35, 0.37)
    ground: tuple[float, float, float] = (0.20, 0.18, 0.16)

    def rows(self) -> NDArray[np.float32]:
        """(6, 3) float32 with unit directions, as the shader reads it."""
        rows = np.array([self.key, self.key_colour, self.fill, self.fill_colour, self.sky, self.ground], np.float32)
        for k in (0, 2):
            rows[k] /= np.linalg.norm(rows[k])
        return rows


@dataclass(frozen=True)
class View:
    """A rendered picture and everything known about it.

    Attributes:
        rgb: (S, S, 3) float32 in [0, 1], display values.
        labels: (S, S) uint8, CelebAMask-HQ classes.
        depth: (S, S) float32 camera z in head units, 0 on the background.
        landmarks: (68, 2) float32 pixels (x, y), iBUG order.
        plate: (S, S, 3) float32, the background alone.
    """

    rgb: NDArray[np.float32]
    labels: NDArray[np.uint8]
    depth: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    plate: NDArray[np.float32]


def head_rotation(yaw: float, pitch: float, roll: float) -> NDArray[np.float32]:
    """Head-to-camera rotation (3, 3) from radians: yaw > 0 to the picture's right, pitch > 0 up, roll > 0 clockwise."""
    turn = Rotation.from_euler("ZYX", [-roll, yaw, -pitch]).as_matrix()
    return (FRONTAL @ turn).astype(np.float32)


def default_focal(size: int) -> float:
    """Focal length in pixels of the default camera on a ``size`` x ``size`` frame."""
    return size * CAMERA_DISTANCE / FRAME_UNITS


def place(
    rotation: NDArray[np.floating], offset: tuple[float, float] = (0.0, 0.0), distance: float = CAMERA_DISTANCE
) -> NDArray[np.float32]:
    """Translation (3,) that puts the neck's base at its default place, then ``offset`` (right, up) head units."""
    pivot = np.array([offset[0], -(PIVOT[1] - FRAME_CENTRE + offset[1]), distance - PIVOT[2]])
    return (pivot - np.asarray(rotation, np.float64) @ PIVOT).astype(np.float32)


def project(points: NDArray[np.floating], focal: float, size: int) -> NDArray[np.float32]:
    """Camera points (N, 3) to u, v and z (N, 3), principal point in the middle."""
    z = points[:, 2:]
    return np.concatenate([size / 2 + focal * points[:, :2] / z, z], 1).astype(np.float32)


def _body_pose(
    rotation: NDArray[np.floating], translation: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shoulders make a share of the turn about the neck's base."""
    turn = Rotation.from_matrix(FRONTAL @ np.asarray(rotation, np.float64))
    body = FRONTAL @ Rotation.from_rotvec(BODY_SHARE * turn.as_rotvec()).as_matrix()
    return body, rotation @ PIVOT + translation - body @ PIVOT


def render_view(
    head: Head,
    rotation: NDArray[np.floating],
    translation: NDArray[np.floating],
    mouth: tuple[float, float] = (0.0, 0.0),
    blink: float = 0.0,
    gaze: tuple[float, float] = (0.0, 0.0),
    size: int = 128,
    light: Light | None = None,
    background: NDArray[np.floating] | None = None,
    supersample: int = 2,
    focal: float | None = None,
) -> View:
    """Render one view.

    Args:
        head: a built person.
        rotation: (3, 3) head to camera; frontal is ``diag(1, -1, -1)`` (:func:`head_rotation`).
        translation: (3,) head units (:func:`place`).
        mouth: opening in [0, 1] and width in [-1, 1].
        blink: 0 open to 1 closed.
        gaze: iris offset to the picture's right and up, each in [-1, 1].
        size: edge of the picture, pixels.
        light: defaults to a soft key from the upper left.
        background: (S, S, 3) display values in [0, 1]; None is mid grey.
        supersample: samples per pixel and axis.
        focal: pixels; None is the default camera.
    """
    focal = default_focal(size) if focal is None else focal
    fine = size * supersample
    posed = head.vertices + np.float32(mouth[0]) * head.shapes[0] + np.float32(mouth[1]) * head.shapes[1]
    body, shift = _body_pose(rotation, translation)
    weight = head.head_weight[:, None]
    turn, body = np.asarray(rotation, np.float32), body.astype(np.float32)
    camera = weight * (posed @ turn.T + np.asarray(translation, np.float32))
    camera += (1 - weight) * (posed @ body.T + shift.astype(np.float32))
    normals = weight * (head.normals @ turn.T) + (1 - weight) * (head.normals @ body.T)
    normals = normals * np.array([1, -1, -1], np.float32)
    depth, owner, weights = rasterise(project(camera, focal * supersample, fine), head.faces, fine)

    plate = np.full((size, size, 3), 0.5, np.float32) if background is None else np.asarray(background, np.float32)
    rgb = np.clip(zoom(plate, (supersample, supersample, 1), order=1, grid_mode=True, mode="nearest"), 0, 1)
    labels = np.zeros((fine, fine), np.uint8)
    identity = head.identity
    contours, left, right = head.lips.contours(mouth)
    shade(
        owner, weights, head.faces, head.frame_start, head.vertices, posed, np.ascontiguousarray(normals), head.fields,
        identity.shape, identity.look, identity.colours, head.lattice,
        np.array(identity.moles, np.float32).reshape(-1, 2),
        contours, left, right, float(mouth[0]), float(blink), float(gaze[0]), float(gaze[1]),
        (-turn.T @ np.asarray(translation, np.float32)).astype(np.float32), (light or Light()).rows(), rgb, labels,
    )  # fmt: skip
    rgb, labels, depth = resolve(rgb, labels, depth, supersample)
    marks = head.landmarks(mouth, blink) @ turn.T + np.asarray(translation, np.float32)
    return View(rgb, labels, depth, project(marks, focal, size)[:, :2], plate)
