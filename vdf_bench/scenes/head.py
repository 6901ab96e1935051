"""A person as a mesh: signed distance field to marching cubes, once per identity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from skimage.measure import marching_cubes

from vdf_bench.scenes.face import Landmarks, Lips, blendshapes
from vdf_bench.scenes.glasses import frame_mesh
from vdf_bench.scenes.sdf import lattice_of, sample_grid, surface_attributes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.scenes.identity import Identity

#: The head turns about the base of the neck; the body follows this point.
PIVOT = np.array([0.0, -1.2, -0.25], np.float32)


def _axis(
    low: float, fine_low: float, fine_high: float, high: float, voxel: float, coarse: float = 0.16
) -> NDArray[np.float32]:
    """Grid positions: ``voxel`` apart between the fine limits, growing by a tenth a step up to ``coarse`` outside."""

    def grow(length: float) -> NDArray[np.float64]:
        steps = [voxel]
        while sum(steps) < length:
            steps.append(min(steps[-1] * 1.1, coarse))
        return np.cumsum(steps)

    middle = np.arange(fine_low, fine_high + voxel, voxel)
    return np.concatenate(
        [(fine_low - grow(fine_low - low))[::-1], middle, middle[-1] + grow(high - fine_high)]
    ).astype(np.float32)


def _step(low: float, high: float, x: NDArray[np.floating]) -> NDArray[np.floating]:
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


@dataclass(frozen=True)
class Head:
    """A built person; arrays are per vertex unless they say otherwise.

    Attributes:
        identity: whom it shows.
        vertices: (V, 3) float32, head coordinates, neutral.
        normals: (V, 3) float32.
        fields: (V, 7) float32, see :func:`vdf_bench.scenes.sdf.surface_attributes`.
        shapes: (2, V, 3) float32, displacement per mouth opening and width.
        head_weight: (V,) float32, 1 where a vertex turns with the head, 0 where it stays with the body.
        faces: (F, 3) int32; from ``frame_start`` on they are glasses.
        frame_start: first face of the glasses.
        lattice: (24, 24, 24) float32, the identity's noise.
        lips: lip contours.
        marks: the 68 landmarks.
    """

    identity: Identity
    vertices: NDArray[np.float32]
    normals: NDArray[np.float32]
    fields: NDArray[np.float32]
    shapes: NDArray[np.float32]
    head_weight: NDArray[np.float32]
    faces: NDArray[np.int32]
    frame_start: int
    lattice: NDArray[np.float32]
    lips: Lips
    marks: Landmarks

    @classmethod
    def build(cls, identity: Identity, voxel: float = 0.032) -> Head:
        """Mesh ``identity`` with cubes of ``voxel`` head units on the face (coarser on the body)."""
        shape, lattice = identity.shape, lattice_of(identity.seed)
        xs = _axis(-2.5, -0.95, 0.95, 2.5, voxel)
        ys = _axis(-5.0, -1.4, 1.3, 1.9, voxel)
        zs = _axis(-1.7, 0.2, 1.15, 1.7, voxel, 0.07)
        grid = sample_grid(xs, ys, zs, shape, lattice)
        index, faces, _, _ = marching_cubes(grid, 0.0)  # type: ignore[no-untyped-call]
        at = [np.interp(index[:, k], np.arange(len(axis)), axis) for k, axis in enumerate((xs, ys, zs))]
        vertices = np.stack(at, 1).astype(np.float32)
        normals, fields = surface_attributes(vertices, shape, lattice)
        return cls._dressed(identity, vertices, normals, fields, _head_weight(vertices, fields), faces, lattice)

    def dressed(self, identity: Identity) -> Head:
        """The same body with other paint, glasses or mouth line; cheap, since nothing is meshed again.

        Args:
            identity: like :attr:`identity` in all that the body is meshed from: seed, and shape but for ``glasses`` and
                ``lip_curve``.

        Raises:
            ValueError: it is another body.
        """
        before, after = (one.shape._replace(glasses=0, lip_curve=0.0) for one in (self.identity, identity))
        if self.identity.seed != identity.seed or before != after:
            raise ValueError("another body cannot be dressed: build it")
        faces = self.faces[: self.frame_start]
        count = int(faces.max()) + 1
        return self._dressed(
            identity,
            self.vertices[:count],
            self.normals[:count],
            self.fields[:count],
            self.head_weight[:count],
            faces,
            self.lattice,
        )

    @classmethod
    def _dressed(
        cls,
        identity: Identity,
        vertices: NDArray[np.float32],
        normals: NDArray[np.float32],
        fields: NDArray[np.float32],
        weight: NDArray[np.float32],
        faces: NDArray[np.int32],
        lattice: NDArray[np.float32],
    ) -> Head:
        """Blend shapes and glasses for a body without them."""
        shape = identity.shape
        shapes = blendshapes(vertices, shape)
        # Hair and hat do not follow the jaw.
        shapes *= _step(-0.02, 0.06, np.minimum(fields[:, 1], fields[:, 2]))[None, :, None].astype(np.float32)
        start = len(faces)
        if shape.glasses:
            more, outward, tubes = frame_mesh(shape)
            faces = np.concatenate([faces, tubes + len(vertices)])
            vertices, normals = np.concatenate([vertices, more]), np.concatenate([normals, outward])
            bare = np.tile(np.array([[1, 9, 9, 9, 9, 9, 9]], np.float32), (len(more), 1))
            fields = np.concatenate([fields, bare])
            shapes = np.concatenate([shapes, np.zeros((2, len(more), 3), np.float32)], 1)
            weight = np.concatenate([weight, np.ones(len(more), np.float32)])
        return cls(
            identity,
            vertices,
            normals,
            fields,
            shapes,
            weight,
            faces.astype(np.int32),
            start,
            lattice,
            Lips(shape),
            Landmarks(shape),
        )

    def landmarks(self, mouth: tuple[float, float] = (0.0, 0.0), blink: float = 0.0) -> NDArray[np.float32]:
        """The 68 iBUG landmarks in head coordinates (68, 3)."""
        return self.marks.at(mouth, blink)


def _head_weight(vertices: NDArray[np.float32], fields: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much each vertex turns with the head rather than with the body: (V,)."""
    y = vertices[:, 1]
    neck = _step(-1.75, -1.05, y)
    weight = np.maximum(neck, _step(-0.02, 0.12, fields[:, 4]) * (y > -1.5))
    weight = np.where(fields[:, 3] < 0, 0.7 * neck, weight)
    weight = np.where(fields[:, 1] < 0, _step(-2.4, -1.1, y), weight)
    return np.where(fields[:, 2] < 0, 1.0, weight).astype(np.float32)
