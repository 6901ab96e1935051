"""The moving face: blend shapes of jaw and lips, lip contours, lids and the 68 landmarks, all in closed form.

The mesh, the paint and the landmarks read the same functions, so a landmark lies on the feature that is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba as nb
import numpy as np

from vdf_bench.scenes.sdf import Shape, cast, front_depth

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Jaw hinge (y, z) and its rotation at full opening, radians: about 2 cm between the lips.
HINGE = (-0.12, -0.02)
JAW_ANGLE = 0.17
UPPER_LIP_RAISE = 0.03
CONTOUR_POINTS = 41


def _step(low: float, high: float, x: NDArray[np.floating]) -> NDArray[np.floating]:
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def mouth_line(x: NDArray[np.floating], shape: Shape) -> NDArray[np.floating]:
    """Height of the closed mouth over x; the corners rise with ``lip_curve``."""
    return np.asarray(shape.mouth_y + shape.lip_curve * np.clip((x / shape.lip_width) ** 2, 0, 2))


def blendshapes(
    points: NDArray[np.floating], shape: Shape, side: NDArray[np.floating] | None = None
) -> NDArray[np.float32]:
    """Displacement per unit of mouth opening and of mouth width: (2, N, 3).

    Args:
        points: (N, 3) head coordinates of the neutral face.
        shape: the identity's geometry.
        side: (N,) +1 for the upper lip's side of the slit, -1 for the lower one's, 0 to decide by height. At the
            slit itself only the caller knows.
    """
    x, y, z = np.asarray(points, np.float64).T
    above = y - mouth_line(x, shape)
    within = np.sqrt(np.clip(1 - (x / shape.lip_width) ** 2, 0, 1))
    lower = _step(0.02, -0.02, above)
    if side is not None:
        lower = np.where(side > 0, 0.0, np.where(side < 0, 1.0, lower))
    front = _step(-0.25, 0.15, z)
    # Away from the slit the jaw's pull fades over a line from the corner of the mouth to the hinge.
    line = shape.mouth_y + 0.72 * np.clip(0.85 - z, 0, None)
    soft = _step(0.16, -0.28, y - line)
    jaw = JAW_ANGLE * front * (within * lower + (1 - within) * soft) * _step(-1.75, -1.3, y)
    opening = np.stack([np.zeros_like(x), -(z - HINGE[1]) * jaw, (y - HINGE[0]) * jaw], 1)
    opening[:, 1] += UPPER_LIP_RAISE * (1 - lower) * within * np.exp(-((above / 0.14) ** 2)) * front
    # Lowering the jaw also narrows the mouth a little.
    lips = np.exp(-((x / 0.5) ** 4) - ((y - shape.mouth_y) / 0.25) ** 2) * (z > 0.3)
    opening[:, 0] -= 0.06 * x * lips
    width = np.stack([0.2 * x * lips, np.zeros_like(x), -0.06 * lips], 1)
    return np.stack([opening, width]).astype(np.float32)


def lip_profile(x: NDArray[np.floating], shape: Shape) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Heights of the upper and of the lower vermilion over x: both >= 0, with a cupid's bow."""
    across = np.clip(1 - (x / shape.lip_width) ** 2, 0, 1)
    bow = 1 - 0.2 * np.exp(-((x / 0.05) ** 2))
    return 0.088 * shape.lip_thick * across**0.75 * bow, 0.108 * shape.lip_thick * across**0.85


class Lips:
    """Lip contours of one identity under any mouth parameters."""

    def __init__(self, shape: Shape) -> None:
        x = np.linspace(-1, 1, CONTOUR_POINTS)
        x = shape.lip_width * np.sign(x) * (1 - (1 - np.abs(x)) ** 1.5)  # denser at the corners
        upper, lower = lip_profile(x, shape)
        line = mouth_line(x, shape)
        heights = (line + upper, line, line, line - lower)
        xy = np.concatenate([np.stack([x, h], 1) for h in heights])
        points = np.concatenate([xy, front_depth(xy, shape)[:, None]], 1)
        side = np.repeat([1.0, 1.0, -1.0, -1.0], CONTOUR_POINTS)
        self.points = points.astype(np.float32)
        self.shapes = blendshapes(points, shape, side)

    def contours(self, mouth: tuple[float, float]) -> tuple[NDArray[np.float32], float, float]:
        """Upper outer, upper inner, lower inner and lower outer heights (P, 4) over an even grid of x, and its ends."""
        moved = self.points + mouth[0] * self.shapes[0] + mouth[1] * self.shapes[1]
        curves = moved.reshape(4, CONTOUR_POINTS, 3)
        left, right = float(curves[1, 0, 0]), float(curves[1, -1, 0])
        grid = np.linspace(left, right, CONTOUR_POINTS)
        table = np.stack([np.interp(grid, curve[:, 0], curve[:, 1]) for curve in curves], 1)
        return table.astype(np.float32), left, right


