"""``victims``: whether each clones a clean clip, and how a damaged capture affects it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vdf_bench.commands.options import (
    Clips,
    Device,
    Frames,
    Iterations,
    Jobs,
    Parsers,
    PolicyName,
    PresetName,
    Seeds,
    Settings,
    Size,
    StorePath,
    Targets,
    Timeout,
    examples,
)
from vdf_bench.core.console import make_console
from vdf_bench.runs import arguments

if TYPE_CHECKING:
    from vdf_bench.plan import Request

app = typer.Typer(
    help="Check victims: whether they clone a clean clip, and how a damaged capture affects them.", no_args_is_help=True
)

Names = Annotated[str, typer.Argument(metavar="NAMES", help="Victims, such as gaussian,triplane, or all.")]
Out = Annotated[
    Path | None, typer.Option("--out", help="Folder to write into; default: PRESET-CLIP-VICTIM in checks/ or probes/.")
]


@app.command(epilog=examples("victims check all", "victims check gaussian --clip synth-b --preset quick"))
def check(
    names: Names = "all",
    clip: Clips = "",
    preset: PresetName = "standard",
    size: Size = None,
    frames: Frames = None,
    seed: Seeds = "",
    parser: Parsers = "builtin",
    policy: PolicyName = "repair",
    target: Targets = "composite",
    device: Device = "",
    set_: Settings = None,
    iterations: Iterations = None,
    timeout: Timeout = 3600.0,
    out: Out = None,
    store: StorePath = None,
    jobs: Jobs = 0,
) -> None:
    """Clone clean clips and test the clones against quality gates; exit code 1 if one fails."""
    from vdf_bench.execute.costs import expected_seconds
    from vdf_bench.execute.progress import ProgressWatcher
    from vdf_bench.runs.check import complete_check, prepare_check
    from vdf_bench.runs.check_report import print_checks, write_checks

    request = _request(
        names, clip, preset, size, frames, seed, parser, policy, target, device, set_, iterations, timeout
    )
    console = make_console()
    run = prepare_check(request, out or arguments.default_out(request, "checks"), store)
    cores = jobs or arguments.cores()
    with ProgressWatcher(console, expected_seconds(run), cores) as watcher:
        checks, tally = complete_check(run, cores, watcher)
    write_checks(run, checks)
    print_checks(checks, console)
    for missing in run.plan.left_out:
        console.print(f"left out: {missing['kind']} {missing['name']}: {missing['why']}", highlight=False, markup=False)
    if tally.cached:
        console.print(f"{len(tally.cached)} of {len(run.plan.steps)} steps were in the store already", highlight=False)
    console.print(f"gates.json and contact sheets: {run.out}", highlight=False, markup=False, soft_wrap=True)
    if any(check.fault for check in checks):
        raise typer.Exit(1)


@app.command(epilog=examples("victims probe gaussian", "victims probe all --clip synth-a --preset quick"))
def probe(
    names: Names = "all",
    clip: Clips = "",
    preset: PresetName = "standard",
    size: Size = None,
    frames: Frames = None,
    seed: Seeds = "",
    parser: Parsers = "builtin",
    policy: PolicyName = "repair",
    device: Device = "",
    set_: Settings = None,
    iterations: Iterations = None,
    timeout: Timeout = 3600.0,
    out: Out = None,
    store: StorePath = None,
    jobs: Jobs = 0,
) -> None:
    """Damage the capture (masks dropped, noise) and measure the effect for each training target."""
    from vdf_bench.capture.poison import POISONS
    from vdf_bench.execute.costs import expected_seconds
    from vdf_bench.execute.progress import ProgressWatcher
    from vdf_bench.runs.probe import complete_probe, prepare_probe
    from vdf_bench.runs.probe_report import print_probes, write_probes

    request = _request(
        names, clip, preset, size, frames, seed, parser, policy, "both", device, set_, iterations, timeout
    )
    console = make_console()
    run = prepare_probe(request, out or arguments.default_out(request, "probes"), store)
    cores = jobs or arguments.cores()
    with ProgressWatcher(console, expected_seconds(run), cores) as watcher:
        probes, _ = complete_probe(run, cores, watcher)
    write_probes(run, probes)
    print_probes(probes, console)
    for name, poison in POISONS.items():
        console.print(f"  {name}: {poison.title}", highlight=False, markup=False)
    console.print(f"probes.json: {run.out}", highlight=False, markup=False, soft_wrap=True)


def _request(
    names: str,
    clip: str,
    preset: str,
    size: int | None,
    frames: int | None,
    seed: str,
    parser: str,
    policy: str,
    target: str,
    device: str,
    set_: list[str] | None,
    iterations: int | None,
    timeout: float,
) -> Request:
    from vdf_bench.plan import TARGETS, Request
    from vdf_bench.plan.presets import preset as find_preset

    return Request(
        preset=find_preset(preset).resized(size, frames),
        defenses=("none",),
        victims=arguments.some_names(names, "NAMES"),
        clips=arguments.names(clip),
        seeds=tuple(dict.fromkeys(arguments.seed(text) for text in arguments.names(seed))),
        attackers=arguments.attackers("identity", parser, policy),
        targets=TARGETS[arguments.choice(target, "--target", tuple(TARGETS))],
        controls=(),
        overrides=arguments.overrides(set_ or []),
        iterations=iterations,
        timeout=arguments.timeout(timeout),
        device=arguments.device(device or find_preset(preset).device),
    )
