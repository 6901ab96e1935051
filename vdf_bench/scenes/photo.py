"""A photograph in motion: the astronaut turns, speaks and blinks in 2.5D.

Two warps: the pose turns the still's relief (a z-buffered mesh), the expression then maps each point of the turned
face to the still. The mouth opens along the inner lip contour: teeth stay with the skull, the lower lip and the chin
move, and what opens between them is painted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from vdf_bench.core.cards import Card, Component
from vdf_bench.core.clip import FPS, Clip, Truth
from vdf_bench.core.errors import UserError
from vdf_bench.core.registry import suggest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.scenes.portrait import Portrait

    Array = NDArray[np.floating[Any]]

NAME = "photo-astronaut"
#: Axis of the head's turns (x, y, height) and distance of the camera, picture pixels.
PIVOT = (227.0, 168.0, 5.0)
CAMERA = 900.0
REACH = 15.0
#: Inner mouth height relative to the still's smile, closed and fully open.
CLOSED, OPEN = 0.15, 2.5


def _step(low: float, high: float, x: Array) -> Array:
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


class Expression:
    """Mouth and lids of the still as a map from the animated face back to it."""

    def __init__(self, marks: NDArray[np.float32]) -> None:
        self.marks = marks.astype(np.float64)
        self.upper, self.lower = self.marks[60:65], self.marks[[60, 67, 66, 65, 64]]
        self.middle = 0.5 * (marks[60, 0] + marks[64, 0])

    def seam(self, x: Array) -> tuple[Array, Array]:
        """Inner lip contours of the still over x (equal beyond the corners)."""
        return np.interp(x, *self.upper.T), np.interp(x, *self.lower.T)

    def drop(self, x: Array, y: Array, opening: float) -> Array:
        """How far the lower lip and the jaw move down at a point of the still, pixels."""
        upper, lower = self.seam(x)
        ratio = CLOSED + (OPEN - CLOSED) * opening - 1
        lip = (lower - upper) * ratio
        centre = np.subtract(*self.seam(np.array([self.middle]))[::-1])[0] * ratio
        near = np.exp(-(((y - lower) / 12) ** 2))
        jaw = 0.8 * centre * np.exp(-(((x - self.middle) / 48) ** 4)) * _step(206, 182, y)
        return np.asarray(near * lip + (1 - near) * jaw * _step(-2, 10, y - lower))

    def stretch(self, x: Array, y: Array, width: float) -> Array:
        """Place in the still (x) for a point of the animated face: the corners spread with ``width``."""
        near = np.exp(-(((x - self.middle) / 32) ** 4) - ((y - 145) / 18) ** 2)
        return np.asarray(self.middle + (x - self.middle) / (1 + 0.10 * width * near))

    def lids(self, x: Array, y: Array, blink: float) -> Array:
        """Y of the still for a point near the eyes: the upper lid's skin is drawn over the eye."""
        if blink <= 0:
            return y
        out = y.copy()
        for start in (36, 42):
            eye = self.marks[start : start + 6]
            left, right = eye[0, 0], eye[3, 0]
            inside = (x > left) & (x < right)
            top = np.interp(x, eye[:4, 0], eye[:4, 1])
            bottom = np.interp(x, eye[[0, 5, 4, 3], 0], eye[[0, 5, 4, 3], 1])
            fade = np.clip(np.minimum(x - left, right - x) / 3, 0, 1)
            crease = top - 5.0
            edge = top + (bottom - top + 0.6) * blink * fade
            lid = inside & (y > crease) & (y < edge)
            out = np.where(lid, crease + (y - crease) * (top - crease) / np.maximum(edge - crease, 1e-3), out)
        return out

    def landmarks(self, opening: float, width: float, blink: float) -> NDArray[np.float64]:
        """The 68 landmarks of the animated, unturned face."""
        points = self.marks.copy()
        below = np.r_[4:13, 55:60, 65:68]
        points[below, 1] += self.drop(points[below, 0], points[below, 1], opening)
        lips = np.r_[48:68]
        points[lips, 0] += (points[lips, 0] - self.middle) * 0.10 * width
        for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
            points[upper, 1] += (points[lower, 1] - points[upper, 1] + 0.6) * blink
        return points


def _turn(points: Array, height: Array, motion: Array) -> NDArray[np.float64]:
    """Turn, then project points (N, 2) with their height: u, v and camera depth (N, 3), picture pixels."""
    yaw, pitch, roll, right, up = motion
    x, y, z = points[:, 0] - PIVOT[0], points[:, 1] - PIVOT[1], height - PIVOT[2]
    x, z = np.cos(yaw) * x + np.sin(yaw) * z, -np.sin(yaw) * x + np.cos(yaw) * z
    y, z = np.cos(pitch) * y - np.sin(pitch) * z, np.sin(pitch) * y + np.cos(pitch) * z
    x, y = np.cos(roll) * x - np.sin(roll) * y, np.sin(roll) * x + np.cos(roll) * y
    turned = np.stack([x + PIVOT[0] + right, y + PIVOT[1] - up, z + PIVOT[2]], 1)
    share = _step(205, 168, points[:, 1])[:, None]
    still = np.concatenate([points, height[:, None]], 1)
    mixed = share * turned + (1 - share) * still
    scale = CAMERA / (CAMERA - mixed[:, 2:])
    centre = np.array([227.0, 118.0])
    return np.concatenate([centre + (mixed[:, :2] - centre) * scale, CAMERA - mixed[:, 2:]], 1)


