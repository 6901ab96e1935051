"""What sound says of this person's mouth: the shipped network's word, and what the clip's own landmarks add to it.

Pipelines of this family feed a frozen speech network's features to the field, which learns the lips of its one clip
from them. Here ``audio-mouth`` (:mod:`vdf_bench.models.audio_mouth`) is that network. Its own prediction stands where
the clip has nothing to add, and a ridge regression on its features, fitted to the training frames' landmarks, learns
the difference. How late the sound is and how strong the ridge are chosen by cross-validation in
blocks, and what is reported of the result is nested: every block is predicted by a map that was fitted and chosen
without it.

What was tried and lost, as nested correlation of the opening: mean of four 3 s GRID clips, a 20 s address, mean of five
rendered clips. This map has .53, .50, .96. A ridge on log-mel alone has .25, .42, .94; with Gaussian kernels .18, .49,
.94; with sound taken 0, 3 or 6 frames later .09, .53, .94; a ridge on the network's features that does not start from
its prediction .15, .50, .96. With the log-mel beside the features this map has .52, .50, .96, and then by least error
.38, .53, .97, by one standard error .45, .52, .97, as a mean of all candidates weighted by error .41, .53, .97. The
network's prediction as it is has .53, .19, .96. Three seconds have some fifteen independent frames: what is fitted or
chosen on those alone says little of others. The address has more, and its sound is about 200 ms late.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import numpy as np

from vdf_bench.capture.audio import log_mel
from vdf_bench.capture.correlation import correlation_interval
from vdf_bench.core.clip import FPS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Index = NDArray[np.int64]

#: How late the sound may be, frames: lips lead by up to three, and many files are a few frames out of step.
LAGS: Final = (0, 3, 6)
#: Strengths of the ridge over the mean square of the features; infinity is the shipped map, scaled and no more.
RIDGES: Final = (np.inf, 10.0, 1.0)
#: Correlation that the shipped map is trusted to have before the clip was looked at; unseen real voices give about .4.
PRIOR: Final = 0.5
FOLDS: Final = 6
#: Standard errors by which a candidate must beat all simpler ones: 95 % one-sided of Student's t over the folds.
DOUBT: Final = 2.0
#: Frames on either side of a predicted block that are not fitted on: the network hears 0.35 s to both sides.
GAP: Final = 6


class Listener(Protocol):
    """Anything that hears lips, such as :class:`vdf_bench.models.audio_mouth.AudioMouth`."""

    def hear(self, mel: NDArray[np.float32], times: Array) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(M, 80) log-mel at 100 Hz to mouth (T, 2), without a unit, and features (T, F) at ``times``, seconds."""
        ...


@dataclass(frozen=True)
class MouthFromSound:
    """The audio-to-mouth map at work.

    Attributes:
        mouth: (T, 2) float32, opening and width in the units of the scalars, variance matched. Training frames hold
            what the map says of them when their block was left out of fit and choice: no better than on unseen frames.
        trace: correlation of those predictions with the landmarks' over the training frames (``audio_r`` of the
            opening, ``audio_r_width``) and of the shipped map's, which never saw the clip (``audio_r_shipped``). Of
            the two openings also a 95 % interval (``_low``, ``_high``: Fisher's z on the effective number of
            frames). ``audio_lag`` is by how much the sound was found to be late, seconds.
    """

    mouth: NDArray[np.float32]
    trace: dict[str, float]


class _Candidate(NamedTuple):
    """One way to predict standardised mouths: a map that is given, and a kernel to learn the rest with."""

    prior: Array
    kernel: Array
    ridge: float
    lag: int = 0


