"""The contract of face recognisers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vdf_bench.testing.component import begin
from vdf_bench.testing.footage import clip

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.core.cards import Component
    from vdf_bench.core.clip import Clip
    from vdf_bench.testing.report import Report

_SIZES: Final = (48, 64)
_FRAMES: Final = 3
#: Least cosine between the embeddings of one picture alone and among others, whose arithmetic may round otherwise.
_SAME: Final = 0.999


def check_recogniser(recogniser: type[Component] | Component) -> Report:
    """Check what a recogniser makes of faces, and that it names its column and its threshold.

    Args:
        recogniser: class or instance; see :class:`vdf_bench.core.interfaces.Recogniser`.

    Returns:
        a report with the facts ``same_person`` and ``strangers``: mean cosines between rendered people.

    Raises:
        AssertionError: a property does not hold.
    """
    report, new = begin(recogniser, "recognisers", "load", "threshold", "record", "note")
    model, other = new().load(), new().load()
    column = str(getattr(model, "metric", ""))
    report.require(
        re.fullmatch(r"identity(_[a-z0-9_]+)?", column) is not None and column == type(new()).metric,
        "its cosines have a column of their own, identity_NAME",
        repr(column),
        "derive it from vdf_bench.recognisers.base.BaseRecogniser, and give the loaded model the same `metric`",
    )
    value, basis = new().threshold()
    report.require(
        -1 <= value <= 1 and model.threshold == value and bool(basis.strip()),
        "its threshold is a cosine, and it says where it comes from",
        f"{value} ({basis!r}), loaded {model.threshold}",
        "return (cosine at a false accept rate of 1e-3, how that was measured) from threshold()",
    )
    for size in _SIZES:
        _check_embedding(report, model, other, size)
    one, stranger = (_embedded(model, clip(_SIZES[-1], _FRAMES, name)) for name in ("synth-a", "synth-b"))
    report.facts |= {"same_person": float(one[0] @ one[-1]), "strangers": float((one @ stranger.T).mean())}
    return report


def _check_embedding(report: Report, model: Any, other: Any, size: int) -> None:
    shown = clip(size, _FRAMES)
    frames, points = shown.frames.copy(), _landmarks(shown)
    found = model.embed(frames, points)
    report.require(
        isinstance(found, np.ndarray) and found.ndim == 2 and len(found) == _FRAMES and found.dtype == np.float32,
        "(T, S, S, 3) frames with (T, 68, 2) landmarks become (T, D) float32 embeddings",
        f"{getattr(found, 'dtype', type(found))} {getattr(found, 'shape', '')} for {_FRAMES} frames",
        "return one row for each frame",
    )
    report.require(
        bool(np.isfinite(found).all()) and bool((np.linalg.norm(found, axis=1) > 0).all()),
        "embeddings are finite and not zero",
        "a row that is not",
        "give every face a direction",
    )
    report.require(
        np.array_equal(frames, shown.frames) and np.array_equal(points, _landmarks(shown)),
        "it leaves what it is given as it is",
        "frames or landmarks were written to",
        "copy them before you change them in place",
    )
    report.require(
        np.array_equal(found, other.embed(frames, points)),
        "loaded twice, it finds the same",
        "embeddings differ",
        "switch the network to evaluation, and draw nothing at random",
    )
    alone = np.concatenate([model.embed(frames[k : k + 1], points[k : k + 1]) for k in range(_FRAMES)])
    least = float((_normed(alone) * _normed(found)).sum(1).min())
    report.require(
        least > _SAME,
        "a face's embedding does not depend on the frames beside it",
        f"a cosine of {least:.4f} between a frame alone and the same frame among others",
        "normalise by constants rather than over the batch",
    )


def _landmarks(shown: Clip) -> NDArray[np.float32]:
    assert shown.truth is not None
    return shown.truth.landmarks.astype(np.float32, copy=True)


def _embedded(model: Any, shown: Clip) -> NDArray[np.float32]:
    return _normed(model.embed(shown.frames, _landmarks(shown)))


def _normed(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)
