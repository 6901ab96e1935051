"""What a user asks for, before anything is looked up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vdf_bench.budget import Budget

if TYPE_CHECKING:
    from vdf_bench.interfaces import Target
    from vdf_bench.presets import Preset

#: The parser that defenses may differentiate. Attackers that run it are white-box cells, others are transfer.
SURROGATE = "builtin"
PARSERS = ("builtin", "heldout", "bisenet", "landmark-hull")
POLICIES = ("repair", "strict", "drop")
TARGETS: dict[str, tuple[Target, ...]] = {"composite": ("composite",), "full": ("full",), "both": ("composite", "full")}
DRIVES = ("auto", "audio", "landmarks")


@dataclass(frozen=True)
class Request:
    """What a user asks for: names as typed, before anything is looked up.

    Attributes:
        defenses, victims, purifiers: component names; ``("all",)`` is every one whose needs are met. Without victims
            a run ends at the capture.
        clips: registered names or paths; empty takes the preset's.
        budgets: L-infinity bounds and fidelity floors.
        seeds: empty takes the preset's.
        parsers: the face parsers that attackers run.
        policy: what the attacker does about face-less frames.
        targets: training targets of the victims.
        drive: what drives the clone's lips: ``audio``, ``landmarks``, or ``auto`` (audio where it predicts them).
        controls: arms that every run carries beside the clean one.
        overrides: ``--set``: component -> parameter -> text.
        iterations: of every fit; None is each victim's default.
        timeout: wall seconds of one fit.
        poisons: damages of :data:`vdf_bench.capture.poison.POISONS`, done to the capture of the clean clip; each is an
            arm of its own, a control.
        device: torch device that victims train and render on; another device is another result.
    """

    preset: Preset
    defenses: tuple[str, ...] = ("vdf",)
    victims: tuple[str, ...] = ("all",)
    purifiers: tuple[str, ...] = ("identity",)
    clips: tuple[str, ...] = ()
    budgets: tuple[Budget, ...] = (Budget(0.05),)
    seeds: tuple[int, ...] = ()
    parsers: tuple[str, ...] = (SURROGATE,)
    policy: str = "repair"
    targets: tuple[Target, ...] = ("composite",)
    drive: str = "auto"
    controls: tuple[str, ...] = ("noise",)
    overrides: dict[str, dict[str, str]] = field(default_factory=dict)
    iterations: int | None = None
    timeout: float = 3600.0
    poisons: tuple[str, ...] = ()
    device: str = "cpu"
