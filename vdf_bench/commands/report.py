"""``report``: a finished run, told again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vdf_bench.core.console import make_console


def report(folder: Annotated[Path, typer.Argument(help="A run folder.")]) -> None:
    """Make tables, plots and page of a run folder again, and print its answer."""
    from vdf_bench.report import build, print_summary

    build(folder)
    print_summary(folder, make_console())
