"""Where the program prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def make_console(quiet: bool = False) -> Console:
    """As wide as the terminal; 100 columns where there is none.

    Args:
        quiet: print nothing.
    """
    from rich.console import Console

    console = Console(quiet=quiet)
    return console if console.is_terminal else Console(width=100, quiet=quiet)


def shows_live(console: Console) -> bool:
    """Whether what is printed there can be drawn over: a terminal, or a notebook that has ipywidgets."""
    import importlib.util

    return console.is_terminal or (console.is_jupyter and importlib.util.find_spec("ipywidgets") is not None)
