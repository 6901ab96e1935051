"""``doctor``: what a component still needs on this machine, and the commands that install it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from vdf_bench.commands.options import examples
from vdf_bench.core.console import make_console
from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from vdf_bench.assets.checkouts import Finding

#: Exit code where something is missing.
MISSING = 1


EXAMPLES = examples("doctor vdf", "doctor external.er-nerf --entry video")


def doctor(
    name: Annotated[str, typer.Argument(help="A component, such as external.er-nerf.")],
    entry: Annotated[
        str,
        typer.Option(metavar="ENTRY", help="Entry point of an official system: capture or video; default: its own."),
    ] = "",
) -> None:
    """Check what a component needs on this machine, and print commands that install what is missing.

    Exit code 0 if it can run, 1 if something is missing.
    """
    from vdf_bench.core import registry

    kind = next((kind for kind in registry.KINDS if name in registry.names(kind)), None)
    if kind is None:
        known = sorted({known for kind in registry.KINDS for known in registry.names(kind)})
        raise UserError(f"unknown component {name!r}: {registry.suggest(name, known)}")
    findings = _examine(registry.load(kind, name), entry)
    console = make_console()
    _print(console, findings)
    missing = sum(bool(finding.missing) for finding in findings)
    if missing:
        console.print(f"{name}: {missing} of {len(findings)} requirements missing", highlight=False, markup=False)
        raise typer.Exit(MISSING)
    console.print(f"{name}: ready", highlight=False, markup=False)


def _examine(component: Any, entry: str) -> list[Finding]:
    """What the component finds; of one that has no more to say, what its card needs."""
    from vdf_bench.assets.checkouts import Finding
    from vdf_bench.assets.needs import unmet

    if hasattr(component, "doctor"):
        found: list[Finding] = component.doctor(entry)
        return found
    if entry:
        raise UserError(f"{component.card.name} has no entry points: remove --entry")
    missing, _, fix = (unmet(component.card) or "").partition(": ")
    return [Finding(", ".join(component.card.needs) or "no requirements", missing, fix)]


def _print(console: Console, findings: list[Finding]) -> None:
    """A table on a terminal, with the commands below it to be copied; else plain lines, for reading and for grep."""
    if not console.is_terminal:
        for finding in findings:
            console.print(f"{'missing' if finding.missing else 'ok':8}{finding.what}", **_PLAIN)
            if finding.missing:
                console.print(f"        {finding.missing}\n        fix: {finding.fix}", **_PLAIN)
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for finding in findings:
        mark = Text("missing", "bold red") if finding.missing else Text("ok", "green")
        table.add_row(mark, Text(finding.what), Text(finding.missing.removeprefix("missing")))
    console.print(table)
    commands = dict.fromkeys(finding.fix for finding in findings if finding.fix)
    if commands:
        console.print("To fix it, run:", style="bold")
    for command in commands:
        console.print(command, **_PLAIN)


_PLAIN: dict[str, Any] = {"highlight": False, "markup": False, "soft_wrap": True}
