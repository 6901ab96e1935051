"""Every registered component with what it needs and where it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vdf_bench.assets.needs import unmet
from vdf_bench.core import registry
from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Listed(NamedTuple):
    """One component.

    Attributes:
        kind, name, title: which, and what it is.
        needs: comma-separated needs of its card, met or not.
        missing: why it cannot run here; empty where it can.
        distribution, version: the installed package that it comes from.
    """

    kind: str
    name: str
    title: str
    needs: str
    missing: str
    distribution: str
    version: str


def components(kind: str = "") -> Iterator[Listed]:
    """Every component, by kind and name; one that cannot be loaded is listed with the reason.

    Args:
        kind: such as ``defenses``; empty for all.

    Raises:
        UserError: there is no such kind.
    """
    if kind and kind not in registry.KINDS:
        raise UserError(f"unknown kind {kind!r}: {registry.suggest(kind, list(registry.KINDS))}")
    for each in registry.KINDS:
        for name in registry.names(each) if kind in ("", each) else ():
            package = registry.distribution(each, name)
            try:
                card = registry.load(each, name).card
            except UserError as error:  # one broken plug-in must not hide the others
                yield Listed(each, name, "cannot be loaded", "", str(error), *package)
                continue
            yield Listed(each, name, card.title, ", ".join(card.needs), unmet(card) or "", *package)
