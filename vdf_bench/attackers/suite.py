"""AutoPurify: the fixed, parameter-free suite of attackers; a defense scores what the worst of them leaves of it.

The attacker moves last and knows the defense, so single attackers prove little. Whoever adds an attack or changes one
raises :data:`VERSION`; scores of different versions, or of different tiers, are never compared.

Attacks are ordered by what they cost the attacker, and the cheap ones that break most come first: a clip whose
protection is broken is not attacked further.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vdf_bench.plan import Attacker

VERSION: Final = 1
#: Each tier holds the attacks of those before it.
TIERS: Final = ("fast", "standard", "full")
#: Stands in a capture for the defense under attack, which an attacker who knows it may study at its budget.
DEFENSE: Final = "{defense}"
#: A defense and the bound, in levels of 255, within which it is studied.
Studied = tuple[str, float]


@dataclass(frozen=True)
class Attack:
    """One attacker of the suite.

    Attributes:
        name: what tables and heat maps call it.
        chain: what it does to the published frames before training on them, in canonical text: every strength is said,
            so that no default moves a suite.
        capture: how it captures them, likewise.
        tier: the cheapest tier that holds it.
        why: what it tries.
    """

    name: str
    chain: str
    capture: str
    tier: str
    why: str

    def against(self, defenses: Iterable[Studied]) -> list[tuple[Attacker, Studied | None]]:
        """The attackers that this one becomes, each with the only defense that it is meant for (None: any)."""
        from vdf_bench.plan import Attacker

        if DEFENSE not in self.capture:
            return [(Attacker.parse(self.chain, self.capture), None)]
        named = {studied: self.capture.replace(DEFENSE, f"{studied[0]}@{studied[1]:g}") for studied in defenses}
        return [(Attacker.parse(self.chain, capture), studied) for studied, capture in named.items()]


_PLAIN, _STOCK = "identity", "builtin/repair"

#: In the order in which they are tried.
ATTACKS: Final = (
    Attack("as published", _PLAIN, _STOCK, "fast", "nothing: the stock pipeline with the parser that defenses know"),
    Attack("other parser", _PLAIN, "heldout/repair", "fast", "parse with a network that no defense has seen"),
    Attack("landmark hull", _PLAIN, "landmark-hull/repair", "fast", "no parser: the hull of the landmarks is the head"),
    Attack("JPEG + half size", "jpeg:75+resize:0.5", _STOCK, "fast", "what a messenger does to a picture"),
    Attack("H.264", "h264:23", _STOCK, "fast", "what a platform does to an upload"),
    Attack("voted masks", _PLAIN, "builtin/vote/repair", "fast", "vote on masks over time, along optical flow"),
    Attack("parse at 0.6", _PLAIN, "builtin/scale=0.6/repair", "fast", "parse at a scale between those of the defense"),
    Attack(
        "parse a blurred copy", _PLAIN, "builtin/on=gaussian-blur:1.5/repair", "fast",
        "parse on a purified copy, train on the frames as they are",
    ),
    Attack("JPEG", "jpeg:75", _STOCK, "standard", "compression alone"),
    Attack("half size", "resize:0.5", _STOCK, "standard", "scaling alone"),
    Attack("H.264, strong", "h264:35", _STOCK, "standard", "a poor connection"),
    Attack("noise", "gaussian-noise:0.05", _STOCK, "standard", "drown the perturbation"),
    Attack("median", "median:3", _STOCK, "standard", "remove outliers"),
    Attack("bit depth", "bit-depth:4", _STOCK, "standard", "squeeze 8 bits to 4"),
    Attack("temporal median", "temporal-median:2", _STOCK, "standard", "median over frames, along optical flow"),
    Attack("parse at 0.45", _PLAIN, "builtin/scale=0.45:area/repair", "standard", "parse at a much smaller scale"),
    Attack("parse at 1.25", _PLAIN, "builtin/scale=1.25/repair", "standard", "parse at a larger scale"),
    Attack("parsers together", _PLAIN, "ensemble/repair", "standard", "let several parsers vote"),
    Attack("GrIDPure", "grid-pure-synth:10", _STOCK, "standard", "many light diffusion passes, by a small denoiser"),
    Attack(
        "parse a denoised copy", _PLAIN, "builtin/on=grid-pure-synth:10/repair", "standard",
        "parse on a diffusion-purified copy, train on the frames as they are",
    ),
    Attack("AdverseCleaner", "adverse-cleaner:64", _STOCK, "full", "bilateral and guided filters, many times"),
    Attack("DiffPure", "diffpure-synth:100", _STOCK, "full", "drown in noise and denoise, by a small denoiser"),
    Attack("noisy upscaling", "noisy-upscale-synth:0.1", _STOCK, "full", "noise, then upscaling, by a small denoiser"),
    Attack("H.265", "h265:28", _STOCK, "full", "another codec"),
    Attack("VP9", "vp9:35", _STOCK, "full", "another codec"),
    Attack("fewer frames", "fps:24", _STOCK, "full", "25 to 24 to 25 frames per second"),
    Attack("crop", "crop-resize:0.1", _STOCK, "full", "crop a tenth and scale back"),
    Attack("one clean second", "mix-clean:1", _STOCK, "full", "a second of footage that was never protected"),
    Attack(
        "fine-tuned parser", _PLAIN, f"builtin/finetuned={DEFENSE}/repair", "full",
        "teach the parser on other people's clips under this very defense",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Suite:
    """A tier of AutoPurify.

    Attributes:
        tier: its name.
        exhaustive: go on with what is broken already, for a full heat map.
    """

    tier: str
    exhaustive: bool = False

    @property
    def name(self) -> str:
        """``AutoPurify 1 fast``: scores are comparable within one name."""
        return f"AutoPurify {VERSION} {self.tier}"

    @property
    def attacks(self) -> tuple[Attack, ...]:
        """Its attacks, in order."""
        return tuple(attack for attack in ATTACKS if TIERS.index(attack.tier) <= TIERS.index(self.tier))

    def attackers(self, defenses: Iterable[str], levels: Iterable[float]) -> tuple[Attacker, ...]:
        """Every attacker of every attack, each once, in order.

        Args:
            defenses: names as typed, ``all`` among them.
            levels: bounds within which they protect, in levels of 255.
        """
        from vdf_bench.core import registry

        asked = tuple(defenses)
        names = registry.names("defenses") if asked == ("all",) else asked
        cards = {name: registry.load("defenses", name).card for name in names}
        # Nobody studies what protects nothing.
        known = [name for name, card in cards.items() if name != "none" and "control" not in card.tags]
        studied = tuple(product(known, levels))
        return tuple(dict.fromkeys(who for attack in self.attacks for who, _ in attack.against(studied)))

    def record(self) -> dict[str, Any]:
        """What ``run.json`` says of it."""
        told = [{"name": a.name, "chain": a.chain, "capture": a.capture, "why": a.why} for a in self.attacks]
        return {
            "name": self.name,
            "version": VERSION,
            "tier": self.tier,
            "exhaustive": self.exhaustive,
            "attacks": told,
        }


def parse_suite(text: str, exhaustive: bool = False) -> Suite | None:
    """The suite that ``--purifier`` asks for by ``auto`` or ``auto:TIER``; None where it asks for something else.

    Raises:
        UserError: an unknown tier.
    """
    name, colon, tier = text.strip().partition(":")
    if name != "auto":
        return None
    tier = tier if colon else TIERS[0]
    if tier not in TIERS:
        from vdf_bench.core.registry import suggest

        raise UserError(f"--purifier {text!r}: {suggest(tier, list(TIERS))}")
    return Suite(tier, exhaustive)
