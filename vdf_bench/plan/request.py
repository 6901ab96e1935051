"""What a user asks for, before anything is looked up."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

from vdf_bench.core.budget import Budget

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vdf_bench.attackers.suite import Suite
    from vdf_bench.core.interfaces import Target, Track
    from vdf_bench.plan.presets import Preset

#: The parser that defenses differentiate unless another is named. Attackers that run it are white-box cells, others are
#: transfer.
SURROGATE = "builtin"
#: The landmarker of captures and judges.
LANDMARKER = "builtin"
TARGETS: dict[str, tuple[Target, ...]] = {"composite": ("composite",), "full": ("full",), "both": ("composite", "full")}
DRIVES = ("auto", "audio", "landmarks")


@dataclass(frozen=True)
class Attacker:
    """What an attacker does to the published frames before a victim trains on them.

    Attributes:
        chain: canonical text of the purifiers that the frames go through; see :mod:`vdf_bench.attackers.chain`.
        capture: canonical text of how they are captured; see :mod:`vdf_bench.attackers.spec`.
    """

    chain: str = "identity"
    capture: str = f"{SURROGATE}/repair"

    @classmethod
    def parse(cls, chain: str, capture: str, policy: str = "repair") -> Attacker:
        """The attacker that two texts describe, in whatever form; ``policy`` where ``capture`` names none.

        Raises:
            UserError: either text is of no known form, or holds a value out of bounds.
        """
        from vdf_bench.attackers.chain import canonical_chain
        from vdf_bench.attackers.spec import CaptureSpec

        return cls(canonical_chain(chain), str(CaptureSpec.parse(capture, policy, "--parser")))


def every_attacker(chains: Iterable[str], captures: Iterable[str], policy: str = "repair") -> tuple[Attacker, ...]:
    """Every chain with every capture, each once.

    Raises:
        UserError: see :meth:`Attacker.parse`.
    """
    pairs = product(chains, captures)
    return tuple(dict.fromkeys(Attacker.parse(chain, capture, policy) for chain, capture in pairs))


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
        versions: versions of libraries count in the keys of steps.
        track: ``images`` protects one frame of each clip, and attribute editors are its victims.
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
    versions: bool = True
    track: Track = "video"
