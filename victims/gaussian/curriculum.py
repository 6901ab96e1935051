"""Incremental sampling: frames by a window that slides from shut to open mouths, and over eye closure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Passes of the windows over their range.
PASSES: Final = 2
#: Every such draw goes by the eyes, the others by the mouth.
EYES_EVERY: Final = 3


class Windows(NamedTuple):
    """Where the window stands as training goes on.

    Attributes:
        starts: its lower bound in each position, share of the range.
        width: share of the range.
        least: width of a range, so that noise of a mouth or of lids that never move is not one.
    """

    starts: tuple[float, ...]
    width: float
    least: float

    def at(self, smallest: float, largest: float, share: float) -> tuple[float, float]:
        """Bounds of the window at ``share`` in [0, 1) of the curriculum, over values in ``smallest`` to ``largest``."""
        reach = max(largest - smallest, self.least)
        position = int(share * PASSES % 1 * len(self.starts))
        start = smallest + self.starts[position] * reach
        # Bounds are included, whatever rounding does to them.
        return start - 1e-3 * reach, start + (self.width + 1e-3) * reach


#: Units of ``Capture.mouth``: a mouth that opens at all opens by 0.025 of the distance between the eyes.
OPENING: Final = Windows((0.0, 0.2, 0.4, 0.6), 0.4, 0.025)
#: Units of ``Capture.eyes``. Two halves: lids pass between open and shut in too few frames for a window of their own.
CLOSURE: Final = Windows((0.0, 0.5), 0.5, 0.02)


class Curriculum:
    """Draws training frames from a sliding window (TalkingGaussian, section 3.2).

    TalkingGaussian redraws until a frame lies in the window, which never ends where none does: a mouth that never
    opens, landmarks that an attack has frozen or thrown far out. Here a draw tries every frame once, then takes any.

    Args:
        opening: (A,) mouth opening of the training frames, units of ``Capture.mouth``.
        eyes: (A,) eye opening, units of ``Capture.eyes``.

    Attributes:
        hits: draws that found no frame in their window.
    """

    def __init__(self, opening: NDArray[np.float32], eyes: NDArray[np.float32]) -> None:
        self._measures = [(opening, OPENING), (-eyes, CLOSURE)]
        self._draws = 0
        self.hits = 0

    def draw(self, share: float, random: np.random.Generator) -> int:
        """A frame for the moment ``share`` in [0, 1) of the curriculum."""
        by_eyes = self._draws % EYES_EVERY == EYES_EVERY - 1
        self._draws += 1
        values, windows = self._measures[by_eyes]
        low, high = windows.at(float(values.min()), float(values.max()), share)
        tried = random.permutation(len(values))
        for frame in tried:
            if low <= values[frame] <= high:
                return int(frame)
        self.hits += 1
        return int(tried[0])

    def notes(self) -> list[str]:
        """What a reader of the results should know."""
        if not self.hits:
            return []
        return [
            f"curriculum: cap hit {self.hits} times of {self._draws}: official TalkingGaussian would hang here "
            "(no frame has the mouth opening or eye closure that it waits for)"
        ]

    def state(self) -> list[int]:
        """For a checkpoint."""
        return [self._draws, self.hits]

    def restore(self, state: list[int]) -> None:
        """Inverse of :meth:`state`."""
        self._draws, self.hits = state
