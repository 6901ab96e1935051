"""Evidence with a known answer: what judges say of pictures that were made worse on purpose. No victim is needed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vdf_bench.core.clip import FPS, Clip, Pose, Truth, split_frames
from vdf_bench.core.interfaces import Evidence, Rendering
from vdf_bench.judges.identity import Identity as IdentityJudge
from vdf_bench.judges.lips import Lips as LipsJudge
from vdf_bench.judges.pixels import psnr
from vdf_bench.recognisers.choice import AUTO, choose, is_real
from vdf_bench.validation.properties import (
    SLACK_COSINE,
    PropertyResult,
    falls,
    identity_tells,
    lips_tell,
    psnr_is_exact,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from vdf_bench.scenes.identity import Identity

#: Shares of the second person in a morph.
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
#: Frames by which lips come late.
SHIFTS = (0, 3, 6)
#: Standard deviations of noise, 8-bit levels.
SPREADS = (1.0, 2.0, 4.0, 8.0, 16.0)
#: Length of a morph's clip: twelve of its frames are held out.
FRAMES = 36
#: The rendered people that are morphed into each other.
PEOPLE = (100_001, 100_033)


def constructed_properties(clips: Sequence[Clip], size: int) -> list[PropertyResult]:
    """Every property of the judges that constructed evidence decides.

    Args:
        clips: of the run; people are swapped between them.
        size: edge of the morph's frames, pixels.
    """
    return [swapped(clips), morphed(size), late_lips(clips[0]), noisy_grey()]


def cosine(clip: Clip, frames: NDArray[np.uint8]) -> float:
    """What the identity judge says of held-out ``frames`` (B, S, S, 3) as a clone of the person in ``clip``."""
    rows = IdentityJudge().measure(_evidence(clip, frames))
    return next(row.value for row in rows if row.metric.startswith("identity"))


def lip_correlation(clip: Clip, frames: NDArray[np.uint8]) -> float:
    """What the lip judge says of held-out ``frames`` (B, S, S, 3) as a clone of the person in ``clip``."""
    rows = LipsJudge().measure(_evidence(clip, frames))
    return next(row.value for row in rows if row.metric == "lip_correlation")


def _evidence(clip: Clip, frames: NDArray[np.uint8]) -> Evidence:
    return Evidence(clip, split_frames(len(clip)), clip.frames, rendering=Rendering(frames))


def swapped(clips: Sequence[Clip]) -> PropertyResult:
    """Every person's own held-out frames, and the next person's in their place."""
    people = list({clip.identity: clip for clip in clips}.values())
    held = {clip.identity: clip.frames[split_frames(len(clip)).heldout] for clip in people}
    own = [cosine(clip, held[clip.identity]) for clip in people]
    pairs = zip(people, [*people[1:], people[0]], strict=True) if len(people) > 1 else ()
    # Clips of unequal length hold out unequally many frames; what is judged is as long as the owner's.
    other = [cosine(clip, np.resize(held[b.identity], held[clip.identity].shape)) for clip, b in pairs]
    real = any(is_real(clip) for clip in people)
    return identity_tells(own, other, choose(AUTO, {}, real).threshold()[0])


def morphed(size: int) -> PropertyResult:
    """A rendered person who turns into another, in geometry, paint and colour, and who speaks and moves as before."""
    from vdf_bench.scenes.identity import sample_identity

    first, second = (sample_identity(seed) for seed in PEOPLE)
    owner = performance(first, size, np.arange(FRAMES))
    held = split_frames(FRAMES).heldout
    values = [
        cosine(owner, performance(morph(first, second, weight), size, held).frames if weight else owner.frames[held])
        for weight in WEIGHTS
    ]
    name, claim = "identity follows a morph", "the cosine falls as one rendered person turns into another"
    return falls(name, claim, WEIGHTS, values, SLACK_COSINE, least=0.3)


def late_lips(clip: Clip) -> PropertyResult:
    """True frames in which the person comes late, or stands still."""
    held = split_frames(len(clip)).heldout
    values = [lip_correlation(clip, clip.frames[np.maximum(held - shift, 0)]) for shift in SHIFTS]
    return lips_tell(SHIFTS, values, lip_correlation(clip, clip.frames[np.full_like(held, held[0])]))


def noisy_grey(seed: int = 0) -> PropertyResult:
    """Mid-grey frames, which noise of these spreads does not clip."""
    rng = np.random.default_rng(seed)
    grey = np.full((96, 96, 3), 128, np.uint8)
    noisy = [np.clip(grey + rng.normal(0, s, grey.shape), 0, 255).round().astype(np.uint8) for s in SPREADS]
    return psnr_is_exact(SPREADS, [psnr(picture, grey) for picture in noisy])


def morph(first: Identity, second: Identity, weight: float) -> Identity:
    """The person between two: numbers and colours are mixed; styles, moles and grain change over half way."""
    near = second if weight >= 0.5 else first

    def mixed(a: Any, b: Any) -> list[Any]:
        """Numbers between ``a`` and ``b``, member by member; what is no number is the nearer one's."""
        return [
            (1 - weight) * x + weight * y if isinstance(x, float) else (y if near is second else x)
            for x, y in zip(a, b, strict=True)
        ]

    return replace(
        near,
        shape=type(first.shape)(*mixed(first.shape, second.shape)),
        look=type(first.look)(*mixed(first.look, second.look)),
        palette=tuple(tuple(mixed(a, b)) for a, b in zip(first.palette, second.palette, strict=True)),
    )


def performance(identity: Identity, size: int, frames: NDArray[np.int64], seed: int = 0) -> Clip:
    """Render ``frames`` of a fixed performance of :data:`FRAMES` frames, whoever plays it, before grey."""
    from vdf_bench.scenes.head import Head
    from vdf_bench.scenes.motion import blinks, head_motion
    from vdf_bench.scenes.render import default_focal, head_rotation, place, render_view
    from vdf_bench.scenes.speech import synthesise

    rng = np.random.default_rng(seed)
    audio, mouth = synthesise(FRAMES, seed, float(FPS))
    motion, blink = head_motion(FRAMES, rng, float(FPS)), blinks(FRAMES, rng, float(FPS))
    head = Head.build(identity)
    views, rotations, translations = [], [], []
    for t in frames:
        yaw, pitch, roll, right, up = motion[t]
        rotation = head_rotation(yaw, pitch, roll)
        translation = place(rotation, (right, up))
        lips = (float(mouth[t, 0]), float(mouth[t, 1]))
        views.append(render_view(head, rotation, translation, lips, float(blink[t]), size=size))
        rotations.append(rotation)
        translations.append(translation)
    pictures = np.stack([(view.rgb * 255).round().clip(0, 255).astype(np.uint8) for view in views])
    truth = Truth(
        labels=np.stack([view.labels for view in views]),
        landmarks=np.stack([view.landmarks for view in views]),
        plate=np.full((size, size, 3), 128, np.uint8),
        mouth=mouth[frames],
        blink=blink[frames],
        depth=np.stack([view.depth for view in views]),
        pose=Pose(np.stack(rotations), np.stack(translations), default_focal(size)),
    )
    return Clip("morph", pictures, audio, f"synth-{identity.seed}", FPS, truth)
