"""Sizes of a run: how large, how long, how many seeds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vdf_bench.core.errors import UserError
from vdf_bench.core.registry import suggest

if TYPE_CHECKING:
    from vdf_bench.core.interfaces import Scale


@dataclass(frozen=True)
class Preset:
    """A named size of run.

    Attributes:
        size: edge of the square frames, pixels.
        frames: length of a clip, frames at 25 fps; shorter ones are taken whole, None takes all of any.
        clips: the clips that are run when none is named.
        seeds: of defenses and victims.
        portraits: how many rendered portraits the images track takes when no clip is named.
        portrait_size: edge of single portraits, pixels: the one that the shipped editors were trained at.
        scale: how large victims are: sized for a CPU, or as published.
        device: where victims train: ``cpu``, or ``auto`` for a GPU where there is one.
        summary: for help texts.
    """

    name: str
    size: int
    frames: int | None
    clips: tuple[str, ...]
    seeds: tuple[int, ...]
    summary: str
    scale: Scale = "compact"
    device: str = "cpu"
    portraits: int = 8
    portrait_size: int = 128

    def resized(self, size: int | None, frames: int | None) -> Preset:
        """This preset with another frame size or clip length."""
        return replace(self, size=size or self.size, frames=frames or self.frames)

    def still(self, size: int | None = None) -> Preset:
        """This preset for single portraits."""
        return replace(self, size=size or self.portrait_size, frames=1)


_PUBLIC = ("synth-a", "synth-b", "synth-c", "synth-d", "synth-e", "synth-f", "synth-g", "synth-h", "photo-astronaut")

PRESETS = {
    preset.name: preset
    for preset in (
        Preset("quick", 96, 80, ("synth-a",), (0,), "96 px, 80 frames, one seed"),
        Preset("standard", 128, 110, ("synth-a",), (0,), "128 px, 110 frames, one seed", portraits=16),
        Preset("full", 256, 250, _PUBLIC, (0, 1, 2), "256 px, every public clip, three seeds", portraits=64),
        Preset(
            "paper",
            512,
            1125,
            _PUBLIC,
            (0, 1, 2),
            "512 px, 45 s, three seeds, victims as published; for a GPU",
            scale="paper",
            device="auto",
            portraits=100,
            portrait_size=256,
        ),
    )
}


def preset(name: str) -> Preset:
    """The preset called ``name``.

    Raises:
        UserError: no such preset.
    """
    if name not in PRESETS:
        raise UserError(f"unknown preset {name!r}: {suggest(name, list(PRESETS))}")
    return PRESETS[name]