def mouth_from_sound(
    audio: NDArray[np.float32],
    mouth: NDArray[np.float32],
    train: Index,
    listener: Listener,
    fps: Fraction = FPS,
) -> MouthFromSound:
    """Fit the map on training frames and predict the mouth of every frame.

    Args:
        audio: (N,) mono at 16 kHz.
        mouth: (T, 2) scalars from landmarks; only those of ``train`` are looked at.
        train: (A,) frame indices with trustworthy landmarks, ascending.
        listener: the frozen network.
        fps: frames per second.
    """
    target = mouth[train].astype(np.float64)
    mean, spread = target.mean(axis=0), target.std(axis=0)
    mel = log_mel(audio)
    if len(train) < 2 * FOLDS or not mel.any():
        # Nothing is heard: the mouth is shut.
        still = np.array([np.quantile(target[:, 0], 0.02), mean[1]], np.float32)
        none = dict.fromkeys(("audio_r", "audio_r_width", "audio_lag", "audio_r_shipped"), 0.0)
        ends = {f"{name}_{end}": value for name in _INTERVALS for end, value in (("low", -1.0), ("high", 1.0))}
        return MouthFromSound(np.tile(still, (len(mouth), 1)), none | ends)

    goal = (target - mean) / spread.clip(1e-9)
    heard = [_hear(listener, mel, len(mouth), lag, train, fps) for lag in LAGS]
    # From the simple to the wilful: the order is what the choice falls back on.
    candidates = [
        _Candidate(PRIOR * prior, kernel, ridge, lag)
        for ridge in RIDGES
        for lag, (prior, kernel) in zip(LAGS, heard, strict=True)
    ]
    shipped = heard[0][0][train]
    folds = _folds(train)
    guess, best = _cross_validate(candidates, goal, train, folds)

    predicted = _predict(best, goal, train)
    # Held-out frames are scaled like the training frames' out-of-block predictions: both drive alike.
    predicted[train] = guess
    matched = mean + (predicted - guess.mean(axis=0)) * spread / guess.std(axis=0).clip(1e-9)
    # A field has seen no other mouths than these.
    matched = matched.clip(target.min(axis=0), target.max(axis=0))
    runs = np.split(np.arange(len(train)), np.nonzero(np.diff(train) > 1)[0] + 1)
    trace = {"audio_r_width": _correlation(guess[:, 1], goal[:, 1]), "audio_lag": best.lag / float(fps)}
    for name, series in zip(_INTERVALS, (guess[:, 0], shipped[:, 0]), strict=True):
        trace[name] = _correlation(series, goal[:, 0])
        ends_of = correlation_interval(series - series.mean(), goal[:, 0] - goal[:, 0].mean(), runs)
        trace[f"{name}_low"], trace[f"{name}_high"] = ends_of
    return MouthFromSound(matched.astype(np.float32), trace)


_INTERVALS: Final = ("audio_r", "audio_r_shipped")


def _standard(series: Array) -> Array:
    """(T, K) without mean, at unit variance."""
    return np.asarray((series - series.mean(axis=0)) / series.std(axis=0).clip(1e-9))


def _hear(
    listener: Listener, mel: NDArray[np.float32], count: int, lag: int, train: Index, fps: Fraction
) -> tuple[Array, Array]:
    """Standardised prediction (T, 2) and kernel (T, T) of sound that comes ``lag`` frames after the lips."""
    times: Array = np.asarray((np.arange(count) + 0.5 + lag) / float(fps), np.float64)
    said, features = listener.hear(mel, times)
    return _standard(said.astype(np.float64)), _linear_kernel(features.astype(np.float64), train)


def _linear_kernel(features: Array, train: Index) -> Array:
    """(T, T) products of centred features (T, F), of unit mean square over the training frames."""
    centred = features - features[train].mean(axis=0)
    kernel = centred @ centred.T
    return np.asarray(kernel / max(float(np.diag(kernel)[train].mean()), 1e-12))


def _folds(train: Index) -> list[tuple[Index, Index]]:
    """Blocks of training frames as positions: those to predict, and those (with a gap around) to leave out."""
    blocks = []
    for block in np.array_split(np.arange(len(train)), FOLDS):
        near = (train >= train[block[0]] - GAP) & (train <= train[block[-1]] + GAP)
        blocks.append((block, np.nonzero(near)[0]))
    return blocks


