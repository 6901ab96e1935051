"""``validate``: the benchmark, tested by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vdf_bench.commands.options import Frames, Iterations, Jobs, PresetName, Size, StorePath, Timeout, examples
from vdf_bench.core.console import make_console
from vdf_bench.core.errors import UserError
from vdf_bench.runs import arguments

EXAMPLES = examples("validate", "validate --victim triplane --clip synth-a,synth-b --out validation-triplane")


def validate(
    preset: PresetName = "quick",
    clip: Annotated[
        str,
        typer.Option("--clip", metavar="CLIPS", help="Clips of at least two people; a confidence interval needs five."),
    ] = "synth-a,synth-b,synth-c",
    victim: Annotated[str, typer.Option(metavar="NAME", help="One victim, such as triplane.")] = "gaussian",
    seed: Annotated[str, typer.Option(metavar="SEEDS", help="At least two random seeds.")] = "0,1",
    size: Size = None,
    frames: Frames = None,
    iterations: Iterations = None,
    timeout: Timeout = 3600.0,
    out: Annotated[Path, typer.Option(help="Folder for validate.json and validate.html.")] = Path("validation"),
    store: StorePath = None,
    jobs: Jobs = 0,
) -> None:
    """Test the benchmark itself on cases with a known answer; exit code 1 if a property fails.

    No protection must have no effect, a hidden face must protect fully, a larger budget must protect more, metrics
    must measure what they state, and equal seeds must give equal bytes. About 15 minutes of CPU time at the defaults.
    """
    from vdf_bench.execute.costs import expected_seconds
    from vdf_bench.execute.progress import ProgressWatcher
    from vdf_bench.plan import Request
    from vdf_bench.plan.presets import preset as find_preset
    from vdf_bench.validation.arms import complete_validation, prepare_validation, repetition
    from vdf_bench.validation.report import print_validation, write_validation

    request = Request(
        preset=find_preset(preset).resized(size, frames),
        victims=arguments.some_names(victim, "--victim"),
        clips=arguments.some_names(clip, "--clip"),
        seeds=tuple(dict.fromkeys(arguments.seed(text) for text in arguments.names(seed))),
        iterations=iterations,
        timeout=arguments.timeout(timeout),
    )
    if len(request.victims) != 1 or request.victims == ("all",):
        raise UserError(f"--victim {victim!r}: give exactly one victim, such as gaussian")
    if len(request.seeds) < 2 or len(request.clips) < 2:
        raise UserError(
            "validate needs at least two random seeds and two clips, such as --seed 0,1 --clip synth-a,synth-b"
        )
    console = make_console()
    run = prepare_validation(request, out, store)
    again = repetition(run)
    cores = jobs or arguments.cores()
    with ProgressWatcher(console, expected_seconds(run), cores) as watcher:
        found, tally = complete_validation(run, again, cores, watcher)
    print_validation(found, console)
    if tally.cached:
        console.print(f"{len(tally.cached)} of {len(run.plan.steps)} steps were in the store already", highlight=False)
    page = write_validation(run, found)
    console.print(f"report: {page}", highlight=False, markup=False, soft_wrap=True)
    if not found.ok:
        raise typer.Exit(1)
