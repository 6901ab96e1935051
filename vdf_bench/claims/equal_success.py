"""The 47-fold claim on one surrogate: seconds per frame of VDF and of per-frame baselines that succeed as well.

VDF's abstract claims "47x acceleration over the fastest baseline"; which baseline, unit and machine its tables mean is
not known here. So the question is asked in a form that can be answered: how long does each take per frame until the
same parser, at the same scales and bound, misses the face? All run in one process, one thread, CPU time.

Giving up is no speed. A baseline that has not succeeded within its cap of steps would have needed longer, so its ratio
is a lower bound, and is never read as a ratio at equal success. The unit is the clip; the interval is over clips, of
the mean log ratio.

Baselines that start every frame anew are timed on a few frames spread over the clip: their other frames cost the same.
VDF and ``warm-pgd`` inherit, so they run on every frame.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from vdf_bench.core import registry
from vdf_bench.core.frames import to_tensors
from vdf_bench.core.interfaces import Setting
from vdf_bench.stages.load import load_clip
from vdf_bench.stats import bootstrap_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray
    from torch import nn

    from vdf_bench.core.budget import Budget

CLAIM: Final = 47.0
METHOD: Final = "vdf"
#: Baselines, and what lets them go on until they succeed: MI-FGSM's ten published steps are for other surrogates.
BASELINES: Final[dict[str, dict[str, str]]] = {
    "pgd": {},
    "mifgsm": {"step_size": "1"},
    "grasp": {},
    "warm-pgd": {},
}
#: Not a baseline of the paper's kind: it inherits, as VDF does. Its ratio says what the inheritance alone is worth.
INHERITING: Final = "warm-pgd"
#: Steps per frame after which a baseline is given up: several times what those that succeed take.
CAP: Final = 50
#: Frames of a clip on which a baseline that inherits nothing is timed.
COLD_FRAMES: Final = 3
#: An interval that holds the claim but reaches beyond this factor of it decides nothing.
WIDE: Final = 2.0

#: What a measured ratio is of the one at equal success.
Relation = Literal["=", ">=", "<=", "?"]


@dataclass(frozen=True)
class Timing:
    """One defense on one clip.

    Attributes:
        seconds: CPU seconds of each frame.
        iterations: updates, mean over frames.
        success: share of frames that meet the success rule, by the defense's own log.
        psnr: dB, mean over frames.
    """

    seconds: tuple[float, ...]
    iterations: float
    success: float
    psnr: float

    @property
    def mean(self) -> float:
        """CPU seconds per frame, the first included."""
        return float(np.mean(self.seconds))

    @property
    def later(self) -> float:
        """CPU seconds per frame without the first: what a frame of a long video costs."""
        return float(np.mean(self.seconds[1:]))


@dataclass(frozen=True)
class Ratio:
    """How many times longer a baseline takes.

    Attributes:
        baseline: its name.
        value: geometric mean over clips, whole clips.
        low, high: 95 % interval of ``value``; None with fewer than five clips.
        later: geometric mean over clips, without first frames.
        relation: of ``value`` to the ratio at equal success: ``=`` where both succeeded on every frame, ``>=`` where
            the baseline was given up somewhere, ``<=`` where VDF was, ``?`` where both were.
        clips: those on which the baseline succeeded on every frame.
        of: clips tried.
    """

    baseline: str
    value: float
    low: float | None
    high: float | None
    later: float
    relation: Relation
    clips: int
    of: int

    @property
    def text(self) -> str:
        """Such as ``4.2 [3.9, 4.6]``, or ``>= 46`` where it is a bound."""
        if self.relation != "=":
            return f"{self.relation} {self.value:.1f}"
        return f"{self.value:.1f}" + ("" if self.low is None else f" [{self.low:.1f}, {self.high:.1f}]")


def time_defense(
    name: str, overrides: Mapping[str, str], pictures: NDArray[np.uint8], budget: Budget, surrogate: nn.Module
) -> Timing:
    """Protect ``pictures`` (T, S, S, 3) uint8 RGB and take the time of each."""
    method = registry.create("defenses", name, dict(overrides))
    setting = Setting(budget=budget, size=pictures.shape[1], surrogate=surrogate)  # type: ignore[arg-type]
    seconds, psnr = [], []
    stream: Iterator[object] = method.protect(to_tensors(pictures), setting)
    began = time.process_time()
    for published, clean in zip(stream, to_tensors(pictures), strict=True):
        seconds.append(time.process_time() - began)
        error = float((published - clean).square().mean())  # type: ignore[operator]
        psnr.append(-10 * math.log10(max(error, 1e-10)))
        began = time.process_time()
    log = method.log()
    return Timing(
        tuple(seconds), float(np.mean(log["iterations"])), float(np.mean(log["success"])), float(np.mean(psnr))
    )


def spread(frames: int) -> NDArray[np.intp]:
    """Positions of the frames, out of so many, on which baselines that inherit nothing are timed."""
    return np.unique(np.linspace(0, frames - 1, COLD_FRAMES).round().astype(np.intp))


def measure(
    clips: tuple[str, ...],
    size: int,
    frames: int,
    budget: Budget,
    cap: int = CAP,
    tell: Callable[[str, float], None] = lambda text, share: None,
) -> dict[str, dict[str, Timing]]:
    """Timings by defense and clip, interleaved clip by clip so that a slow moment of the machine hits all alike.

    Args:
        clips: names or paths.
        size: edge of a frame, pixels.
        frames: of each clip.
        budget: of all.
        cap: steps per frame after which a baseline is given up.
        tell: hears what is done next, and which share of all is done.
    """
    from vdf_bench.attackers.attacker import SURROGATE
    from vdf_bench.parsers.network import load_parser

    surrogate = load_parser(SURROGATE)
    overrides = {name: {**changed, "steps": str(cap)} for name, changed in BASELINES.items()}
    found: dict[str, dict[str, Timing]] = {name: {} for name in (METHOD, *BASELINES)}
    for nth, clip in enumerate(clips):
        pictures = load_clip(clip, size, max(frames, 64)).frames[:frames]
        if not nth:
            # First calls compile and fill caches; they count for nobody.
            time_defense(METHOD, {"max_iterations_first": "1"}, pictures[:1], budget, surrogate)
            for name in BASELINES:
                time_defense(name, {**overrides[name], "steps": "1"}, pictures[:1], budget, surrogate)
        for kth, name in enumerate(found):
            tell(f"clip {nth + 1} of {len(clips)}, {clip}: {name}", (nth + kth / len(found)) / len(clips))
            taken = pictures if name in (METHOD, INHERITING) else pictures[spread(len(pictures))]
            found[name][clip] = time_defense(name, overrides.get(name, {}), taken, budget, surrogate)
    return found


def ratios(timings: Mapping[str, Mapping[str, Timing]], seed: int = 0) -> list[Ratio]:
    """Of every baseline against VDF, seconds per frame."""
    given_up = any(timing.success < 1 for timing in timings[METHOD].values())
    found = []
    for name in (each for each in timings if each != METHOD):
        pairs = [(timings[name][clip], timings[METHOD][clip]) for clip in timings[METHOD]]
        logs = [math.log(one.mean / other.mean) for one, other in pairs]
        later = [math.log(one.later / other.later) for one, other in pairs]
        interval = bootstrap_interval(logs, np.random.default_rng(seed))
        low, high = (math.exp(interval.low), math.exp(interval.high)) if interval else (None, None)
        equal = sum(one.success == 1 for one, _ in pairs)
        relation: Relation = ("<=" if given_up else "=") if equal == len(pairs) else ("?" if given_up else ">=")
        found.append(
            Ratio(name, math.exp(np.mean(logs)), low, high, math.exp(np.mean(later)), relation, equal, len(pairs))
        )
    return found


def verdict(found: list[Ratio]) -> str:
    """What the ratios say of the claim, in a sentence.

    The claim is about the fastest baseline. The fastest of those that succeed bounds it from above, so a claim beyond
    that is refuted whatever others would have done; one that was given up early may still be faster than any.
    """
    cold = [ratio for ratio in found if ratio.baseline != INHERITING]
    if any(ratio.relation in ("<=", "?") for ratio in cold):
        return f"not decided: {METHOD} itself did not succeed on every frame"
    counting = [ratio for ratio in cold if ratio.relation == "="]
    if not counting:
        return f"not decided: no cold baseline succeeded as often as {METHOD}; within more steps one might"
    fastest = min(counting, key=lambda ratio: ratio.value)
    said = f"{METHOD} is {fastest.text} times as fast as {fastest.baseline}, the fastest cold baseline that succeeds"
    if fastest.low is None or fastest.high is None:
        return f"not decided: {said}; fewer than five clips give no interval"
    if fastest.high < CLAIM:
        return f"not reproduced: {said}; {CLAIM:g} lies above the interval"
    rivals = [r.baseline for r in cold if r.relation == ">=" and (r.low or 0) < min(fastest.low, CLAIM)]
    if rivals:
        return f"not decided: {said}, but {' and '.join(rivals)}, given up early, may be faster still"
    if fastest.low > CLAIM:
        return f"exceeded: {said}; {CLAIM:g} lies below the interval"
    if fastest.low < CLAIM / WIDE or fastest.high > CLAIM * WIDE:
        return f"not decided: {said}; the interval holds {CLAIM:g} and much else"
    return f"reproduced: {said}; the interval holds {CLAIM:g}"
