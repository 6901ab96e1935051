"""``reproduce``: published claims, measured here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vdf_bench import arguments
from vdf_bench.commands.options import make_console

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.progress import Progress

app = typer.Typer(help="Published claims, measured here.", no_args_is_help=True)


@app.command()
def speedup(
    clip: Annotated[
        str, typer.Option(metavar="CLIPS", help="Clips; an interval needs five.")
    ] = "synth-a,synth-b,synth-c,synth-d,synth-e",
    size: Annotated[int, typer.Option(help="Edge of a frame, pixels.", min=64, max=512)] = 96,
    frames: Annotated[int, typer.Option(help="Frames of each clip.", min=2, max=1125)] = 24,
    budget: Annotated[str, typer.Option(metavar="BUDGET", help="One bound, such as 0.05.")] = "0.05",
    steps: Annotated[int, typer.Option(help="Steps a frame after which a baseline is given up.", min=1)] = 50,
    published: Annotated[
        bool, typer.Option("--published", help="Time the baselines' published surrogates too; needs diffusers.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder for speedup.json.")] = Path("reproduce"),
) -> None:
    """VDF's 47-fold speed: seconds per frame beside per-frame baselines at equal success, and a verdict.

    Some three minutes of one core at the defaults, two more with --published.
    """
    from vdf_bench.budget import Budget
    from vdf_bench.claims.report import print_speedup, write_speedup
    from vdf_bench.claims.speed import measure_speed

    clips = arguments.some_names(clip, "--clip")
    for name in clips:
        arguments.known_clip(name)
    bound = Budget.parse(budget)
    console = make_console()
    try:
        with _bar(console) as bar:
            found = measure_speed(
                clips, size, frames, bound, cap=steps, published=published, tell=_teller(bar, console)
            )
    except KeyboardInterrupt:
        # Timings of two sittings do not mix: unlike a run, this begins anew.
        typer.echo("vdf-bench: interrupted; nothing is kept", err=True)
        sys.exit(130)
    print_speedup(found, console)
    path = write_speedup(found, out)
    console.print(f"written to {path}", highlight=False, markup=False, soft_wrap=True)


def _bar(console: Console) -> Progress:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    # Redrawn but twice a second: what the bar costs is charged to the defense that runs.
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        console=console,
        refresh_per_second=2,
        disable=not console.is_terminal,
        transient=True,
    )


def _teller(bar: Progress, console: Console) -> Callable[[str, float], None]:
    """Show what is done next and which share of all is done; off a terminal, a line each."""
    task = bar.add_task("warming up", total=1.0)

    def tell(text: str, share: float) -> None:
        bar.update(task, description=text, completed=share)
        if not console.is_terminal:
            console.print(f"  {text}", highlight=False, markup=False)

    return tell
