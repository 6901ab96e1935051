"""A defense and the network that it may differentiate, written ``grasp`` or ``grasp@stargan-synth``.

What a defense differentiates (its surrogate) is a face parser in the video track and, in the images track, an attribute
editor. A bare name takes the track's own: the parser ``builtin``; or, for a defense that can attack editors, each
editor in turn, which is then the only one that attacks its pictures (white-box). ``@NAME`` fixes the surrogate, whoever
attacks (transfer); ``@all`` is every editor of the run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vdf_bench.assets.needs import unmet
from vdf_bench.attackers.attacker import SURROGATE
from vdf_bench.core import registry
from vdf_bench.core.errors import UserError
from vdf_bench.parsers.surrogates import surrogate_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vdf_bench.core.interfaces import Track

#: Tag of the cards of attribute editors.
EDITOR = "editor"


def is_editor(victim: str) -> bool:
    """Whether a victim is an attribute editor; the others are heads."""
    return EDITOR in registry.load("victims", victim).card.tags


@dataclass(frozen=True)
class Protector:
    """A defense with its surrogate.

    Attributes:
        defense: component name.
        surrogate: name of a parser or an editor; empty where it differentiates none.
        label: what tables call it.
        editor: the surrogate is an editor.
        only: the one victim that attacks what it protects; empty where all do.
    """

    defense: str
    surrogate: str = ""
    label: str = ""
    editor: bool = False
    only: str = ""


def protectors(
    text: str, track: Track, victims: Iterable[str], surrogates: tuple[str, ...] = (SURROGATE,)
) -> list[Protector]:
    """What a ``--defense`` text stands for.

    Args:
        text: ``NAME`` or ``NAME@SURROGATE``.
        track: of the run.
        victims: of the run.
        surrogates: parsers that a bare name stands for.

    Raises:
        UserError: an unknown name, or a surrogate that the defense cannot differentiate.
    """
    name, at, surrogate = text.partition("@")
    kinds: frozenset[str] = registry.load("defenses", name).surrogates
    editors = [victim for victim in victims if is_editor(victim)]
    if not at:
        if track == "images" and "editor" in kinds:
            return [Protector(name, each, f"{name}@{each}", True, only=each) for each in editors]
        if track == "images" and "parser" in kinds:
            return [Protector(name, each, label=f"{name}@{each}") for each in surrogates]
        if "parser" not in kinds:
            return [Protector(name, "", label=name)]
        return [one for each in surrogates for one in protectors(f"{name}@{each}", track, victims)]
    if surrogate == "all":
        if not editors:
            raise UserError(
                f"--defense {text}: 'all' means every attribute editor of the run, and this run has none: name "
                "a surrogate"
            )
        return [found for each in editors for found in protectors(f"{name}@{each}", track, editors)]
    if surrogate in surrogate_names():
        _check(kinds, "parser", text)
        if missing := unmet(registry.load("parsers", surrogate).card):
            raise UserError(f"--defense {text}: {surrogate} {missing}")
        return [Protector(name, surrogate, name if (track, surrogate) == ("video", SURROGATE) else text)]
    if surrogate in registry.names("victims") and is_editor(surrogate):
        _check(kinds, "editor", text)
        if missing := unmet(registry.load("victims", surrogate).card):
            raise UserError(f"--defense {text}: {surrogate} {missing}")
        return [Protector(name, surrogate, text, True)]
    known = [*surrogate_names(), *(victim for victim in registry.names("victims") if is_editor(victim))]
    raise UserError(f"--defense {text}: unknown surrogate {surrogate!r}: {registry.suggest(surrogate, known)}")


def lone_protector(defense: str, surrogate: str) -> Protector:
    """A defense with the parser that it differentiates, if it does, for a video outside a run.

    Raises:
        UserError: an unknown name, or a defense that differentiates attribute editors alone.
    """
    found = protectors(defense, "video", (), (surrogate,))[0]
    if not found.surrogate and registry.load("defenses", defense).surrogates:
        raise UserError(f"--defense {defense} attacks attribute editors: use it with `vdf-bench run --track images`")
    return found


def _check(kinds: frozenset[str], kind: str, text: str) -> None:
    if kind not in kinds:
        takes = " or ".join(f"{each}s" for each in sorted(kinds))
        raise UserError(
            f"--defense {text}: {text.partition('@')[0]} "
            + (f"attacks {takes}, not {kind}s" if kinds else "has no surrogate: remove '@' and what follows")
        )
