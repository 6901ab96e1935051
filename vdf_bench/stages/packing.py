"""Clips and renderings as artifacts and back."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from vdf_bench.core.artifact import Artifact
from vdf_bench.core.clip import Clip, Pose, Truth
from vdf_bench.core.interfaces import Rendering

if TYPE_CHECKING:
    from numpy.typing import NDArray


def pack_clip(clip: Clip) -> Artifact:
    """The clip with all of its truth."""
    arrays: dict[str, NDArray[Any]] = {"frames": clip.frames, "audio": clip.audio}
    truth = clip.truth
    if truth is not None:
        arrays |= {
            "truth.labels": truth.labels,
            "truth.landmarks": truth.landmarks,
            "truth.plate": truth.plate,
            "truth.mouth": truth.mouth,
            "truth.blink": truth.blink,
        }
        if truth.depth is not None:
            arrays["truth.depth"] = truth.depth
        if truth.pose is not None:
            arrays["truth.rotation"] = truth.pose.rotation
            arrays["truth.translation"] = truth.pose.translation
            arrays["truth.focal"] = np.array([truth.pose.focal], np.float64)
    meta = {
        "name": clip.name,
        "identity": clip.identity,
        "fps": [clip.fps.numerator, clip.fps.denominator],
        "source": clip.source,
        "notes": list(clip.notes),
    }
    return Artifact(arrays, meta)


def unpack_clip(artifact: Artifact) -> Clip:
    """The clip that :func:`pack_clip` packed."""
    arrays, meta = artifact.arrays, artifact.meta
    truth = None
    if "truth.labels" in arrays:
        pose = None
        if "truth.rotation" in arrays:
            pose = Pose(arrays["truth.rotation"], arrays["truth.translation"], float(arrays["truth.focal"][0]))
        truth = Truth(
            labels=arrays["truth.labels"],
            landmarks=arrays["truth.landmarks"],
            plate=arrays["truth.plate"],
            mouth=arrays["truth.mouth"],
            blink=arrays["truth.blink"],
            depth=arrays.get("truth.depth"),
            pose=pose,
        )
    return Clip(
        name=meta["name"],
        frames=arrays["frames"],
        audio=arrays["audio"],
        identity=meta["identity"],
        fps=Fraction(*meta["fps"]),
        truth=truth,
        source=meta["source"],
        notes=tuple(meta["notes"]),
    )


def pack_rendering(rendering: Rendering, meta: dict[str, Any]) -> Artifact:
    """The cloned video with a record of how it was driven."""
    arrays: dict[str, NDArray[Any]] = {"rgb": rendering.rgb}
    arrays |= {"depth": rendering.depth} if rendering.depth is not None else {}
    arrays |= {"alpha": rendering.alpha} if rendering.alpha is not None else {}
    return Artifact(arrays, meta)


def unpack_rendering(artifact: Artifact) -> Rendering | None:
    """The rendering; None where the fit before it failed."""
    arrays = artifact.arrays
    return Rendering(arrays["rgb"], arrays.get("depth"), arrays.get("alpha")) if "rgb" in arrays else None
