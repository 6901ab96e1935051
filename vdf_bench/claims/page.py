"""How findings are shown: one self-contained page, and the terminal."""

from __future__ import annotations

from collections import Counter
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from vdf_bench.claims.verdicts import RULE, VERDICTS
from vdf_bench.core.text import duration
from vdf_bench.report import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from vdf_bench.claims.findings import Finding

#: Where every measurement here departs from every paper.
EVERYWHERE: Final = (
    "Everywhere: clips are rendered heads, defenses are re-implementations, parser and victims are compact ones, and "
    "attackers parse with the network that defenses attack. Another parser undoes VDF (docs/attacks.md), which its "
    "abstract says nothing of. Bounds are ours where the abstract gives none."
)


def render(findings: Sequence[Finding], record: Mapping[str, Any]) -> str:
    """The page.

    Args:
        findings: in the order of the table.
        record: the head of ``claims.json``: ``preset, clips, seeds, budget, command, cpu_seconds, environment``.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    here = resources.files("vdf_bench.claims").joinpath("claims.html.jinja")
    css = resources.files("vdf_bench.report").joinpath("page.css")
    return environment.from_string(here.read_text(encoding="utf-8")).render(
        findings=findings,
        record=record,
        css=css.read_text(encoding="utf-8"),
        lead=lead(findings),
        rule=RULE,
        everywhere=EVERYWHERE,
        version=record["environment"].get("vdf-bench", ""),
        duration=duration(record["cpu_seconds"]),
    )


def lead(findings: Sequence[Finding]) -> str:
    """How many claims of each verdict, in a sentence."""
    counts = Counter(finding.verdict for finding in findings)
    counted = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])
    return f"Of {words.count(len(findings), 'claim')} in two abstracts and the designs they describe: {counted}."


def print_finding(finding: Finding, console: Console) -> None:
    """What was claimed, what was done, what was measured, and the verdict."""
    from rich.table import Table
    from rich.text import Text

    claim = finding.claim
    console.print(Text(claim.title, style="bold"))
    for name, text in (("claimed", f"{claim.quote} [{claim.paper}, abstract]"), ("here", claim.protocol)):
        console.print(f"{name}: {text}", highlight=False, markup=False)
    table = Table(box=None, padding=(0, 2, 0, 0))
    for head in ("figure", "measured [95 %]", "required", "verdict", "on"):
        table.add_column(Text(head), justify="right" if head.startswith("measured") else "left")
    for figure in finding.figures:
        cells = (figure.name, figure.text, figure.required, figure.verdict or "", figure.basis)
        table.add_row(*(Text(cell) for cell in cells))
    for figure in finding.beside:
        cells = (f"for comparison: {figure.name}", figure.text, "", "", figure.basis)
        table.add_row(*(Text(cell, style="dim") for cell in cells))
    if finding.figures or finding.beside:
        console.print(table)
    for note in finding.notes:
        console.print(note, highlight=False, markup=False)
    if claim.missing:
        console.print(f"missing: {claim.missing}", highlight=False, markup=False)
    basis = f" ({finding.basis})" if finding.basis else ""
    console.print(Text(f"verdict: {finding.verdict}{basis}", style="bold"))
    console.print(f"to repeat: {finding.command}", highlight=False, markup=False, soft_wrap=True)


def markdown(findings: Sequence[Finding]) -> str:
    """The page's table for a document."""
    lines = ["| claim | verdict | measured here | required | on |", "|---|---|---|---|---|"]
    for finding in findings:
        shown = f"missing: {finding.claim.missing}" if finding.claim.missing else finding.short
        cells = (finding.claim.title, f"**{finding.verdict}**", shown, "; ".join(finding.bounds), finding.basis)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
