"""``reproduce``: published claims, measured here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vdf_bench.claims.catalogue import CLAIMS, CLIPS
from vdf_bench.commands.options import Frames, Jobs, Size, examples
from vdf_bench.core.console import make_console
from vdf_bench.runs import arguments

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.progress import Progress

    from vdf_bench.claims.claim import Claim
    from vdf_bench.claims.findings import Finding
    from vdf_bench.claims.reproduce import Setup

app = typer.Typer(help="Measure published claims on this machine.", no_args_is_help=True)

PresetOption = Annotated[str, typer.Option("--preset", metavar="PRESET", help="quick, standard, full or paper.")]
#: As ``--clip`` takes them.
_CLIPS = ",".join(CLIPS)
ClipOption = Annotated[
    str,
    typer.Option(
        "--clip", metavar="CLIPS", help="One clip per person, an interval needs five; claims about GRASP: portraits:N."
    ),
]
BudgetOption = Annotated[
    str, typer.Option("--budget", metavar="BUDGET", help="Largest change of a pixel, such as 0.05 or 8/255.")
]
OutOption = Annotated[Path, typer.Option("--out", help="Folder for the store, the runs and the report.")]


@app.command("list", epilog=examples("reproduce list", "reproduce all --preset quick"))
def list_() -> None:
    """List the claims and the papers that make them."""
    from rich.text import Text

    console = make_console()
    for claim in CLAIMS:
        console.print(Text.assemble((f"{claim.name:<20}", "bold"), claim.title))
        console.print(f"{'':<20}{claim.paper}", highlight=False, markup=False, style="dim")


@app.command("all", epilog=examples("reproduce all", "reproduce all --preset standard --out reproduced --jobs 8"))
def all_(
    preset: PresetOption = "quick",
    clip: ClipOption = _CLIPS,
    budget: BudgetOption = "0.05",
    size: Size = None,
    frames: Frames = None,
    out: OutOption = Path("reproduce"),
    jobs: Jobs = 0,
) -> None:
    """Measure every claim, and write one report with all verdicts; about 45 minutes of CPU time with --preset quick."""
    from vdf_bench.claims.page import lead, print_finding
    from vdf_bench.claims.reproduce import write_findings

    setup = _setup(preset, clip, budget, size, frames, out, jobs)
    console = make_console()
    findings = []
    for claim in CLAIMS:
        findings.append(_measure(claim, setup, console))
        print_finding(findings[-1], console)
        console.print()
    page = write_findings(findings, setup)
    console.print(lead(findings), style="bold", highlight=False)
    console.print(f"report: {page}", highlight=False, markup=False, soft_wrap=True)


def _command(claim: Claim) -> Callable[..., None]:
    def reproduce(
        preset: PresetOption = "quick",
        clip: ClipOption = _CLIPS,
        budget: BudgetOption = "0.05",
        size: Size = None,
        frames: Frames = None,
        out: OutOption = Path("reproduce"),
        jobs: Jobs = 0,
    ) -> None:
        from vdf_bench.claims.page import print_finding

        console = make_console()
        setup = _setup(preset, clip, budget, size, frames, out, jobs)
        print_finding(_measure(claim, setup, console), console)

    reproduce.__doc__ = f"{claim.title}: {claim.paper}."
    return reproduce


def _setup(preset: str, clip: str, budget: str, size: int | None, frames: int | None, out: Path, jobs: int) -> Setup:
    from vdf_bench.claims.reproduce import Setup
    from vdf_bench.core.budget import Budget
    from vdf_bench.plan.clips import PORTRAITS
    from vdf_bench.plan.presets import preset as find_preset

    clips = arguments.some_names(clip, "--clip")
    for name in clips:
        if name.partition(":")[0] != PORTRAITS:
            arguments.known_clip(name)
    found = find_preset(preset).resized(size, frames)
    return Setup(found, clips, Budget.parse(budget), out, jobs or arguments.cores())


def _measure(claim: Claim, setup: Setup, console: Console) -> Finding:
    from vdf_bench.claims.reproduce import measure_run, measure_speedup, prepare_claim
    from vdf_bench.execute.costs import expected_seconds
    from vdf_bench.execute.progress import ProgressWatcher

    if claim.study is None:
        with _bar(console) as bar:
            return measure_speedup(claim, setup, _teller(bar, console))
    run = prepare_claim(claim, setup)
    with ProgressWatcher(console, expected_seconds(run), setup.jobs) as watcher:
        return measure_run(claim, setup, run, watcher, watcher.say)


@app.command(epilog=examples("reproduce speedup", "reproduce speedup --clip synth-a --frames 8 --published"))
def speedup(
    clip: Annotated[
        str, typer.Option(metavar="CLIPS", help="Clips, such as synth-a,synth-b; a confidence interval needs five.")
    ] = "synth-a,synth-b,synth-c,synth-d,synth-e",
    size: Annotated[int, typer.Option(help="Edge of a frame, in pixels.", min=64, max=512)] = 96,
    frames: Annotated[int, typer.Option(help="Number of frames per clip.", min=2, max=1125)] = 24,
    budget: Annotated[
        str, typer.Option(metavar="BUDGET", help="Largest change of a pixel, such as 0.05 or 8/255.")
    ] = "0.05",
    steps: Annotated[int, typer.Option(help="Largest number of steps per frame for a baseline.", min=1)] = 50,
    published: Annotated[
        bool, typer.Option("--published", help="Also time the published surrogates of the baselines; needs diffusers.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder for speedup.json.")] = Path("reproduce"),
) -> None:
    """Measure VDF's 47-fold speed: seconds per frame against per-frame baselines at equal success, and a verdict.

    About three minutes on one core at the defaults, two more with --published.
    """
    from vdf_bench.claims.report import print_speedup, write_speedup
    from vdf_bench.claims.speed import measure_speed
    from vdf_bench.core.budget import Budget

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
        typer.echo("interrupted: nothing was saved; run the same command again to start over", err=True)
        sys.exit(130)
    print_speedup(found, console)
    path = write_speedup(found, out)
    console.print(f"wrote {path}", highlight=False, markup=False, soft_wrap=True)


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


for _claim in CLAIMS:
    if _claim.study is not None:  # the speed has a command of its own, with options of its own
        _more = examples(f"reproduce {_claim.name}", f"reproduce {_claim.name} --size 64 --jobs 2")
        app.command(_claim.name, epilog=_more)(_command(_claim))
