"""What a run says to a reader: terminal summary, tables, plots and one self-contained page.

Everything is made from a run folder (``results.parquet``, ``run.json``, ``media/``), with no store and no torch.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from vdf_bench.results.picture import Picture


def save_media(run_dir: Path | str, pictures: Iterable[Picture]) -> None:
    """Write the strips and previews of ``pictures`` and their index into ``run_dir/media``, replacing what is there."""
    from vdf_bench.report.pictures import save_media

    save_media(Path(run_dir), pictures)


def build(run_dir: Path | str, pictures: Iterable[Picture] | None = None) -> Path:
    """Make tables, plots and page from a run folder.

    Args:
        run_dir: folder with ``results.parquet``, ``run.json`` and, for pictures, ``media/``.
        pictures: pictures to save first; None keeps the folder's own.

    Returns:
        The page, ``run_dir/report.html``. Beside it: ``summary.csv``, ``summary.md``, ``summary.tex``, ``plots/``.

    Raises:
        UserError: the folder is no run folder.
    """
    from vdf_bench.report.load import load_run
    from vdf_bench.report.page import write_page
    from vdf_bench.report.plots import write_plots
    from vdf_bench.report.tables import write_tables

    folder = Path(run_dir)
    if pictures is not None:
        save_media(folder, pictures)
    run = load_run(folder)
    write_tables(run)
    return write_page(run, write_plots(run))


def print_summary(run_dir: Path | str, console: Console | None = None) -> None:
    """Print the answer, the table and what they rest on; fits 100 columns.

    Raises:
        UserError: the folder is no run folder.
    """
    from vdf_bench.report.load import load_run
    from vdf_bench.report.terminal import print_run

    print_run(load_run(Path(run_dir)), console)
