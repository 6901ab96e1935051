"""What commands share: options that several of them take, and where they print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="C.P=VALUE", help="COMPONENT.PARAMETER=VALUE, repeatable.", show_default=False),
]
Out = Annotated[Path, typer.Option(help="Folder to write into.", show_default=False)]


def make_console() -> Console:
    """As wide as the terminal; 100 columns where there is none."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=100)
