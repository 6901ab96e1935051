"""The harness's hand on a defense: what leaves it is an 8-bit picture within the budget, at the asked fidelity."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.core.budget import Budget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import Tensor

    from vdf_bench.core.interfaces import Defense, Setting

#: Halvings of the factor's bracket: beyond them no 8-bit pixel changes.
_HALVINGS = 40
#: Distance of a float32 pixel times 255 from a whole number that rounding alone explains.
_ROUNDING = 1e-3
#: Tag of components that the budget does not bind, such as positive controls.
IGNORES_BUDGET = "ignores-budget"


class BudgetError(RuntimeError):
    """A defense broke its contract: a bug in the defense, never the user's doing."""


def enforce(clean: Tensor, protected: Tensor, budget: Budget) -> Tensor:
    """Check the bound of ``budget`` and meet its floor.

    The floor is met by scaling the perturbation toward the clean frame by the largest factor that does, by bisection
    on rounded pixels. Where all pixels move by about as much, as random signs do, rounding takes them down together,
    and the frame ends up to some dB above the floor.

    Args:
        clean: (3, S, S) float32 RGB in [0, 1], multiples of 1/255.
        protected: the same of what a defense yields.
        budget: bound and floor.

    Returns:
        (3, S, S) float32 RGB in [0, 1], multiples of 1/255; ``protected`` itself where it meets the floor.

    Raises:
        BudgetError: ``protected`` is no 8-bit picture, or leaves the bound.
    """
    import torch

    if protected.shape != clean.shape:
        raise BudgetError(f"returned a frame of shape {tuple(protected.shape)}, expected {tuple(clean.shape)}")
    before, after = _levels(clean), _levels(protected)
    change = after - before
    worst = int(np.abs(change).max(initial=0))
    if worst > budget.whole_levels:
        raise BudgetError(f"changed a pixel by {worst}/255, its budget is {budget.levels:.4g}/255")
    factor = floor_factor(change, budget.psnr)
    if factor == 1.0:
        return protected
    kept = before + _scaled(change, factor)
    return torch.from_numpy((kept / 255).astype(np.float32)).to(protected)


def floor_factor(change: NDArray[np.int64], floor: float) -> float:
    """The largest share of a perturbation that keeps a frame's PSNR at ``floor`` dB or above.

    Args:
        change: perturbation in 8-bit levels, any shape.
        floor: dB; 0 keeps all.

    Returns:
        In [0, 1]; the lower end of the last bracket, which meets the floor.
    """
    if not floor or not change.size:
        return 1.0
    # Rounded magnitudes never fall as the factor grows, so neither does the error: bisection finds the edge. It needs
    # no more of the frame than how often each magnitude occurs.
    counts = np.bincount(np.abs(change).ravel())
    magnitudes = np.arange(len(counts))
    allowed = change.size * 255**2 / 10 ** (floor / 10)

    def meets(factor: float) -> bool:
        return float(counts @ _scaled(magnitudes, factor) ** 2) <= allowed

    if meets(1.0):
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if meets(middle) else (low, middle)
    return low


def meet_floor(clean: Tensor, frame: Tensor, budget: Budget) -> tuple[Tensor, float]:
    """As :func:`enforce`, with the share of the perturbation's L2 norm that is left."""
    published = enforce(clean, frame, budget)
    if published is frame:
        return published, 1.0
    return published, float((published - clean).norm()) / float((frame - clean).norm())


class Published:
    """The stream of a defense, enforced and timed: iterate once, then read the record.

    Attributes:
        seconds: processor seconds that the defense spent on each frame (its set-up counts to the first).
        kept: share of each frame's perturbation that the floor let pass.
    """

    def __init__(self, defense: Defense, frames: Iterator[Tensor], setting: Setting) -> None:
        self._defense = defense
        self._frames = frames
        self._setting = setting
        self.seconds: list[float] = []
        self.kept: list[float] = []

    def __iter__(self) -> Iterator[Tensor]:
        """Yield one published frame per frame.

        Raises:
            BudgetError: the defense, by name, left its budget, or yielded another number of frames.
        """
        from collections import deque

        card = getattr(self._defense, "card", None)
        name = card.name if card is not None else type(self._defense).__name__
        free = card is not None and IGNORES_BUDGET in card.tags
        budget = Budget(1.0) if free else self._setting.budget
        waiting: deque[Tensor] = deque()
        spent = 0.0  # on reading clean frames, which is not the defense's work

        def read() -> Iterator[Tensor]:
            nonlocal spent
            while True:
                begun = time.process_time()
                frame = next(self._frames, None)
                spent += time.process_time() - begun
                if frame is None:
                    return
                waiting.append(frame.clone())  # a defense may write into what it is given
                yield frame

        stream = self._defense.protect(read(), self._setting)
        try:
            while True:
                spent, begun = 0.0, time.process_time()
                frame = next(stream, None)
                took = time.process_time() - begun - spent
                if frame is None:
                    break
                if not waiting:
                    raise BudgetError("returned more frames than it was given")
                self.seconds.append(took)
                clean = waiting.popleft()
                published, kept = meet_floor(clean, frame, budget)
                self.kept.append(kept)
                yield published
            if waiting:
                raise BudgetError(f"returned {len(waiting)} frames too few")
        except BudgetError as error:
            raise BudgetError(f"defense {name}, frame {len(self.kept)}: {error}") from None

    def log(self) -> dict[str, list[float]]:
        """The defense's own record, with ``kept`` where there is a floor."""
        log = dict(self._defense.log())
        return log | {"kept": self.kept} if self._setting.budget.psnr else log


def _levels(picture: Tensor) -> NDArray[np.int64]:
    """8-bit levels of a picture in [0, 1]."""
    scaled = picture.detach().cpu().double().numpy() * 255
    whole = np.rint(scaled)
    # Written so that NaN fails too.
    if not (np.abs(scaled - whole) <= _ROUNDING).all():
        raise BudgetError("returned values that are not multiples of 1/255")
    if whole.min(initial=0) < 0 or whole.max(initial=0) > 255:
        raise BudgetError("returned values outside [0, 1]")
    levels: NDArray[np.int64] = whole.astype(np.int64)
    return levels


def _scaled(levels: NDArray[np.int64], factor: float) -> NDArray[np.int64]:
    """``factor`` times ``levels``, to the nearest level, halves toward zero: alike for both signs."""
    scaled: NDArray[np.int64] = (np.sign(levels) * np.ceil(factor * np.abs(levels) - 0.5)).astype(np.int64)
    return scaled
