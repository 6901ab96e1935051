"""``reproduce speedup``: the measurements put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vdf_bench.claims import equal_success, published_surrogates
from vdf_bench.claims.speedup import full_size_parser, measure_work, price_looks
from vdf_bench.stages.load import load_clip

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdf_bench.claims.equal_success import Ratio, Timing
    from vdf_bench.core.budget import Budget


#: Later frames at 512 px on which VDF's work is counted.
LATER_FRAMES: Final = 2


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
        cap: steps per frame after which a baseline was given up.
        timings: by defense and clip, on one surrogate.
        ratios: baselines against VDF there.
        verdict: what they say of the claim.
        published: None where it was not asked for.
    """

    size: int
    frames: int
    budget: str
    cap: int
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
    cap: int = equal_success.CAP,
    published: bool = False,
    tell: Callable[[str, float], None] = lambda text, share: None,
) -> Speed:
    """Measure in this process, on one thread.

    Raises:
        UserError: ``published`` without diffusers.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        # What may be missing comes first: nobody should wait minutes for that message.
        beside = measure_published(clips[0], budget, tell) if published else None
        timings = equal_success.measure(clips, size, frames, budget, cap, tell)
    finally:
        torch.set_num_threads(threads)
    ratios = equal_success.ratios(timings)
    return Speed(size, frames, str(budget), cap, timings, ratios, equal_success.verdict(ratios), beside)


def measure_published(clip: str, budget: Budget, tell: Callable[[str, float], None]) -> Published:
    """Price a frame of ``clip`` at 512 px on the surrogates of the publications.

    Raises:
        UserError: diffusers is not installed.
    """
    size = published_surrogates.SIZE
    steps = published_surrogates.step_seconds(lambda text: tell(text, 0.0))
    tell(f"vdf at {size} px, full-size face parser, random weights", 0.0)
    pictures = load_clip(clip, size, 64).frames[: LATER_FRAMES + 1]
    work = measure_work(equal_success.METHOD, {}, pictures, budget)
    price = price_looks(full_size_parser(), set(work.looks), 1)
    seconds = {name: published_surrogates.STEPS * each for name, each in steps.items()}
    return Published(seconds, work.seconds(price))
