"""Seconds on a device: of one CPU thread, or of a GPU that is waited for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """Times what runs on a device.

    CPU time where a CPU computes, so that other work on the machine counts little; it is that of one thread, as steps
    run. Wall time where a GPU does, which is waited for before every reading: launches count.

    Attributes:
        device: whose time is taken.
    """

    def __init__(self, device: str) -> None:
        self.device = torch.device(device)

    @property
    def unit(self) -> str:
        """What a second is."""
        return "CPU time of one thread" if self.device.type == "cpu" else "wall time, the device waited for"

    def now(self) -> float:
        """A reading, seconds."""
        if self.device.type == "cpu":
            return time.process_time()
        torch.cuda.synchronize(self.device)
        return time.perf_counter()

    def time(self, run: Callable[[], object]) -> float:
        """Seconds of one call."""
        begun = self.now()
        run()
        return self.now() - begun

    def repeat(self, run: Callable[[], object], count: int, warm: int = 1) -> list[float]:
        """Seconds of each of ``count`` calls, after ``warm`` that do not count."""
        for _ in range(warm):
            run()
        return [self.time(run) for _ in range(count)]


def device_name(device: str) -> str:
    """The device in words."""
    from vdf_bench.results.gather import environment

    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(torch.device(device))
    told = environment()
    return f"{told['cpu']}, one thread of {told['cores']} cores"