class Animator:
    """Draws frames of the portrait at one size."""

    def __init__(self, portrait: Portrait, size: int, supersample: int = 2) -> None:
        from scipy.ndimage import gaussian_filter

        from vdf_bench.scenes.portrait import CROP, LANDMARKS, relief

        self.size, self.factor = size, supersample
        self.origin, self.edge = np.array(CROP[:2], np.float64), CROP[2]
        self.expression, self.relief = Expression(LANDMARKS), relief
        # A lens that shows no more than the frame can hold.
        blur = max(0.0, 0.4 * (self.edge / size - 1))
        self.colour = gaussian_filter(portrait.colour, (blur, blur, 0))
        self.alpha = gaussian_filter(portrait.alpha, blur)
        self.labels = portrait.labels
        side = 170
        at = np.linspace(-8, self.edge + 26, side)
        grid = np.stack(np.meshgrid(at + self.origin[0] - 4, at + self.origin[1]), 2).reshape(-1, 2)
        self.grid, self.height = grid, np.asarray(relief(grid[:, 0], grid[:, 1]), np.float64)
        index = np.arange(side * side).reshape(side, side)
        a, b, c, d = index[:-1, :-1].ravel(), index[:-1, 1:].ravel(), index[1:, :-1].ravel(), index[1:, 1:].ravel()
        self.faces = np.concatenate([np.stack([a, c, b], 1), np.stack([d, b, c], 1)]).astype(np.int32)
        self.plate = self._plate(gaussian_filter(portrait.plate, (blur, blur, 0)))

    def _plate(self, plate: NDArray[np.float32]) -> NDArray[np.float32]:
        fine = self.size * self.factor
        at = (np.arange(fine) + 0.5) * self.edge / fine
        x, y = np.meshgrid(at + self.origin[0], at + self.origin[1])
        return _look_up(plate, x, y)

    def _pixels(self, points: NDArray[np.float64], size: int) -> NDArray[np.float64]:
        return (points - self.origin) * size / self.edge

    def frame(
        self, motion: Array, mouth: tuple[float, float], blink: float
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.float32]]:
        """One frame: RGB (S, S, 3) in [0, 1], classes (S, S) and landmarks (68, 2) in pixels."""
        from scipy.ndimage import map_coordinates

        from vdf_bench.scenes.raster import rasterise, resolve

        fine, face = self.size * self.factor, self.expression
        posed = _turn(self.grid, self.height, motion)
        posed[:, :2] = self._pixels(posed[:, :2], fine)
        _, owner, weights = rasterise(posed.astype(np.float32), self.faces, fine)
        corners = self.grid[self.faces[np.maximum(owner, 0)]]
        x, y = np.moveaxis((weights[..., None] * corners).sum(2), 2, 0)
        seen = owner >= 0

        x = face.stretch(x, y, mouth[1])
        upper, lower = face.seam(x)
        fallen = lower + face.drop(x, lower, mouth[0])
        still = y.copy()
        for _ in range(5):
            still = y - np.where(y > lower - 14, face.drop(x, np.maximum(still, lower), mouth[0]), 0)
        # Above the opening the still is shown as it is; below the moved contour, its lower lip.
        flesh = np.where(y < 0.5 * (upper + np.minimum(lower, fallen)), y, np.maximum(still, lower))
        # Beyond the corners of the mouth the flesh is continuous.
        flesh = np.where((lower - upper < 0.05) & (y > lower - 14), np.where(y > lower, still, y), flesh)
        flesh = face.lids(x, flesh, blink)
        rgb = _look_up(self.colour, x, flesh)
        opened = _step(-0.7, 0.7, y - upper) * _step(-0.7, 0.7, fallen - y) * _step(0.3, 1.2, fallen - upper)
        inside = _interior(_look_up(self.colour, x, np.minimum(y, lower)), x, y, upper, lower, fallen, face.middle)
        rgb = (rgb + (inside - rgb) * opened[..., None]).astype(np.float32)
        alpha = map_coordinates(self.alpha, [still - 0.5, x - 0.5], order=1, mode="nearest") * seen
        rgb = (rgb * alpha[..., None] + self.plate * (1 - alpha[..., None])).astype(np.float32)

        row = np.clip(flesh.astype(np.int64), 0, self.labels.shape[0] - 1)
        column = np.clip(x.astype(np.int64), 0, self.labels.shape[1] - 1)
        labels = self.labels[row, column]
        labels = np.where(labels == 11, np.where(y < upper + 1, 12, 13), labels)
        labels = np.where(opened > 0.5, 11, labels)
        labels = np.where(alpha > 0.5, np.where(labels == 0, 16 + (y < 138), labels), 0).astype(np.uint8)
        rgb, labels, _ = resolve(rgb, labels, np.zeros((fine, fine), np.float32), self.factor)

        marks = face.landmarks(mouth[0], mouth[1], blink)
        height = np.asarray(self.relief(face.marks[:, 0], face.marks[:, 1]), np.float64)
        height[:17] = np.maximum(height[:17], 8)
        return rgb, labels, self._pixels(_turn(marks, height, motion)[:, :2], self.size).astype(np.float32)


