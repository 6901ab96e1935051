"""Frames in memory through a defense, as a benchmark's clip goes through it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.core import registry
from vdf_bench.core.determinism import deterministic
from vdf_bench.core.errors import UserError
from vdf_bench.core.frames import stack, to_tensors
from vdf_bench.core.interfaces import Setting
from vdf_bench.parsers.surrogates import load_surrogate
from vdf_bench.plan.protector import lone_protector
from vdf_bench.stages.enforce import Published

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from fractions import Fraction

    from numpy.typing import NDArray
    from torch import Tensor

    from vdf_bench.core.budget import Budget

#: Smallest edge in which a parser sees a face, pixels.
MIN_EDGE = 32


def protect_frames(
    frames: NDArray[np.uint8],
    defense: str,
    budget: Budget,
    *,
    overrides: dict[str, str],
    surrogate: str,
    seed: int,
    device: str,
    fps: Fraction,
    tell: Callable[[str, int, int], None],
) -> NDArray[np.uint8]:
    """Protect (T, S, S, 3) uint8 RGB frames; the result has their shape.

    Args:
        frames: of one person, the face large in the square.
        defense: registered name.
        budget: bound, and floor that is met by scaling each frame's perturbation.
        overrides: parameters of the defense, as texts.
        surrogate: the parser that it differentiates, if it differentiates one.
        seed: of every random choice.
        device: torch device of the defense.
        fps: frames per second.
        tell: progress: what is done, frames done, frames in all.

    Raises:
        UserError: an unknown name or parameter, or frames of another shape or type.
    """
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or frames.shape[1] != frames.shape[2]:
        raise UserError(f"frames are {frames.dtype} {frames.shape}: give (T, S, S, 3) uint8, square and RGB")
    if not len(frames) or frames.shape[1] < MIN_EDGE:
        raise UserError(f"frames are {frames.shape}: give at least one, of {MIN_EDGE} px or more")
    configured = registry.create("defenses", defense, overrides)
    by = lone_protector(defense, surrogate)
    lent = load_surrogate(by.surrogate).to(device) if by.surrogate else None
    setting = Setting(budget=budget, size=frames.shape[1], fps=fps, seed=seed, surrogate=lent, device=device)
    if hasattr(configured, "prepare"):
        setting = replace(setting, prepared=dict(configured.prepare(setting)))

    def counted() -> Iterator[Tensor]:
        for done, frame in enumerate(Published(configured, to_tensors(frames), setting), 1):
            yield frame.cpu()
            tell("protecting", done, len(frames))

    with deterministic(device != "cpu"):
        return stack(counted())
