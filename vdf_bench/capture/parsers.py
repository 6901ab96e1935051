"""The face parsers that attackers run, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from numpy.typing import NDArray

    from vdf_bench.capture.parsing import FrameParser
    from vdf_bench.capture.spec import Kernel
    from vdf_bench.models.parser import Parser

#: Whoever resizes frames for a parser lets it look at them as they are then.
ANY_EDGES: Final = (16, 1 << 15)


def attacker_parser(
    name: str,
    scale: float = 1.0,
    kernel: Kernel = "lanczos",
    vote: int = 0,
    weights: Mapping[str, NDArray[Any]] | None = None,
) -> FrameParser:
    """Build a parser with its weights.

    Args:
        name: one of :data:`vdf_bench.capture.spec.PARSERS`.
        scale: factor by which frames are resized for it; 1 for none.
        kernel: how they are resized.
        vote: frames to either side that vote on a mask; 0 for none.
        weights: instead of its own, of :func:`vdf_bench.models.finetune.finetune`.

    Raises:
        UserError: its weights are missing.
    """
    from vdf_bench.capture.adaptive import EnsembleParser, ScaledParser, VotingParser
    from vdf_bench.capture.hull import LandmarkHull
    from vdf_bench.models.landmarker import load_landmarker
    from vdf_bench.models.parser import SHIPPED_EDGES, load_parser

    edges = SHIPPED_EDGES

    def network(name: str) -> Parser:
        nonlocal edges
        found = load_parser(name)
        if scale != 1:
            edges, found.edges = found.edges, ANY_EDGES
        return found

    parser: FrameParser
    if name == "landmark-hull":
        parser = LandmarkHull(load_landmarker())
    elif name == "ensemble":
        parser = EnsembleParser(network("builtin"), network("heldout"), LandmarkHull(load_landmarker()))
    else:
        parser = network(name)
        if weights is not None:
            import torch

            parser.network.load_state_dict({key: torch.from_numpy(value) for key, value in weights.items()})
    if scale != 1:
        parser = ScaledParser(parser, scale, kernel, edges)
    return VotingParser(parser, vote) if vote else parser
