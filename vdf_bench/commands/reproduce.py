"""``reproduce``: published claims, measured here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vdf_bench import arguments
from vdf_bench.commands.options import make_console

app = typer.Typer(help="Published claims, measured here.", no_args_is_help=True)


@app.command()
def speedup(
    clip: Annotated[
        str, typer.Option(metavar="CLIPS", help="Clips; an interval needs five.")
    ] = "synth-a,synth-b,synth-c,synth-d,synth-e",
    size: Annotated[int, typer.Option(help="Edge of a frame, pixels.", min=64, max=512)] = 128,
    frames: Annotated[int, typer.Option(help="Frames of each clip.", min=2, max=1125)] = 12,
    budget: Annotated[str, typer.Option(metavar="BUDGET", help="One bound, such as 0.05.")] = "0.05",
    published: Annotated[
        bool, typer.Option("--published", help="Time the baselines' published surrogates too; needs diffusers.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder for speedup.json.")] = Path("reproduce"),
) -> None:
    """VDF's 47-fold speed: seconds per frame beside per-frame baselines at equal success, and a verdict."""
    from vdf_bench.budget import Budget
    from vdf_bench.claims.report import print_speedup, write_speedup
    from vdf_bench.claims.speed import measure_speed

    clips = arguments.some_names(clip, "--clip")
    for name in clips:
        arguments.known_clip(name)
    console = make_console()
    with console.status("warming up") as status:
        found = measure_speed(clips, size, frames, Budget.parse(budget), published=published, tell=status.update)
    print_speedup(found, console)
    path = write_speedup(found, out)
    console.print(f"written to {path}", highlight=False, markup=False, soft_wrap=True)
