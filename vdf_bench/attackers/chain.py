"""Purifiers in a row, written ``jpeg:75+resize:0.5``.

A link is a purifier's name, alone or with parameters: ``jpeg``, ``jpeg:90`` (a bare value sets the parameter that the
purifier's card names as its short one), ``jpeg:quality=90,subsampling=4:4:4``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vdf_bench.core import registry
from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from vdf_bench.core.interfaces import Setting

#: The purifier that does nothing; a chain leaves it out unless it is alone.
IDENTITY = "identity"


@dataclass(frozen=True)
class Chain:
    """A purifier made of purifiers.

    Attributes:
        links: configured purifiers, first to last.
    """

    links: tuple[Any, ...]

    def __str__(self) -> str:
        """The canonical text: equal for equal chains, however they were written."""
        return "+".join(_canonical_link(link) for link in self.links)

    def purify(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        """Send the frames through every link; streaming, as far as the links stream."""
        for link in self.links:
            frames = link.purify(frames, setting)
        return frames


def parse_chain(text: str) -> list[tuple[str, dict[str, str]]]:
    """Split a chain into names and parameter texts.

    Raises:
        UserError: an empty link, an unknown purifier, or a bare value for a purifier that has no short parameter.
    """
    return [_parse_link(text, link.strip()) for link in text.split("+")]


def build_chain(text: str, overrides: Mapping[str, Mapping[str, str]] | None = None) -> Chain:
    """Build the purifiers of a chain.

    Args:
        text: such as ``jpeg:75+resize:0.5``.
        overrides: parameter texts by purifier name; what stands in ``text`` wins.

    Raises:
        UserError: see :func:`parse_chain`; or an unknown parameter or a value out of bounds.
    """
    links = [
        registry.create("purifiers", name, {**(overrides or {}).get(name, {}), **inline})
        for name, inline in parse_chain(text)
    ]
    return Chain(tuple(link for link in links if link.card.name != IDENTITY) or tuple(links[:1]))


def canonical_chain(text: str, overrides: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """The canonical text of a chain, for tables and cache keys: ``jpeg`` and ``jpeg:75`` both give ``jpeg:75``.

    Raises:
        UserError: see :func:`build_chain`.
    """
    return str(build_chain(text, overrides))


def _parse_link(text: str, link: str) -> tuple[str, dict[str, str]]:
    name, colon, rest = link.partition(":")
    if not name:
        raise UserError(f"purifier chain {text!r} has an empty part: use the form jpeg:75+resize:0.5")
    card = registry.load("purifiers", name).card
    if not colon:
        return name, {}
    values: dict[str, str] = {}
    for item in rest.split(","):
        key, equals, value = item.partition("=")
        if not equals:
            key, value = card.short, item
        if not key:
            raise UserError(f"purifier {name!r} needs a parameter name in {link!r}: use {name}:PARAMETER=VALUE")
        if not value or key in values:
            raise UserError(f"purifier {link!r} gives {key} {'twice' if value else 'no value'}: give one value")
        values[key] = value
    return name, values


def _canonical_link(link: Any) -> str:
    values = link.parameters.model_dump()
    defaults = type(link).parameters_model().model_dump()
    short = link.card.short
    items = [_text(values[short])] if short else []
    items += [f"{key}={_text(value)}" for key, value in values.items() if key != short and value != defaults[key]]
    return f"{link.card.name}:{','.join(items)}" if items else str(link.card.name)


def _text(value: Any) -> str:
    text = str(value)
    return text.removesuffix(".0") if isinstance(value, float) else text
