"""Parsers of an attacker who knows the defense: each wraps another parser and undoes what a defense relies on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from vdf_bench.core.interfaces import Kernel, ParserModel


class ScaledParser:
    """A parser that looks at frames of a size that the defense may not have thought of.

    Args:
        parser: parses whatever size it is given.
        scale: of the edge at which it would look by itself.
        kernel: how frames are resized: Lanczos, or averages over what a pixel covers.
        edges: smallest and largest edge at which it would look by itself.
    """

    def __init__(self, parser: ParserModel, scale: float, kernel: Kernel, edges: tuple[int, int]) -> None:
        self._parser, self._scale, self._kernel, self._edges = parser, scale, kernel, edges

    def parse(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See :meth:`vdf_bench.core.interfaces.ParserModel.parse`."""
        from PIL import Image

        kernel = Image.Resampling.BOX if self._kernel == "area" else Image.Resampling.LANCZOS
        size = frames.shape[1]
        edge = max(16, round(self._scale * min(max(size, self._edges[0]), self._edges[1])))
        seen = np.stack([np.asarray(Image.fromarray(frame).resize((edge, edge), kernel)) for frame in frames])
        # Pixel centres lie at half integers.
        back = np.minimum(((np.arange(size) + 0.5) * edge / size).astype(np.int64), edge - 1)
        return self._parser.parse(seen)[:, back[:, None], back[None]]


class VotingParser:
    """A parser whose masks are voted over time: what flickers loses.

    Args:
        parser: parses.
        radius: frames to either side that vote; the ends take what there is.
    """

    def __init__(self, parser: ParserModel, radius: int) -> None:
        self._parser, self._radius = parser, radius

    def parse(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See :meth:`vdf_bench.core.interfaces.ParserModel.parse`."""
        return vote(frames, self._parser.parse(frames), self._radius)


def vote(frames: NDArray[np.uint8], labels: NDArray[np.uint8], radius: int) -> NDArray[np.uint8]:
    """The most frequent class of each pixel over ``2 radius + 1`` frames, followed along optical flow.

    Args:
        frames: (T, S, S, 3) uint8 RGB, which the flow is found on.
        labels: (T, S, S) uint8 classes.
        radius: frames to either side; the ends take what there is. A pixel's own class wins its ties.

    Returns:
        (T, S, S) uint8 classes.
    """
    from vdf_bench.video.flow import dense_flow, warp

    count = len(frames)
    # What was one frame away is carried on from frame to frame: 2 T flows, not 2 R T.
    steps = {way: [dense_flow(frames[t], frames[t + way]) for t in _inner(count, way)] for way in (-1, 1) if count > 1}
    ballots = [labels]
    for way in steps:
        carried = labels
        for _ in range(radius):
            moved = carried.copy()  # an end has no neighbour to ask, and asks itself again
            for flow, t in zip(steps[way], _inner(count, way), strict=True):
                moved[t] = warp(carried[t + way], flow, order=0)
            carried = moved
            ballots.append(carried)
    return _majority(ballots)


def _inner(count: int, way: int) -> range:
    """The frames that have a neighbour on that side."""
    return range(1, count) if way < 0 else range(count - 1)


def _majority(ballots: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """The class with most votes at each pixel; the first ballot holds every class, and decides ties it is part of."""
    most = np.zeros(ballots[0].shape, np.float32)
    best = np.zeros(ballots[0].shape, np.uint8)
    for value in np.unique(ballots[0]):
        count = sum((ballot == value).astype(np.float32) for ballot in ballots) + 0.5 * (ballots[0] == value)
        more = count > most
        best[more] = value
        most = np.maximum(most, count)
    return best