def _cross_validate(
    candidates: Sequence[_Candidate], goal: Array, train: Index, folds: list[tuple[Index, Index]]
) -> tuple[Array, _Candidate]:
    """Predict each block by the candidate that the other blocks choose, fitted on the others.

    Returns:
        (A, 2) predictions, and the candidate that all blocks choose.
    """
    count = len(folds)
    guesses = []
    # [c, k, j]: squared error of candidate c on block j when block k is left out as well; [c, k, k]: only k.
    errors = np.zeros((len(candidates), count, count))
    for c, candidate in enumerate(candidates):
        left_out = _Residuals(candidate, goal - candidate.prior[train], train)
        alone = [left_out(out, block) for block, out in folds]
        guesses.append([goal[block] - error for (block, _), error in zip(folds, alone, strict=True)])
        errors[c][np.diag_indices(count)] = [np.square(error).sum() for error in alone]
        for i, j in combinations(range(count), 2):
            both = np.union1d(folds[i][1], folds[j][1])
            errors[c, i, j] = np.square(left_out(both, folds[j][0])).sum()
            errors[c, j, i] = np.square(left_out(both, folds[i][0])).sum()
    others = [np.delete(errors[:, k], k, axis=1) for k in range(count)]
    guess = np.concatenate([guesses[_choose(others[k])][k] for k in range(count)])
    return guess, candidates[_choose(np.diagonal(errors, axis1=1, axis2=2))]


def _choose(errors: Array) -> int:
    """First of the candidates whose error (C, K blocks) is not clearly above the best one's.

    Clearly is by :data:`DOUBT` standard errors of the difference over blocks: the one-standard-error rule of Breiman et
    al. (1984), stricter, as the blocks are few.
    """
    excess = errors - errors[errors.sum(axis=1).argmin()]
    doubt = DOUBT * excess.std(axis=1, ddof=1) * np.sqrt(errors.shape[1])
    return int(np.argmax(excess.sum(axis=1) <= doubt + 1e-12))


class _Residuals:
    """Errors of kernel ridge regression on frames that were left out, without fitting again.

    With ``G = (K + ridge)^-1``, leaving the set S out gives the errors ``G_SS^-1 (G y)_S`` on it: the block version of
    the leave-one-out formula.
    """

    def __init__(self, candidate: _Candidate, rest: Array, train: Index) -> None:
        self.rest = rest
        self.inverse: Array | None = None
        if np.isfinite(candidate.ridge):
            kernel = candidate.kernel[np.ix_(train, train)]
            inverse = np.asarray(np.linalg.inv(kernel + candidate.ridge * np.eye(len(train))), np.float64)
            self.inverse, self.weights = inverse, inverse @ rest

    def __call__(self, out: Index, block: Index) -> Array:
        """(B, 2) errors on ``block`` when ``out``, which holds it, is left out; both ascending positions."""
        if self.inverse is None:
            return np.asarray(self.rest[block])
        errors = np.linalg.solve(self.inverse[np.ix_(out, out)], self.weights[out])
        return np.asarray(errors[np.searchsorted(out, block)])


def _predict(candidate: _Candidate, goal: Array, train: Index) -> Array:
    """(T, 2) standardised mouths of all frames, fitted on all training frames."""
    if not np.isfinite(candidate.ridge):
        return candidate.prior.copy()
    kernel = candidate.kernel[:, train]
    weights = np.linalg.solve(kernel[train] + candidate.ridge * np.eye(len(train)), goal - candidate.prior[train])
    return np.asarray(candidate.prior + kernel @ weights)


def _correlation(a: Array, b: Array) -> float:
    """Pearson's r; 0 where either does not vary."""
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norm if norm > 1e-12 else 0.0
