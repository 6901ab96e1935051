"""Who is drawn: every parameter of a person, sampled from one integer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vdf_bench.scenes import sdf
from vdf_bench.scenes.sdf import Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

Colour = tuple[float, float, float]

#: Skin tones from light to dark (sRGB), interpolated.
SKIN_TONES = (
    (0.93, 0.76, 0.67),
    (0.87, 0.68, 0.56),
    (0.78, 0.57, 0.44),
    (0.63, 0.43, 0.31),
    (0.46, 0.30, 0.21),
    (0.32, 0.21, 0.155),
)
HAIR_COLOURS = (
    (0.055, 0.05, 0.05), (0.13, 0.085, 0.06), (0.24, 0.155, 0.095), (0.38, 0.25, 0.14), (0.62, 0.47, 0.27),
    (0.78, 0.65, 0.43), (0.45, 0.19, 0.09), (0.52, 0.51, 0.50), (0.78, 0.77, 0.75),
)  # fmt: skip
IRIS_COLOURS = ((0.22, 0.13, 0.07), (0.30, 0.18, 0.09), (0.26, 0.38, 0.50), (0.28, 0.36, 0.24), (0.36, 0.38, 0.38))
#: Clothes: dark suits and plain fabrics, then anything.
CLOTH_COLOURS = (
    (0.07, 0.075, 0.10), (0.11, 0.12, 0.17), (0.16, 0.16, 0.17), (0.20, 0.22, 0.29), (0.85, 0.85, 0.83),
    (0.45, 0.09, 0.10), (0.12, 0.25, 0.20), (0.55, 0.56, 0.58), (0.62, 0.52, 0.38), (0.14, 0.25, 0.48),
    (0.70, 0.36, 0.20), (0.52, 0.64, 0.74),
)  # fmt: skip


class Look(NamedTuple):
    """Scalars of the surface paint; a plain tuple so that compiled code can read it."""

    beard: float = 0.0
    moustache: float = 0.0
    stubble: float = 0.0
    blush: float = 0.5
    freckles: float = 0.0
    age: float = 0.3
    makeup: float = 0.0
    gloss: float = 0.5
    streaks: float = 0.5
    pattern: int = 0
    pattern_scale: float = 6.0
    lens: float = 0.0
    ear_ring: int = 0


#: Rows of :attr:`Identity.palette`.
SKIN, HAIR, LIP, IRIS, CLOTH, SHIRT, TIE, BEARD, HAT, FRAME = range(10)


@dataclass(frozen=True)
class Identity:
    """A person: geometry, paint and colours.

    Attributes:
        seed: the integer it was sampled from; also seeds its noise lattice.
        shape: lengths and styles of the geometry.
        look: scalars of the paint.
        palette: ten sRGB colours (skin, hair, lip, iris, cloth, shirt, tie, beard and brows, hat, glasses).
        moles: (x, y) places of moles on the face.
    """

    seed: int
    shape: Shape
    look: Look
    palette: tuple[Colour, ...]
    moles: tuple[tuple[float, float], ...]

    @property
    def colours(self) -> NDArray[np.float32]:
        """The palette as (10, 3) float32 in linear light."""
        return (np.clip(np.array(self.palette, np.float32), 0, 1) ** 2.2).astype(np.float32)


def _mix(table: tuple[Colour, ...], at: float) -> NDArray[np.float64]:
    rows = np.array(table)
    grid = np.linspace(0, 1, len(rows))
    return np.array([np.interp(at, grid, rows[:, k]) for k in range(3)])


def _colour(values: NDArray[np.floating]) -> Colour:
    red, green, blue = np.clip(values, 0.02, 0.97)
    return float(red), float(green), float(blue)


def sample_identity(seed: int) -> Identity:
    """Draw a person; the same seed gives the same person."""
    rng = np.random.default_rng([seed, 7])

    def uniform(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    def chance(p: float) -> bool:
        return bool(rng.random() < p)

    masculine = chance(0.5)
    old = uniform(0, 1) ** 1.5
    if masculine:
        styles, odds = (
            (sdf.BALD, sdf.BUZZ, sdf.SHORT, sdf.QUIFF, sdf.LONG, sdf.CURLY),
            (0.12, 0.18, 0.36, 0.2, 0.05, 0.09),
        )
    else:
        styles, odds = (
            (sdf.BUZZ, sdf.SHORT, sdf.BOB, sdf.LONG, sdf.CURLY, sdf.BUN),
            (0.02, 0.12, 0.26, 0.32, 0.12, 0.16),
        )
    style = int(rng.choice(styles, p=odds))
    wear = int(rng.choice(6, p=[0.2, 0.32, 0.14, 0.1, 0.14, 0.1]))
    shape = Shape(
        skull_width=uniform(0.92, 1.08), skull_height=uniform(0.94, 1.07),
        jaw_width=uniform(0.95, 1.12) if masculine else uniform(0.86, 1.02),
        chin_drop=uniform(-0.05, 0.09) if masculine else uniform(-0.08, 0.05), chin_width=uniform(0.16, 0.28),
        cheek=uniform(0.0, 0.07), brow_ridge=uniform(0.045, 0.08) if masculine else uniform(0.03, 0.055),
        eye_x=uniform(0.305, 0.355), eye_y=uniform(-0.02, 0.02), eye_size=uniform(0.9, 1.12),
        eye_open=uniform(0.65, 1.05),
        eye_tilt=uniform(-0.06, 0.16), nose_y=uniform(-0.40, -0.32), nose_width=uniform(0.8, 1.3),
        nose_out=uniform(0.94, 1.05),
        lip_width=uniform(0.235, 0.305), lip_thick=uniform(0.7, 1.3), lip_curve=uniform(-0.01, 0.04),
        mouth_y=uniform(-0.73, -0.67), ear_size=uniform(0.85, 1.18),
        neck_width=uniform(1.0, 1.2) if masculine else uniform(0.82, 0.98),
        shoulders=uniform(0.98, 1.12) if masculine else uniform(0.85, 0.98), hair_style=style,
        hair_volume=uniform(0, 1),
        hairline=uniform(0.50, 0.68) + (0.1 * old if masculine else 0.0), hair_length=uniform(0, 1),
        hat=int(rng.choice(3, p=[0.9, 0.05, 0.05])) if style != sdf.BUN else 0, cloth_style=wear,
        brow_y=uniform(0.185, 0.235), brow_tilt=uniform(-0.02, 0.16), brow_arch=uniform(0.015, 0.05),
        brow_thick=uniform(0.026, 0.045) if masculine else uniform(0.018, 0.032),
        glasses=int(rng.choice(4, p=[0.74, 0.1, 0.08, 0.08])),
    )  # fmt: skip
    tone = uniform(0, 1)
    skin = _mix(SKIN_TONES, tone) + rng.normal(0, 0.012, 3)
    dark = tone > 0.65
    hair_row = (
        int(rng.choice(9, p=[0.16, 0.18, 0.18, 0.12, 0.09, 0.06, 0.06, 0.09, 0.06]))
        if not dark
        else int(rng.choice([0, 0, 0, 1, 1, 7]))
    )
    if old > 0.65 and chance(0.6):
        hair_row = int(rng.choice([7, 8]))
    hair = np.array(HAIR_COLOURS[hair_row]) * uniform(0.85, 1.15)
    if chance(0.03):
        hair = rng.uniform(0.1, 0.8, 3)
    makeup = 0.0 if masculine or chance(0.4) else uniform(0.2, 1.0)
    natural = skin * np.array([0.86, 0.60, 0.60]) + np.array([0.03, 0.0, 0.01])
    lip = natural * (1 - 0.6 * makeup) + 0.6 * makeup * np.array([0.68, 0.16, 0.2]) * uniform(0.7, 1.15)
    iris = np.array(IRIS_COLOURS[int(rng.integers(5))] if not dark else IRIS_COLOURS[int(rng.integers(2))])
    cloth = np.array(CLOTH_COLOURS[int(rng.integers(4 if wear == sdf.SUIT and chance(0.75) else 12))]) * uniform(
        0.8, 1.15
    )
    if chance(0.25) and wear != sdf.SUIT:
        cloth = rng.uniform(0.05, 0.9, 3)
    shirt = np.array([0.9, 0.9, 0.9]) * uniform(0.8, 1.05) * (1 if chance(0.6) else rng.uniform(0.55, 1, 3))
    tie = rng.uniform(0.05, 0.6, 3) * np.array([1.2, 0.8, 1.0])
    look = Look(
        beard=uniform(0.4, 1.0) if masculine and chance(0.3) else 0.0,
        moustache=uniform(0.5, 1.0) if masculine and chance(0.3) else 0.0,
        stubble=uniform(0.0, 0.5) if masculine else 0.0,
        blush=uniform(0.2, 1.0), freckles=uniform(0, 0.6) if chance(0.25) else 0.0, age=old,
        makeup=makeup, gloss=uniform(0.2, 1.0),
        streaks=uniform(0.2, 1.0), pattern=int(rng.choice(4, p=[0.55, 0.2, 0.1, 0.15])), pattern_scale=uniform(4, 14),
        lens=uniform(0, 0.12), ear_ring=int(not masculine and chance(0.3)),
    )  # fmt: skip
    beard = hair * uniform(0.65, 0.95) if hair_row < 7 else hair * uniform(0.5, 0.9)
    frame = np.array([0.05, 0.045, 0.045]) if chance(0.6) else rng.uniform(0.05, 0.5, 3)
    hat = rng.uniform(0.04, 0.8, 3)
    moles = tuple((uniform(-0.55, 0.55), uniform(-1.0, 0.1)) for _ in range(int(rng.integers(0, 5))))
    palette = tuple(_colour(c) for c in (skin, hair, lip, iris, cloth, shirt, tie, beard, hat, frame))
    return Identity(seed, shape, look, palette, moles)
