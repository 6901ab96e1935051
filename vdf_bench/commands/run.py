"""``run``: the whole story from the clip to the answer."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vdf_bench.commands.options import (
    Budgets,
    Clips,
    Device,
    ExecutorName,
    Frames,
    Iterations,
    Jobs,
    MaxHours,
    Parsers,
    PolicyName,
    PresetName,
    ProtectedShare,
    RayAddress,
    Seeds,
    Settings,
    Size,
    StepTimeout,
    StorePath,
    Targets,
    Timeout,
    TrackName,
)
from vdf_bench.core.console import make_console
from vdf_bench.core.errors import IncompleteError
from vdf_bench.runs import arguments

if TYPE_CHECKING:
    from vdf_bench.execute.executor import Resources
    from vdf_bench.execute.schedule import Tally
    from vdf_bench.plan import Request


def run(
    defense: Annotated[str, typer.Option(metavar="NAMES", help="NAME[@SURROGATE][,...] or all.")] = "vdf",
    victim: Annotated[str, typer.Option(metavar="NAMES", help="NAME[,NAME...] or all.")] = "all",
    judge: Annotated[str, typer.Option(metavar="NAMES", help="NAME[,NAME...] or all.")] = "all",
    track: TrackName = "video",
    purifier: Annotated[
        str, typer.Option(metavar="CHAINS", help="Chains NAME[:VALUE][+NAME...][,...], or auto[:TIER].")
    ] = "identity",
    clip: Clips = "",
    preset: PresetName = "standard",
    size: Size = None,
    frames: Frames = None,
    budget: Budgets = "",
    seed: Seeds = "",
    parser: Parsers = "builtin",
    policy: PolicyName = "repair",
    target: Targets = "composite",
    drive: Annotated[str, typer.Option(metavar="SOURCE", help="Lips move by: audio, landmarks, auto.")] = "auto",
    control: Annotated[str, typer.Option(metavar="NAMES", help="Control arms beside the clean one.")] = "noise",
    exhaustive: Annotated[
        bool, typer.Option("--exhaustive", help="With auto: attack on, even what is broken already.")
    ] = False,
    protected_share: ProtectedShare = 1.0,
    device: Device = "",
    set_: Settings = None,
    iterations: Iterations = None,
    timeout: Timeout = 3600.0,
    out: Annotated[Path | None, typer.Option(help="Run folder; default: runs/PRESET-CLIP-DEFENSE-VICTIM.")] = None,
    store: StorePath = None,
    jobs: Jobs = 0,
    executor: ExecutorName = "local",
    ray_address: RayAddress = "",
    step_timeout: StepTimeout = None,
    max_hours: MaxHours = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print plan and estimate only.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace another run's tables in --out.")] = False,
) -> None:
    """Protect, attack, clone and judge: does the defense hold?"""
    from vdf_bench.core.budget import Budget
    from vdf_bench.plan import DRIVES, TARGETS, Request
    from vdf_bench.plan.presets import preset as find_preset

    images = arguments.track(track) == "images"
    if images:
        arguments.refuse_video_options(
            {
                "--purifier auto": purifier.partition(":")[0] != "auto",
                "--parser": parser == "builtin",
                "--policy": policy == "repair",
                "--target": target == "composite",
                "--drive": drive == "auto",
                "--frames": frames is None,
                "--iterations": iterations is None,
                "--protected-share": protected_share == 1.0,
            }
        )
    defenses = arguments.some_names(defense, "--defense")
    chosen = find_preset(preset)
    budgets = Budget.parse_all(budget or arguments.BUDGETS[arguments.track(track)])
    suite = arguments.suite(purifier, parser, policy, exhaustive)
    attackers = suite.attackers(defenses, [bound.levels for bound in budgets]) if suite else None
    request = Request(
        preset=chosen.still(size) if images else chosen.resized(size, frames),
        defenses=defenses,
        victims=arguments.some_names(victim, "--victim"),
        attackers=attackers or arguments.attackers(purifier, parser, policy),
        suite=suite,
        clips=arguments.names(clip),
        budgets=budgets,
        seeds=tuple(dict.fromkeys(arguments.seed(text) for text in arguments.names(seed))),
        targets=TARGETS[arguments.choice(target, "--target", tuple(TARGETS))],
        drive=arguments.choice(drive, "--drive", DRIVES),
        controls=tuple(name for name in arguments.names(control) if name != "none"),
        overrides=arguments.overrides(set_ or []),
        iterations=iterations,
        timeout=arguments.timeout(timeout),
        protected_share=arguments.share(protected_share),
        device=arguments.device(device or chosen.device, executor),
        track=arguments.track(track),
        judges=arguments.some_names(judge, "--judge"),
    )
    resources = arguments.resources(executor, ray_address, jobs, step_timeout, max_hours)
    carry_out(request, out or arguments.default_out(request), store, resources, dry_run, overwrite)


def carry_out(
    request: Request, out: Path, store: str | None, resources: Resources, dry_run: bool, overwrite: bool
) -> None:
    """Plan ``request`` into the folder ``out``, then print the plan, or run it and print the answer.

    Exit code 3 tells that steps failed or time was up: the tables hold the cells that are whole.

    Raises:
        UserError: something asked does not exist, or a folder cannot take the run.
    """
    from vdf_bench.execute.costs import expected_seconds
    from vdf_bench.execute.forecast import print_plan
    from vdf_bench.execute.progress import ProgressWatcher
    from vdf_bench.runs.run import complete, prepare

    console = make_console()
    prepared = prepare(request, out, store, overwrite)
    if dry_run:
        print_plan(prepared, console, resources.jobs)
        return
    console.print(f"vdf-bench: {len(prepared.plan.cells)} cells into {prepared.out}", highlight=False, markup=False)
    with ProgressWatcher(console, expected_seconds(prepared), resources.jobs, prepared.plan) as watcher:
        tally = complete(prepared, resources, watcher, watcher.say)
    from vdf_bench.report import print_summary

    print_summary(prepared.out, console)
    made = json.loads((prepared.out / "run.json").read_text())["plan"]
    console.print(
        f"{made['steps']} steps served {made['uses']} uses in {made['cells']} cells: what cells share is computed once",
        highlight=False,
    )
    if watcher.cached:
        console.print(
            f"{watcher.cached} of {len(prepared.plan.steps)} steps were in the store already", highlight=False
        )
    console.print(f"report: {prepared.out / 'report.html'}", highlight=False, markup=False, soft_wrap=True)
    if tally.failures or tally.unreached:
        console.print(told(tally), highlight=False, markup=False)
        raise typer.Exit(IncompleteError.code)


def told(tally: Tally) -> str:
    """What is lacking, by cause, and what to do."""
    causes = Counter(failure.cause for failure in tally.failures)
    parts = [f"{count} steps failed ({cause})" for cause, count in causes.items()]
    parts += [f"{len(tally.unreached)} steps were not reached in time"] if tally.unreached else []
    return f"incomplete: {', '.join(parts)}; cells behind them are left out, the same command tries them again"
