"""The face parsers that attackers run, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vdf_bench.capture.parsing import FrameParser
    from vdf_bench.capture.spec import Kernel

#: Whoever resizes frames for a parser lets it look at them as they are then.
ANY_EDGES: Final = (16, 1 << 15)


def attacker_parser(name: str, scale: float = 1.0, kernel: Kernel = "lanczos", vote: int = 0) -> FrameParser:
    """Build a parser with its weights.

    Args:
        name: one of :data:`vdf_bench.capture.spec.PARSERS`.
        scale: factor by which frames are resized for it; 1 for none.
        kernel: how they are resized.
        vote: frames to either side that vote on a mask; 0 for none.

    Raises:
        UserError: its weights are missing.
    """
    from vdf_bench.capture.adaptive import VotingParser

    parser = _scaled(name, scale, kernel)
    return VotingParser(parser, vote) if vote else parser


def _scaled(name: str, scale: float, kernel: Kernel) -> FrameParser:
    from vdf_bench.capture.adaptive import ScaledParser
    from vdf_bench.models.parser import SHIPPED_EDGES, load_parser

    if name == "landmark-hull":
        from vdf_bench.capture.hull import LandmarkHull
        from vdf_bench.models.landmarker import load_landmarker

        hull = LandmarkHull(load_landmarker())
        return hull if scale == 1 else ScaledParser(hull, scale, kernel, SHIPPED_EDGES)
    parser = load_parser(name)
    if scale == 1:
        return parser
    edges, parser.edges = parser.edges, ANY_EDGES
    return ScaledParser(parser, scale, kernel, edges)
