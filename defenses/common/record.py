"""What an attack notes of every frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vdf_bench.defenses.common.parsing import ParsingResult


class Rows:
    """Numbers by name, a row a frame, as ``Defense.log`` returns them."""

    def __init__(self) -> None:
        self._rows: list[dict[str, float]] = []

    def note(self, **values: float) -> None:
        """Note one frame."""
        self._rows.append(values)

    def as_log(self) -> dict[str, list[float]]:
        """Lists by name; empty where no frame was seen, 1 where a row lacks a name."""
        names = list(dict.fromkeys(name for row in self._rows for name in row))
        return {name: [row.get(name, 1.0) for row in self._rows] for name in names}


class Record(Rows):
    """Per-frame record of an attack on a face parser.

    ``iterations`` are the optimisation steps taken, ``success`` is 1 where the published frame meets the success
    rule, ``share`` the smallest share over the scales of source pixels that the surrogate now reads as a target,
    ``share@S`` that of scale S (1 where a frame shows no source pixel there), ``loss`` the loss that was left.
    """

    def add(self, iterations: int, result: ParsingResult, **more: float) -> None:
        """Note one frame."""
        shares = {f"share@{scale:g}": share for scale, share in result.by_scale.items()}
        values = {
            "iterations": float(iterations),
            "success": float(result.success),
            "share": result.share,
            "loss": float(result.loss.detach()),
        }
        self.note(**values, **shares, **more)
