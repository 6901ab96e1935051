"""Starts the child that decodes, one file at a time, and outlives whatever the file does to it.

The child has bounds of its own on processor time, memory, open files and bytes written; a wall clock here ends it if
it sleeps instead. It gets no descriptor but its three pipes and no environment but what Python needs.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

from vdf_bench.leaderboard.media import Media

if TYPE_CHECKING:
    from pathlib import Path

#: Bounds of decoding one file.
LIMITS: Final = {"CPU": 60, "AS": 2 * 2**30, "NOFILE": 32, "CORE": 0}
WALL_SECONDS: Final = 180.0
MAX_PICTURE: Final = 4096
_KEPT: Final = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "SYSTEMROOT")


def decode_video(path: Path, frames: int, size: int, raw: Path, limits: dict[str, int] | None = None) -> Media:
    """Decode a video in a child.

    Args:
        path: FFV1 in Matroska, by its suffix.
        frames: how many it should have.
        size: edge that they should have, pixels.
        raw: where its frames go.
        limits: instead of :data:`LIMITS`.
    """
    shape = (frames, size, size, 3)
    room = frames * size * size * 3
    request = {
        "kind": "video",
        "path": str(path.resolve()),
        "out": str(raw.resolve()),
        "shape": {"frames": frames, "size": size},
        "limits": {**LIMITS, "FSIZE": room + 4096, **(limits or {})},
    }
    answer = _ask(request)
    if not answer["refused"] and raw.stat().st_size != room:
        answer |= {"refused": "limits", "problem": "the decoder wrote another number of bytes than it said"}
    good = not answer["refused"]
    return Media(answer["refused"], answer["problem"], tuple(answer["walls"]), raw if good else None, shape)


def decode_picture(path: Path) -> Media:
    """Decode a PNG in a child."""
    limits = {**LIMITS, "FSIZE": 4096}
    answer = _ask({"kind": "picture", "path": str(path.resolve()), "max_px": MAX_PICTURE, "limits": limits})
    return Media(answer["refused"], answer["problem"], tuple(answer["walls"]))


def _ask(request: dict[str, Any]) -> dict[str, Any]:
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    # One thread, so that memory bounds mean the decoder's.
    environment |= {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    command = [sys.executable, "-m", "vdf_bench.leaderboard.child"]
    lost: dict[str, Any] = {"walls": [], "refused": "limits"}
    try:
        done = subprocess.run(  # noqa: S603
            command,
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=WALL_SECONDS,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {**lost, "problem": f"decoding took over {WALL_SECONDS:.0f} s"}
    if done.returncode < 0:
        return {**lost, "problem": f"decoding was ended by {_signal(-done.returncode)}"}
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        return {**lost, "problem": f"decoding ended without an answer ({' '.join(last)[:160]})"}
    found: dict[str, Any] = {**lost, "problem": "", **answer}
    return found


def _signal(number: int) -> str:
    reasons = {signal.SIGXCPU: "the bound on processor time", signal.SIGKILL: "the kernel, likely for processor time"}
    reasons |= {signal.SIGXFSZ: "the bound on bytes written", signal.SIGSEGV: "a crash of the decoder"}
    try:
        return reasons.get(signal.Signals(number)) or signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
