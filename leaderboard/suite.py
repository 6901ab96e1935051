"""What every entry is measured on: clips, budgets, attackers and victims under one name and one hash.

Scores of different suites never mix. A suite that was published is never changed: another clip, budget or attacker
makes another suite, with another name. The hash covers the pixels of the clips and the version of AutoPurify too, so
that a change of either cannot go unnoticed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from vdf_bench.attackers.suite import DEFENSE, Suite, find_suite
from vdf_bench.core.artifact import digest
from vdf_bench.core.errors import UserError
from vdf_bench.core.frames import frames_digest

if TYPE_CHECKING:
    from vdf_bench.attackers.attacker import Attacker
    from vdf_bench.attackers.suite import Attack
    from vdf_bench.core.clip import Clip
    from vdf_bench.core.interfaces import Track
    from vdf_bench.plan import Request

#: Who is asked about a suite's attackers: with the parser that defenses may differentiate, or with another one.
TRACKS: Final = ("all attackers", "white-box", "transfer")


@dataclass(frozen=True)
class BoardSuite:
    """What entries are measured on.

    Attributes:
        name: what submissions call it.
        clips: clip -> SHA-256 of its frames (:func:`vdf_bench.core.frames.frames_digest`).
        size: edge of the square frames, pixels.
        frames: length of every clip, at 25 fps.
        budgets: bounds within which entries protect, in levels of 255.
        tier: of AutoPurify: which attackers.
        autopurify: its version.
        victims: who is trained on what the attackers have.
        seeds: of victims and attackers.
        heldout: clips on which methods are run again; no default was tuned on them.
        summary: what it is for.
        only: names of the tier's attackers that it takes; empty takes all.
        iterations: of every fit; None is the victim's default.
        track: what is protected.
    """

    name: str
    clips: dict[str, str]
    size: int
    frames: int
    budgets: tuple[float, ...]
    tier: str
    autopurify: int
    victims: tuple[str, ...]
    seeds: tuple[int, ...]
    heldout: tuple[str, ...]
    summary: str
    only: tuple[str, ...] = ()
    iterations: int | None = None
    track: Track = "video"

    @property
    def autopurify_suite(self) -> Suite:
        """The AutoPurify suite that the attackers are taken from, as it was when this one was published."""
        return find_suite(f"autopurify-{self.autopurify}-{self.tier}")

    @property
    def attacks(self) -> tuple[Attack, ...]:
        """Its attackers, in AutoPurify's order; those that need to know the defense are not among them."""
        whole = [attack for attack in self.autopurify_suite.attacks if DEFENSE not in attack.capture]
        return tuple(attack for attack in whole if not self.only or attack.name in self.only)

    def record(self) -> dict[str, Any]:
        """Everything that a score depends on, as JSON values; what the hash is taken over."""
        return {
            "name": self.name,
            "track": self.track,
            "clips": self.clips,
            "size": self.size,
            "frames": self.frames,
            "fps": "25/1",
            "budgets": list(self.budgets),
            "autopurify": {"version": self.autopurify, "tier": self.tier},
            "attacks": [{"name": a.name, "chain": a.chain, "capture": a.capture} for a in self.attacks],
            "victims": list(self.victims),
            "iterations": self.iterations,
            "seeds": list(self.seeds),
            "heldout": list(self.heldout),
            "target": "composite",
            "drive": "auto",
        }

    @property
    def sha256(self) -> str:
        """The suite hash: SHA-256 over the canonical JSON of :meth:`record`."""
        return digest(self.record())

    def attackers(self) -> tuple[Attacker, ...]:
        """What the attacks do to published frames, in order."""
        from vdf_bench.attackers.attacker import Attacker

        return tuple(Attacker.parse(attack.chain, attack.capture) for attack in self.attacks)

    def attack_of(self, chain: str, capture: str) -> str:
        """The name of the attack with that chain and capture, in canonical text."""
        for attack, who in zip(self.attacks, self.attackers(), strict=True):
            if (who.chain, who.capture) == (chain, capture):
                return attack.name
        raise ValueError(f"{self.name} has no attacker {chain!r}, {capture!r}")

    def track_of(self, attack: str) -> str:
        """``white-box`` where the attacker parses with the network that defenses may attack, else ``transfer``."""
        from vdf_bench.attackers.attacker import SURROGATE
        from vdf_bench.attackers.spec import CaptureSpec

        capture = next(each.capture for each in self.attacks if each.name == attack)
        return "white-box" if CaptureSpec.parse(capture).parser == SURROGATE else "transfer"

    def request(self) -> Request:
        """The run that measures one entry, without saying which."""
        from vdf_bench.core.budget import Budget
        from vdf_bench.plan import Request
        from vdf_bench.plan.presets import Preset

        return Request(
            preset=Preset(self.name, self.size, self.frames, tuple(self.clips), self.seeds, self.summary),
            defenses=(),
            victims=self.victims,
            attackers=self.attackers(),
            suite=replace(self.autopurify_suite, exhaustive=True),
            budgets=tuple(Budget(levels / 255) for levels in self.budgets),
            controls=(),
            iterations=self.iterations,
        )

    def clip(self, name: str) -> Clip:
        """Render a clip of the suite.

        Raises:
            UserError: this machine renders other pixels than the suite's.
        """
        clip = render(name, self.size, self.frames)
        if self.clips.get(name, "") != frames_digest(clip.frames):
            raise UserError(
                f"suite {self.name}: clip {name} has other pixels here than when the suite was published: use the "
                f"version of vdf-bench that published it, on x86-64"
            )
        return clip

    def pinned(self) -> BoardSuite:
        """This suite with the digests of the clips as they are rendered here: how a new one is published."""
        return replace(
            self, clips={name: frames_digest(render(name, self.size, self.frames).frames) for name in self.clips}
        )


@cache
def render(name: str, size: int, frames: int) -> Clip:
    """A named clip at a suite's size and length; kept, for every rule asks for it."""
    from vdf_bench.stages.load import load_clip

    return load_clip(name, size, frames)
