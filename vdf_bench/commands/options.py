"""Options that several commands take, and how a command takes those of a function of the Python API."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

Command = Any  # a function that typer reads


def _merge_settings(context: typer.Context, given: list[str] | None) -> list[str]:
    """Of a file and of the command line, which wins parameter by parameter."""
    known: list[str] = (context.default_map or {}).get("set") or []
    return [*known, *(given or [])]


Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="C.P=VALUE",
        help="Set a parameter of a component, such as vdf.gain=2; repeatable. `vdf-bench info NAME` lists them.",
        show_default=False,
        callback=_merge_settings,
    ),
]
Out = Annotated[Path, typer.Option(help="Folder to write into.", show_default=False)]

Budgets = Annotated[
    str,
    typer.Option(
        "--budget",
        metavar="BUDGETS",
        help="Largest change of a pixel: linf=8/255, linf=4,8 (levels of 255), or linf=8,psnr>=38 with a floor.",
    ),
]
TrackName = Annotated[
    str, typer.Option("--track", metavar="TRACK", help="video: talking heads; images: attribute editors.")
]
Clips = Annotated[
    str,
    typer.Option(
        "--clip", metavar="CLIPS", help="Names or files, with a length as in synth-a@5s; default: the preset's."
    ),
]
PresetName = Annotated[str, typer.Option("--preset", metavar="PRESET", help="quick, standard, full or paper.")]
Size = Annotated[
    int | None, typer.Option("--size", help="Edge of a frame, pixels; default: the preset's.", min=32, max=2048)
]
Frames = Annotated[
    int | None, typer.Option("--frames", help="Length of a clip, frames; default: the preset's.", min=16, max=15000)
]
Seeds = Annotated[
    str, typer.Option("--seed", metavar="SEEDS", help="Random seeds, such as 0,1,2; default: the preset's.")
]
Parsers = Annotated[
    str,
    typer.Option(
        "--parser", metavar="PARSERS", help="The attacker's face parsers, such as builtin,heldout or builtin/vote."
    ),
]
PolicyName = Annotated[
    str, typer.Option("--policy", metavar="POLICY", help="What a capture does without a face: repair, strict or drop.")
]
ProtectedShare = Annotated[
    float,
    typer.Option("--protected-share", metavar="SHARE", help="Protect only a first share of the frames, such as 0.5."),
]
Targets = Annotated[
    str, typer.Option("--target", metavar="TARGET", help="What victims train on: composite, full or both.")
]
Device = Annotated[
    str,
    typer.Option("--device", metavar="DEVICE", help="Where victims train: cpu, cuda, auto; default: the preset's."),
]
Iterations = Annotated[
    int | None, typer.Option("--iterations", help="Training steps of every victim; default: its own.", min=1)
]
Timeout = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", help="Wall time of one fit, after which it is given up.")
]
StorePath = Annotated[
    str | None,
    typer.Option("--store", metavar="PATH|URL", help="Artifacts: a folder or s3://…; default: in the run folder."),
]
Jobs = Annotated[int, typer.Option("--jobs", help="Steps at once; 0 takes one per core.", min=0)]
ExecutorName = Annotated[
    str, typer.Option("--executor", metavar="NAME", help="Where steps run: local, ray, or inline (this process).")
]
RayAddress = Annotated[
    str, typer.Option("--ray-address", metavar="HOST:PORT", help="A Ray cluster; auto finds it; default: start one.")
]
StepTimeout = Annotated[
    float | None,
    typer.Option("--step-timeout", metavar="SECONDS", help="Wall time of any step, after which it is ended.", min=1.0),
]
MaxHours = Annotated[
    float | None,
    typer.Option(
        "--max-hours", metavar="HOURS", help="Begin no step after this long; exit code 3 if cells are missing."
    ),
]
Surrogates = Annotated[
    str,
    typer.Option(
        "--surrogate", metavar="PARSERS", help="Face parsers that defenses differentiate, such as builtin,surrogate-b."
    ),
]


def _read_config(context: typer.Context, path: Path | None) -> Path | None:
    """Take the options of a file as defaults, so that the command line wins."""
    from vdf_bench.runs.config import read_config

    if path is not None:
        known = [str(option.name) for option in context.command.params if option.name != "config"]
        context.default_map = read_config(path, known)
    return path


#: Options of :func:`vdf_bench.run` by name; those of the commands alone come last.
OPTIONS: Final[dict[str, Any]] = {
    "defense": Annotated[
        str,
        typer.Option(
            "--defense", metavar="NAMES", help="Defenses, such as vdf,pgd, grasp@stargan-synth (its surrogate), or all."
        ),
    ],
    "victim": Annotated[
        str, typer.Option("--victim", metavar="NAMES", help="What is trained, such as gaussian,triplane, or all.")
    ],
    "judge": Annotated[
        str, typer.Option("--judge", metavar="NAMES", help="Judges, such as fidelity,capture,dsr, or all.")
    ],
    "track": TrackName,
    "purifier": Annotated[
        str,
        typer.Option(
            "--purifier",
            metavar="CHAINS",
            help="Such as jpeg:75+resize:0.5,h264:23; auto or auto:SUITE: a suite.",
        ),
    ],
    "clip": Clips,
    "preset": PresetName,
    "size": Size,
    "frames": Frames,
    "budget": Budgets,
    "seed": Seeds,
    "parser": Parsers,
    "surrogate": Surrogates,
    "landmarker": Annotated[
        str, typer.Option("--landmarker", metavar="NAME", help="Finds landmarks for captures and judges.")
    ],
    "recogniser": Annotated[
        str, typer.Option("--recogniser", metavar="NAME", help="Recognises people for judges; auto: chosen by clip.")
    ],
    "policy": PolicyName,
    "target": Targets,
    "drive": Annotated[
        str, typer.Option("--drive", metavar="SOURCE", help="What moves the clone's lips: audio, landmarks or auto.")
    ],
    "control": Annotated[
        str,
        typer.Option("--control", metavar="NAMES", help="Control arms beside the clean one: noise,occlude or none."),
    ],
    "capture_only": Annotated[
        bool, typer.Option("--capture-only", help="Stop at the attacker's capture: no victim, much cheaper.")
    ],
    "exhaustive": Annotated[
        bool, typer.Option("--exhaustive", help="With --purifier auto: go on with what is broken already.")
    ],
    "protected_share": ProtectedShare,
    "device": Device,
    "set": Settings,
    "iterations": Iterations,
    "timeout": Timeout,
    "ignore_versions": Annotated[
        bool,
        typer.Option("--ignore-versions", help="Take results from the store that other versions of libraries made."),
    ],
    "out": Annotated[
        Path | None,
        typer.Option("--out", help="Run folder; default: PRESET-CLIP-DEFENSE-VICTIM in runs/ or sweeps/."),
    ],
    "store": StorePath,
    "jobs": Jobs,
    "executor": ExecutorName,
    "ray_address": RayAddress,
    "step_timeout": StepTimeout,
    "max_hours": MaxHours,
    "overwrite": Annotated[bool, typer.Option("--overwrite", help="Replace another run's tables in --out.")],
    "dry_run": Annotated[bool, typer.Option("--dry-run", help="Print the plan and an estimate, and run nothing.")],
    "config": Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="Options from a TOML file, such as a run folder's config.toml; the command line wins.",
            is_eager=True,
            callback=_read_config,
        ),
    ],
}


def taking(*functions: Callable[..., Any]) -> Callable[[Command], Command]:
    """Give a command :data:`OPTIONS` with the defaults of functions of the API, the last of which wins."""
    defaults: dict[str, Any] = {"dry_run": False, "config": None}
    for function in functions:
        defaults |= {name: one.default for name, one in inspect.signature(function).parameters.items()}
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=defaults[name], annotation=option)
        for name, option in OPTIONS.items()
    ]

    def give(command: Command) -> Command:
        command.__signature__ = inspect.Signature(parameters)
        return command

    return give


def examples(*commands: str) -> str:
    """What ends a command's help."""
    return "\b\nExamples:\n" + "\n".join(f"  vdf-bench {command}" for command in commands)
