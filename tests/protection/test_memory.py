"""Memory does not grow with the length of a video."""

from __future__ import annotations

import subprocess
import sys

from .conftest import portrait

#: Run in a process of its own, whose peak is asked for at its end.
PROTECT = """
import resource, sys
from pathlib import Path
from vdf_bench.core.budget import Budget
from vdf_bench.protection import Order, protect_file
video, out = map(Path, sys.argv[1:])
protect_file(Order(video=video, out=out, defense="noise", budget=Budget(0.05)), lambda *_: None)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak_kib(video, out):
    done = subprocess.run([sys.executable, "-c", PROTECT, video, out], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_ten_times_the_frames_take_no_more_memory(tmp_path, head):
    short = portrait(tmp_path / "short.mp4", head, count=200)
    long = portrait(tmp_path / "long.mp4", head, count=2000)
    before, after = peak_kib(short, tmp_path / "a.mkv"), peak_kib(long, tmp_path / "b.mkv")
    assert after <= 1.05 * before
    # Torch alone takes so much that a twentieth of it would hide frames. All 1800 more would be 49 MiB; the
    # allocator's own moods were seen to be up to 9.
    assert after - before < 20 * 1024, f"{before} KiB for 200 frames, {after} KiB for 2000"
