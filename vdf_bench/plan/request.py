"""What a user asks for, before anything is looked up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vdf_bench.attackers.attacker import SURROGATE, Attacker
from vdf_bench.core.budget import Budget

if TYPE_CHECKING:
    from vdf_bench.attackers.suite import Suite
    from vdf_bench.core.interfaces import Target, Track
    from vdf_bench.plan.presets import Preset

#: The landmarker of captures and judges.
LANDMARKER = "builtin"
TARGETS: dict[str, tuple[Target, ...]] = {"composite": ("composite",), "full": ("full",), "both": ("composite", "full")}
DRIVES = ("auto", "audio", "landmarks")


@dataclass(frozen=True)
class Request:
    """What a user asks for: names as typed, before anything is looked up.

    Attributes:
        defenses, victims: component names, of defenses with or without a surrogate (:mod:`vdf_bench.plan.protector`);
            ``("all",)`` is every one of the track whose needs are met. Without victims a run ends at the capture.
        attackers: what is done to the published frames before victims train on them.
        suite: the fixed suite that ``attackers`` come from; None where they were chosen freely.
        clips: registered names or paths, with or without a length (:mod:`vdf_bench.plan.clips`); empty takes the
            preset's.
        budgets: L-infinity bounds and fidelity floors.
        seeds: empty takes the preset's.
        targets: training targets of the victims.
        drive: what drives the clone's lips: ``audio``, ``landmarks``, or ``auto`` (audio where it predicts them).
        controls: arms that every run carries beside the clean one.
        overrides: ``--set``: component -> parameter -> text.
        iterations: of every fit; None is each victim's default.
        timeout: wall seconds of one fit.
        poisons: damages of :data:`vdf_bench.capture.poison.POISONS`, done to the capture of the clean clip; each is an
            arm of its own, a control.
        protected_share: the first share of each clip's frames is protected, the others are published as they were.
        device: torch device that victims train and render on; another device is another result.
        surrogates: parsers that defenses differentiate where their own text names none.
        landmarker: of captures and judges.
        recogniser: of judges; ``auto`` chooses by clip (:mod:`vdf_bench.recognisers.choice`).
        versions: versions of libraries count in the keys of steps.
        track: ``images`` protects one frame of each clip, and attribute editors are its victims.
        judges: names; ``("all",)`` is every one whose needs are met. Where none of them looks at clones, a run of the
            video track ends at the capture.
    """

    preset: Preset
    defenses: tuple[str, ...] = ("vdf",)
    victims: tuple[str, ...] = ("all",)
    attackers: tuple[Attacker, ...] = (Attacker(),)
    suite: Suite | None = None
    clips: tuple[str, ...] = ()
    budgets: tuple[Budget, ...] = (Budget(0.05),)
    seeds: tuple[int, ...] = ()
    targets: tuple[Target, ...] = ("composite",)
    drive: str = "auto"
    controls: tuple[str, ...] = ("noise",)
    overrides: dict[str, dict[str, str]] = field(default_factory=dict)
    iterations: int | None = None
    timeout: float = 3600.0
    poisons: tuple[str, ...] = ()
    protected_share: float = 1.0
    device: str = "cpu"
    surrogates: tuple[str, ...] = (SURROGATE,)
    landmarker: str = LANDMARKER
    recogniser: str = "auto"
    versions: bool = True
    track: Track = "video"
    judges: tuple[str, ...] = ("all",)
