"""Where a recogniser's threshold comes from: cosines of different people in clips that the user has."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

#: False accept rate that thresholds are set for.
FAR: Final = 1e-3
#: Standard deviations above the mean that a normal distribution exceeds with that probability.
TAIL: Final = 3.0902
#: Fewer people leave too few pairs.
MIN_PEOPLE: Final = 3
#: Frames of a clip that are looked at, and the edge to which it is decoded.
FRAMES: Final = 12
SIZE: Final = 256


class Calibration(NamedTuple):
    """Cosines of strangers and of the same person, between single frames.

    Attributes:
        threshold: above which strangers' cosines lie with probability 1e-3.
        people, pairs: how many, and how many pairs of them.
        stranger_mean, stranger_deviation, stranger_highest: of frames of different people.
        same_lowest, same_mean: of different frames of one person.
        refused: share of the same person's pairs below the threshold.
    """

    threshold: float
    people: int
    pairs: int
    stranger_mean: float
    stranger_deviation: float
    stranger_highest: float
    same_lowest: float
    same_mean: float
    refused: float

    @property
    def basis(self) -> str:
        """Where the threshold comes from, in words."""
        return (
            f"FAR 1e-3, the tail of cosines between {self.people} people ({self.pairs} pairs): "
            f"{self.stranger_mean:.2f} ± {self.stranger_deviation:.2f}; refuses {self.refused:.1%} of the same person's"
        )


def calibrate(path: Path, people: Sequence[Sequence[Path]]) -> Calibration:
    """Measure a recogniser on clips.

    Args:
        path: the ONNX file.
        people: clips of each person.

    Raises:
        UserError: too few people, a clip that cannot serve, or not a recogniser.
    """
    from vdf_bench.recognisers.arcface import ONNX_THRESHOLD, OnnxModel

    if len(people) < MIN_PEOPLE:
        raise UserError(f"calibration needs {MIN_PEOPLE} people, and has {len(people)}: say --person CLIP for each")
    recogniser = OnnxModel(path, ONNX_THRESHOLD)
    return threshold_of([np.concatenate([embeddings(recogniser, clip) for clip in clips]) for clips in people])


def embeddings(recogniser: Any, clip: Path, frames: int = FRAMES) -> NDArray[np.float64]:
    """(F, D) unit embeddings of frames spread over a clip's beginning, those with a face.

    Raises:
        UserError: the clip cannot be read, or shows no face.
    """
    from vdf_bench.judges.observe import SEEN, Tools
    from vdf_bench.stages.load import load_clip

    decoded = load_clip(str(clip), SIZE, 75).frames
    chosen = decoded[np.unique(np.linspace(0, len(decoded) - 1, frames).round().astype(int))]
    points, score = Tools().load_landmarker().detect(chosen)
    seen = (score >= SEEN) & np.isfinite(points).all((1, 2))
    if not seen.any():
        raise UserError(f"{clip}: no face found: give a clip that shows one")
    found = recogniser.embed(chosen[seen], points[seen]).astype(np.float64)
    unit: NDArray[np.float64] = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
    return unit


def threshold_of(people: Sequence[NDArray[np.float64]]) -> Calibration:
    """The threshold from unit embeddings (F, D) of each person.

    The tail is that of a normal distribution: cosines of strangers follow it closely, and a handful of people cannot
    show one in a thousand. Where more than one in a thousand of those measured lie above it, they decide.
    """
    crossed = [(people[i] @ people[j].T).ravel() for i, j in combinations(range(len(people)), 2)]
    strangers = np.concatenate(crossed)
    within = [(each @ each.T)[np.triu_indices(len(each), 1)] for each in people]
    same = np.concatenate(within)
    tail = strangers.mean() + TAIL * strangers.std()
    threshold = float(np.clip(max(tail, np.quantile(strangers, 1 - FAR)), -1, 1))
    return Calibration(
        threshold=threshold,
        people=len(people),
        pairs=len(crossed),
        stranger_mean=float(strangers.mean()),
        stranger_deviation=float(strangers.std()),
        stranger_highest=float(strangers.max()),
        same_lowest=float(same.min()) if len(same) else 1.0,
        same_mean=float(same.mean()) if len(same) else 1.0,
        refused=float((same < threshold).mean()) if len(same) else 0.0,
    )
