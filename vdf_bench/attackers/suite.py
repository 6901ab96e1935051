"""Suites of attackers: fixed lists, each under a name of its own; a defense scores what the worst of them leaves.

The attacker moves last and knows the defense, so single attackers prove little. A suite is complete in itself and is
never changed once it is published: scores compare within one suite, and a new one leaves those of the old valid.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar, Final

from vdf_bench.attackers.attacker import Attacker
from vdf_bench.core import registry
from vdf_bench.core.artifact import digest
from vdf_bench.core.cards import Component
from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Stands in a capture for the defense under attack, which an attacker who knows it may study at its budget.
DEFENSE: Final = "{defense}"
#: What ``--purifier auto:TIER`` means: the newest suite of this family.
NEWEST: Final = "autopurify-1"
#: The tier of ``--purifier auto``.
DEFAULT: Final = "fast"
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
        why: what it tries.
    """

    name: str
    chain: str
    capture: str
    why: str

    def against(self, defenses: Iterable[Studied]) -> list[tuple[Attacker, Studied | None]]:
        """The attackers that this one becomes, each with the only defense that it is meant for (None: any)."""
        if DEFENSE not in self.capture:
            return [(Attacker.parse(self.chain, self.capture), None)]
        named = {studied: self.capture.replace(DEFENSE, f"{studied[0]}@{studied[1]:g}") for studied in defenses}
        return [(Attacker.parse(self.chain, capture), studied) for studied, capture in named.items()]


@dataclass(frozen=True)
class Suite:
    """A fixed list of attackers.

    Attributes:
        name: such as ``AutoPurify 1 fast``: scores are comparable within one name.
        version: of the family that it belongs to.
        tier: which of the family's suites it is.
        attacks: its attacks, in the order in which they are tried.
        exhaustive: go on with what is broken already, for a full heat map.
    """

    name: str
    version: int
    tier: str
    attacks: tuple[Attack, ...]
    exhaustive: bool = False

    @property
    def sha256(self) -> str:
        """Digest of what the suite does: of its name, and of chain and capture of every attack, in order."""
        return digest([self.name, self.version, [[a.name, a.chain, a.capture] for a in self.attacks]])

    def attackers(self, defenses: Iterable[str], levels: Iterable[float]) -> tuple[Attacker, ...]:
        """Every attacker of every attack, each once, in order.

        Args:
            defenses: names as typed, ``all`` among them.
            levels: bounds within which they protect, in levels of 255.
        """
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
            "version": self.version,
            "tier": self.tier,
            "sha256": self.sha256,
            "exhaustive": self.exhaustive,
            "attacks": told,
        }


class SuiteComponent(Component):
    """A suite as a plug-in: a card, and the suite itself."""

    suite: ClassVar[Suite]


def find_suite(name: str) -> Suite:
    """The suite that is registered under ``name``, or the newest AutoPurify's tier of that name.

    Raises:
        UserError: there is neither.
    """
    known = registry.names("suites")
    tiers = [suite.removeprefix(f"{NEWEST}-") for suite in known if suite.startswith(f"{NEWEST}-")]
    if name not in (*known, *tiers):
        raise UserError(f"no suite {name!r}: {registry.suggest(name, [*tiers, *known])}")
    found: Suite = registry.load("suites", f"{NEWEST}-{name}" if name in tiers else name).suite
    return found


def registered_name(suite: Suite) -> str:
    """The name under which a suite is registered."""
    plain = replace(suite, exhaustive=False)
    return next(name for name in registry.names("suites") if registry.load("suites", name).suite == plain)


def parse_suite(text: str, exhaustive: bool = False) -> Suite | None:
    """The suite that ``--purifier`` asks for by ``auto`` or ``auto:NAME``; None where it asks for something else.

    Raises:
        UserError: an unknown suite.
    """
    family, _, name = text.strip().partition(":")
    if family != "auto":
        return None
    try:
        return replace(find_suite(name or DEFAULT), exhaustive=exhaustive)
    except UserError as error:
        raise UserError(f"--purifier {text!r}: {error}") from None