@nb.njit(cache=True)
def lids(u: float, s: Shape, blink: float) -> tuple[float, float]:
    """Heights of the upper and the lower lid over u in [-1, 1] (+1 is the outer corner), from the eye's centre."""
    across = max(1.0 - u * u, 0.0)
    bottom = -0.042 * s.eye_size * across**0.8
    top = 0.068 * s.eye_size * s.eye_open * across**0.7
    lift = s.eye_tilt * 0.16 * u * s.eye_size
    closed = bottom + 0.1 * (top - bottom)
    return lift + top * (1.0 - blink) + closed * blink, lift + bottom


@nb.njit(cache=True)
def eye_width(s: Shape) -> float:
    """Half the length of the lid fissure."""
    return 0.152 * s.eye_size


@nb.njit(cache=True)
def brow_line(u: float, s: Shape) -> float:
    """Height of the brow over u in [-1, 1] (+1 is the temple)."""
    return (
        s.brow_y
        + 0.5 * s.brow_tilt * (u - 0.2) * 0.2
        - s.brow_arch * (u - 0.25) ** 2 * (0.35 if u < 0.25 else 1.0)
        + 0.02
    )


#: Brows run from this |x| to that one.
BROW_INNER, BROW_OUTER = 0.115, 0.53


class Landmarks:
    """The 68 iBUG landmarks of one identity as a function of mouth and blink."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        s = shape
        rows: list[tuple[float, float]] = []
        centre, half = (BROW_INNER + BROW_OUTER) / 2, (BROW_OUTER - BROW_INNER) / 2
        for sign in (-1, 1):
            order = np.linspace(1, -1, 5) * (1 if sign < 0 else -1)
            rows += [(sign * (centre + u * half * 0.94), brow_line(float(u), s)) for u in order]
        rows += [(0.0, y) for y in np.linspace(0.06, s.nose_y + 0.01, 4)]
        for at, drop in ((-1.0, 0.075), (-0.5, 0.095), (0.0, 0.11), (0.5, 0.095), (1.0, 0.075)):
            rows.append((at * 0.125 * s.nose_width, s.nose_y - drop))
        face_xy = np.array(rows)
        eye_xy = self._eyes(0.0)
        lip_xy, side = self._lips()
        xy = np.concatenate([face_xy, eye_xy, lip_xy])
        front = np.concatenate([xy, front_depth(xy, s)[:, None]], 1)
        self.neutral = np.concatenate([self._jaw(), front]).astype(np.float32)
        self.shapes = blendshapes(self.neutral, s, np.concatenate([np.zeros(48), side]))

    def _jaw(self) -> NDArray[np.float64]:
        """Where the plane through the ears and the chin cuts the face, in 17 steps of equal arc."""
        origin = np.array([0.0, -0.06, 0.02])
        chin = np.array([0.0, -1.15 - self.shape.chin_drop, 0.56]) - origin
        chin /= np.linalg.norm(chin)
        angles = np.linspace(-np.pi / 2, np.pi / 2, 161)
        rays = np.sin(angles)[:, None] * np.array([1.0, 0, 0]) + np.cos(angles)[:, None] * chin
        curve = cast(origin, rays, self.shape)
        arc = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
        at = np.linspace(0, arc[-1], 17)
        return np.stack([np.interp(at, arc, curve[:, k]) for k in range(3)], 1)

    def _eyes(self, blink: float) -> NDArray[np.float64]:
        s, rows = self.shape, []
        half = eye_width(s)
        for sign, order in ((-1, (1.0, 0.36, -0.36, -1.0, -0.36, 0.36)), (1, (-1.0, -0.36, 0.36, 1.0, 0.36, -0.36))):
            for k, u in enumerate(order):
                top, bottom = lids(u, s, blink)
                rows.append((sign * (s.eye_x + u * half), s.eye_y + (top if k in (1, 2) else bottom)))
        return np.array(rows)

    def _lips(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        s = self.shape
        outer = np.array([-1, -0.6, -0.2, 0, 0.2, 0.6, 1, 0.6, 0.25, 0, -0.25, -0.6]) * s.lip_width
        inner = np.array([-0.86, -0.4, 0, 0.4, 0.86, 0.4, 0, -0.4]) * s.lip_width
        upper, lower = lip_profile(outer, s)
        y = mouth_line(outer, s) + np.where(np.arange(12) < 7, upper, -lower)
        side = np.array([1.0] * 7 + [-1.0] * 5 + [1.0] * 5 + [-1.0] * 3)
        xy = np.concatenate([np.stack([outer, y], 1), np.stack([inner, mouth_line(inner, s)], 1)])
        return xy, side

    def at(self, mouth: tuple[float, float], blink: float) -> NDArray[np.float32]:
        """Head coordinates (68, 3) for an opening in [0, 1], a width in [-1, 1] and closed lids at ``blink`` = 1."""
        points = self.neutral + mouth[0] * self.shapes[0] + mouth[1] * self.shapes[1]
        if blink > 0:
            eyes = self._eyes(blink)
            points[36:48, :2] = eyes
            points[36:48, 2] = front_depth(eyes, self.shape)
        return np.asarray(points, np.float32)
