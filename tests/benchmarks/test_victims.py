"""Every registered victim that can run here: training steps per second, seconds to a good clone, peak memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vdf_bench.assets.needs import unmet
from vdf_bench.bench import gate
from vdf_bench.bench.clock import Clock
from vdf_bench.core import registry
from vdf_bench.core.interfaces import FitSetting
from vdf_bench.results.gather import environment

pytest.importorskip("pytest_benchmark")

CARDS = {name: registry.load("victims", name).card for name in registry.names("victims")}
#: Without editors, which train on nobody, and the official systems, which have clocks of their own.
VICTIMS = [
    name
    for name, card in CARDS.items()
    if "editor" not in card.tags and not unmet(card) and not any(need.startswith("checkout:") for need in card.needs)
]

#: A process of its own, since memory that others have freed would be used again unseen.
MEMORY = """
import sys
import numpy as np
import torch
from vdf_bench.core import registry
from vdf_bench.core.capture import Capture
from vdf_bench.core.interfaces import FitSetting
torch.set_num_threads(1)
victim, arrays, steps = sys.argv[1:]
capture = Capture.from_arrays(dict(np.load(arrays)))
registry.create("victims", victim).fit(capture, FitSetting(iterations=int(steps)))
print([line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")][0])
"""


def fit(victim, capture, steps):
    """The head after so many steps, and the CPU seconds that it took."""
    return gate.fit(victim, capture, FitSetting(iterations=steps), Clock("cpu"))


def peak_mib(victim, capture, folder, steps):
    """Peak resident memory of a process that fits, or None where the system does not tell."""
    if not Path("/proc/self/status").is_file():
        return None
    arrays = folder / "capture.npz"
    np.savez(arrays, **capture.to_arrays())
    command = [sys.executable, "-c", MEMORY, victim, str(arrays), str(steps)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 1024


@pytest.mark.benchmark(group="training steps")
@pytest.mark.parametrize("victim", VICTIMS)
def test_steps(benchmark, victim, capture, tmp_path):
    """``steps_per_second`` leaves out what is done once before the first step."""
    if not benchmark.enabled:
        _, seconds = benchmark.pedantic(fit, (victim, capture, 2), rounds=1, iterations=1)
        assert seconds > 0
        return
    fit(victim, capture, 2)  # compiled code is loaded
    _, before = fit(victim, capture, 10)
    _, seconds = benchmark.pedantic(fit, (victim, capture, 110), rounds=1, iterations=1)
    benchmark.extra_info.update(
        steps_per_second=100 / (seconds - before),
        cpu_seconds=seconds,
        peak_mib=peak_mib(victim, capture, tmp_path, 20),
        device=device(),
    )


@pytest.mark.benchmark(group="seconds to the gate")
@pytest.mark.parametrize("victim", VICTIMS)
def test_seconds_to_the_gate(benchmark, victim, capture):
    """The cheapest budget whose clone of unseen frames passes the gate on head PSNR; ``seconds`` None: not one."""
    budgets = gate.BUDGETS if benchmark.enabled else (2,)
    climbed = benchmark.pedantic(gate.climb, (victim, capture, Clock("cpu"), budgets), rounds=1, iterations=1)
    steps, seconds, psnr = climbed.tried[-1]
    assert np.isfinite(psnr)
    benchmark.extra_info.update(
        steps=steps,
        seconds=seconds if climbed.reached else None,
        head_psnr=psnr,
        tried=climbed.tried,
        device=device(),
    )


def device():
    """The machine in words."""
    return environment()["cpu"]
