"""Portraits: one-frame clips of people who have none of the attributes, and the truth of every edit.

Heads stand in the middle and fill 65 to 80 % of the frame, turned by at most 15 degrees; light, room and camera vary.
Camera noise is the same for a portrait and its edited truth, so that the two differ where the attribute is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count, islice
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from vdf_bench.core.cards import Card, Component
from vdf_bench.core.clip import FPS, Clip, Truth
from vdf_bench.core.errors import UserError
from vdf_bench.core.registry import suggest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from vdf_bench.scenes.head import Head
    from vdf_bench.scenes.identity import Identity
    from vdf_bench.scenes.render import Light, View

#: How many portraits there are, and the identity seed at which the search for their people begins: above every seed
#: that a shipped network was trained on.
COUNT: Final = 100
FIRST_SEED: Final = 300_000
NAMES: Final = tuple(f"portrait-{index:03d}" for index in range(COUNT))
#: Strength of the camera's degradations, 0 to 1.
CAMERA: Final = 0.3
RADIANS: Final = np.pi / 180


@dataclass(frozen=True)
class Sitting:
    """How one portrait is taken: everything but the person's attributes.

    Attributes:
        seed: of the room and of the camera's noise.
        rotation: (3, 3) float32 head to camera.
        share: height of the head over that of the frame.
        shift: of the head's middle, (right, up) in frames.
        mouth: opening and width, before a smile.
        gaze: iris to the picture's right and up.
        light: of the scene.
    """

    seed: tuple[int, int]
    rotation: NDArray[np.float32]
    share: float
    shift: tuple[float, float]
    mouth: tuple[float, float]
    gaze: tuple[float, float]
    light: Light


def sample_sitting(seed: int, take: int = 0) -> Sitting:
    """The ``take``-th sitting of the person of ``seed``."""
    from vdf_bench.scenes.photometric import sample_light
    from vdf_bench.scenes.render import head_rotation

    rng = np.random.default_rng([seed, take, 5])
    yaw, pitch, roll = (
        float(np.clip(rng.normal(0, spread), -2 * spread, 2 * spread)) * RADIANS for spread in (7.5, 4.0, 2.5)
    )
    return Sitting(
        (seed, take),
        head_rotation(yaw, pitch, roll),
        float(rng.uniform(0.65, 0.8)),
        (float(rng.uniform(-0.03, 0.03)), float(rng.uniform(-0.03, 0.03))),
        (float(rng.beta(0.8, 6.0)) if rng.random() < 0.3 else 0.0, float(np.clip(rng.normal(0, 0.2), -0.4, 0.4))),
        (float(np.clip(rng.normal(0, 0.3), -1, 1)), float(np.clip(rng.normal(0, 0.2), -1, 1))),
        sample_light(rng),
    )


def take_portrait(head: Head, sitting: Sitting, size: int) -> View:
    """Render a person, smiling if that is set, through the sitting's camera: a view of ``size`` px."""
    from vdf_bench.scenes.attributes import mouth_of
    from vdf_bench.scenes.background import sample_background
    from vdf_bench.scenes.head import PIVOT
    from vdf_bench.scenes.photometric import degrade
    from vdf_bench.scenes.render import CAMERA_DISTANCE, render_view
    from vdf_bench.scenes.training import HEAD_HEIGHT

    frame = HEAD_HEIGHT / sitting.share
    pivot = np.array([sitting.shift[0] * frame, -(PIVOT[1] + sitting.shift[1] * frame), CAMERA_DISTANCE])
    view = render_view(
        head,
        sitting.rotation,
        (pivot - sitting.rotation @ PIVOT).astype(np.float32),
        mouth_of(head.identity, sitting.mouth),
        0.0,
        sitting.gaze,
        size,
        sitting.light,
        sample_background(np.random.default_rng([*sitting.seed, 6]), size),
        2,
        size * CAMERA_DISTANCE / frame,
    )
    # The same generator for every edit: no draw depends on what is seen.
    return replace(view, rgb=degrade(view.rgb, np.random.default_rng([*sitting.seed, 7]), CAMERA))


def plain_people(first_seed: int) -> Iterator[Identity]:
    """People from a seed on who have none of the attributes, and on whom each would show; about one in six."""
    from vdf_bench.scenes.attributes import plain
    from vdf_bench.scenes.identity import sample_identity

    return (identity for identity in map(sample_identity, count(first_seed)) if plain(identity))


