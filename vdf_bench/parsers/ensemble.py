"""``ensemble``: several parsers together, who outvote whichever of them was fooled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from vdf_bench.core import labels as classes
from vdf_bench.core import registry
from vdf_bench.core.cards import Card, Component
from vdf_bench.parsers import SHIPPED_EDGES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.core.interfaces import LandmarkModel, ParserModel
    from vdf_bench.core.registry import Kind
    from vdf_bench.parsers.network import Parser

#: Two networks, and what sees landmarks alone.
MEMBERS: Final = ("builtin", "heldout", "landmark-hull")
#: What captures tell apart.
_PARTS = (classes.BACKGROUND, classes.HEAD, classes.NECK, classes.TORSO)
#: Class -> number of its part.
_GROUP = np.array(
    [next(k for k, part in enumerate(_PARTS) if c in part) for c in range(len(classes.CLASSES))], np.uint8
)


class Ensemble(Component):
    """The two stock networks and the hull of landmarks."""

    card = Card(
        name="ensemble",
        title="builtin, heldout and landmark-hull together",
        summary="Where the networks disagree on a head, the landmarks' hull decides; elsewhere their mean confidence.",
        needs=("weights:builtin", "weights:heldout", "weights:landmarker"),
        trained_on="as its networks",
        edges=SHIPPED_EDGES,
    )

    def uses(self) -> list[tuple[Kind, str]]:
        return [("parsers", name) for name in MEMBERS]

    def load(self, landmarker: LandmarkModel | None = None) -> EnsembleParser:
        """See :meth:`vdf_bench.core.interfaces.Parser.load`."""
        first, second, hull = (registry.create("parsers", name).load(landmarker) for name in MEMBERS)
        return EnsembleParser(first, second, hull)


class EnsembleParser:
    """Two networks and a hull of landmarks, who outvote whichever of them was fooled.

    Where the networks agree on head, neck, torso or background, they are believed. Where they do not, the hull
    decides for a head that one of them sees; elsewhere their mean confidence decides. A defense that fools one
    network makes it confident, so confidence alone would follow the fooled one.

    Args:
        first, second: the networks.
        hull: sees landmarks alone.
    """

    def __init__(self, first: Parser, second: Parser, hull: ParserModel) -> None:
        self._networks, self._hull = (first, second), hull

    @property
    def edges(self) -> tuple[int, int]:
        """Of its networks, which look at one size."""
        return self._networks[0].edges

    @edges.setter
    def edges(self, edges: tuple[int, int]) -> None:
        for network in self._networks:
            network.edges = edges

    def parse(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See :meth:`vdf_bench.core.interfaces.ParserModel.parse`."""
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