def _look_up(image: NDArray[np.float32], x: Array, y: Array) -> NDArray[np.float32]:
    """Bilinear colours of ``image`` at picture coordinates (pixel centres at half integers)."""
    from scipy.ndimage import map_coordinates

    channels = [map_coordinates(image[..., k], [y - 0.5, x - 0.5], order=1, mode="nearest") for k in range(3)]
    return np.stack(channels, -1)


def _interior(
    teeth: NDArray[np.float32], x: Array, y: Array, upper: Array, lower: Array, fallen: Array, middle: float
) -> Array:
    """The open mouth: the still's teeth, below them the dark and the tongue."""
    room = np.maximum(fallen - lower, 0)
    across = np.clip(np.abs(x - middle) / 20, 0, 1)
    dark = np.array([0.17, 0.07, 0.06]) * (1 - 0.5 * across[..., None])
    tongue = _step(0.35, 0.8, (y - lower) / np.maximum(room, 1e-3)) * _step(2.0, 6.0, room) * _step(0.8, 0.4, across)
    deep = dark + (np.array([0.55, 0.27, 0.25]) - dark) * (0.85 * tongue)[..., None]
    # The opened lips shade the teeth a little.
    shaded = teeth * (1 - 0.12 * _step(0, 6, room))[..., None]
    edge = _step(-0.6, 0.6, lower - 0.6 - y)
    return np.asarray(deep + (shaded - deep) * edge[..., None])


class PhotoAstronaut(Component):
    """Provider of ``photo-astronaut``."""

    card: ClassVar[Card] = Card(
        name=NAME,
        title="A real photograph in motion",
        summary="NASA's portrait of Eileen Collins (public domain, from scikit-image) turned by up to 15 degrees "
        "in 2.5D, speaking and blinking. Landmarks are hand-annotated, classes are outlines; no depth "
        "or pose is claimed.",
        source="NASA portrait, bundled with scikit-image",
        url="https://scikit-image.org/docs/stable/api/skimage.data.html#skimage.data.astronaut",
        licence="public domain (NASA)",
    )

    def names(self) -> list[str]:
        """Names of the clips."""
        return [NAME]

    def load(self, name: str, size: int, frames: int, seed: int = 0) -> Clip:
        """Animate the still.

        Args:
            name: ``photo-astronaut``.
            size: edge of the frames, pixels, at least 32.
            frames: how many, at 25 fps.
            seed: of motion and speech.

        Raises:
            UserError: no such clip, or a size or length that cannot be drawn.
        """
        if name != NAME:
            raise UserError(f"unknown clip {name!r}: {suggest(name, [NAME])}")
        if size < 32 or frames < 1:
            raise UserError(
                f"clip {name!r} needs a size of at least 32 and at least one frame, got {size} and {frames}"
            )
        from vdf_bench.scenes.motion import blinks, head_motion
        from vdf_bench.scenes.portrait import load_portrait
        from vdf_bench.scenes.speech import synthesise

        rng = np.random.default_rng([1, seed])
        fps = float(FPS)
        audio, mouth = synthesise(frames, 9_000_000 + seed, fps)
        motion, blink = head_motion(frames, rng, fps, REACH), blinks(frames, rng, fps)
        # Offsets come in head units, about 67 pixels of the picture.
        motion = motion * np.array([1, 0.8, 0.8, 40, 40])
        animator = Animator(load_portrait(), size)
        rgb, labels, marks = [], [], []
        for t in range(frames):
            picture, classes, points = animator.frame(
                motion[t], (float(mouth[t, 0]), float(mouth[t, 1])), float(blink[t])
            )
            grain = rng.normal(0, 0.005, picture.shape)
            rgb.append((np.clip(picture + grain, 0, 1) * 255 + 0.5).astype(np.uint8))
            labels.append(classes)
            marks.append(points)
        factor = animator.factor
        plate = animator.plate.reshape(size, factor, size, factor, 3).mean((1, 3))
        truth = Truth(
            np.stack(labels), np.stack(marks), (np.clip(plate, 0, 1) * 255 + 0.5).astype(np.uint8), mouth, blink
        )  # fmt: skip
        source = {"kind": "photograph in motion", "licence": "public domain (NASA)", "seed": str(seed)}
        return Clip(name, np.stack(rgb), audio, NAME, FPS, truth, source)
