"""The face before training: Gaussians on the head's ellipsoid, coloured from the frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.spatial import cKDTree

from vdf_bench.victims.gaussian.splats import Splats

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from vdf_bench.core.capture import Capture
    from vdf_bench.victims.common.scene import Scene
    from vdf_bench.victims.common.targets import Targets

#: Width of the embedding of each Gaussian: its place at the start, then noise.
EMBEDDING = 8


def face_splats(
    capture: Capture,
    scene: Scene,
    targets: Targets,
    count: int,
    random: np.random.Generator,
    generator: torch.Generator,
) -> Splats:
    """Gaussians on the head's ellipsoid, denser in front and around eyes and mouth."""
    normal = random.normal(size=(8 * count, 3))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    # Uniform directions crowd the ellipsoid's ends; the front is what the camera sees.
    area = np.linalg.norm(normal / scene.radii, axis=1) * np.prod(scene.radii)
    # Sides that no frame shows stay empty: Gaussians there would only glimmer through cracks of the face.
    outward = normal / scene.radii
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    shown = (outward @ _directions(capture, targets).T).max(1)
    chance = area * ((shown > -0.2) + 1.5 * (shown > 0.4))
    picked = random.choice(len(normal), count, replace=False, p=chance / chance.sum())
    surface = scene.centre + scene.radii * normal[picked]
    close = random.random(count) < 0.2
    anchors = scene.landmarks[random.integers(36, 68, int(close.sum()))]
    near = anchors + random.normal(size=anchors.shape) * 0.06 * scene.unit
    surface[close] = scene.centre + _shell(near - scene.centre, scene.radii)
    density = count / (2.5 * float(np.prod(scene.radii) ** (2 / 3)) * np.pi)
    spacing = np.where(close, 0.5, 0.8) / np.sqrt(density)
    colour = _seen_colours(capture, targets, surface, (surface - scene.centre) / scene.radii**2)
    places, spread, rgb = (torch.from_numpy(array.astype(np.float32)) for array in (surface, spacing, colour))
    return Splats(places, spread, rgb, scene.unit, generator)


def embeddings(places: Tensor, scene: Scene, random: np.random.Generator) -> Tensor:
    """(N, 8) first embeddings of Gaussians at ``places`` (N, 3)."""
    surface = places.detach().numpy()
    noise = 0.1 * random.normal(size=(len(surface), EMBEDDING - 3))
    return torch.from_numpy(np.concatenate([(surface - scene.centre) / scene.radii, noise], 1).astype(np.float32))


def closeness(places: Tensor, scene: Scene) -> Tensor:
    """(N, 2) closeness in (0, 1] of places (N, 3) to mouth and eyes."""
    surface = places.detach().numpy()
    near = [_near(surface, scene, slice(48, 68), 0.45), _near(surface, scene, slice(36, 48), 0.2)]
    return torch.from_numpy(np.stack(near, 1).astype(np.float32))


def _directions(capture: Capture, targets: Targets) -> NDArray[np.float32]:
    """(A, 3) unit directions from the head to the camera, in head space."""
    rotation, translation = capture.pose.rotation[targets.frames], capture.pose.translation[targets.frames]
    direction = -np.einsum("aij,ai->aj", rotation, translation)
    return np.asarray(direction / np.linalg.norm(direction, axis=1, keepdims=True), np.float32)


def _near(points: NDArray[np.float64], scene: Scene, marks: slice, reach: float) -> NDArray[np.float64]:
    """(N,) closeness in (0, 1] of points to the nearest of some landmarks; falls over ``reach`` of a standard head."""
    distance, _ = cKDTree(scene.landmarks[marks]).query(points)
    return np.asarray(np.exp(-0.5 * (distance / (reach * scene.unit)) ** 2))


def _shell(offset: NDArray[np.float64], radii: NDArray[np.float32]) -> NDArray[np.float64]:
    """Pull points (N, 3), relative to the centre, radially onto the ellipsoid."""
    return np.asarray(offset / np.linalg.norm(offset / radii, axis=1, keepdims=True))


def _seen_colours(
    capture: Capture, targets: Targets, points: NDArray[np.float64], normals: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(N, 3) mean target colours in [0, 1] where points face the camera; mid grey where none does."""
    normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    total, weight = np.full((len(points), 3), 0.05), np.full((len(points), 1), 0.1)
    for i in np.linspace(0, len(targets) - 1, min(12, len(targets))).astype(int):
        frame = targets.frames[i]
        camera = points @ capture.pose.rotation[frame].T + capture.pose.translation[frame]
        pixel = capture.size / 2 + capture.pose.focal * camera[:, :2] / camera[:, 2:]
        column, row = np.clip(pixel.astype(int), 0, capture.size - 1).T
        facing = -(normals @ capture.pose.rotation[frame].T)[:, 2]
        share = np.maximum(facing, 0)[:, None] ** 2
        total += share * targets.rgb[i][row, column] / 255
        weight += share
    return np.asarray(total / weight)
