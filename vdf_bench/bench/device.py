"""Everything that a device is measured by, in one go: ``vdf-bench bench device``, explained in ``docs/gpu.md``."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from functools import cached_property
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import torch

from vdf_bench.bench.clock import Clock, device_name
from vdf_bench.bench.frames import FrameRate, measure_frames
from vdf_bench.bench.gate import Climb, climb
from vdf_bench.bench.kernels import WARM, parser_look, trainers, training_step
from vdf_bench.bench.mixed import Gap, measure_gap
from vdf_bench.bench.roofline import Peaks, Point, measure_kernel, measure_peaks
from vdf_bench.bench.same_bytes import Cost, Repeat, compare_fits, measure_cost
from vdf_bench.core import registry
from vdf_bench.core.determinism import deterministic
from vdf_bench.core.errors import UserError
from vdf_bench.core.interfaces import FitFailed
from vdf_bench.models.landmarker import load_landmarker
from vdf_bench.parsers.network import load_parser
from vdf_bench.results.gather import environment
from vdf_bench.stages import THREADS
from vdf_bench.stages.capture import capture_frames
from vdf_bench.stages.load import load_clip

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdf_bench.core.capture import Capture
    from vdf_bench.core.interfaces import Precision
    from vdf_bench.core.kernel import Kernel

#: What can be measured, in this order.
SECTIONS: Final = ("roofline", "frames", "gate", "rasteriser", "determinism", "precision")
PRECISIONS: Final[tuple[Precision, ...]] = ("float32", "bfloat16")
#: The clip of every measurement; nothing here depends on who is seen.
CLIP: Final = "synth-a"
#: Gaussians of a compact head at 128 px.
SPLATS: Final = 4500
#: Runs that are timed of looks, of training steps and of the rasteriser; steps over which operations are counted.
LOOKS, STEPS, SPLATTINGS, COUNTED = 5, 25, 25, 5
#: Steps of the fits whose bytes are compared, and of those in two precisions.
REPEATED, FITTED = 10, 200


@dataclass(frozen=True)
class Order:
    """What to measure.

    Attributes:
        device: ``cpu`` or ``cuda``.
        size: of the frames that VDF protects and the parser looks at, pixels.
        frames: that VDF protects.
        victim_size: of the frames that victims train on, pixels.
        victim_frames: of them; two thirds are trained on, the rest is held out.
        skip: sections to leave out.
    """

    device: str
    size: int = 512
    frames: int = 5
    victim_size: int = 128
    victim_frames: int = 60
    skip: frozenset[str] = frozenset()


@dataclass
class Figures:
    """What was measured; None and empty lists where it was not.

    Attributes:
        name: of the device, in words.
        seconds: what one is.
        machine: versions, and the CPU beside the device.
        threads: of the CPU's part.
        order: what was asked for.
        peaks, points: the roofline.
        rates: of VDF.
        climbs: of victims to their gate.
        splattings: the rasteriser by device: median seconds forward and backward, over :data:`SPLATTINGS` runs.
        costs, repeats: of determinism.
        gaps: between precisions.
        left_out: what was not measured, and why.
        wall: seconds in all.
    """

    name: str
    seconds: str
    machine: dict[str, str]
    threads: int
    order: Order
    peaks: Peaks | None = None
    points: list[Point] = field(default_factory=list)
    rates: list[FrameRate] = field(default_factory=list)
    climbs: list[Climb] = field(default_factory=list)
    splattings: dict[str, float] = field(default_factory=dict)
    costs: list[Cost] = field(default_factory=list)
    repeats: list[Repeat] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    wall: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """As numbers, with what follows from them."""
        return {
            **asdict(self),
            "order": {**asdict(self.order), "skip": sorted(self.order.skip)},
            "points": [
                {**asdict(each), "intensity": each.intensity, "achieved": each.achieved, "share": each.share}
                for each in self.points
            ],
            "rates": [{**asdict(each), "fps": each.fps} for each in self.rates],
            "climbs": [{**asdict(each), "reached": each.reached} for each in self.climbs],
            "costs": [{**asdict(each), "ratio": each.ratio} for each in self.costs],
            "gaps": [{**asdict(each), "holds": each.holds} for each in self.gaps],
        }


def measure_device(order: Order, tell: Callable[[str], None] = lambda section: None) -> Figures:
    """Measure all sections that are asked for; one that cannot run here is left out with its reason.

    Args:
        order: what to measure.
        tell: called with the name of each section before it is measured.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    begun = time.perf_counter()
    work = _Work(order)
    try:
        for section in SECTIONS:
            if section in order.skip:
                work.figures.left_out[section] = "not asked for"
                continue
            tell(section)
            # As every step runs; the cost of doing so is measured against torch's own defaults.
            with deterministic(order.device != "cpu" and section != "determinism"):
                work.attempt(section, getattr(work, section))
    finally:
        torch.set_num_threads(threads)
    work.figures.wall = time.perf_counter() - begun
    return work.figures


