"""Anatomy as signed distance: a head, its neck, hair, hat and clothes from a few dozen lengths.

Adult proportions (Farkas-like averages) in head units of 9.6 cm: vertex at y = 1.2, eyes at 0, subnasale at -0.47,
lips at -0.70, chin at -1.19, half the bizygomatic breadth 0.71, pupils at x = +-0.33. Primitives and smooth union
after Quilez, "distance functions". Everything is compiled: a grid of 800 000 points takes about half a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numba as nb
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Hair styles.
BALD, BUZZ, SHORT, QUIFF, BOB, LONG, CURLY, BUN = range(8)
#: Hats.
NO_HAT, CAP, BEANIE = range(3)
#: Clothes.
CREW, SUIT, VNECK, TURTLENECK, SHIRT, HOODIE = range(6)


class Shape(NamedTuple):
    """Lengths (head units) and styles that make the geometry; a plain tuple so that compiled code can read it."""

    skull_width: float = 1.0
    skull_height: float = 1.0
    jaw_width: float = 1.0
    chin_drop: float = 0.0
    chin_width: float = 0.22
    cheek: float = 0.04
    brow_ridge: float = 0.05
    eye_x: float = 0.33
    eye_y: float = 0.0
    eye_size: float = 1.0
    eye_open: float = 1.0
    eye_tilt: float = 0.05
    nose_y: float = -0.36
    nose_width: float = 1.0
    nose_out: float = 1.0
    lip_width: float = 0.27
    lip_thick: float = 1.0
    lip_curve: float = 0.0
    mouth_y: float = -0.70
    ear_size: float = 1.0
    neck_width: float = 1.0
    shoulders: float = 1.0
    hair_style: int = SHORT
    hair_volume: float = 0.5
    hairline: float = 0.7
    hair_length: float = 0.5
    hat: int = NO_HAT
    cloth_style: int = CREW
    brow_y: float = 0.21
    brow_tilt: float = 0.1
    brow_arch: float = 0.05
    brow_thick: float = 0.035
    glasses: int = 0


@nb.njit(cache=True, inline="always")
def step(low: float, high: float, x: float) -> float:
    """Smooth Hermite step; ``low > high`` makes it fall."""
    t = min(max((x - low) / (high - low), 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


@nb.njit(cache=True)
def smin(a: float, b: float, k: float) -> float:
    """Smooth union with a fillet of about ``k``."""
    h = min(max(0.5 + 0.5 * (b - a) / k, 0.0), 1.0)
    return b + (a - b) * h - k * h * (1.0 - h)


@nb.njit(cache=True)
def smax(a: float, b: float, k: float) -> float:
    """Smooth intersection."""
    return -smin(-a, -b, k)


@nb.njit(cache=True)
def ellipsoid(x: float, y: float, z: float, rx: float, ry: float, rz: float) -> float:
    """First-order distance to an ellipsoid about the origin."""
    a, b, c = x / rx, y / ry, z / rz
    k0 = np.sqrt(a * a + b * b + c * c)
    a, b, c = a / rx, b / ry, c / rz
    return float(k0 * (k0 - 1.0) / (np.sqrt(a * a + b * b + c * c) + 1e-6))


@nb.njit(cache=True)
def capsule(
    x: float, y: float, z: float,
    ax: float, ay: float, az: float, bx: float, by: float, bz: float, ra: float, rb: float,
) -> float:  # fmt: skip
    """Distance to a round cone from ``a`` (radius ra) to ``b`` (radius rb)."""
    dx, dy, dz = bx - ax, by - ay, bz - az
    t = ((x - ax) * dx + (y - ay) * dy + (z - az) * dz) / (dx * dx + dy * dy + dz * dz)
    t = min(max(t, 0.0), 1.0)
    ex, ey, ez = x - ax - t * dx, y - ay - t * dy, z - az - t * dz
    return float(np.sqrt(ex * ex + ey * ey + ez * ez) - (ra + t * (rb - ra)))


@nb.njit(cache=True)
def noise(lattice: NDArray[np.float32], x: float, y: float, z: float) -> float:
    """Smooth value noise in [0, 1] on a periodic lattice (24, 24, 24)."""
    n = lattice.shape[0]
    fx, fy, fz = np.floor(x), np.floor(y), np.floor(z)
    tx, ty, tz = x - fx, y - fy, z - fz
    tx, ty, tz = tx * tx * (3 - 2 * tx), ty * ty * (3 - 2 * ty), tz * tz * (3 - 2 * tz)
    i, j, k = int(fx) % n, int(fy) % n, int(fz) % n
    i1, j1, k1 = (i + 1) % n, (j + 1) % n, (k + 1) % n
    a = (lattice[i, j, k] * (1 - tx) + lattice[i1, j, k] * tx) * (1 - ty)
    a += (lattice[i, j1, k] * (1 - tx) + lattice[i1, j1, k] * tx) * ty
    b = (lattice[i, j, k1] * (1 - tx) + lattice[i1, j, k1] * tx) * (1 - ty)
    b += (lattice[i, j1, k1] * (1 - tx) + lattice[i1, j1, k1] * tx) * ty
    return float(a * (1 - tz) + b * tz)


@nb.njit(cache=True)
def skin_parts(x: float, y: float, z: float, s: Shape) -> tuple[float, float, float, float]:
    """Distances to head (with nose and ears), neck, nose and ears."""
    m = abs(x)
    d = ellipsoid(x, y - 0.27, z + 0.12, 0.775 * s.skull_width, 0.93 * s.skull_height, 0.98)
    d = smin(d, ellipsoid(x, y + 0.38, z - 0.12, 0.60 * s.jaw_width, 0.74 + 0.5 * s.chin_drop, 0.68), 0.22)
    d = smin(d, ellipsoid(x, y + 1.01 + s.chin_drop, z - 0.48, s.chin_width + 0.06, 0.17, 0.23), 0.2)
    jaw = 0.49 * s.jaw_width
    d = smin(d, capsule(m, y, z, jaw, -0.55, 0.0, 0.14, -1.0 - s.chin_drop, 0.45, 0.11, 0.13), 0.16)
    d = smin(d, ellipsoid(m - 0.39, y + 0.2, z - 0.44, 0.22 + s.cheek, 0.2 + s.cheek, 0.22 + s.cheek), 0.18)
    d = smin(d, capsule(m, y, z, 0.1, 0.17, 0.76, 0.47, 0.19, 0.56, s.brow_ridge + 0.02, s.brow_ridge), 0.12)
    d = smax(d, -ellipsoid(m - s.eye_x, y - s.eye_y, z - 0.95, 0.2, 0.12, 0.22), 0.12)
    ball = 0.15 * s.eye_size
    d = smin(d, ellipsoid(m - s.eye_x, y - s.eye_y, z - 0.59, ball, 0.85 * ball, 0.14), 0.06)
    out = s.nose_out
    nose = capsule(x, y, z, 0.0, 0.06, 0.76, 0.0, s.nose_y + 0.03, out * 0.99, 0.06, 0.085)
    tip = 0.088 * (0.6 + 0.4 * s.nose_width)
    nose = smin(nose, ellipsoid(x, y - s.nose_y, z - out * 0.99, tip, tip, tip), 0.06)
    wing = 0.11 * s.nose_width
    nose = smin(nose, ellipsoid(m - wing, y - s.nose_y + 0.03, z - 0.87, 0.07 * s.nose_width, 0.07, 0.11), 0.05)
    d = smin(d, nose, 0.08)
    d = smax(d, -ellipsoid(m - 0.06 * s.nose_width, y - s.nose_y + 0.1, z - 0.94, 0.033, 0.033, 0.05), 0.02)
    my, thick = s.mouth_y, s.lip_thick
    d = smin(d, ellipsoid(x, y - my, z - 0.6, 0.36, 0.25, 0.215), 0.12)
    d = smin(d, ellipsoid(x, y - my - 0.04 * thick, z - 0.775, s.lip_width, 0.05 * thick, 0.085), 0.04)
    d = smin(d, ellipsoid(x, y - my + 0.052 * thick, z - 0.765, 0.85 * s.lip_width, 0.06 * thick, 0.09), 0.04)
    ex = 0.79 * s.skull_width
    tall, deep = 0.215 * s.ear_size, 0.14 * s.ear_size
    ear = ellipsoid(m - ex - 0.12 * (y + 0.05), y + 0.05, z + 0.06 + 0.5 * (m - ex), 0.065, tall, deep)
    ear = smax(ear, -ellipsoid(m - ex - 0.1, y + 0.04, z, 0.08, 0.6 * tall, 0.6 * deep), 0.05)
    head = smin(d, ear, 0.05)
    width = 0.47 * s.neck_width
    neck = capsule(x, y, z, 0.0, -0.8, -0.2, 0.0, -1.9, -0.34, width, width + 0.04)
    neck = smin(neck, capsule(m, y, z, 0.2, -1.35, -0.42, 1.3 * s.shoulders, -1.92, -0.42, 0.22, 0.24), 0.25)
    return head, neck, nose, ear


@nb.njit(cache=True)
def cover_parts(
    x: float, y: float, z: float, neck: float, s: Shape, lattice: NDArray[np.float32]
) -> tuple[float, float, float]:
    """Distances to hair, hat and clothes (9 where there is none)."""
    m = abs(x)
    hair, hat = 9.0, 9.0
    style, w, hv = s.hair_style, s.skull_width, s.hair_volume
    if style != BALD:
        t = 0.05 + 0.07 * hv
        if style == BUZZ:
            t = 0.03
        elif style == CURLY:
            t = 0.14 + 0.2 * hv
        hair = ellipsoid(x, y - 0.29, z + 0.15, 0.775 * w + t, 0.925 * s.skull_height + t, 0.96 + t)
        line = s.hairline
        hair = smax(hair, -ellipsoid(x, y + 0.35, z - 0.9, 0.69 * w, line + 0.35, 0.78), 0.05)
        # Nape at the back, temple and sideburn at the side.
        hair = smax(hair, -(y + 0.70 - 0.95 * step(-0.35, 0.25, z) * (1.0 if style < BOB else 0.5)), 0.06)
        if style in (BUZZ, SHORT, QUIFF, BUN):
            hair = smax(hair, -ellipsoid(m - 0.84 * w, y + 0.12, z + 0.02, 0.3, 0.30, 0.22), 0.05)
        if style == QUIFF:
            hair = smin(hair, capsule(x, y, z, -0.4 * w, 0.93, 0.42, 0.38, 1.0, 0.46, 0.12, 0.18), 0.15)
        if style in (BOB, LONG):
            # A curtain round the back and the sides, open at the face.
            low = -0.75 - 0.3 * s.hair_length if style == BOB else -1.45 - 0.9 * s.hair_length
            curtain = ellipsoid(x, y + 0.1, z + 0.3, 0.83 * w + 0.1 * hv, 1.6 if style == BOB else 2.6, 0.82)
            curtain = smax(curtain, z - 0.05 - 0.12 * step(-0.9, -1.5, y), 0.1)
            curtain = smax(curtain, -ellipsoid(x, y + 1.45, z - 0.4, 0.56, 1.1, 0.66), 0.08)
            hair = smin(hair, smax(smax(curtain, low - y, 0.15), y - 0.6, 0.1), 0.12)
            if style == LONG and hv > 0.4:
                lock = capsule(m, y, z, 0.74 * w, -0.2, 0.0, 0.66, low, 0.18, 0.1, 0.16)
                hair = smin(hair, lock, 0.12)
        if style == BUN:
            hair = smin(hair, ellipsoid(x, y - 1.2, z + 0.7, 0.34, 0.3, 0.34), 0.1)
        rough = 0.14 if style == CURLY else (0.0 if style == BUZZ else 0.045)
        hair += (noise(lattice, x * 5.0 + 40.0, y * 5.0 + 40.0, z * 5.0 + 40.0) - 0.5) * rough
    if s.hat != NO_HAT:
        rim = 0.52 - 0.12 * z if s.hat == CAP else 0.42
        r = 0.1 if s.hat == CAP else 0.13
        hat = ellipsoid(x, y - 0.30, z + 0.13, 0.775 * w + r, 0.95 * s.skull_height + r, 0.98 + r)
        hat = smax(hat, rim - y, 0.04)
        if s.hat == CAP:
            visor = ellipsoid(x, y - 0.48 + 0.22 * (z - 0.9), z - 0.9, 0.62 * w, 0.05, 0.55)
            hat = smin(hat, visor, 0.05)
        hair = max(hair, y - rim + 0.04)
    # The trunk, its shoulders and arms, then what closes round the neck.
    wide = s.shoulders
    cloth = ellipsoid(x, y + 3.4, z + 0.38, 1.7 * wide, 1.75, 0.72)
    cloth = smin(cloth, capsule(m, y, z, 0.3, -1.62, -0.42, 1.55 * wide, -2.08, -0.42, 0.21, 0.3), 0.22)
    cloth = smin(cloth, capsule(m, y, z, 1.62 * wide, -2.15, -0.42, 1.85 * wide, -4.6, -0.3, 0.33, 0.3), 0.15)
    style = s.cloth_style
    top, thick = -1.52, 0.035
    if style in (SUIT, SHIRT):
        top, thick = -1.34, 0.05
    elif style == TURTLENECK:
        top, thick = -1.18, 0.06
    elif style == VNECK:
        top = -1.56
    elif style == HOODIE:
        top, thick = -1.36, 0.16
    collar = smax(neck - thick, y - top + 0.28 * (z + 0.2), 0.03)
    cloth = smin(cloth, collar, 0.06)
    cloth += (noise(lattice, x * 2.3 + 40.0, y * 2.3 + 40.0, z * 2.3 + 40.0) - 0.5) * 0.05 * step(0.0, -0.3, y + 1.5)
    return hair, hat, cloth


@nb.njit(cache=True)
def parts(
    x: float, y: float, z: float, s: Shape, lattice: NDArray[np.float32]
) -> tuple[float, float, float, float, float, float, float]:
    """Distances to (head, neck, nose, ear, hair, hat, cloth)."""
    head, neck, nose, ear = skin_parts(x, y, z, s)
    hair, hat, cloth = cover_parts(x, y, z, neck, s, lattice)
    return head, neck, nose, ear, hair, hat, cloth


@nb.njit(cache=True)
def scene(x: float, y: float, z: float, s: Shape, lattice: NDArray[np.float32]) -> float:
    """Distance to the whole person."""
    head, neck, _, _, hair, hat, cloth = parts(x, y, z, s, lattice)
    return min(smin(head, neck, 0.1), min(hair, min(hat, cloth)))


@nb.njit(cache=True)
def sample_grid(
    xs: NDArray[np.float32], ys: NDArray[np.float32], zs: NDArray[np.float32], s: Shape, lattice: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The scene on the product of three (possibly graded) axes: (X, Y, Z) float32."""
    out = np.empty((len(xs), len(ys), len(zs)), np.float32)
    for i in range(len(xs)):
        for j in range(len(ys)):
            for k in range(len(zs)):
                out[i, j, k] = scene(xs[i], ys[j], zs[k], s, lattice)
    return out


