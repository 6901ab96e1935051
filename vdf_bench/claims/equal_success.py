"""The 47-fold claim on one surrogate: seconds per frame of VDF and of per-frame baselines that succeed as well.

VDF's abstract claims "47x acceleration over the fastest baseline"; which baseline, unit and machine its tables mean is
not known here. So the question is asked in a form that can be answered: how long does each take per frame until the
same parser, at the same scales and bound, misses the face? All run in one process, one thread, CPU time.

A ratio counts only where the baseline succeeded on as many frames as VDF: giving up early is no speed. The unit is
the clip; the interval is over clips, of the mean log ratio.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from vdf_bench import registry
from vdf_bench.interfaces import Setting
from vdf_bench.stats import bootstrap_interval
from vdf_bench.steps import load_clip, to_tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from torch import nn

    from vdf_bench.budget import Budget

CLAIM: Final = 47.0
METHOD: Final = "vdf"
#: Baselines, and what lets each go on until it succeeds: their published step counts are for other surrogates.
BASELINES: Final[dict[str, dict[str, str]]] = {
    "pgd": {"steps": "300"},
    "mifgsm": {"steps": "300", "step_size": "1"},
    "grasp": {"steps": "300"},
    "warm-pgd": {"steps": "300"},
}
#: Not a baseline of the paper's kind: it inherits, as VDF does. Its ratio says what the inheritance alone is worth.
INHERITING: Final = "warm-pgd"
#: A baseline may succeed on this much less of the frames and still count as equal.
EQUAL: Final = 0.02


@dataclass(frozen=True)
class Timing:
    """One defense on one clip.

    Attributes:
        seconds: CPU seconds of each frame.
        success: share of frames that meet the success rule, by the defense's own log.
        psnr: dB, mean over frames.
    """

    seconds: tuple[float, ...]
    success: float
    psnr: float

    @property
    def mean(self) -> float:
        """CPU seconds per frame, the first included."""
        return float(np.mean(self.seconds))

    @property
    def later(self) -> float:
        """CPU seconds per frame without the first."""
        return float(np.mean(self.seconds[1:]))


@dataclass(frozen=True)
class Ratio:
    """How many times longer a baseline takes.

    Attributes:
        baseline: its name.
        value: geometric mean over clips.
        low, high: 95 % interval; None with fewer than five clips.
        clips: those on which it succeeded as often as VDF.
        of: clips tried.
    """

    baseline: str
    value: float
    low: float | None
    high: float | None
    clips: int
    of: int

    @property
    def equal(self) -> bool:
        """Whether it succeeded as often as VDF on every clip."""
        return self.clips == self.of


def time_defense(
    name: str, overrides: Mapping[str, str], clip: str, size: int, frames: int, budget: Budget, surrogate: nn.Module
) -> Timing:
    """Protect the first ``frames`` frames of ``clip`` at ``size`` px and take the time of each."""
    pictures = load_clip(clip, size, max(frames, 64)).frames[:frames]
    method = registry.create("defenses", name, dict(overrides))
    setting = Setting(budget=budget, size=size, surrogate=surrogate)  # type: ignore[arg-type]
    seconds, psnr = [], []
    stream: Iterator[object] = method.protect(to_tensors(pictures), setting)
    began = time.process_time()
    for published, clean in zip(stream, to_tensors(pictures), strict=True):
        seconds.append(time.process_time() - began)
        error = float((published - clean).square().mean())  # type: ignore[operator]
        psnr.append(-10 * math.log10(max(error, 1e-10)))
        began = time.process_time()
    return Timing(tuple(seconds), float(np.mean(method.log()["success"])), float(np.mean(psnr)))


def measure(
    clips: tuple[str, ...],
    size: int,
    frames: int,
    budget: Budget,
    tell: Callable[[str], None] = lambda text: None,
) -> dict[str, dict[str, Timing]]:
    """Timings by defense and clip, interleaved clip by clip so that a slow moment of the machine hits all alike."""
    from vdf_bench.models.parser import load_parser
    from vdf_bench.plan import SURROGATE

    surrogate = load_parser(SURROGATE)
    found: dict[str, dict[str, Timing]] = {name: {} for name in (METHOD, *BASELINES)}
    # A first frame compiles and fills caches; it counts for nobody.
    time_defense(METHOD, {"max_iterations_first": "1"}, clips[0], size, 1, budget, surrogate)
    for clip in clips:
        for name in found:
            tell(f"{name} on {clip}")
            found[name][clip] = time_defense(name, BASELINES.get(name, {}), clip, size, frames, budget, surrogate)
    return found


def ratios(timings: Mapping[str, Mapping[str, Timing]], seed: int = 0) -> list[Ratio]:
    """Of every baseline against VDF, seconds per frame over whole clips."""
    found = []
    for name in (each for each in timings if each != METHOD):
        pairs = [(timings[name][clip], timings[METHOD][clip]) for clip in timings[METHOD]]
        equal = [(one, other) for one, other in pairs if one.success >= other.success - EQUAL]
        logs = [math.log(one.mean / other.mean) for one, other in equal or pairs]
        interval = bootstrap_interval(logs, np.random.default_rng(seed))
        low, high = (math.exp(interval.low), math.exp(interval.high)) if interval else (None, None)
        found.append(Ratio(name, math.exp(float(np.mean(logs))), low, high, len(equal), len(pairs)))
    return found


def verdict(found: list[Ratio]) -> str:
    """What the ratios say of the claim, in a sentence."""
    counting = [ratio for ratio in found if ratio.baseline != INHERITING and ratio.equal]
    if not counting:
        return "not decided: no cold baseline succeeded as often as vdf on every clip"
    fastest = min(counting, key=lambda ratio: ratio.value)
    interval = "" if fastest.low is None else f" [{fastest.low:.1f}, {fastest.high:.1f}]"
    said = f"vdf is {fastest.value:.1f}x{interval} as fast as {fastest.baseline}, the fastest cold baseline"
    if fastest.low is None or fastest.high is None:
        return f"not decided: {said}, on fewer than five clips"
    if fastest.low <= CLAIM <= fastest.high:
        return f"reproduced: {said}; the interval holds {CLAIM:g}"
    if fastest.low > CLAIM:
        return f"exceeded: {said}, more than {CLAIM:g}"
    return f"not reproduced: {said}, not {CLAIM:g}"