class _Work:
    """One method a section; each adds to ``figures``."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.clock = Clock(order.device)
        about = {**environment(), "torch": str(torch.__version__)}
        machine = {name: about[name] for name in ("cpu", "cores", "python", "torch", "numba", "vdf-bench")}
        self.figures = Figures(device_name(order.device), self.clock.unit, machine, torch.get_num_threads(), order)

    def attempt(self, what: str, measure: Callable[..., object], *arguments: Any) -> None:
        """Measure, or say why that cannot be done here."""
        try:
            measure(*arguments)
        except UserError as error:
            self.figures.left_out[what] = str(error)
        # Such as a fit that diverges, or too little memory on the device: the other figures stand.
        except (FitFailed, RuntimeError) as error:
            self.figures.left_out[what] = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"

    @cached_property
    def capture(self) -> Capture:
        """What victims train on."""
        clip = load_clip(CLIP, self.order.victim_size, self.order.victim_frames)
        return capture_frames(clip.frames, clip.audio, load_parser("builtin"), load_landmarker(), "repair")

    def look(self, back: bool, precision: Precision = "float32") -> Kernel:
        """The parser at the size of VDF's frames."""
        device = self.clock.device
        return parser_look(load_parser("builtin").to(device), self.order.size, device, back, precision)

    def step(self, victim: str) -> Kernel:
        """A training step of a victim."""
        return training_step(victim, self.capture, self.order.device)

    def splatting(self, device: str) -> Kernel:
        """The rasteriser of the compact head at the size of victims' frames."""
        kernel: Kernel = registry.create("victims", "gaussian").rasteriser(device, self.order.victim_size, SPLATS)
        return kernel

    def roofline(self) -> None:
        self.figures.peaks = peaks = measure_peaks(self.clock)
        points = self.figures.points
        for precision in PRECISIONS:
            for back in (False, True):
                points.append(measure_kernel(self.look(back, precision), peaks, self.clock, LOOKS))
        for victim in trainers():
            self.attempt(f"roofline of {victim}", self.step_under_roof, victim, peaks)
        if self.clock.device.type == "cpu":  # operations of gsplat's kernels are not known here
            points.append(measure_kernel(self.splatting("cpu"), peaks, self.clock, SPLATTINGS))

    def step_under_roof(self, victim: str, peaks: Peaks) -> None:
        self.figures.points.append(measure_kernel(self.step(victim), peaks, self.clock, STEPS, WARM, COUNTED))

    def frames(self) -> None:
        frames = load_clip(CLIP, self.order.size, self.order.frames).frames
        self.figures.rates += [measure_frames(frames, self.clock, precision) for precision in PRECISIONS]

    def gate(self) -> None:
        for victim in trainers():
            self.attempt(f"gate of {victim}", self.climb, victim)

    def climb(self, victim: str) -> None:
        self.figures.climbs.append(climb(victim, self.capture, self.clock))

    def rasteriser(self) -> None:
        self.splat("cpu")
        if self.clock.device.type == "cuda":
            self.attempt("gsplat", self.splat, "cuda")
        else:
            self.figures.left_out["gsplat"] = "no CUDA device"

    def splat(self, device: str) -> None:
        self.figures.splattings[device] = median(Clock(device).repeat(self.splatting(device).run, SPLATTINGS, WARM))

    def determinism(self) -> None:
        self.figures.costs.append(measure_cost(self.look(True), self.clock, LOOKS))
        for victim in trainers():
            self.attempt(f"determinism of {victim}", self.settle, victim)

    def settle(self, victim: str) -> None:
        self.figures.costs.append(measure_cost(self.step(victim), self.clock, STEPS, WARM))
        self.figures.repeats.append(compare_fits(victim, self.capture, self.order.device, REPEATED))

    def precision(self) -> None:
        for victim in trainers():
            self.attempt(f"precision of {victim}", self.halve, victim)

    def halve(self, victim: str) -> None:
        self.figures.gaps.append(measure_gap(victim, self.capture, self.order.device, FITTED))
