"""The contract of landmarkers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from vdf_bench.testing.component import begin
from vdf_bench.testing.footage import clip, truth

if TYPE_CHECKING:
    from vdf_bench.core.cards import Component
    from vdf_bench.testing.report import Report

_SIZES: Final = (32, 45, 64)
_FRAMES: Final = 2
#: Score from which a face counts as found, and its points must be numbers.
_FOUND: Final = 0.5


def check_landmarker(landmarker: type[Component] | Component) -> Report:
    """Check what a landmarker makes of frames with and without a face.

    Args:
        landmarker: class or instance; see :class:`vdf_bench.core.interfaces.Landmarker`.

    Returns:
        a report with the fact ``landmark_error``, the mean distance to the true points over the edge of the frame.

    Raises:
        AssertionError: a property does not hold.
    """
    report, new = begin(landmarker, "landmarkers", "load")
    model, other = new().load(), new().load()
    for size in _SIZES:
        shown = clip(size, _FRAMES).frames
        for frames in (shown.copy(), np.full_like(shown, 128)):
            before = frames.copy()
            points, score = model.detect(frames)
            report.require(
                points.shape == (_FRAMES, 68, 2) and points.dtype == np.float32,
                "it gives (T, 68, 2) float32 points, in pixels (x, y) of the frame",
                f"{points.dtype} {points.shape}",
                "give 68 iBUG points for every frame, also where no face is found",
            )
            report.require(
                score.shape == (_FRAMES,) and bool(((score >= 0) & (score <= 1)).all()),
                "it gives (T,) scores in [0, 1]",
                f"{score.shape}: {score}",
                "give 0 where no face is found",
            )
            report.require(
                bool(np.isfinite(points[score >= _FOUND]).all()),
                "points of a face that is found are numbers",
                "a point that is not finite",
                "lower the score of a face whose points are not known",
            )
            report.require(
                np.array_equal(frames, before),
                "it leaves the frames that it is given as they are",
                "a frame was written to",
                "copy frames before you change them in place",
            )
            report.require(
                np.array_equal(points, other.detect(frames)[0], equal_nan=True),
                "loaded twice, it finds the same",
                "points differ",
                "switch the network to evaluation, and draw nothing at random",
            )
    points, _ = model.detect(clip(size, _FRAMES).frames)
    error = np.linalg.norm(points - truth(size, _FRAMES).landmarks, axis=-1).mean() / size
    report.facts["landmark_error"] = float(np.nan_to_num(error, nan=1.0))
    return report