@lru_cache(maxsize=1)
def _cast() -> dict[str, Identity]:
    return dict(zip(NAMES, islice(plain_people(FIRST_SEED), COUNT), strict=True))


class Portraits(Component):
    """Provider of the ``portrait-*`` clips."""

    card: ClassVar[Card] = Card(
        name="portraits",
        title="Rendered portraits with the exact truth of five attribute edits",
        summary="One frame each of a hundred people without blond hair, beard, glasses, aged skin or smile (chosen by "
        "their seeds, so that every edit has something to change), whom no shipped network has seen; the same "
        "person with any of the five is rendered exactly.",
        source="this project",
        year=2026,
        licence="CC0-1.0 (the frames)",
    )

    def names(self) -> list[str]:
        """Names of the clips."""
        return list(NAMES)

    def load(self, name: str, size: int, frames: int = 1, seed: int = 0) -> Clip:
        """Render a portrait.

        Args:
            name: one of :meth:`names`.
            size: edge of the frame, pixels, at least 32.
            frames: at least one; a portrait has one frame, however many are asked for.
            seed: of the sitting: pose, light, room and camera; the person belongs to the name.

        Raises:
            UserError: no such portrait, or a size that cannot be rendered.
        """
        _check(name, size, frames)
        view = next(_views(name, [()], size, seed))
        identity = _cast()[name]
        truth = Truth(
            labels=view.labels[None],
            landmarks=view.landmarks[None],
            plate=_bytes(view.plate),
            mouth=np.array([sample_sitting(identity.seed, seed).mouth], np.float32),
            blink=np.zeros(1, np.float32),
            depth=view.depth[None],
        )
        source = {"kind": "rendered", "licence": "CC0-1.0", "identity": str(identity.seed), "seed": str(seed)}
        return Clip(name, _bytes(view.rgb)[None], np.zeros(0, np.float32), name, FPS, truth, source)


def edited_truth(name: str, attributes: str | Iterable[str], size: int, seed: int = 0) -> NDArray[np.uint8]:
    """A portrait with attributes set, rendered again: what a perfect editor gives.

    Args:
        name: ``portrait-000`` to ``portrait-099``.
        attributes: one of :data:`vdf_bench.scenes.attributes.ATTRIBUTES`, or several.
        size: edge, pixels, at least 32.
        seed: of the sitting, as of the clip.

    Returns:
        (size, size, 3) uint8 RGB.

    Raises:
        UserError: no such portrait or attribute, or a size that cannot be rendered.
    """
    names = (attributes,) if isinstance(attributes, str) else tuple(attributes)
    truth: NDArray[np.uint8] = edited_truths(name, [names], size, seed)[0]
    return truth


def edited_truths(name: str, edits: Iterable[tuple[str, ...]], size: int, seed: int = 0) -> NDArray[np.uint8]:
    """Several edits of one portrait, built once: (E, size, size, 3) uint8 RGB; see :func:`edited_truth`."""
    from vdf_bench.scenes.attributes import ATTRIBUTES

    _check(name, size, 1)
    wanted = list(edits)
    for attribute in (attribute for edit in wanted for attribute in edit):
        if attribute not in ATTRIBUTES:
            raise UserError(f"unknown attribute {attribute!r}: {suggest(attribute, list(ATTRIBUTES))}")
    truths: NDArray[np.uint8] = np.stack([_bytes(view.rgb) for view in _views(name, wanted, size, seed)])
    return truths


def _views(name: str, edits: Iterable[tuple[str, ...]], size: int, seed: int) -> Iterator[View]:
    from vdf_bench.scenes.attributes import with_attribute
    from vdf_bench.scenes.head import Head

    identity = _cast()[name]
    head, sitting = Head.build(identity), sample_sitting(identity.seed, seed)
    for edit in edits:
        changed = identity
        for attribute in edit:
            changed = with_attribute(changed, attribute)
        yield take_portrait(head.dressed(changed), sitting, size)


def _check(name: str, size: int, frames: int) -> None:
    if name not in NAMES:
        raise UserError(f"unknown clip {name!r}: {suggest(name, list(NAMES))}")
    if size < 32 or frames < 1:
        raise UserError(f"clip {name!r} needs a size of at least 32 and at least one frame, got {size} and {frames}")


def _bytes(rgb: NDArray[np.floating]) -> NDArray[np.uint8]:
    levels: NDArray[np.uint8] = (np.clip(rgb, 0, 1) * 255 + 0.5).astype(np.uint8)
    return levels
