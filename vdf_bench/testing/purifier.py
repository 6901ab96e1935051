"""The contract of purifiers."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import torch

from vdf_bench.core.budget import Budget
from vdf_bench.core.interfaces import Harmless, Setting
from vdf_bench.testing.component import begin
from vdf_bench.testing.footage import tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from torch import Tensor

    from vdf_bench.core.cards import Component
    from vdf_bench.testing.report import Report

_SIZE: Final = 48
#: An edge that codecs and poolings cannot halve.
_ODD: Final = 37
#: Frames of the clip, and of it for purifiers that take minutes.
_FRAMES = 24
_FEW = 4
#: Frames that are offered to see how many a purifier holds.
_OFFERED: Final = 80


class _Counted:
    """An iterator that counts what was taken from it."""

    def __init__(self, frames: Iterable[Tensor]) -> None:
        self.taken = 0
        self._frames = iter(frames)

    def __iter__(self) -> Iterator[Tensor]:
        return self

    def __next__(self) -> Tensor:
        frame = next(self._frames)
        self.taken += 1
        return frame


def check_purifier(purifier: type[Component] | Component, window: int = _OFFERED - 5) -> Report:
    """Check that a purifier gives back every frame, streams, repeats itself, and says when it is harmless.

    Args:
        purifier: class or instance; see :class:`vdf_bench.core.interfaces.Purifier`.
        window: most frames that it may have taken when it gives out the first one.

    Returns:
        a report with the fact ``window``.

    Raises:
        AssertionError: a property does not hold.
    """
    report, new = begin(purifier, "purifiers", "purify")
    frames = tensors(_SIZE, _FRAMES)[: _FRAMES if new().card.cost == "seconds" else _FEW]
    _check_frames(report, new, frames)
    _check_harmless(report, new, frames)
    _check_window(report, new, window)
    alone = tensors(_ODD, 1)
    made = [tuple(frame.shape) for frame in new().purify(iter(alone), _setting(alone))]
    report.require(
        made == [(3, _ODD, _ODD)],
        "it takes a single frame, and one of odd size",
        f"{made} for one frame of {_ODD} px",
        "pad before you halve, and cut what was added off again",
    )
    return report


def _setting(clean: Tensor) -> Setting:
    """With unprotected footage of its own."""
    return Setting(Budget(0.0), clean.shape[-1], clean=lambda: (frame.clone() for frame in clean))


def _check_frames(report: Report, new: Callable[[], Any], frames: Tensor) -> None:
    setting = _setting(1 - frames)
    purifier, made = new(), []
    for index, frame in enumerate(purifier.purify((frame.clone() for frame in frames), setting)):
        report.require(
            tuple(frame.shape) == (3, _SIZE, _SIZE) and frame.dtype == torch.float32,
            "frames are (3, S, S) float32",
            f"frame {index} is {tuple(frame.shape)} {frame.dtype}",
            "keep the shape and type of what comes in",
        )
        report.require(
            bool(torch.isfinite(frame).all()) and float(frame.min()) >= 0 and float(frame.max()) <= 1,
            "pixels are in [0, 1]",
            f"frame {index} spans {float(frame.min()):.4g} to {float(frame.max()):.4g}",
            "clamp to [0, 1]",
        )
        made.append(frame.clone())
        frame.zero_()  # what was given away is of no further use to the purifier
    report.require(
        len(made) == len(frames),
        "it yields one frame for each",
        f"{len(made)} for {len(frames)}",
        "yield what is still held when the frames end; repeat a frame where one is dropped",
    )
    given = frames.clone()
    again = list(new().purify(iter(given), setting))
    report.require(
        torch.equal(given, frames),
        "it leaves the frames that it is given as they are",
        "a frame was written to",
        "copy a frame before you change it in place",
    )
    report.require(
        torch.equal(torch.stack(made), torch.stack(again)),
        "the same seed gives the same bytes, whatever becomes of frames that were given out",
        "a second run differs",
        "draw from a generator of setting.seed, and yield copies of frames that you go on using",
    )
    report.require(
        list(purifier.purify(iter(()), _setting(frames[:0]))) == [],
        "it yields nothing for no frames",
        "a frame",
        "yield inside the loop over frames only",
    )


def _check_harmless(report: Report, new: Callable[[], Any], frames: Tensor) -> None:
    """A purifier says at which strength it does nothing, or that there is none."""
    cls = type(new())
    harmless: Any = getattr(cls, "harmless", "missing")
    report.require(
        harmless is None or isinstance(harmless, Harmless),
        "it says at which parameters it does nothing",
        f"harmless is {harmless!r}",
        "give the class `harmless`, a vdf_bench.core.interfaces.Harmless, or None where it always changes frames",
    )
    if harmless is None:
        return
    gentle = cls.configured(harmless.parameters)
    made = torch.stack(list(gentle.purify((frame.clone() for frame in frames), _setting(1 - frames))))
    worst = float(255 * (made - frames).abs().max())
    report.require(
        worst <= harmless.levels + 1e-4,
        "at its harmless parameters it does nothing",
        f"a pixel changes by {worst:.4g} levels, `harmless` allows {harmless.levels:g}",
        "correct the parameters or the levels of `harmless`",
    )


def _check_window(report: Report, new: Callable[[], Any], window: int) -> None:
    few = tensors(32, _FEW)
    feed = _Counted(few[k % _FEW].clone() for k in range(_OFFERED))
    clean = few.repeat(_OFFERED // _FEW, 1, 1, 1)
    held = [feed.taken - count for count, _ in enumerate(islice(new().purify(feed, _setting(clean)), 5))]
    report.facts["window"] = held[0]
    report.require(
        max(held) == held[0] <= window,
        "it streams: the frames that it holds do not grow",
        f"frames taken beyond those given out: {held}; at most {window}",
        "yield frames as soon as they are done instead of collecting the clip",
    )
