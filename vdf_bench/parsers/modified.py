"""A parser as an adaptive attacker runs it: on frames of another size, or with masks voted over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdf_bench.parsers.adaptive import ScaledParser, VotingParser

if TYPE_CHECKING:
    from vdf_bench.core.interfaces import Kernel, ParserModel

#: Whoever resizes frames for a parser lets it look at them as they are then.
ANY_EDGES: Final = (16, 1 << 15)


def modified(parser: ParserModel, scale: float = 1.0, kernel: Kernel = "lanczos", vote: int = 0) -> ParserModel:
    """Put the modifiers of a capture text around a parser.

    Args:
        parser: loaded; its own edges are opened where frames are resized for it.
        scale: factor by which frames are resized for it; 1 for none.
        kernel: how they are resized.
        vote: frames to either side that vote on a mask; 0 for none.
    """
    if scale != 1:
        edges = getattr(parser, "edges", ANY_EDGES)
        if hasattr(parser, "edges"):
            parser.edges = ANY_EDGES
        parser = ScaledParser(parser, scale, kernel, edges)
    return VotingParser(parser, vote) if vote else parser
