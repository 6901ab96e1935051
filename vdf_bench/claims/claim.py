"""What a claim is made of: its words, what is run for it here, the figures that decide, and their bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from vdf_bench.core.interfaces import Track

#: ``value``: the metric. ``net``: the metric less that of the clean twin under the same attacker. ``lost``: what the
#: metric falls by from ``against`` to ``defense``, ``gained`` what it rises by. ``ratio``: that of ``defense`` over
#: that of ``against``.
How = Literal["value", "net", "lost", "gained", "ratio"]


@dataclass(frozen=True)
class Part:
    """A figure.

    Attributes:
        name: what it says.
        metric: a metric of the result table, or a name of the traces.
        bound: the claim holds from here on; None of a figure for comparison.
        how: how it follows from the tables.
        defense: whose.
        against: the other one, where two are compared.
        purifier, victim: of the attacker; empty where the metric has none.
        unit: ``%`` is printed times 100.
        traced: ``metric`` is one of the traces; its mean over frames counts.
    """

    name: str
    metric: str
    bound: float | None = None
    how: How = "value"
    defense: str = "vdf"
    against: str = ""
    purifier: str = "identity"
    victim: str = ""
    unit: str = ""
    traced: bool = False


@dataclass(frozen=True)
class Study:
    """What is run for a claim: an ordinary run, whose steps all claims share.

    Attributes:
        defenses, controls, victims: names; without victims the run ends at the attacker's capture.
        chains: what the attacker does to the frames first.
        length: of the clips, such as ``@24f``; empty takes the preset's.
        clips: at most so many of the clips, where a defense is dear; in the images track so many portraits.
        track: images are always rendered portraits, whatever clips are asked for.
        budget: in levels of 255, instead of the one that is asked for; 0 takes that.
    """

    defenses: tuple[str, ...] = ("vdf",)
    controls: tuple[str, ...] = ()
    victims: tuple[str, ...] = ()
    chains: tuple[str, ...] = ("identity",)
    length: str = ""
    clips: int | None = None
    track: Track = "video"
    budget: float = 0.0


@dataclass(frozen=True)
class Claim:
    """A published claim.

    Attributes:
        name: as on the command line.
        title: for lists.
        paper: which.
        quote: what it says; within quotation marks its very words.
        protocol: what is run here instead, and where that departs.
        study: the run; None where the claim has a measurement of its own.
        parts: the figures that decide.
        any_part: one part is enough.
        beside: figures for comparison, which decide nothing.
        missing: what keeps the claim from being tested here; empty where nothing does.
    """

    name: str
    title: str
    paper: str
    quote: str
    protocol: str
    study: Study | None
    parts: tuple[Part, ...] = ()
    any_part: bool = False
    beside: tuple[Part, ...] = ()
    missing: str = ""
