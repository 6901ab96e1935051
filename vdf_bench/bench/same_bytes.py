"""What the settings of :mod:`vdf_bench.core.determinism` cost on a device, and whether they do what they are for."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

import numpy as np

from vdf_bench.core import registry
from vdf_bench.core.determinism import UNSETTLED, deterministic
from vdf_bench.core.interfaces import FitSetting

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdf_bench.bench.clock import Clock
    from vdf_bench.core.capture import Capture
    from vdf_bench.core.kernel import Kernel

_TOLD: Final = re.compile(rf"(\S+) {UNSETTLED}")


@dataclass(frozen=True)
class Cost:
    """A kernel with the settings and without.

    Attributes:
        name: of the kernel.
        free, settled: seconds of one run without and with them; medians of ``n``.
        unsettled: operations of which torch says that it has no deterministic kernel.
    """

    name: str
    free: float
    settled: float
    unsettled: tuple[str, ...]
    n: int

    @property
    def ratio(self) -> float:
        """How many times longer it takes with the settings."""
        return self.settled / self.free


@dataclass(frozen=True)
class Repeat:
    """Whether two fits of a victim, of so many steps from one seed, ended in equal bytes: without settings and with."""

    victim: str
    steps: int
    free: bool
    settled: bool


def measure_cost(kernel: Kernel, clock: Clock, n: int, warm: int = 1) -> Cost:
    """Run a kernel with the settings and without, by turns."""
    for _ in range(warm):
        kernel.run()
    unsettled = warned(kernel.run)
    free, settled = [], []
    for _ in range(n):
        free.append(clock.time(kernel.run))
        with deterministic():
            settled.append(clock.time(kernel.run))
    return Cost(kernel.name, median(free), median(settled), unsettled, n)


def warned(run: Callable[[], object]) -> tuple[str, ...]:
    """Operations of ``run`` that stay free under the settings, as torch names them."""
    with warnings.catch_warnings(record=True) as caught, deterministic():
        warnings.simplefilter("always")
        run()
    found = [_TOLD.search(str(each.message)) for each in caught]
    return tuple(sorted({match[1] for match in found if match}))


def compare_fits(victim: str, capture: Capture, device: str, steps: int) -> Repeat:
    """Fit twice without the settings, and twice with them."""

    def equal(settled: bool) -> bool:
        states = []
        for _ in range(2):
            with deterministic(settled):
                head = registry.create("victims", victim).fit(capture, FitSetting(iterations=steps, device=device))
            states.append(head.state())
        one, other = states
        return one.keys() == other.keys() and all(
            one[name].dtype == other[name].dtype and np.array_equal(one[name], other[name]) for name in one
        )

    return Repeat(victim, steps, equal(False), equal(True))
