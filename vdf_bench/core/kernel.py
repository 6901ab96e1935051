"""A piece of computation that a benchmark measures on a device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Kernel:
    """Something that runs on a device.

    Attributes:
        name: in words.
        run: does it once.
        bytes: lower bound on what is moved.
        flops: by a formula; None has torch count them.
        precision: of its products: a key of :attr:`vdf_bench.bench.roofline.Peaks.flops`.
    """

    name: str
    run: Callable[[], object]
    bytes: float
    flops: float | None = None
    precision: str = "float32"
