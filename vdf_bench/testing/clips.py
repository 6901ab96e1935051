"""The contract of providers of clips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from vdf_bench.core.clip import FPS, SAMPLE_RATE
from vdf_bench.core.errors import UserError
from vdf_bench.testing.component import begin

if TYPE_CHECKING:
    from vdf_bench.core.cards import Component
    from vdf_bench.testing.report import Report

_SIZE: Final = 48
_UNKNOWN: Final = "no-clip-has-this-name"


def check_clips(provider: type[Component] | Component) -> Report:
    """Check that a provider names its clips and gives the first of them in the benchmark's form.

    Args:
        provider: class or instance, with methods ``names()`` and ``load(name, size, frames)``.

    Raises:
        AssertionError: a property does not hold.
    """
    report, new = begin(provider, "clips", "names", "load")
    names = new().names()
    report.require(
        bool(names) and len(set(names)) == len(names),
        "it names its clips, each once",
        str(names),
        "return a list of unique names from names()",
    )
    try:
        new().load(_UNKNOWN, size=_SIZE, frames=1)
        refused = False
    except UserError as error:
        refused = "\n" not in str(error)
    report.require(
        refused,
        "an unknown name is refused in one line",
        "another answer",
        "raise vdf_bench.core.errors.UserError from load()",
    )
    clip, again = (new().load(names[0], size=_SIZE, frames=2) for _ in range(2))
    report.require(
        clip.size == _SIZE and 1 <= len(clip) <= 2 and clip.fps == FPS and clip.audio.dtype == np.float32,
        f"clips have the size and at most the frames that are asked for, {FPS} frames a second, and float32 sound",
        f"{clip.frames.shape}, {clip.fps} frames a second, {clip.audio.dtype}",
        f"crop, resize and resample in load(); sound is mono at {SAMPLE_RATE} Hz",
    )
    report.require(
        np.array_equal(clip.frames, again.frames) and np.array_equal(clip.audio, again.audio),
        "asked twice, it gives the same clip",
        "frames or sound differ",
        "draw from generators with fixed seeds",
    )
    report.require(
        bool(clip.identity) and bool(clip.source.get("licence")),
        "clips say who is seen and under which licence",
        f"identity {clip.identity!r}, source {clip.source}",
        "fill in Clip.identity and Clip.source['licence']",
    )
    return report
