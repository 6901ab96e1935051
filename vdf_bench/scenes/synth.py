"""The rendered clips: named talking heads with exact ground truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from vdf_bench.core.cards import Card, Component
from vdf_bench.core.clip import FPS, Clip, Pose, Truth
from vdf_bench.core.errors import UserError
from vdf_bench.core.registry import suggest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.scenes.render import Light


@dataclass(frozen=True)
class Cast:
    """Who plays a named clip and where: an identity seed outside every training range, and a background kind."""

    seed: int
    background: str | None = None


#: Public development clips.
PUBLIC: dict[str, Cast] = {
    "synth-a": Cast(100_001, "shelves"),
    "synth-b": Cast(100_033, "coins.png"),
    "synth-c": Cast(100_017, "foliage"),
    "synth-d": Cast(100_027, "gradient"),
    "synth-e": Cast(100_013, "brick.png"),
    "synth-f": Cast(100_019, "bokeh"),
    "synth-g": Cast(100_009, "wall"),
    "synth-h": Cast(100_029, "panels"),
}
#: Clips that no shipped model, surrogate or tuned default has seen.
HELDOUT: dict[str, Cast] = {f"synth-heldout-{k}": Cast(200_000 + k) for k in range(16)}
CAST = PUBLIC | HELDOUT


class SynthClips(Component):
    """Provider of the ``synth-*`` clips."""

    card: ClassVar[Card] = Card(
        name="synth",
        title="Rendered talking heads with exact ground truth",
        summary="Signed-distance heads (hair, beards, glasses, clothes, rooms) with synthesised speech and exact "
        "parsing, depth, landmarks and pose. synth-a to synth-h are public; synth-heldout-* are for judging only.",
        source="this project",
        year=2025,
        licence="CC0-1.0 (the frames)",
    )

    def names(self) -> list[str]:
        """Names of the clips."""
        return list(CAST)

    def load(self, name: str, size: int, frames: int, seed: int = 0) -> Clip:
        """Render a clip.

        Args:
            name: one of :meth:`names`.
            size: edge of the frames, pixels, at least 32.
            frames: how many, at 25 fps.
            seed: of motion and speech; the person, the light and the room belong to the name.

        Raises:
            UserError: no such clip, or a size or length that cannot be rendered.
        """
        if name not in CAST:
            raise UserError(f"unknown clip {name!r}: {suggest(name, list(CAST))}")
        if size < 32 or frames < 1:
            raise UserError(
                f"clip {name!r} needs a size of at least 32 and at least one frame, got {size} and {frames}"
            )
        return render_clip(name, CAST[name], size, frames, seed)


def _light(rng: np.random.Generator) -> Light:
    """A portrait light: like training's, within what a photographer would accept."""
    from vdf_bench.scenes.photometric import sample_light

    light = sample_light(rng)
    key = np.array(light.key_colour)
    return replace(light, key_colour=tuple(0.8 * key / key.mean()), sky=(0.30, 0.31, 0.33), ground=(0.19, 0.175, 0.16))


def render_clip(name: str, cast: Cast, size: int, frames: int, seed: int = 0) -> Clip:
    """Render ``frames`` frames of a person who speaks before a fixed camera and a still background."""
    from scipy.ndimage import gaussian_filter

    from vdf_bench.scenes.background import sample_background
    from vdf_bench.scenes.head import Head
    from vdf_bench.scenes.identity import sample_identity
    from vdf_bench.scenes.motion import blinks, gazes, head_motion
    from vdf_bench.scenes.render import default_focal, head_rotation, place, render_view
    from vdf_bench.scenes.speech import synthesise

    setting = np.random.default_rng([cast.seed, 1])
    moving = np.random.default_rng([cast.seed, 2, seed])
    head = Head.build(sample_identity(cast.seed))
    light = _light(setting)
    room = sample_background(setting, size, cast.background)
    fps = float(FPS)
    audio, mouth = synthesise(frames, cast.seed * 1000 + seed, fps)
    motion, blink = head_motion(frames, moving, fps), blinks(frames, moving, fps)
    gaze = gazes(motion, moving, fps)
    blur = 0.35 * size / 128

    def develop(rgb: NDArray[np.float32], grain: float) -> NDArray[np.uint8]:
        """Lens and sensor: a slight blur, a little grain."""
        soft = gaussian_filter(rgb, (blur, blur, 0), mode="nearest")
        noisy = soft + moving.normal(0, 1, soft.shape) * grain
        return (np.clip(noisy, 0, 1) * 255 + 0.5).astype(np.uint8)

    parts: dict[str, list[Any]] = {
        key: [] for key in ("rgb", "labels", "depth", "landmarks", "rotation", "translation")
    }
    for t in range(frames):
        yaw, pitch, roll, right, up = motion[t]
        rotation = head_rotation(yaw, pitch, roll)
        translation = place(rotation, (right, up))
        lips = (float(mouth[t, 0]), float(mouth[t, 1]))
        view = render_view(head, rotation, translation, lips, float(blink[t]), tuple(gaze[t]), size, light, room)
        parts["rgb"].append(develop(view.rgb, 0.006))
        for key in ("labels", "depth", "landmarks"):
            parts[key].append(getattr(view, key))
        parts["rotation"].append(rotation)
        parts["translation"].append(translation)
    stacks = {key: np.stack(values) for key, values in parts.items()}
    truth = Truth(
        labels=stacks["labels"],
        landmarks=stacks["landmarks"],
        plate=develop(room, 0.0),
        mouth=mouth,
        blink=blink,
        depth=stacks["depth"],
        pose=Pose(stacks["rotation"], stacks["translation"], default_focal(size)),
    )
    source = {"kind": "rendered", "licence": "CC0-1.0", "identity": str(cast.seed), "seed": str(seed)}
    return Clip(name, stacks["rgb"], audio, f"synth-{cast.seed}", FPS, truth, source)
