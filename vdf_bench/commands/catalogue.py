"""``list`` and ``info``: the components, and the card and parameters of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vdf_bench.commands.options import examples
from vdf_bench.core.console import make_console
from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from vdf_bench.core.cards import Card

#: The distribution whose name is not shown.
OWN = "vdf-bench"

LIST_EXAMPLES = examples("list", "list defenses")
INFO_EXAMPLES = examples("info vdf", "info jpeg")


def list_(
    kind: Annotated[
        str, typer.Argument(help="A kind, such as defenses, victims, purifiers, judges or clips; default: all.")
    ] = "",
) -> None:
    """List components, with what they still need, and the package of each plug-in."""
    from itertools import groupby

    from rich.markup import escape
    from rich.table import Table

    from vdf_bench.assets.listing import components

    console = make_console()
    for each, listed in groupby(components(kind), key=lambda one: one.kind):
        table = Table(title=each, title_justify="left", box=None, padding=(0, 2, 0, 0), show_header=False)
        for one in listed:
            notes = [f"[{one.missing}]"] if one.missing else []
            notes += [f"({one.distribution} {one.version})"] if one.distribution != OWN else []
            table.add_row(one.name, escape("  ".join([one.title, *notes])))
        console.print(table)


def info(name: Annotated[str, typer.Argument(help="A component, such as vdf, gaussian or jpeg.")]) -> None:
    """Print the card of a component, and its parameters with their defaults."""
    from vdf_bench.assets.needs import unmet
    from vdf_bench.core import registry

    console = make_console()
    kinds = [kind for kind in registry.KINDS if name in registry.names(kind)]
    if not kinds:
        known = sorted({known for kind in registry.KINDS for known in registry.names(kind)})
        raise UserError(f"unknown component {name!r}: {registry.suggest(name, known)}")
    for kind in kinds:
        component = registry.load(kind, name)
        card = component.card
        console.print(f"{card.name} ({kind[:-1]}): {card.title}", style="bold", highlight=False)
        console.print(card.summary, highlight=False, markup=False)
        for label, value in (
            ("source", " ".join(filter(None, [card.source, _year(card), card.url]))),
            ("trained on", card.trained_on),
            ("abilities", ", ".join(_abilities(card))),
            ("licence", card.licence),
            ("needs", ", ".join(card.needs) or "nothing"),
            ("status", unmet(card) or "ready"),
            ("cost", card.cost),
            ("package", " ".join(registry.distribution(kind, name))),
        ):
            if value:
                console.print(f"  {label}: {value}", highlight=False, markup=False)
        for field_name, field in component.parameters_model.model_fields.items():
            text = f"  --set {card.name}.{field_name}={field.default}  {field.description or ''}"
            console.print(text, highlight=False, markup=False)


def _year(card: Card) -> str:
    return "" if card.year is None or str(card.year) in card.source else str(card.year)


def _abilities(card: Card) -> list[str]:
    """What can be done with a network, and at which sizes it looks."""
    found = ["differentiable"] if card.differentiable else []
    found += ["kept from defenses"] if "held-out" in card.tags else []
    found += ["teachable"] if card.teachable else []
    if card.edges:
        low, high = card.edges
        found.append(f"looks at {low} px" if low == high else f"looks at {low} to {high} px")
    return found
