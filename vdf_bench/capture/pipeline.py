"""The whole capture, in the order of RAD-NeRF's ``process.py``.

It departs from that where a careful attacker would: scraps of the room are removed from the masks
(:mod:`vdf_bench.capture.scraps`; not under policy ``strict``, which is stock behaviour), and poses are aligned by the
pictures (:mod:`vdf_bench.capture.align`) after landmarks have given them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdf_bench.capture.align import align_pose
from vdf_bench.capture.audio import mel_windows
from vdf_bench.capture.composites import composite
from vdf_bench.capture.landmarks import detect_landmarks, usable
from vdf_bench.capture.mouth import mouth_from_sound
from vdf_bench.capture.parsing import parse_frames
from vdf_bench.capture.plate import extract_plate
from vdf_bench.capture.pose import fit_pose
from vdf_bench.capture.scalars import eye_scalar, mouth_scalars
from vdf_bench.capture.scraps import remove_scraps
from vdf_bench.core.capture import Capture
from vdf_bench.core.clip import split_frames
from vdf_bench.models.audio_mouth import load_audio_mouth

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vdf_bench.capture.mouth import Listener
    from vdf_bench.core.capture import Policy
    from vdf_bench.core.clip import Split
    from vdf_bench.core.interfaces import LandmarkModel, ParserModel


def capture_clip(
    frames: NDArray[np.uint8],
    audio: NDArray[np.float32],
    parser: ParserModel,
    landmarker: LandmarkModel,
    shape: tuple[NDArray[np.float32], NDArray[np.float32]],
    policy: Policy = "repair",
    split: Split | None = None,
    view: NDArray[np.uint8] | None = None,
    listener: Listener | None = None,
) -> Capture:
    """Everything that a 3D-field talking-face system trains on, from a video alone.

    Args:
        frames: (T, S, S, 3) uint8 RGB, as the attacker has them; what the victim will be trained on.
        audio: (N,) float32 mono at 16 kHz; empty where there is none.
        parser: labels frames.
        landmarker: finds 68 points a frame.
        shape: mean (68, 3) and modes (K, 68, 3) of the face, head units.
        policy: what happens to frames in which no face is found.
        split: training and held-out frames; the clip's own by default.
        view: (T, S, S, 3) uint8 RGB, what parser and landmarker look at; ``frames`` by default. An attacker may parse
            a purified copy and still train on the protected frames.
        listener: hears lips in sound; the shipped ``audio-mouth`` by default.

    Raises:
        CaptureRefused: the pipeline stopped, with a code.
    """
    view = frames if view is None else view
    parsing = parse_frames(view, parser)
    labels = parsing.labels if policy == "strict" else remove_scraps(view, parsing.labels)
    plate = extract_plate(frames, labels, policy)
    gt, torso = composite(frames, labels, plate.image)

    landmarks = detect_landmarks(view, landmarker, policy)
    split = usable(split_frames(len(frames)) if split is None else split, landmarks.valid, policy)
    fit = fit_pose(landmarks.points, frames.shape[1], shape, landmarks.valid)
    fit = align_pose(view, landmarks.points, fit, landmarks.valid)

    mouth = mouth_scalars(landmarks.points)
    seen = split.train[landmarks.valid[split.train]]
    heard = mouth_from_sound(audio, mouth, seen, listener or load_audio_mouth())
    return Capture(
        frames=frames,
        labels=labels,
        plate=plate.image,
        plate_source=plate.source,
        gt=gt,
        torso=torso,
        landmarks=landmarks.points,
        valid=landmarks.valid,
        pose=fit.pose,
        mouth=mouth,
        eyes=eye_scalar(landmarks.points),
        mel=mel_windows(audio, len(frames)),
        mouth_audio=heard.mouth,
        split=split,
        audio=audio,
        scalars={**parsing.trace, **plate.trace, **landmarks.trace, **fit.trace, **heard.trace},
    )
