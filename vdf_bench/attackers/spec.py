"""How an attacker captures, written ``builtin/vote/repair``: a parser, what is done to it, what face-less frames get.

Parts are joined by ``/``. Between parser and policy stand modifiers, in any order:

=================== =====================================================================================
``finetuned=vdf``   the parser is taught on other clips under that defense; ``vdf@8``: within 8/255
``on=CHAIN``        parser and landmarks look at a purified copy, the victim trains on the frames as they are
``scale=0.6``       frames are resized by that factor for the parser, by Lanczos; ``scale=0.33:area`` by averages
``vote``            masks are voted over time, along optical flow, 2 frames to either side; ``vote=3``: 3
=================== =====================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

from vdf_bench.core import registry
from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdf_bench.core.capture import Policy
    from vdf_bench.core.interfaces import Kernel

POLICIES: Final = ("repair", "strict", "drop")
KERNELS: Final = ("lanczos", "area")
#: Bound, in levels of 255, within which a defense is studied unless the text says another one.
LEVELS: Final = 12.75
#: Factors by which frames may be resized for the parser, and frames to either side that may vote.
SCALES: Final = (0.1, 2.0)
VOTES: Final = (1, 12)


@dataclass(frozen=True)
class CaptureSpec:
    """One way to capture. ``str`` gives its canonical text: equal for equal ways, however they were written.

    Attributes:
        parser: a registered parser.
        policy: what happens to frames in which no face is found.
        finetuned: the defense that the parser was taught on; empty for none.
        levels: the bound within which it was taught, in levels of 255.
        view: canonical purifier chain of the copy that parser and landmarks look at; empty for the frames themselves.
        scale: factor by which frames are resized for the parser; 1 for none.
        kernel: how they are resized.
        vote: frames to either side that vote on a mask; 0 for none.
    """

    parser: str
    policy: Policy = "repair"
    finetuned: str = ""
    levels: float = LEVELS
    view: str = ""
    scale: float = 1.0
    kernel: Kernel = "lanczos"
    vote: int = 0

    @classmethod
    def parse(cls, text: str, policy: str = "repair", where: str = "capture") -> CaptureSpec:
        """Read ``PARSER[/MODIFIER...][/POLICY]``.

        Args:
            text: such as ``heldout`` or ``builtin/on=jpeg:75+resize:0.5/vote/strict``.
            policy: taken where the text ends without one.
            where: what an error calls the text.

        Raises:
            UserError: an unknown part, one given twice, a value out of bounds, or a chain that cannot be built.
        """
        parser, *parts = (part.strip() for part in text.strip().split("/"))
        if parts and parts[-1] in POLICIES:
            policy = parts.pop()
        _known(parser, tuple(registry.names("parsers")), f"{where} {text!r}: parser {parser!r}")
        _known(policy, POLICIES, f"policy {policy!r}")
        spec = cls(parser, policy)  # type: ignore[arg-type]  # one of POLICIES, as just seen
        seen: set[str] = set()
        for part in parts:
            name, equals, value = (word.strip() for word in part.partition("="))
            _known(name, tuple(_MODIFIERS), f"{where} {text!r}: modifier {name!r}")
            if name in seen:
                raise UserError(f"{where} {text!r} gives {name} twice: give it once")
            if not value and (equals or name != "vote"):
                raise UserError(f"{where} {text!r}: {name} needs a value, such as {_EXAMPLES[name]}")
            seen.add(name)
            spec = replace(spec, **_MODIFIERS[name](value, f"{where} {text!r}: {part}"))
        if spec.finetuned and not registry.load("parsers", parser).card.teachable:
            known = [name for name in registry.names("parsers") if registry.load("parsers", name).card.teachable]
            raise UserError(f"{where} {text!r}: {parser} cannot be trained here: use {' or '.join(known)}")
        return spec

    def __str__(self) -> str:
        return f"{self.name}/{self.policy}"

    @property
    def name(self) -> str:
        """The text without the policy."""
        parts = [self.parser]
        if self.finetuned:
            parts.append(f"finetuned={self.finetuned}" + (f"@{self.levels:g}" if self.levels != LEVELS else ""))
        if self.view:
            parts.append(f"on={self.view}")
        if self.scale != 1:
            parts.append(f"scale={self.scale:g}" + (f":{self.kernel}" if self.kernel != "lanczos" else ""))
        if self.vote:
            parts.append("vote" + (f"={self.vote}" if self.vote != 2 else ""))
        return "/".join(parts)

    def params(self) -> dict[str, Any]:
        """What a capture step is told; purified copies and taught weights are its inputs. Defaults are left out."""
        told = ("scale", "kernel", "vote")
        changed = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        return {"parser": self.parser, "policy": self.policy, **{k: v for k, v in changed.items() if k in told}}


def _known(text: str, known: tuple[str, ...], what: str) -> None:
    if text not in known:
        raise UserError(f"{what}: {registry.suggest(text, list(known))}")


def _number(text: str, bounds: tuple[float, float], what: str) -> float:
    low, high = bounds
    try:
        value = float(text)
    except ValueError:
        raise UserError(f"{what}: {text!r} is not a number: give {low:g} to {high:g}") from None
    if not low <= value <= high:
        raise UserError(f"{what} is out of range: give {low:g} to {high:g}")
    return value


def _finetuned(value: str, what: str) -> dict[str, Any]:
    name, at, levels = value.partition("@")
    if registry.load("defenses", name).card.name == "none":
        raise UserError(f"{what}: the defense 'none' is not allowed here: choose one from 'vdf-bench list defenses'")
    return {"finetuned": name, "levels": _number(levels, (0.5, 255), what) if at else LEVELS}


def _on(value: str, what: str) -> dict[str, Any]:
    from vdf_bench.attackers.chain import IDENTITY, canonical_chain

    del what
    chain = canonical_chain(value)
    return {"view": "" if chain == IDENTITY else chain}


def _scale(value: str, what: str) -> dict[str, Any]:
    factor, colon, kernel = value.partition(":")
    if colon:
        _known(kernel, KERNELS, f"{what}: kernel {kernel!r}")
    scale = float(f"{_number(factor, SCALES, what):g}")  # as its text says it, so that equal texts are equal ways
    return {"scale": scale, "kernel": kernel if colon and scale != 1 else "lanczos"}


def _vote(value: str, what: str) -> dict[str, Any]:
    radius = _number(value, VOTES, what) if value else 2
    if radius != int(radius):
        raise UserError(f"{what}: {value} is not a whole number: give {VOTES[0]} to {VOTES[1]}")
    return {"vote": int(radius)}


_MODIFIERS: Final[dict[str, Callable[[str, str], dict[str, Any]]]] = {
    "finetuned": _finetuned,
    "on": _on,
    "scale": _scale,
    "vote": _vote,
}
_EXAMPLES: Final = {"finetuned": "finetuned=vdf", "on": "on=jpeg:75", "scale": "scale=0.6", "vote": "vote=2"}
