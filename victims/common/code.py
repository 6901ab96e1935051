"""The driving code: mouth and eye scalars in units of their own spread over the training frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Code:
    """An affine map of (opening, width, eye) to about unit variance, clamped to what training has seen.

    Attributes:
        mean, spread, low, high: (3,) float32; the last two in raw units.
    """

    #: Name of its array in a head's state.
    KEY: ClassVar[str] = "code"

    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]

    @classmethod
    def fit(cls, mouth: NDArray[np.float32], eyes: NDArray[np.float32]) -> Code:
        """Statistics of mouth (A, 2) and eyes (A,)."""
        raw = np.concatenate([mouth, eyes[:, None]], 1).astype(np.float32)
        # A floor on the spread keeps measurement noise of a silent or unblinking clip from being blown up.
        spread = np.maximum(raw.std(0), 0.01).astype(np.float32)
        slack = 0.25 * spread
        return cls(raw.mean(0).astype(np.float32), spread, raw.min(0) - slack, raw.max(0) + slack)

    def __call__(self, mouth: NDArray[np.float32], eyes: NDArray[np.float32]) -> NDArray[np.float32]:
        """(B, 3) float32 code of mouth (B, 2) and eyes (B,)."""
        raw = np.concatenate([mouth, eyes[:, None]], 1)
        return np.asarray((np.clip(raw, self.low, self.high) - self.mean) / self.spread, np.float32)

    def state(self) -> dict[str, NDArray[np.generic]]:
        """As one array, for a head's state."""
        return {self.KEY: np.stack([self.mean, self.spread, self.low, self.high])}

    @classmethod
    def restore(cls, state: dict[str, NDArray[np.generic]]) -> Code:
        """Inverse of :meth:`state`."""
        return cls(*np.asarray(state[cls.KEY], np.float32))

    def repeats(self, codes: NDArray[np.float32]) -> NDArray[np.int64]:
        """(A,) how often an epoch shows each training frame: blinks and wide mouths are rare, so up to four times.

        TalkingGaussian samples frames by mouth openness and AU45 to the same end, with loops that may not end.
        """
        return np.asarray(1 + np.clip(np.abs(codes).max(1) - 1, 0, 3).round(), np.int64)