@nb.njit(cache=True)
def surface_attributes(
    points: NDArray[np.float32], s: Shape, lattice: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Normals (V, 3) and per-vertex fields (V, 7) of surface points (V, 3).

    Fields: ambient occlusion in [0, 1], then signed margins (negative inside the part): hair, hat, cloth against
    the skin; neck against the head; distance to ear and to nose.
    """
    normals = np.empty_like(points)
    fields = np.empty((len(points), 7), np.float32)
    e = 0.008
    for i in range(len(points)):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        a = scene(x + e, y, z, s, lattice) - scene(x - e, y, z, s, lattice)
        b = scene(x, y + e, z, s, lattice) - scene(x, y - e, z, s, lattice)
        c = scene(x, y, z + e, s, lattice) - scene(x, y, z - e, s, lattice)
        n = np.sqrt(a * a + b * b + c * c) + 1e-9
        a, b, c = a / n, b / n, c / n
        normals[i, 0], normals[i, 1], normals[i, 2] = a, b, c
        shade = 1.0
        for reach, weight in ((0.07, 0.35), (0.2, 0.35), (0.5, 0.3)):
            d = scene(x + reach * a, y + reach * b, z + reach * c, s, lattice)
            shade -= weight * min(max(1.0 - d / reach, 0.0), 1.0)
        head, neck, nose, ear, hair, hat, cloth = parts(x, y, z, s, lattice)
        skin = min(head, neck)
        fields[i, 0] = min(max(shade, 0.0), 1.0)
        fields[i, 1] = hair - min(skin, cloth)
        fields[i, 2] = hat - min(skin, hair)
        fields[i, 3] = cloth - min(skin, hair)
        fields[i, 4] = neck - head
        fields[i, 5] = ear
        fields[i, 6] = nose
    return normals, fields


@nb.njit(cache=True)
def front_depth(xy: NDArray[np.float64], s: Shape) -> NDArray[np.float64]:
    """Z of the foremost skin over each (x, y): (N,) by sphere tracing from the front."""
    out = np.empty(len(xy))
    for i in range(len(xy)):
        z = 1.5
        for _ in range(120):
            d = skin_parts(xy[i, 0], xy[i, 1], z, s)[0]
            z -= 0.6 * d
            if d < 1e-4 or z < -0.3:
                break
        out[i] = z
    return out


@nb.njit(cache=True)
def cast(origin: NDArray[np.float64], directions: NDArray[np.float64], s: Shape) -> NDArray[np.float64]:
    """Where rays from inside the head leave it (ears left out): (N, 3)."""
    out = np.empty_like(directions)
    for i in range(len(directions)):
        low, high = 0.2, 1.6
        for _ in range(40):
            t = 0.5 * (low + high)
            x = origin[0] + t * directions[i, 0]
            y = origin[1] + t * directions[i, 1]
            z = origin[2] + t * directions[i, 2]
            head, _, _, ear = skin_parts(x, y, z, s)
            if head < 0 and head < ear - 0.02:
                low = t
            else:
                high = t
        for k in range(3):
            out[i, k] = origin[k] + low * directions[i, k]
    return out


def lattice_of(seed: int) -> NDArray[Any]:
    """The noise lattice of an identity: (24, 24, 24) float32 in [0, 1)."""
    return np.random.default_rng([seed, 24]).random((24, 24, 24), dtype=np.float32)
