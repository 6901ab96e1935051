"""The still of scikit-image's astronaut, annotated by hand: landmarks, outlines, classes, matte, plate and relief.

Eileen Collins, NASA, public domain. All coordinates are pixels (x, y) of the 512 x 512 picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import binary_dilation, binary_erosion, gaussian_filter

from vdf_bench.scenes.background import photograph

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: The part of the picture that is shown: left, top and edge.
CROP = (109, 0, 236)

#: 68 landmarks, iBUG order.
LANDMARKS = np.array([
    (181.5, 100), (181.2, 112), (182, 126), (183, 139), (186, 152), (192, 163), (200.5, 171.5),
    (211, 177), (223, 178.5), (235, 177), (246, 171.5),
    (254.5, 162), (261.5, 152), (266, 142), (268, 131), (270, 119), (270.5, 106),
    (189.8, 91), (194.6, 88.3), (199.9, 87.9), (207, 89.5), (213.6, 92.4),
    (238.4, 93.8), (245.2, 92.3), (252.3, 91.9), (258.3, 92.9), (263, 95.8),
    (223.1, 100), (223.1, 109.5), (223.4, 118.5), (223.7, 126.8),
    (213, 129.2), (218.4, 132), (224.3, 134.3), (230.3, 132), (235, 129.2),
    (193.1, 101.2), (199.9, 97.6), (207, 98.2), (212.4, 103), (205.9, 104.5), (198.7, 104.2),
    (237, 104.8), (242.8, 99.8), (250.5, 99.8), (258.3, 103.6), (251.1, 106.4), (243.4, 106.4),
    (203.4, 139.5), (210.5, 139.5), (219.6, 139.7), (224.3, 140.5), (229, 139.7), (237.6, 139.4), (246.4, 139.5),
    (238.2, 149.4), (230.8, 153.8), (223.4, 155.2), (216, 153.2), (208.9, 147.5),
    (204.8, 140.4), (213.6, 141.6), (224.3, 142.8), (236.2, 142.1), (244.8, 140.8),
    (235, 148), (224.3, 149.6), (213.8, 147.7),
], np.float32)  # fmt: skip

#: The person against the backdrop.
OUTLINE = (
    (55, 266), (62, 253), (75, 237), (98, 219), (112, 206), (115, 190), (124, 180), (127, 170), (134, 162), (148, 153),
    (165, 149), (181, 148.5), (185, 150),
    (182.5, 132), (177, 131.5), (172, 122), (170, 117), (162, 108), (156, 100), (153.5, 85), (153, 70), (156, 60),
    (168, 47), (184, 38), (190, 34), (196, 26), (208, 20), (226, 16.5), (244, 16), (256, 20), (272, 27), (283, 36),
    (292, 48), (297, 62), (300, 75), (301, 87), (299, 98), (295, 108), (286, 117), (279, 125), (275, 133), (271, 136.5),
    (267, 135), (265, 146), (260, 155), (256, 163), (254.5, 171), (261, 176), (276, 186), (289, 200), (299, 215),
    (304, 233), (318, 238), (331, 250), (345, 266),
)  # fmt: skip
HAIRLINE = (
    (268, 95), (263, 89), (250, 84), (236, 80), (222, 79), (206, 80), (195, 77), (188, 75), (186, 85), (183, 95),
)  # fmt: skip
NECK = ((184, 150), (187, 175), (193, 184), (216, 187), (235, 190.5), (253, 185), (254.5, 172), (260, 155))
EARS = (
    ((171, 117), (175, 114), (181, 118), (182.5, 131), (177, 131.5), (173, 125)),
    ((267, 128), (272, 130), (276, 127), (279, 124), (275, 134), (271, 136.5), (267, 136)),
)


@dataclass(frozen=True)
class Portrait:
    """The annotated still, (H, W) = (262, 512) rows of the picture.

    Attributes:
        colour: (H, W, 3) float32, the person with colours continued past the outline.
        alpha: (H, W) float32 in [0, 1].
        plate: (H, W, 3) float32, the backdrop continued behind the person.
        labels: (H, W) uint8.
        relief: (H, W) float32, a guess of the height towards the viewer, pixels.
    """

    colour: NDArray[np.float32]
    alpha: NDArray[np.float32]
    plate: NDArray[np.float32]
    labels: NDArray[np.uint8]
    relief: NDArray[np.float32]


def _continue(image: NDArray[np.float32], known: NDArray[np.bool_], sigmas: tuple[float, ...]) -> NDArray[np.float32]:
    """Fill unknown pixels by normalised convolution, the narrowest kernel that reaches a known pixel first."""
    out = np.where(known[..., None], image, 0).astype(np.float32)
    filled = known.copy()
    for sigma in sigmas:
        weight = gaussian_filter(known.astype(np.float32), sigma)
        soft = (
            gaussian_filter(np.where(known[..., None], image, 0), (sigma, sigma, 0))
            / np.maximum(weight, 1e-6)[..., None]
        )
        new = ~filled & (weight > 0.02)
        out[new] = soft[new]
        filled |= new
    return out


def _polygon(shape: tuple[int, int], points: object) -> NDArray[np.bool_]:
    """Boolean mask of a polygon's inside, at pixel centres."""
    image = Image.new("L", (shape[1] * 4, shape[0] * 4))
    outline = [(float(x) * 4 + 2, float(y) * 4 + 2) for x, y in points]  # type: ignore[attr-defined]
    ImageDraw.Draw(image).polygon(outline, fill=255)
    return np.asarray(image.resize((shape[1], shape[0]), Image.Resampling.BOX)) > 127


