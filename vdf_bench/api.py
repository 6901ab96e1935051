"""The Python API: what the command line does, as functions that return values.

Options have the names and defaults of the commands' options, with underscores. A list may be given as a list or, as on
the command line, as a text with commas. Bad input raises :class:`vdf_bench.UserError` with one clear line.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from vdf_bench.report.record import Run

    Names = str | Sequence[str]
    Settings = Mapping[str, Any] | Sequence[str] | None


class Results:
    """A run folder, read back.

    Args:
        folder: that ``run`` or ``vdf-bench run --out`` wrote.

    Raises:
        UserError: it is no run folder, or a file of it is damaged.

    Example:
        >>> import vdf_bench
        >>> _ = vdf_bench.run("noise", capture_only=True, size=32, frames=16, out="tiny", progress=False)
        >>> results = vdf_bench.Results("tiny")
        >>> sorted(results.table["defense"].unique())
        ['noise', 'none']
        >>> results.record["preset"]["size"]
        32
    """

    def __init__(self, folder: str | Path) -> None:
        from vdf_bench.report.load import load_run

        self._run: Run = load_run(Path(folder))

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self._run.folder

    @property
    def record(self) -> dict[str, Any]:
        """``run.json``: versions, seeds, inputs, gates, notes, and what every step cost."""
        return self._run.record

    @property
    def table(self) -> pd.DataFrame:
        """One row per measurement, as in ``results.parquet``: see ``docs/results.md`` for the columns."""
        return self._run.results

    @property
    def summary(self) -> pd.DataFrame:
        """One row per attacked defense: means, differences to the clean clone, and intervals where there are enough."""
        return self._run.summary

    @cached_property
    def verdict(self) -> str:
        """The answer in words, one line per defense and attacker."""
        from vdf_bench.report.answer import answers, no_answer

        return "\n".join(answer.text for answer in answers(self._run)) or no_answer(self._run)

    @property
    def figures(self) -> dict[str, Path]:
        """Name -> PNG file of every plot; an SVG of the same name stands beside it."""
        return {path.stem: path for path in sorted(self.folder.glob("plots/*.png"))}

    @property
    def pictures(self) -> list[Path]:
        """Strips of frames (PNG) and previews (MP4): original, protected and their clones, a folder for each cell."""
        return sorted(path for path in self.folder.glob("media/*/*") if path.suffix in (".png", ".mp4"))

    @property
    def missing(self) -> str:
        """Which steps are missing, why, and what to do; empty where the run is complete."""
        causes = Counter(str(failure.get("cause")) for failure in self.record.get("failures") or [])
        parts = [f"{count} steps failed ({cause})" for cause, count in causes.items()]
        unreached = self.record.get("unreached") or 0
        parts += [f"{unreached} steps were not reached in time"] if unreached else []
        if not parts:
            return ""
        return f"incomplete: {', '.join(parts)}; cells that need them are left out, the same command tries them again"

    @property
    def complete(self) -> bool:
        """Whether every step was computed: False where some failed or time was up."""
        return not self.missing

    def __repr__(self) -> str:
        return f"Results({str(self.folder)!r})\n{self.verdict}"

    def _repr_html_(self) -> str:
        """For notebooks: the verdict and the summary as a table."""
        from html import escape

        from vdf_bench.report.tables import printed

        heads, rows = printed(self._run)
        lines = [*self.verdict.splitlines(), *([self.missing] if self.missing else [])]
        told = "".join(f"<p>{escape(line)}</p>" for line in lines)
        head = "".join(f"<th>{escape(text)}</th>" for text in heads)
        body = "".join(f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>" for row in rows)
        return f"{told}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def run(
    defense: Names = "vdf",
    victim: Names = "all",
    *,
    judge: Names = "all",
    track: str = "video",
    purifier: Names = "identity",
    clip: Names | Path | Sequence[Path] = "",
    preset: str = "standard",
    size: int | None = None,
    frames: int | None = None,
    budget: str | float | Sequence[str | float] = "",
    seed: str | int | Sequence[int] = "",
    parser: Names = "builtin",
    surrogate: Names = "builtin",
    landmarker: str = "builtin",
    recogniser: str = "auto",
    policy: str = "repair",
    target: str = "composite",
    drive: str = "auto",
    control: Names = "noise",
    capture_only: bool = False,
    exhaustive: bool = False,
    protected_share: float = 1.0,
    device: str = "",
    set: Settings = None,
    iterations: int | None = None,
    timeout: float = 3600.0,
    ignore_versions: bool = False,
    out: str | Path | None = None,
    store: str | Path | None = None,
    jobs: int = 0,
    executor: str = "local",
    ray_address: str = "",
    step_timeout: float | None = None,
    max_hours: float | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> Results:
    """Protect, attack, clone and judge: does the defense hold? As ``vdf-bench run``.

    What is in the store already is not computed again, so an interrupted call goes on where it stopped.

    Args:
        defense: names, each with its surrogate after an ``@`` where it is not the run's; ``all`` is every one.
        victim: names of what is trained on the protected clip; ``all`` is every one that can run here.
        judge: names of judges; without one that looks at clones, a run ends at the capture.
        track: ``video`` for talking heads, ``images`` for attribute editors.
        purifier: chains such as ``jpeg:75+resize:0.5``; ``auto`` or ``auto:SUITE`` is a fixed suite of attackers.
        clip: names or paths, with a length as in ``synth-a@5s``; the default is the preset's.
        preset: ``quick``, ``standard``, ``full`` or ``paper``.
        size: edge of a frame, pixels, 32 to 2048; None takes the preset's.
        frames: length of a clip, 16 to 15000 frames; None takes the preset's.
        budget: such as 0.05, ``8/255``, ``linf=4,8`` (levels of 255) or ``linf=8,psnr>=38``; default: the track's.
        seed: random seeds; the default is the preset's.
        parser: the attacker's face parsers, as in ``heldout`` or ``builtin/vote``.
        surrogate: the parsers that defenses differentiate.
        landmarker: of captures and judges.
        recogniser: of judges, for every clip; ``auto`` chooses by clip.
        policy: what a capture does with frames without a face: ``repair``, ``strict`` or ``drop``.
        target: what victims train on: ``composite``, ``full`` or ``both``.
        drive: what moves the clone's lips: ``audio``, ``landmarks`` or ``auto``.
        control: control arms beside the clean one.
        capture_only: stop at the attacker's capture and train no victim.
        exhaustive: with ``purifier="auto"``, go on with what is broken already.
        protected_share: share of each clip's frames that is protected, from the first on, above 0 and up to 1.
        device: where victims train: ``cpu``, ``cuda`` or ``auto``; the default is the preset's.
        set: parameters of components, as ``{"vdf.gain": 2}`` or ``["vdf.gain=2"]``.
        iterations: training steps of every victim; None takes each victim's own.
        timeout: wall seconds of one fit, after which it is given up.
        ignore_versions: versions of libraries do not count: results that other versions left in the store are taken.
        out: the run folder; None is ``runs/PRESET-CLIP-DEFENSE-VICTIM``.
        store: folder or URL of artifacts; None is a folder in the run folder.
        jobs: steps at once; 0 takes one per core.
        executor: where steps run: ``local``, ``ray`` or ``inline`` (this process).
        ray_address: ``HOST:PORT`` of a Ray cluster, or ``auto``; the default starts one.
        step_timeout: wall seconds of any step, from 1; None allows a generous multiple of what is expected.
        max_hours: begin no step after this long.
        overwrite: replace another run's tables in ``out``.
        progress: show what is done.

    Returns:
        The results; ``complete`` is False where steps failed or time was up.

    Raises:
        UserError: something asked does not exist, or a folder cannot be written; also where no cell could be finished
            (:class:`vdf_bench.core.errors.IncompleteError`).
        StepFailedError: no cell could be finished because of a bug.

    Example:
        A run too small to mean anything:

        >>> import vdf_bench
        >>> results = vdf_bench.run(
        ...     "noise", "hashgrid", size=32, frames=16, iterations=5, control="none", out="small", progress=False
        ... )
        >>> print(results.verdict)
        With noise at 12.75/255, hashgrid (white-box, composite frames) proves nothing: ...
        >>> results.complete
        True
    """
    asked = dict(locals())
    return _carry_out(asked, "runs")


def sweep(
    defense: Names = "vdf,pgd,grasp",
    victim: Names = "gaussian",
    *,
    budget: str | float | Sequence[str | float] = "linf=4,8,12.75,25.5",
    **options: Any,
) -> Results:
    """Protection against fidelity: defenses over budgets, compared at equal bound and at equal PSNR.

    As ``vdf-bench sweep``: :func:`run` with other defaults; any run with two budgets reports the same curves.

    Args:
        defense: as of :func:`run`.
        victim: as of :func:`run`.
        budget: as of :func:`run`.
        options: the other options of :func:`run`; ``out`` is ``sweeps/PRESET-CLIP-DEFENSE-VICTIM`` by default.

    Raises:
        UserError: as :func:`run`.
        TypeError: an option that does not exist.

    Example:
        >>> import vdf_bench
        >>> results = vdf_bench.sweep(
        ...     "noise", budget=["4/255", "8/255"], capture_only=True, size=32, frames=16, out="swept", progress=False
        ... )
        >>> sorted(results.table["linf"].unique().tolist())
        [0.0, 4.0, 8.0]
    """
    import inspect

    chosen = inspect.signature(run).bind(defense, victim, budget=budget, **options)
    chosen.apply_defaults()
    return _carry_out(chosen.arguments, "sweeps")


def load(folder: str | Path) -> Results:
    """Read a run folder that :func:`run` or ``vdf-bench run --out`` wrote.

    Raises:
        UserError: it is no run folder, or a file of it is damaged.

    Example:
        >>> import vdf_bench
        >>> vdf_bench.load("nowhere")
        Traceback (most recent call last):
        vdf_bench.core.errors.UserError: ...
    """
    return Results(folder)


@overload
def protect(
    video: NDArray[np.uint8],
    out: None = None,
    *,
    defense: str = ...,
    budget: str | float = ...,
    surrogate: str = ...,
    size: None = ...,
    seed: int = ...,
    device: str = ...,
    set: Settings = ...,
    fps: float = ...,
    overwrite: bool = ...,
    progress: bool = ...,
) -> NDArray[np.uint8]: ...
@overload
def protect(
    video: str | Path,
    out: str | Path,
    *,
    defense: str = ...,
    budget: str | float = ...,
    surrogate: str = ...,
    size: int | None = ...,
    seed: int = ...,
    device: str = ...,
    set: Settings = ...,
    overwrite: bool = ...,
    progress: bool = ...,
) -> dict[str, Any]: ...
def protect(
    video: str | Path | NDArray[np.uint8],
    out: str | Path | None = None,
    *,
    defense: str = "vdf",
    budget: str | float = "0.05",
    surrogate: str = "builtin",
    size: int | None = None,
    seed: int = 0,
    device: str = "cpu",
    set: Settings = None,
    fps: float = 25.0,
    overwrite: bool = False,
    progress: bool = True,
) -> NDArray[np.uint8] | dict[str, Any]:
    """Protect one video, as ``vdf-bench protect``, or frames in memory, as a run protects a clip.

    It is harder to clone by some systems, never safe.

    Args:
        video: path of a video of any length, or (T, S, S, 3) uint8 RGB frames of one person, S from 32.
        out: of a video, where to write: ``.mkv`` is lossless (FFV1), ``.mp4`` is H.264 at CRF 18.
        defense: name of a defense.
        budget: such as 0.05, ``8/255`` or ``linf=8,psnr>=38``.
        surrogate: the parser that the defense differentiates.
        size: of a video, the largest edge that the defense sees, 64 to 2048; None takes what that parser sees.
        seed: of every random choice.
        device: of the defense: ``cpu``, ``cuda`` or ``auto``.
        set: parameters of the defense, as ``{"vdf.gain": 2}`` or ``["vdf.gain=2"]``.
        fps: of frames in memory, frames per second.
        overwrite: replace ``out`` once the new one is done.
        progress: show what is done.

    Returns:
        Of a video the closing report, as in ``OUT.report.json``; of frames the protected frames, (T, S, S, 3) uint8.

    Raises:
        UserError: the video or the frames cannot serve, a place cannot be written, or a name is unknown.

    Example:
        >>> import numpy as np
        >>> import vdf_bench
        >>> frames = np.full((2, 32, 32, 3), 128, np.uint8)
        >>> protected = vdf_bench.protect(frames, defense="noise", budget="8/255", progress=False)
        >>> protected.shape, int(abs(protected.astype(int) - frames).max())
        ((2, 32, 32, 3), 8)
    """
    from fractions import Fraction

    from vdf_bench.core.budget import Budget
    from vdf_bench.core.console import make_console
    from vdf_bench.core.errors import UserError
    from vdf_bench.protection import Order, protect_file
    from vdf_bench.protection.array import protect_frames
    from vdf_bench.protection.meter import Meter
    from vdf_bench.runs import arguments
    from vdf_bench.runs.config import settings

    overrides = arguments.overrides(settings(set or [], "--set"))
    for component in overrides:
        if component != defense:
            raise UserError(f"--set {component}: only {defense} is run: give --set {defense}.PARAMETER=VALUE")
    bound = Budget.parse(str(budget))
    shared: dict[str, Any] = {
        "overrides": overrides.get(defense, {}),
        "surrogate": surrogate,
        "seed": arguments.seed(str(seed)),
        "device": arguments.device(device),
    }
    if size is not None and not 64 <= size <= 2048:
        raise UserError(f"--size {size} is out of range: give 64 to 2048")
    with Meter(make_console(quiet=not progress)) as meter:
        if not isinstance(video, str | Path):
            if out is not None or size is not None:
                raise UserError("out and size belong to videos: protected frames are returned, at their own size")
            return protect_frames(video, defense, bound, fps=Fraction(fps), tell=meter, **shared)
        if out is None:
            raise UserError(f"{video}: give out, where to write the protected video")
        order = Order(Path(video), Path(out), defense, bound, size=size, overwrite=overwrite, **shared)
        return protect_file(order, meter)


def list_components(kind: str | None = None) -> pd.DataFrame:
    """Every registered component.

    Args:
        kind: ``defenses``, ``victims``, ``purifiers``, ``judges``, ``clips``, ``parsers``, ``landmarkers``,
            ``recognisers`` or ``suites``; None for all.

    Returns:
        Columns ``kind, name, title, needs, available`` (whether it can run here), ``distribution, version`` (the
        installed package that it comes from).

    Raises:
        UserError: there is no such kind.

    Example:
        >>> import vdf_bench
        >>> vdf_bench.list_components("clips")["name"].tolist()
        ['photo-astronaut', 'portraits', 'synth']
    """
    import pandas as pd

    from vdf_bench.assets.listing import components

    rows = [
        (one.kind, one.name, one.title, one.needs, not one.missing, one.distribution, one.version)
        for one in components(kind or "")
    ]
    names = ["kind", "name", "title", "needs", "available", "distribution", "version"]
    return pd.DataFrame(rows, columns=names)


def _carry_out(asked: Mapping[str, Any], home: str) -> Results:
    """Run what is asked; see :func:`run`."""
    from vdf_bench.core.console import make_console
    from vdf_bench.execute.costs import expected_seconds
    from vdf_bench.execute.progress import ProgressWatcher
    from vdf_bench.runs.options import prepare_run
    from vdf_bench.runs.run import complete

    prepared, resources = prepare_run(asked, home)
    console = make_console(quiet=not asked["progress"])
    steps, cells = len(prepared.plan.steps), len(prepared.plan.cells)
    console.print(f"vdf-bench: {cells} cells into {prepared.out}", highlight=False, markup=False)
    with ProgressWatcher(console, expected_seconds(prepared), resources.jobs, prepared.plan) as watcher:
        complete(prepared, resources, watcher, watcher.say)
    if watcher.cached:
        console.print(f"{watcher.cached} of {steps} steps were in the store already", highlight=False)
    return Results(prepared.out)
