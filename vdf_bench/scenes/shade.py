"""Paint and light: what colour and which class a visible point of the person has.

Albedo is painted in head coordinates (linear light), then lit by a key and a fill with a wrapped diffuse term whose
reach is longest in red (a cheap stand-in for subsurface scattering), hemispheric ambient with occlusion, and a soft
specular lobe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba as nb
import numpy as np

from vdf_bench.scenes.face import BROW_INNER, BROW_OUTER, brow_line, eye_width, lids
from vdf_bench.scenes.sdf import BUZZ, CURLY, HOODIE, SHIRT, SUIT, VNECK, noise, step

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.scenes.identity import Look
    from vdf_bench.scenes.sdf import Shape

SKIN_ROW, HAIR_ROW, LIP_ROW, IRIS_ROW, CLOTH_ROW, SHIRT_ROW, TIE_ROW, BEARD_ROW, HAT_ROW, FRAME_ROW = range(10)
MOUTH_DEPTH = 0.09


@nb.njit(cache=True, inline="always")
def _mix(c: NDArray[np.float64], r: float, g: float, b: float, t: float) -> None:
    c[0] += (r - c[0]) * t
    c[1] += (g - c[1]) * t
    c[2] += (b - c[2]) * t


@nb.njit(cache=True, inline="always")
def _scale(c: NDArray[np.float64], r: float, g: float, b: float) -> None:
    c[0] *= r
    c[1] *= g
    c[2] *= b


@nb.njit(cache=True)
def _skin(
    c: NDArray[np.float64], x: float, y: float, z: float, s: Shape, look: Look, colours: NDArray[np.float32],
    lattice: NDArray[np.float32], moles: NDArray[np.float32], nose: float,
) -> None:  # fmt: skip
    """Skin with its blotches, blush, folds, moles and beard."""
    m = abs(x)
    n1 = noise(lattice, 3 * x, 3 * y, 3 * z)
    n2 = noise(lattice, 13 * x + 3, 13 * y, 13 * z)
    n3 = noise(lattice, 42 * x, 42 * y + 7, 42 * z)
    tone = 0.88 + 0.12 * n1 + 0.07 * n2 + 0.06 * n3
    for k in range(3):
        c[k] = colours[SKIN_ROW, k] * tone
    if z < -0.1 and y > -0.9:
        return
    front = step(-0.05, 0.3, z)
    red = np.exp(-(((m - 0.40) / 0.19) ** 2) - ((y + 0.28) / 0.17) ** 2) + 0.8 * np.exp(
        -((x / 0.12) ** 2) - ((y - s.nose_y) / 0.1) ** 2
    )
    red += 0.4 * np.exp(-((x / 0.2) ** 2) - ((y + 1.1) / 0.12) ** 2)
    red *= look.blush * front
    _scale(c, 1 + 0.05 * red, 1 - 0.15 * red, 1 - 0.12 * red)
    # Shadows of the orbit, the nasolabial fold, the philtrum and the fold under the lip.
    orbit = np.exp(-(((m - s.eye_x) / 0.2) ** 2) - ((y - s.eye_y + 0.02) / 0.11) ** 2)
    bag = np.exp(-(((m - s.eye_x + 0.05) / 0.13) ** 2) - ((y - s.eye_y + 0.10) / 0.03) ** 2)
    fold_x = 0.16 + 0.55 * (s.nose_y - y) * (1.0 - 0.4 * (s.nose_y - y))
    fold = (
        np.exp(-(((m - fold_x - 0.02) / 0.022) ** 2)) * step(0.0, -0.08, y - s.nose_y) * step(-0.1, 0.08, y - s.mouth_y)
    )
    chin = np.exp(-((x / 0.16) ** 2) - ((y - s.mouth_y + 0.165) / 0.035) ** 2)
    dark = 0.16 * orbit + (0.1 + 0.14 * look.age) * bag + (0.1 + 0.3 * look.age) * fold + 0.15 * chin
    if look.age > 0.3:
        furrow = 0.5 + 0.5 * np.cos(y * 55 + 3 * n1 + 2 * x * x)
        dark += 0.10 * (look.age - 0.3) * furrow**4 * step(0.32, 0.4, y) * step(0.75, 0.6, y)
    dark *= front
    _scale(c, 1 - 0.75 * dark, 1 - dark, 1 - dark)
    if look.makeup > 0:
        lid = np.exp(-(((m - s.eye_x) / 0.15) ** 2) - ((y - s.eye_y - 0.10) / 0.045) ** 2) * look.makeup * front
        _mix(c, 0.13, 0.07, 0.08, 0.45 * lid)
    # Nostrils.
    hole = np.exp(-(((m - 0.062 * s.nose_width) / 0.035) ** 2) - ((y - s.nose_y + 0.093) / 0.022) ** 2) * (z > 0.75)
    _mix(c, 0.03, 0.012, 0.01, 0.85 * hole)
    if look.freckles > 0:
        f = step(0.62, 0.75, noise(lattice, 30 * x + 11, 30 * y, 30 * z)) * np.exp(
            -((m / 0.5) ** 4) - ((y + 0.25) / 0.25) ** 2
        )
        _scale(c, 1 - 0.25 * f * look.freckles, 1 - 0.4 * f * look.freckles, 1 - 0.45 * f * look.freckles)
    for i in range(len(moles)):
        d = (x - moles[i, 0]) ** 2 + (y - moles[i, 1]) ** 2
        _scale(
            c,
            1 - 0.6 * np.exp(-d / 0.0003) * front,
            1 - 0.7 * np.exp(-d / 0.0003) * front,
            1 - 0.7 * np.exp(-d / 0.0003) * front,
        )
    if look.beard + look.moustache + look.stubble > 0.02 and y < -0.2 and y > -1.35:
        dy = y - s.mouth_y
        lips = np.exp(-((x / (1.02 * s.lip_width)) ** 6) - (dy / (0.12 * s.lip_thick)) ** 4)
        edge = -0.42 - 0.2 * step(0.75, 0.35, m) + 0.08 * (n2 - 0.5)
        cheek = step(edge + 0.1, edge - 0.08, y) * step(-1.32, -1.15, y)
        lip_band = (
            np.exp(-((x / (1.25 * s.lip_width)) ** 6)) * step(0.055, 0.085, dy) * step(0.22, 0.17, dy) * (z > 0.5)
        )
        cheek *= 1 - np.exp(-((x / (1.5 * s.lip_width)) ** 8)) * step(-0.05, 0.0, dy)
        side = step(1.05, 1.3, m / s.lip_width) if dy > -0.13 else 1.0
        grow = cheek * max(side, 0.0) * max(look.beard, 0.35 * look.stubble)
        grow = max(grow, lip_band * max(look.moustache, max(0.8 * look.beard, 0.3 * look.stubble)))
        grow *= (1 - lips) * step(0.0, 0.04, nose) * (0.65 + 0.5 * n3)
        t = min(max(grow, 0.0), 0.96)
        b = 0.6 + 0.7 * n3
        _mix(c, colours[BEARD_ROW, 0] * b, colours[BEARD_ROW, 1] * b, colours[BEARD_ROW, 2] * b, t)


@nb.njit(cache=True)
def _eye(
    c: NDArray[np.float64],
    x: float,
    y: float,
    s: Shape,
    look: Look,
    colours: NDArray[np.float32],
    blink: float,
    gx: float,
    gy: float,
) -> tuple[int, float]:
    """Paint eye, lashes and crease over the skin; returns the class (0: still skin) and the gloss."""
    sign = -1.0 if x < 0 else 1.0
    half = eye_width(s)
    dx, dy = abs(x) - s.eye_x, y - s.eye_y
    u = dx / half
    if abs(u) > 1.25 or abs(dy) > 0.2:
        return 0, 0.0
    top, bottom = lids(min(max(u, -1.0), 1.0), s, blink)
    opened, _ = lids(min(max(u, -1.0), 1.0), s, 0.0)
    inside = step(-0.005, 0.005, top - dy) * step(-0.005, 0.005, dy - bottom) * step(1.0, 0.97, abs(u))
    # The crease of the upper lid follows it and flattens when it closes.
    crease = np.exp(-(((dy - opened - 0.04) / 0.013) ** 2)) * step(1.15, 0.7, abs(u)) * (1 - 0.6 * blink)
    _scale(c, 1 - 0.35 * crease, 1 - 0.42 * crease, 1 - 0.42 * crease)
    thick = 0.010 + 0.010 * look.makeup + 0.004 * blink
    lash = np.exp(-(((dy - top - 0.3 * thick) / thick) ** 2)) * step(1.12, 0.95, abs(u))
    under = 0.35 * np.exp(-(((dy - bottom + 0.004) / 0.008) ** 2)) * step(1.05, 0.8, abs(u)) * (1 - 0.5 * blink)
    label = 0
    if inside > 0.0:
        px, py = sign * dx - 0.05 * gx, dy - 0.03 * gy
        shadow = 0.62 + 0.38 * step(0.0, 0.05, top - dy)
        ball = (0.72 - 0.22 * u * u) * shadow
        white = np.empty(3)
        white[0], white[1], white[2] = ball, ball * 0.92, ball * 0.88
        radius = 0.067 * s.eye_size
        r = np.sqrt(px * px + py * py) / radius
        edge = step(1.08, 0.92, r)
        ring = (0.55 + 0.75 * min(r, 1.0)) * step(1.1, 0.75, r) * shadow
        _mix(white, colours[IRIS_ROW, 0] * ring, colours[IRIS_ROW, 1] * ring, colours[IRIS_ROW, 2] * ring, edge)
        _mix(white, 0.004, 0.004, 0.004, step(0.48, 0.38, r))
        gleam = np.exp(-((px + 0.018) ** 2 + (py - 0.022) ** 2) / 0.00016)
        _mix(white, 0.95, 0.95, 0.95, 0.85 * gleam)
        # Caruncle at the inner corner.
        _mix(white, 0.45, 0.18, 0.16, 0.6 * step(-0.75, -0.95, u))
        _mix(c, white[0], white[1], white[2], inside)
        if inside > 0.5:
            label = 4 if x < 0 else 5
    if label == 0:
        _mix(c, 0.018, 0.012, 0.01, 0.85 * lash)
    _scale(c, 1 - under, 1 - under, 1 - under)
    return label, 0.25 * inside


@nb.njit(cache=True)
def _brow(
    c: NDArray[np.float64],
    x: float,
    y: float,
    z: float,
    s: Shape,
    colours: NDArray[np.float32],
    lattice: NDArray[np.float32],
) -> int:
    """Paint a brow; returns its class or 0."""
    centre, half = 0.5 * (BROW_INNER + BROW_OUTER), 0.5 * (BROW_OUTER - BROW_INNER)
    u = (abs(x) - centre) / half
    if abs(u) > 1.1:
        return 0
    d = abs(y - brow_line(u, s))
    thick = s.brow_thick * (1.0 - 0.45 * max(u, 0.0)) * step(1.08, 0.75, abs(u))
    hairs = noise(lattice, 60 * x + 25 * y, 18 * y - 10 * abs(x), 9 * z)
    cover = step(thick * 1.3 + 0.006, thick * 0.6, d) * (thick > 0.004)
    t = cover * (0.72 + 0.35 * hairs)
    _mix(c, 0.8 * colours[BEARD_ROW, 0], 0.8 * colours[BEARD_ROW, 1], 0.8 * colours[BEARD_ROW, 2], min(t, 0.93))
    return (2 if x < 0 else 3) if cover > 0.5 else 0


@nb.njit(cache=True)
def _cavity(
    c: NDArray[np.float64], x: float, y: float, s: Shape, upper: float, lower: float, opening: float, half: float
) -> None:
    """The inside of the mouth at a point already shifted to its depth: cavity, tongue, two rows of teeth."""
    across = abs(x) / half
    depth = step(0.0, 0.10, upper - lower)
    c[0], c[1], c[2] = 0.09 - 0.055 * depth, 0.022 - 0.012 * depth, 0.02 - 0.012 * depth
    jaw = 0.145 * opening
    # Tongue: a soft mound behind the lower teeth, carried by the jaw.
    ty = s.mouth_y - jaw - 0.015 + 0.05 * (1 - across * across)
    tongue = step(0.02, -0.03, y - ty) * step(0.8, 0.55, across)
    _mix(c, 0.36, 0.085, 0.08, 0.85 * tongue * (0.5 + 0.5 * depth))
    # Upper teeth are fixed to the skull, the lower ones follow the jaw; both darken into the corners and the shade.
    rim = s.mouth_y - 0.028 + 0.02 * across * across + 0.004 * np.cos(52.0 * x)
    teeth = step(-0.006, 0.006, y - rim) * step(0.88, 0.7, across)
    light = (
        (0.56 - 0.30 * across)
        * (0.55 + 0.45 * step(0.0, 0.05, upper - y))
        * (1.0 - 0.12 * np.exp(-(((abs(x) % 0.06 - 0.03) / 0.007) ** 2)))
    )
    _mix(c, light, 0.93 * light, 0.83 * light, teeth)
    edge = s.mouth_y - jaw + 0.022 - 0.03 * across * across
    teeth = step(0.006, -0.006, y - edge) * step(0.75, 0.55, across) * step(0.05, 0.12, upper - lower)
    light = 0.36 - 0.22 * across
    _mix(c, light, 0.92 * light, 0.82 * light, 0.8 * teeth)


@nb.njit(cache=True)
def _cloth(
    c: NDArray[np.float64],
    x: float,
    y: float,
    z: float,
    s: Shape,
    look: Look,
    colours: NDArray[np.float32],
    lattice: NDArray[np.float32],
) -> int:
    """Paint clothes; returns the class (neck where the collar is open)."""
    m = abs(x)
    style = s.cloth_style
    weave = 0.82 + 0.22 * noise(lattice, 3 * x, 3 * y, 3 * z) + 0.14 * (noise(lattice, 50 * x, 50 * y, 50 * z) - 0.5)
    for k in range(3):
        c[k] = colours[CLOTH_ROW, k] * weave
    if look.pattern == 1 and style != SUIT:
        t = 0.8 * step(0.3, 0.36, abs(((y + 0.1 * x * x) * look.pattern_scale) % 1.0 - 0.5))
        _mix(c, colours[TIE_ROW, 0], colours[TIE_ROW, 1], colours[TIE_ROW, 2], t)
    elif look.pattern == 2:
        t = 0.35 * step(0.40, 0.46, abs((x * look.pattern_scale) % 1.0 - 0.5))
        t += 0.35 * step(0.40, 0.46, abs((y * look.pattern_scale) % 1.0 - 0.5))
        _mix(c, colours[SHIRT_ROW, 0], colours[SHIRT_ROW, 1], colours[SHIRT_ROW, 2], 0.6 * t)
    elif look.pattern == 3 and style != SUIT:
        t = step(0.55, 0.7, noise(lattice, look.pattern_scale * x, look.pattern_scale * y, look.pattern_scale * z))
        _mix(c, colours[TIE_ROW, 0], colours[TIE_ROW, 1], colours[TIE_ROW, 2], 0.7 * t)
    if z < -0.55:
        return 16
    drop = y + 1.42
    if style == SUIT:
        opening = 0.30 + 0.30 * (drop + 0.55) if drop > -1.0 else 0.165 + 0.17 * (drop + 1.0)
        opening = max(opening, 0.0)
        shirt = step(0.008, -0.008, m - opening)
        fold = noise(lattice, 4 * x, 8 * y, 2 * z)
        b = 0.8 + 0.25 * fold
        _mix(c, colours[SHIRT_ROW, 0] * b, colours[SHIRT_ROW, 1] * b, colours[SHIRT_ROW, 2] * b, shirt)
        lapel = np.exp(-(((m - opening - 0.015) / 0.016) ** 2)) + np.exp(
            -(((m - 1.55 * opening - 0.17) / 0.012) ** 2)
        ) * step(-0.15, -0.3, drop)
        _scale(c, 1 - 0.5 * lapel * (1 - shirt), 1 - 0.5 * lapel * (1 - shirt), 1 - 0.5 * lapel * (1 - shirt))
        # Shirt collar: two leaves meeting at the knot.
        leaf = np.exp(-(((m - 0.07 - 0.45 * max(drop + 0.2, -0.1)) / 0.012) ** 2)) * step(-0.28, -0.2, drop) * shirt
        _scale(c, 1 - 0.35 * leaf, 1 - 0.35 * leaf, 1 - 0.35 * leaf)
        if look.pattern < 3:
            knot = 0.075 if drop > -0.28 else 0.055 + 0.05 * min(-drop - 0.28, 1.0)
            tie = step(0.006, -0.006, m - knot) * step(-0.1, -0.13, drop)
            stripe = 0.75 + (0.5 if ((x + y) * 9) % 1.0 < 0.35 and look.pattern > 0 else 0.15)
            _mix(c, colours[TIE_ROW, 0] * stripe, colours[TIE_ROW, 1] * stripe, colours[TIE_ROW, 2] * stripe, tie)
    elif style == VNECK and z > -0.25:
        vee = step(0.008, -0.008, m - 0.40 - 0.62 * (y + 1.52))
        if vee > 0:
            b = 0.92 + 0.1 * noise(lattice, 9 * x, 9 * y, 9 * z)
            _mix(c, colours[SKIN_ROW, 0] * b, colours[SKIN_ROW, 1] * b, colours[SKIN_ROW, 2] * b, vee)
            if vee > 0.5:
                return 14
        hem = np.exp(-(((m - 0.43 - 0.62 * (y + 1.52)) / 0.02) ** 2))
        _scale(c, 1 - 0.3 * hem, 1 - 0.3 * hem, 1 - 0.3 * hem)
    elif style == SHIRT and z > -0.3:
        vee = step(0.008, -0.008, m - 0.16 - 0.5 * (y + 1.55)) * (y > -1.9)
        b = 0.9 + 0.1 * noise(lattice, 9 * x, 9 * y, 9 * z)
        _mix(c, colours[SKIN_ROW, 0] * b, colours[SKIN_ROW, 1] * b, colours[SKIN_ROW, 2] * b, vee)
        if vee > 0.5:
            return 14
        leaf = np.exp(-(((m - 0.30 - 0.35 * (y + 1.62)) / 0.016) ** 2)) * step(-1.85, -1.75, y)
        placket = np.exp(-(((m - 0.05) / 0.008) ** 2)) * step(-1.8, -1.9, y)
        d = 0.45 * leaf + 0.3 * placket
        _scale(c, 1 - d, 1 - d, 1 - d)
    elif style == HOODIE:
        zip_line = np.exp(-((x / 0.012) ** 2)) * (z > 0)
        fold = 0.25 * step(0.5, 0.8, noise(lattice, 6 * x, 4 * y, 6 * z))
        d = 0.55 * zip_line + fold
        _scale(c, 1 - d, 1 - d, 1 - d)
    else:
        ribs = 0.12 * (0.5 + 0.5 * np.cos(70 * x)) * step(-1.62, -1.5, y)
        _scale(c, 1 - ribs, 1 - ribs, 1 - ribs)
    return 16


@nb.njit(cache=True)
def shade(
    owner: NDArray[np.int32], weights: NDArray[np.float32], faces: NDArray[np.int32], frame_start: int,
    canon: NDArray[np.float32], posed: NDArray[np.float32], normals: NDArray[np.float32], fields: NDArray[np.float32],
    s: Shape, look: Look, colours: NDArray[np.float32], lattice: NDArray[np.float32], moles: NDArray[np.float32],
    contours: NDArray[np.float32], left: float, right: float, opening: float, blink: float,
    gaze_x: float, gaze_y: float, eye: NDArray[np.float32], light: NDArray[np.float32],
    rgb: NDArray[np.float32], labels: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Paint the visible points of the person into ``rgb`` (S, S, 3, display values) and ``labels`` (S, S).

    Args:
        owner: (S, S) face index or -1.
        weights: (S, S, 3) barycentric.
        faces: (F, 3) vertex indices.
        frame_start: first face of the glasses.
        canon: (V, 3) neutral head coordinates, where paint is defined.
        posed: (V, 3) with jaw and lips moved.
        normals: (V, 3) in view axes, x right, y up, z to the camera.
        fields: (V, 7), see ``surface_attributes``.
        s: the identity's geometry.
        look: the identity's paint.
        colours: (10, 3) linear light.
        lattice: the identity's noise.
        moles: (M, 2) places.
        contours: (P, 4) lip heights over x from ``left`` to ``right``, see ``Lips.contours``.
        left: x of one corner of the mouth.
        right: x of the other.
        opening: of the mouth, 0 to 1.
        blink: 0 open to 1 closed.
        gaze_x: iris to the picture's right.
        gaze_y: iris up.
        eye: (3,) the camera in head coordinates.
        light: (6, 3) key direction, key colour, fill direction, fill colour, sky and ground ambient.
        rgb: (S, S, 3) display values, written where ``owner`` is not -1.
        labels: (S, S), likewise.
    """
    size = owner.shape[0]
    c = np.zeros(3)
    p, q, n, f = np.zeros(3), np.zeros(3), np.zeros(3), np.zeros(7)
    half_key = light[0] + np.array([0.0, 0.0, 1.0], np.float32)
    half_key = half_key / np.sqrt((half_key**2).sum())
    count = contours.shape[0]
    middle, half = 0.5 * (left + right), 0.5 * (right - left)
    for row in range(size):
        for column in range(size):
            t = owner[row, column]
            if t < 0:
                continue
            p[:], q[:], n[:], f[:] = 0.0, 0.0, 0.0, 0.0
            for corner in range(3):
                v, w = faces[t, corner], weights[row, column, corner]
                for k in range(3):
                    p[k] += w * canon[v, k]
                    q[k] += w * posed[v, k]
                    n[k] += w * normals[v, k]
                for k in range(7):
                    f[k] += w * fields[v, k]
            length = np.sqrt(n[0] ** 2 + n[1] ** 2 + n[2] ** 2) + 1e-9
            n /= length
            x, y, z = p[0], p[1], p[2]
            gloss, power, occlusion, lit = 0.0, 24.0, f[0], 1.0
            label = 1
            ragged = (0.006 if s.hair_style == BUZZ else 0.022) * (noise(lattice, 22 * x, 9 * y, 22 * z) - 0.5)
            if t >= frame_start:
                label, gloss, power = 6, 0.5, 40.0
                c[:] = colours[FRAME_ROW]
            elif f[2] < 0:
                label = 18
                knit = 0.75 + 0.3 * noise(lattice, 40 * x, 14 * y, 40 * z)
                for k in range(3):
                    c[k] = colours[HAT_ROW, k] * knit
            elif f[1] + ragged < 0:
                label, gloss, power = 17, 0.05 + 0.12 * look.gloss, 12.0
                # Strands run from the crown down: they vary with azimuth, hardly along their length.
                around = np.arctan2(x, z + 0.15)
                curl = 9.0 if s.hair_style == CURLY else 1.6
                wave = (
                    around
                    + 0.05 * noise(lattice, 3 * x, 3 * y, 3 * z)
                    + (0.05 * np.sin(14 * y) if s.hair_style == CURLY else 0.0)
                )
                strand = 0.6 * noise(lattice, 46 * wave + 60, curl * y, 4 * y) + 0.4 * noise(
                    lattice, 19 * wave + 60, curl * y + 5, 2.0
                )
                lock = noise(lattice, 7 * wave + 60, 0.8 * curl * y, 9.0)
                tone = 0.30 + look.streaks * 0.6 * strand + 0.55 * lock
                for k in range(3):
                    c[k] = colours[HAIR_ROW, k] * tone
                gloss *= 0.2 + 1.8 * strand
            elif f[3] < 0:
                label = _cloth(c, x, y, z, s, look, colours, lattice)
                gloss = 0.015
            else:
                gloss = 0.05 + 0.10 * look.gloss
                _skin(c, x, y, z, s, look, colours, lattice, moles, f[6])
                if f[4] < 0 and y < -0.7:
                    label = 14
                elif f[5] < 0.012 and abs(x) > 0.66 * s.skull_width:
                    label = 7 if x < 0 else 8
                    _scale(c, 1.02, 0.93, 0.92)
                elif f[6] < 0.02 and z > 0.5 and y < 0.12:
                    label = 10
                if label == 1 and z > 0.3:
                    found = _brow(c, x, y, z, s, colours, lattice)
                    if found > 0:
                        label, gloss = found, 0.02
                    found, wet = _eye(c, x, y, s, look, colours, blink, gaze_x, gaze_y)
                    if found > 0:
                        label = found
                    gloss += wet
                if z > 0.4 and q[0] > left and q[0] < right and abs(y - s.mouth_y) < 0.3:
                    at = (q[0] - left) / (right - left) * (count - 1)
                    i = min(int(at), count - 2)
                    a = at - i
                    top = contours[i, 0] * (1 - a) + contours[i + 1, 0] * a
                    upper = contours[i, 1] * (1 - a) + contours[i + 1, 1] * a
                    lower = contours[i, 2] * (1 - a) + contours[i + 1, 2] * a
                    bottom = contours[i, 3] * (1 - a) + contours[i + 1, 3] * a
                    h = q[1]
                    vermilion = step(-0.008, 0.008, top - h) * step(-0.008, 0.008, h - bottom)
                    if vermilion > 0:
                        groove = 0.86 + 0.2 * noise(lattice, 60 * x, 8 * y, 5 * z)
                        # The upper lip faces down and stays darker; the seam is the darkest.
                        seam = 1 - 0.55 * np.exp(
                            -(((h - 0.5 * (upper + lower)) / (0.014 + 0.5 * (upper - lower))) ** 2)
                        )
                        tone = groove * (0.82 if h > 0.5 * (upper + lower) else 1.0) * seam
                        _mix(
                            c,
                            colours[LIP_ROW, 0] * tone,
                            colours[LIP_ROW, 1] * tone,
                            colours[LIP_ROW, 2] * tone,
                            vermilion,
                        )
                        gloss = (1 - vermilion) * gloss + vermilion * (0.12 + 0.2 * look.makeup)
                        if vermilion > 0.5:
                            label = 12 if h > 0.5 * (upper + lower) else 13
                    hole = (
                        step(-0.006, 0.006, upper - h)
                        * step(-0.006, 0.006, h - lower)
                        * step(0.004, 0.02, upper - lower)
                    )
                    if hole > 0:
                        # Parallax: look up the interior where the sight line meets a plane behind the lips.
                        k0, k1, k2 = c[0], c[1], c[2]
                        shift = MOUTH_DEPTH / max(eye[2] - q[2], 0.5)
                        ix = q[0] - shift * (eye[0] - q[0])
                        iy = h - shift * (eye[1] - h)
                        _cavity(c, ix - middle, iy, s, upper, lower, opening, half)
                        lit = 1 - 0.6 * hole
                        occlusion = occlusion * (1 - hole) + hole
                        c[0], c[1], c[2] = k0 + (c[0] - k0) * hole, k1 + (c[1] - k1) * hole, k2 + (c[2] - k2) * hole
                        gloss *= 1 - hole
                        if hole > 0.5:
                            label = 11
            key = n[0] * light[0, 0] + n[1] * light[0, 1] + n[2] * light[0, 2]
            fill = n[0] * light[2, 0] + n[1] * light[2, 1] + n[2] * light[2, 2]
            if lit < 1:
                key, fill = lit * key + (1 - lit) * 0.6, lit * fill + (1 - lit) * 0.5
            up = 0.5 + 0.5 * n[1]
            shadow = 0.35 + 0.65 * occlusion
            skinny = label != 16 and label != 17 and label != 18
            spec = n[0] * half_key[0] + n[1] * half_key[1] + n[2] * half_key[2]
            spec = gloss * max(spec, 0.0) ** power * occlusion
            graze = 0.10 * (1 - max(n[2], 0.0)) ** 4 * occlusion * gloss * 4
            for k in range(3):
                wrap = (0.34 - 0.12 * k) if skinny else 0.12
                diffuse = max(key + wrap, 0.0) / (1 + wrap) * light[1, k] * shadow
                diffuse += max(fill + wrap, 0.0) / (1 + wrap) * light[3, k] * shadow
                ambient = (up * light[4, k] + (1 - up) * light[5, k]) * (0.2 + 0.8 * occlusion)
                value = c[k] * (diffuse + ambient) + spec * light[1, k] + graze * light[4, k]
                # A soft shoulder instead of clipping, then display gamma.
                value = value if value < 0.7 else 0.7 + 0.3 * (1 - np.exp(-(value - 0.7) / 0.3))
                rgb[row, column, k] = max(value, 0.0) ** (1 / 2.2)
            labels[row, column] = label
