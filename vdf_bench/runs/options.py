"""What may be asked of a run: every option with its default, and the request that they make.

The command line and the Python API take the same options by the same names, so both end here.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vdf_bench.core.errors import UserError
from vdf_bench.runs import arguments
from vdf_bench.runs.config import settings, write_config

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vdf_bench.execute.executor import Resources
    from vdf_bench.plan import Request
    from vdf_bench.plan.run import Run

#: Options that mean nothing to single portraits.
VIDEO_ONLY: Final = (
    "parser", "policy", "target", "drive", "frames", "iterations", "protected_share", "capture_only",
)  # fmt: skip
#: Smallest and largest value of options that are whole numbers.
BOUNDS: Final = {"size": (32, 2048), "frames": (16, 15000), "iterations": (1, 2**31)}


@dataclass(frozen=True)
class Options:
    """What decides the results of a run. Names are comma-separated lists; an empty text takes the preset's.

    Attributes: as ``vdf-bench run --help`` describes them; ``set`` holds ``COMPONENT.PARAMETER=VALUE`` texts.
    """

    defense: str = "vdf"
    victim: str = "all"
    judge: str = "all"
    track: str = "video"
    purifier: str = "identity"
    clip: str = ""
    preset: str = "standard"
    size: int | None = None
    frames: int | None = None
    budget: str = ""
    seed: str = ""
    parser: str = "builtin"
    surrogate: str = "builtin"
    landmarker: str = "builtin"
    recogniser: str = "auto"
    policy: str = "repair"
    target: str = "composite"
    drive: str = "auto"
    control: str = "noise"
    capture_only: bool = False
    exhaustive: bool = False
    protected_share: float = 1.0
    device: str = ""
    set: tuple[str, ...] = ()
    iterations: int | None = None
    timeout: float = 3600.0
    ignore_versions: bool = False

    @classmethod
    def of(cls, asked: Mapping[str, Any]) -> Options:
        """From values as Python or the command line gives them: texts, numbers, paths, or lists of these.

        Args:
            asked: name -> value; other names are not looked at.

        Raises:
            UserError: a value is of the wrong kind or out of bounds.
        """
        read = {field.name: _READERS[str(field.type)] for field in fields(cls)}
        return cls(**{name: read[name](asked[name], name) for name in read if name in asked})

    def request(self, executor: str = "local") -> Request:
        """The request that these options make.

        Args:
            executor: where steps run, see :func:`vdf_bench.runs.arguments.device`.

        Raises:
            UserError: a value of another form, or options that exclude each other.
        """
        from vdf_bench.core.budget import Budget
        from vdf_bench.plan import DRIVES, TARGETS, Request
        from vdf_bench.plan.presets import preset as find_preset

        track = arguments.track(self.track)
        if track == "images":
            self._refuse_video_options()
        defenses = arguments.some_names(self.defense, "--defense")
        chosen = find_preset(self.preset)
        budgets = Budget.parse_all(self._budget)
        suite = arguments.suite(self.purifier, self.parser, self.policy, self.exhaustive)
        attackers = suite.attackers(defenses, [bound.levels for bound in budgets]) if suite else None
        victims = arguments.some_names(self.victim, "--victim")
        return Request(
            preset=chosen.still(self.size) if track == "images" else chosen.resized(self.size, self.frames),
            defenses=defenses,
            victims=() if self.capture_only else victims,
            attackers=attackers or arguments.attackers(self.purifier, self.parser, self.policy),
            suite=suite,
            clips=arguments.names(self.clip),
            budgets=budgets,
            seeds=tuple(dict.fromkeys(arguments.seed(text) for text in arguments.names(self.seed))),
            targets=TARGETS[arguments.choice(self.target, "--target", tuple(TARGETS))],
            drive=arguments.choice(self.drive, "--drive", DRIVES),
            controls=tuple(name for name in arguments.names(self.control) if name != "none"),
            overrides=arguments.overrides(self.set),
            iterations=self.iterations,
            timeout=arguments.timeout(self.timeout),
            protected_share=arguments.share(self.protected_share),
            device=arguments.device(self.device or chosen.device, executor),
            surrogates=arguments.some_names(self.surrogate, "--surrogate"),
            landmarker=arguments.component("landmarkers", self.landmarker, "--landmarker"),
            recogniser=arguments.component("recognisers", self.recogniser, "--recogniser", "auto"),
            versions=not self.ignore_versions,
            track=track,
            judges=arguments.some_names(self.judge, "--judge"),
        )

    def config(self, request: Request) -> str:
        """``config.toml`` of a run: these options, with what the preset and this machine decided.

        Args:
            request: that these options made.
        """
        from vdf_bench.attackers.suite import registered_name
        from vdf_bench.plan.clips import expand

        decided = replace(
            self,
            purifier=f"auto:{registered_name(request.suite)}" if request.suite else self.purifier,
            clip=",".join(expand(request)),
            size=request.preset.size,
            frames=request.preset.frames if request.track == "video" else None,
            budget=self._budget,
            seed=",".join(map(str, request.seeds or request.preset.seeds)),
            device=request.device,
        )
        return write_config(vars(decided), f"vdf-bench {version('vdf-bench')}: vdf-bench run --config FILE repeats it")

    def command(self) -> str:
        """The command that asks for these options, without those that are the defaults."""
        words = ["vdf-bench", "run"]
        for field in fields(self):
            value, flag = getattr(self, field.name), f"--{field.name.replace('_', '-')}"
            if value == field.default:
                continue
            if isinstance(value, bool):
                words.append(flag)
            else:
                words += [word for item in (value if field.name == "set" else [value]) for word in (flag, str(item))]
        return shlex.join(words)

    @property
    def _budget(self) -> str:
        return self.budget or arguments.BUDGETS[arguments.track(self.track)]

    def _refuse_video_options(self) -> None:
        given = [field.name for field in fields(self) if getattr(self, field.name) != field.default]
        refused = [f"--{name.replace('_', '-')}" for name in given if name in VIDEO_ONLY]
        refused += ["--purifier auto"] if self.purifier.partition(":")[0] == "auto" else []
        if refused:
            raise UserError(f"{refused[0]} belongs to the video track: leave it out with --track images")


def prepare_run(asked: Mapping[str, Any], home: str = "runs") -> tuple[Run, Resources]:
    """Plan what is asked.

    Args:
        asked: every option of ``vdf-bench run``, by name with underscores.
        home: where run folders go that are not named.

    Returns:
        The planned run, and with what its steps are carried out.

    Raises:
        UserError: something asked does not exist, or a folder cannot take the run.
    """
    from vdf_bench.runs.run import prepare

    options = Options.of(asked)
    request = options.request(asked["executor"])
    resources = arguments.resources(
        *(asked[n] for n in ("executor", "ray_address", "jobs", "step_timeout", "max_hours"))
    )
    out = Path(asked["out"]) if asked["out"] else arguments.default_out(request, home)
    run = prepare(request, out, asked["store"], asked["overwrite"], options.config(request), options.command())
    return run, resources


def _text(value: Any, name: str) -> str:
    """A comma-separated list from a text, a number, a path, or a list of them."""
    if not isinstance(value, list | tuple):
        return str(value)
    items = [str(item) for item in value]
    comma = next((item for item in items if "," in item), None)
    if comma is not None and name != "budget":  # a budget is a list itself: linf=8,psnr>=38
        raise UserError(f"--{name}: {comma!r} contains a comma, which separates names: rename it")
    return ",".join(items)


def _whole(value: Any, name: str) -> int | None:
    low, high = BOUNDS[name]
    if value is not None and (type(value) is not int or not low <= value <= high):
        raise UserError(f"--{name} {value!r}: give a whole number from {low} to {high}")
    return value


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UserError(f"--{name.replace('_', '-')} {value!r} is not a number")
    return float(value)


def _settings(value: Any, name: str) -> tuple[str, ...]:
    return tuple(settings(value or [], f"--{name}"))


#: Type of an option -> what reads it.
_READERS: Final[dict[str, Callable[[Any, str], Any]]] = {
    "str": _text,
    "int | None": _whole,
    "float": _number,
    "bool": lambda value, _: bool(value),
    "tuple[str, ...]": _settings,
}