def _matte(image: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Alpha from the local colours on both sides: how far each pixel of the band lies from backdrop to person."""
    core, far = binary_erosion(inside, iterations=4, border_value=1), ~binary_dilation(inside, iterations=5)
    person = _continue(image, core, (2, 4, 8))
    backdrop = _continue(image, far, (3, 6, 12))
    axis = person - backdrop
    share = ((image - backdrop) * axis).sum(2) / np.maximum((axis**2).sum(2), 0.02)
    # Where both sides look alike the outline itself decides.
    drawn = gaussian_filter(inside.astype(np.float32), 1.0)
    trust = np.clip((axis**2).sum(2) / 0.15, 0, 0.8)
    alpha = trust * np.clip(1.25 * share - 0.12, 0, 1) + (1 - trust) * drawn
    alpha = np.where(core, 1, np.where(far, 0, alpha))
    return np.asarray(gaussian_filter(alpha, 0.5), np.float32)


def _classes(shape: tuple[int, int], inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """CelebAMask-HQ classes from the annotation."""
    rows = np.arange(shape[0])[:, None]
    labels = np.where(inside, np.where(rows < 138, 17, 16), 0).astype(np.uint8)
    points = LANDMARKS
    for polygon, label in ((NECK, 14), (EARS[0], 7), (EARS[1], 8)):
        labels[_polygon(shape, polygon) & inside] = label
    labels[_polygon(shape, [*points[:17], *HAIRLINE])] = 1
    nose = [points[27] + (-5, 0), points[31] + (-2, -4), *points[31:36], points[35] + (2, -4), points[27] + (5, 0)]
    labels[_polygon(shape, nose)] = 10
    lift = np.array([0, 1.6])
    for start, label in ((17, 2), (22, 3)):
        brow = points[start : start + 5]
        labels[_polygon(shape, [*(brow - lift), *(brow[::-1] + lift)])] = label
    labels[_polygon(shape, points[36:42])] = 4
    labels[_polygon(shape, points[42:48])] = 5
    labels[_polygon(shape, [*points[48:55], *points[60:65][::-1]])] = 12
    labels[_polygon(shape, [*points[54:60], points[48], points[60], *points[64:68][::-1]])] = 13
    labels[_polygon(shape, points[60:68])] = 11
    return labels


def relief(x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.floating]:
    """Height towards the viewer, pixels: an ellipsoid for the head with nose, orbits, lips and chin on it."""
    dome = np.sqrt(np.clip(1 - ((x - 227) / 76) ** 2 - ((y - 99) / 97) ** 2, 0, 1))
    height = 62 * dome**0.8
    height = height + 15 * np.exp(-(((x - 224) / 9) ** 2) - ((y - 124) / 12) ** 2)
    height = height + 7 * np.exp(-(((x - 224) / 7) ** 2) - ((y - 109) / 14) ** 2)
    height = height - 5 * np.exp(-(((np.abs(x - 225) - 23) / 9) ** 2) - ((y - 102) / 6) ** 2)
    height = height + 5 * np.exp(-(((x - 224.5) / 20) ** 2) - ((y - 147) / 8) ** 2)
    return np.asarray(height + 6 * np.exp(-(((x - 224) / 14) ** 2) - ((y - 172) / 8) ** 2))


def load_portrait() -> Portrait:
    """Cut the astronaut out of her backdrop."""
    image = photograph("astronaut.png")[:262]
    shape = (image.shape[0], image.shape[1])
    inside = _polygon(shape, OUTLINE)
    alpha = _matte(image, inside)
    colour = _continue(image, alpha > 0.97, (1.5, 3, 6, 12))
    colour = np.where((alpha > 0.97)[..., None], image, colour).astype(np.float32)
    clear = ~binary_dilation(alpha > 0.02, iterations=2)
    clear[:, :98] = False  # a flag stands there, outside the crop
    plate = _continue(image, clear, (4, 8, 16, 32, 64, 128))
    soft = gaussian_filter(plate, (5, 5, 0), mode="nearest")
    near = gaussian_filter((~clear).astype(np.float32), 2)[..., None]
    plate = (plate * (1 - near) + soft * near).astype(np.float32)
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    return Portrait(colour, alpha, plate, _classes(shape, inside), relief(columns + 0.5, rows + 0.5).astype(np.float32))
