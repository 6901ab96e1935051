"""Where the inside of the mouth shows, and the Gaussians that stand for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from vdf_bench.victims.gaussian.splats import Splats

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from vdf_bench.core.capture import Capture
    from vdf_bench.victims.common.scene import Scene
    from vdf_bench.victims.common.targets import Targets

#: Label of the mouth's interior.
INTERIOR: Final = 11
#: A frame shows the inside of the mouth where this many pixels at 512 px do (TalkingGaussian's bound), four at least.
SHOWN: Final = 20
#: The set begins this share wider than the pixels that it comes from.
SPREAD: Final = 0.3
_LIPS, _INNER = slice(48, 68), slice(60, 68)


def interiors(capture: Capture, targets: Targets) -> NDArray[np.bool_]:
    """(A, S, S) where training frames show the inside of the mouth.

    As parsed; where the target asks no mask, inside the polygon of the inner lips' landmarks. Frames that show next to
    nothing count as shut.
    """
    if targets.head is not None:
        inside = capture.labels[targets.frames] == INTERIOR
    else:
        inside = np.stack([_polygon(marks[_INNER], capture.size) for marks in capture.landmarks[targets.frames]])
    inside[inside.sum((1, 2)) < max(4, SHOWN * (capture.size / 512) ** 2)] = False
    return np.asarray(inside)


def _polygon(corners: NDArray[np.float32], size: int) -> NDArray[np.bool_]:
    """(S, S) pixels whose centres lie in a polygon of corners (N, 2) as (x, y)."""
    from skimage.draw import polygon2mask

    return np.asarray(polygon2mask((size, size), corners[:, ::-1] - 0.5))  # type: ignore[no-untyped-call]


def mouth_splats(
    capture: Capture,
    scene: Scene,
    targets: Targets,
    inside: NDArray[np.bool_],
    count: int,
    random: np.random.Generator,
    generator: torch.Generator,
) -> Splats:
    """Gaussians behind the lips, at random pixels of ``inside`` (A, S, S), coloured by them; none if nothing is shown.

    They begin up to an eighth of a mouth's width behind the surface of the lips, and are spread wider than the opening,
    so that a head turned further than in training still has them behind its lips, not the backdrop.
    """
    shown = np.flatnonzero(inside.any((1, 2)))
    if not len(shown) or not count:
        return Splats.blank(0)
    lips = scene.landmarks[_LIPS]
    width = float(np.ptp(lips[:, 0]))
    frames = random.choice(shown, count)
    pixels = np.stack([random.permutation(np.argwhere(inside[i]))[0] for i in frames])
    colour = targets.rgb[frames, pixels[:, 0], pixels[:, 1]] / 255
    behind = lips[:, 2].mean() - width * random.uniform(0.02, 0.125, count)
    filmed = targets.frames[frames]
    rotation, translation = capture.pose.rotation[filmed], capture.pose.translation[filmed]
    place = (pixels[:, ::-1] + random.random((count, 2)) - capture.size / 2) / capture.pose.focal
    ray = np.einsum("nij,ni->nj", rotation, np.concatenate([place, np.ones((count, 1))], 1))
    camera = -np.einsum("nij,ni->nj", rotation, translation)
    surface = camera + ray * ((behind - camera[:, 2]) / ray[:, 2])[:, None]
    surface[:, :2] += SPREAD * (surface[:, :2] - surface[:, :2].mean(0))
    spacing = np.full(count, 0.6 * np.sqrt(0.4 * width**2 / count))
    places, spread, rgb = (torch.from_numpy(array.astype(np.float32)) for array in (surface, spacing, colour))
    return Splats(places, spread, rgb, scene.unit, generator)


def box(splats: Splats, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """Corners of a box around a set, with room on each side; ``low`` and ``high`` (3,) if the set is empty."""
    if not len(splats):
        return low, high
    place = splats.position.detach()
    start, end = place.amin(0), place.amax(0)
    margin = 0.5 * (end - start).clamp(min=1e-3)
    return start - margin, end + margin
