"""How many times faster than VDF's official loop a defense protects a later frame.

Three measurements, none of which runs the official system:

1. the *work* of a defense on a clip: how often its surrogate, a parser that ships, looked at a frame at which size,
   how often it went back, and what the defense computed besides; later frames only;
2. the *price* of a look at that size by the full-size BiSeNet (random weights), as the shipped parsers are loaded:
   frozen, batch norms folded;
3. the price of the official loop's iteration (:mod:`vdf_bench.claims.official_loop`).

Seconds per later frame are work times price. Process CPU time, one thread, all in one process: ratios carry over to
other machines better than seconds.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from vdf_bench.claims.official_loop import OfficialSeconds, time_official
from vdf_bench.core import registry
from vdf_bench.core.frames import to_tensors
from vdf_bench.core.interfaces import Setting
from vdf_bench.models.layers import fold_batch_norm
from vdf_bench.parsers.network import load_parser, new_parser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import Tensor

    from vdf_bench.core.budget import Budget


@dataclass(frozen=True)
class Look:
    """One way to use a parser: edge of the square picture in pixels, in bfloat16 or not, with the way back or not."""

    edge: int
    reduced: bool
    back: bool


@dataclass(frozen=True)
class Work:
    """What a defense did on later frames, per frame.

    Attributes:
        looks: uses of the parser.
        besides: CPU seconds outside the parser.
        iterations: updates.
        success: share of later frames that meet the defense's success rule, by its own log.
        worst: smallest share of relabelled pixels over frames and scales, by its own log.
        psnr: dB, mean over all frames.
    """

    looks: dict[Look, float]
    besides: float
    iterations: float
    success: float
    worst: float
    psnr: float

    def seconds(self, price: dict[Look, float]) -> float:
        """CPU seconds of a later frame at ``price``."""
        return self.besides + sum(count * price[look] for look, count in self.looks.items())


class CountingParser(nn.Module):
    """A surrogate that notes how it is used, and the CPU seconds spent in it.

    ``looks`` counts both kinds of a look at once: one with the way back counts as such only.
    """

    def __init__(self, parser: nn.Module) -> None:
        super().__init__()
        self.parser = parser
        self.start()

    def start(self) -> None:
        """Begin anew."""
        self.looks: Counter[Look] = Counter()
        self.seconds = 0.0

    def forward(self, x: Tensor) -> Tensor:
        reduced = torch.is_autocast_enabled("cpu")
        once, back = (Look(x.shape[-1], reduced, way) for way in (False, True))
        began = time.process_time()
        logits: Tensor = self.parser(x)
        self.seconds += time.process_time() - began
        self.looks[once] += 1
        if logits.requires_grad:
            returned = [0.0]

            def leave(gradient: Tensor) -> None:
                del gradient
                self.looks[once] -= 1
                self.looks[back] += 1
                returned[0] = time.process_time()

            def arrive(gradient: Tensor) -> None:
                del gradient
                self.seconds += time.process_time() - returned[0]

            logits.register_hook(leave)  # type: ignore[no-untyped-call]
            if x.requires_grad:
                x.register_hook(arrive)  # type: ignore[no-untyped-call]
        return logits


def measure_work(
    defense: str,
    overrides: dict[str, str],
    frames: NDArray[np.uint8],
    budget: Budget,
    *,
    seed: int = 0,
    surrogate: str = "builtin",
) -> Work:
    """Protect ``frames`` (T, S, S, 3), T > 1, and count what the later ones cost."""
    counting = CountingParser(load_parser(surrogate))
    method = registry.create("defenses", defense, overrides)
    setting = Setting(budget=budget, size=frames.shape[1], seed=seed, surrogate=counting)  # type: ignore[arg-type]
    psnr = []
    total = 0.0
    stream: Iterator[Tensor] = method.protect(to_tensors(frames), setting)
    began = time.process_time()
    for index, (picture, clean) in enumerate(zip(stream, to_tensors(frames), strict=True)):
        if index:
            total += time.process_time() - began
        error = float((picture - clean).square().mean())
        psnr.append(100.0 if not error else -10 * np.log10(error))
        if index == 0:
            counting.start()
        began = time.process_time()
    later = len(frames) - 1
    log = method.log()
    return Work(
        looks={look: count / later for look, count in counting.looks.items() if count},
        besides=max(total - counting.seconds, 0.0) / later,
        iterations=float(np.mean(log["iterations"][1:])),
        success=float(np.mean(log["success"][1:])),
        worst=float(min(log["share"][1:])),
        psnr=float(np.mean(psnr)),
    )


def full_size_parser() -> nn.Module:
    """BiSeNet of the official size with random weights, frozen and folded as :func:`load_parser` does it."""
    torch.manual_seed(0)
    parser = new_parser("bisenet").eval().requires_grad_(False)
    fold_batch_norm(parser)
    return parser


def price_looks(parser: nn.Module, looks: set[Look], repeats: int = 2) -> dict[Look, float]:
    """CPU seconds of each use of ``parser``: the fastest of ``repeats``, after one to warm up."""
    price = {}
    for look in sorted(looks, key=lambda look: (look.edge, look.reduced, look.back)):
        x = torch.rand(1, 3, look.edge, look.edge).contiguous(memory_format=torch.channels_last)
        spent = []
        for _ in range(repeats + 1):
            leaf = x.clone(memory_format=torch.preserve_format).requires_grad_(look.back)
            began = time.process_time()
            with torch.autocast("cpu", torch.bfloat16, enabled=look.reduced):
                logits = parser(leaf)
            if look.back:
                torch.autograd.backward(logits, torch.ones_like(logits))
            spent.append(time.process_time() - began)
        price[look] = min(spent[1:])
    return price


@dataclass(frozen=True)
class Speedup:
    """One comparison at one size: seconds of a later frame, officially and ours.

    Attributes:
        size: edge, pixels.
        official: parts of the official loop.
        reference: work of the defense that stands for the official one: its updates and its success count.
        work: of the defense that is compared.
        seconds: of a later frame of ``work`` at full-size prices.
    """

    size: int
    official: OfficialSeconds
    reference: Work
    work: Work
    seconds: float

    @property
    def reference_seconds(self) -> float:
        """A later frame of the official loop."""
        return self.official.frame(self.reference.iterations) - (1 - self.reference.success) * (
            self.official.frame(0) - self.official.masks
        )

    @property
    def ratio(self) -> float:
        """How many times faster."""
        return self.reference_seconds / self.seconds


def measure_speedup(
    frames: NDArray[np.uint8],
    budget: Budget,
    *,
    defense: str = "vdf",
    overrides: dict[str, str] | None = None,
    reference: str = "vdf-official",
    reference_overrides: dict[str, str] | None = None,
    repeats: int = 2,
) -> Speedup:
    """Compare a defense with the official loop on one clip.

    Args:
        frames: (T, S, S, 3) uint8 RGB; both run on all of them, and later ones count.
        budget: of both.
        defense: name of the one that is compared, with ``overrides`` as of ``--set``.
        overrides: its parameters.
        reference: name of the defense whose updates per frame and success the official arithmetic is charged for.
        reference_overrides: its parameters.
        repeats: of every timing; the fastest counts.
    """
    size = frames.shape[1]
    done = measure_work(reference, reference_overrides or {}, frames, budget)
    work = measure_work(defense, overrides or {}, frames, budget)
    price = price_looks(full_size_parser(), set(work.looks), repeats)
    return Speedup(size, time_official(size, repeats), done, work, work.seconds(price))
