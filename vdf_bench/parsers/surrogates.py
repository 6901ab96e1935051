"""Which parsers a defense may differentiate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdf_bench.core import registry
from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from vdf_bench.core.interfaces import DifferentiableParser

#: On the card of a parser that is kept for attackers.
HELD_OUT = "held-out"


def surrogate_names() -> list[str]:
    """Registered parsers that are differentiable and not kept for attackers."""
    cards = {name: registry.load("parsers", name).card for name in registry.names("parsers")}
    return [name for name, card in cards.items() if card.differentiable and HELD_OUT not in card.tags]


def load_surrogate(name: str) -> DifferentiableParser:
    """A parser that a defense may differentiate.

    Raises:
        UserError: it may not, or its weights are absent.
    """
    if name not in surrogate_names():
        raise UserError(f"unknown surrogate {name!r}: {registry.suggest(name, surrogate_names())}")
    loaded: DifferentiableParser = registry.create("parsers", name).load()
    return loaded
