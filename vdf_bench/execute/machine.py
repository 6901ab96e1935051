"""What this machine has: memory to spare and GPUs that may be seen."""

from __future__ import annotations

import os
from pathlib import Path

#: Share of the free memory that steps may be expected to take.
_SHARE = 0.9


def spare_mib() -> float:
    """Memory for steps, MiB: what is free, within what this process's group may take. Infinite where nobody tells."""
    free = _meminfo("MemAvailable") / 1024
    group = Path("/sys/fs/cgroup")
    try:
        limit = float((group / "memory.max").read_text())
        free = min(free, (limit - float((group / "memory.current").read_text())) / 2**20)
    except (OSError, ValueError):  # no limit, or no such file
        pass
    return _SHARE * free


def _meminfo(name: str) -> float:
    """A line of ``/proc/meminfo``, KiB; infinite where there is none."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return float("inf")
    return next((float(line.split()[1]) for line in lines if line.startswith(f"{name}:")), float("inf"))


def visible_gpus() -> list[str]:
    """GPUs that this process may use, as ``CUDA_VISIBLE_DEVICES`` names them."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name.strip() for name in visible.split(",") if name.strip() and name.strip() != "-1"]
    import torch

    return [str(k) for k in range(torch.cuda.device_count())]
