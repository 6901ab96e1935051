"""A clip by name or by path, for whoever wants it outside a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vdf_bench.core.registry import provider_of
from vdf_bench.stages.clip import load_named
from vdf_bench.stages.decode import load_file

if TYPE_CHECKING:
    from vdf_bench.core.clip import Clip


def load_clip(name: str, size: int, frames: int | None, landmarker: str = "builtin") -> Clip:
    """A clip by registered name or by path, cut to ``frames`` (None: all of it).

    Raises:
        UserError: unknown name, or a file that cannot serve.
    """
    provider = provider_of(name)
    if provider is None:
        return load_file(Path(name), size, frames, landmarker)
    return load_named(provider, name, size, frames)
