"""``report``: tables, plots and page of a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vdf_bench.commands.options import examples
from vdf_bench.core.console import make_console

EXAMPLES = examples("report runs/quick", "report sweeps/standard")


def report(folder: Annotated[Path, typer.Argument(help="A run folder, such as runs/quick.")]) -> None:
    """Write the tables, plots and page of a run folder again, and print the summary."""
    from vdf_bench.report import build, print_summary

    build(folder)
    print_summary(folder, make_console())
