"""``reproduce speedup``: the measurements put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vdf_bench.claims import equal_success, published_surrogates
from vdf_bench.claims.speedup import full_size_parser, measure_work, price_looks
from vdf_bench.steps import load_clip

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdf_bench.budget import Budget
    from vdf_bench.claims.equal_success import Ratio, Timing


@dataclass(frozen=True)
class Published:
    """A frame at 512 px, on the surrogate that each method was published with; for timing only.

    Attributes:
        baselines: CPU seconds per frame by name.
        method: CPU seconds of a later frame of VDF on the full-size face parser.
    """

    baselines: dict[str, float]
    method: float


@dataclass(frozen=True)
class Speed:
    """What one run of ``reproduce speedup`` measured.

    Attributes:
        size, frames, budget: of the clips.
        timings: by defense and clip, on one surrogate.
        ratios: baselines against VDF there.
        verdict: what they say of the claim.
        published: None where it was not asked for.
    """

    size: int
    frames: int
    budget: str
    timings: dict[str, dict[str, Timing]]
    ratios: list[Ratio]
    verdict: str
    published: Published | None


def measure_speed(
    clips: tuple[str, ...],
    size: int,
    frames: int,
    budget: Budget,
    *,
    published: bool,
    tell: Callable[[str], None] = lambda text: None,
) -> Speed:
    """Measure in this process, on one thread.

    Raises:
        UserError: ``published`` without diffusers.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        # What may be missing comes first: nobody waits minutes to be told.
        steps = published_surrogates.step_seconds(tell) if published else None
        timings = equal_success.measure(clips, size, frames, budget, tell)
        beside = None
        if steps is not None:
            tell(f"vdf at {published_surrogates.SIZE} px")
            pictures = load_clip(clips[0], published_surrogates.SIZE, 64).frames[:3]
            work = measure_work(equal_success.METHOD, {}, pictures, budget)
            price = price_looks(full_size_parser(), set(work.looks), 1)
            beside = Published(
                {name: published_surrogates.STEPS * seconds for name, seconds in steps.items()}, work.seconds(price)
            )
    finally:
        torch.set_num_threads(threads)
    ratios = equal_success.ratios(timings)
    return Speed(size, frames, str(budget), timings, ratios, equal_success.verdict(ratios), beside)
