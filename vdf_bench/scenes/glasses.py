"""Spectacle frames: thin tubes round the eyes, a bridge and temples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.scenes.sdf import front_depth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.scenes.sdf import Shape

#: Half width, half height, squareness (2 is an ellipse) and tube radius of the three models.
MODELS = {1: (0.25, 0.2, 2.3, 0.014), 2: (0.265, 0.175, 4.0, 0.021), 3: (0.265, 0.155, 3.0, 0.012)}


def _tube(
    path: NDArray[np.floating], radius: float, closed: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """A tube of six sides along ``path`` (N, 3): vertices, normals, faces."""
    ahead = np.roll(path, -1, 0) - np.roll(path, 1, 0) if closed else np.gradient(path, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True) + 1e-9
    up = np.cross(ahead, np.array([0.3, 0.2, 0.93]))
    up /= np.linalg.norm(up, axis=1, keepdims=True) + 1e-9
    aside = np.cross(ahead, up)
    angles = np.arange(6) * np.pi / 3
    normals = np.cos(angles)[None, :, None] * up[:, None] + np.sin(angles)[None, :, None] * aside[:, None]
    vertices = path[:, None] + radius * normals
    count = len(path)
    rings = [(i, (i + 1) % count) for i in range(count if closed else count - 1)]
    faces = []
    for i, j in rings:
        for k in range(6):
            a, b, c, d = 6 * i + k, 6 * i + (k + 1) % 6, 6 * j + k, 6 * j + (k + 1) % 6
            faces += [(a, b, c), (b, d, c)]
    return (
        vertices.reshape(-1, 3).astype(np.float32),
        normals.reshape(-1, 3).astype(np.float32),
        np.array(faces, np.int32),
    )


def frame_mesh(shape: Shape) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """Vertices (V, 3), normals (V, 3) and faces (F, 3) of the glasses ``shape.glasses`` (1, 2 or 3)."""
    half_width, half_height, power, radius = MODELS[shape.glasses]
    centre_y = shape.eye_y - 0.015
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    cos, sin = np.cos(angles), np.sin(angles)
    u = np.sign(cos) * np.abs(cos) ** (2 / power)
    v = np.sign(sin) * np.abs(sin) ** (2 / power)
    eyes = np.array([[x, y] for x in (0.1, 0.2, 0.33, 0.45) for y in (-0.1, 0.0, 0.12, 0.18)])
    # The rim stands just clear of the brow and wraps a little towards the temples.
    plane = float(np.max(front_depth(eyes, shape) + 0.25 * eyes[:, 0] ** 2)) + 0.03
    pieces = []
    for sign in (-1.0, 1.0):
        x = sign * (shape.eye_x + 0.005 + half_width * u)
        y = centre_y + half_height * v
        pieces.append(_tube(np.stack([x, y, plane - 0.25 * x**2], 1), radius, True))
        hinge = shape.eye_x + half_width
        ear = 0.80 * shape.skull_width
        along = np.linspace(0, 1, 14)
        x = sign * (hinge + (ear - hinge + 0.02) * along**0.5)
        z = plane - 0.25 * hinge**2 + (-0.08 - plane + 0.25 * hinge**2) * along
        pieces.append(_tube(np.stack([x, centre_y + 0.06 + 0.04 * along, z], 1), radius, False))
    inner = shape.eye_x + 0.005 - half_width
    x = np.linspace(-inner, inner, 8)
    arch = centre_y + 0.06 + 0.04 * (1 - (x / inner) ** 2)
    pieces.append(_tube(np.stack([x, arch, np.full(8, plane + 0.02)], 1), radius, False))
    vertices, normals, faces, start = [], [], [], 0
    for piece_vertices, piece_normals, piece_faces in pieces:
        vertices.append(piece_vertices)
        normals.append(piece_normals)
        faces.append(piece_faces + start)
        start += len(piece_vertices)
    return np.concatenate(vertices), np.concatenate(normals), np.concatenate(faces)
