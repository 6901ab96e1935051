"""Parsers of an attacker who knows the defense: each wraps another parser and undoes what a defense relies on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vdf_bench import labels as classes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from vdf_bench.capture.parsing import FrameParser
    from vdf_bench.capture.spec import Kernel
    from vdf_bench.models.parser import Parser

#: What captures tell apart.
_PARTS = (classes.BACKGROUND, classes.HEAD, classes.NECK, classes.TORSO)
#: Class -> number of its part.
_GROUP = np.array(
    [next(k for k, part in enumerate(_PARTS) if c in part) for c in range(len(classes.CLASSES))], np.uint8
)


class ScaledParser:
    """A parser that looks at frames of a size that the defense may not have thought of.

    Args:
        parser: parses whatever size it is given.
        scale: of the edge at which it would look by itself.
        kernel: how frames are resized: Lanczos, or averages over what a pixel covers.
        edges: smallest and largest edge at which it would look by itself.
    """

    def __init__(self, parser: FrameParser, scale: float, kernel: Kernel, edges: tuple[int, int]) -> None:
        self._parser, self._scale, self._kernel, self._edges = parser, scale, kernel, edges

    def parse(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See :meth:`vdf_bench.capture.parsing.FrameParser.parse`."""
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

    def __init__(self, parser: FrameParser, radius: int) -> None:
        self._parser, self._radius = parser, radius

    def parse(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See :meth:`vdf_bench.capture.parsing.FrameParser.parse`."""
        return vote(frames, self._parser.parse(frames), self._radius)


class EnsembleParser:
    """Two networks and a hull of landmarks, who outvote whichever of them was fooled.

    Where the networks agree on head, neck, torso or background, they are believed. Where they do not, the hull
    decides for a head that one of them sees; elsewhere their mean confidence decides. A defense that fools one
    network makes it confident, so confidence alone would follow the fooled one.

    Args:
        first, second: the networks.
        hull: sees landmarks alone.
    """

    def __init__(self, first: Parser, second: Parser, hull: FrameParser) -> None:
        self._networks, self._hull = (first, second), hull

    def parse(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See :meth:`vdf_bench.capture.parsing.FrameParser.parse`."""
        heads = classes.mask_of(self._hull.parse(frames), classes.HEAD)
        labels = np.empty(frames.shape[:3], np.uint8)
        start = 0
        for pair in zip(*(network.logits(frames) for network in self._networks), strict=True):
            here = slice(start, start := start + len(pair[0]))
            shares = [logits.softmax(1) for logits in pair]
            one, other = (share.argmax(1).byte().cpu().numpy() for share in shares)
            mean = (shares[0] + shares[1]).argmax(1).byte().cpu().numpy()
            groups = [_GROUP[labelled] for labelled in (one, other)]
            seen = [group == _GROUP[classes.HEAD[0]] for group in groups]
            torn = (groups[0] != groups[1]) & heads[here] & (seen[0] | seen[1])
            # On what they agree the mean may still name a third group.
            agreed = (groups[0] == groups[1]) & (_GROUP[mean] != groups[0])
            labels[here] = np.where(torn, np.where(seen[0], one, other), np.where(agreed, one, mean))
        return labels


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
