"""The contract of victims: of 3D-field heads, and of attribute editors."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from vdf_bench.core.interfaces import FitFailed, FitSetting, Rendering
from vdf_bench.plan.protector import EDITOR
from vdf_bench.testing.component import begin, require_methods
from vdf_bench.testing.footage import capture, drive_of, headless, tensors
from vdf_bench.testing.networks import gradient_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from vdf_bench.core.capture import Capture
    from vdf_bench.core.cards import Component
    from vdf_bench.core.interfaces import Head
    from vdf_bench.testing.report import Report

    State = dict[str, NDArray[np.generic]]

#: Steps of fits that need not end in a likeness.
_FEW: Final = 20
#: Share of a fit at which it is cut off.
_CUT: Final = 0.5


def check_victim(victim: type[Component] | Component, iterations: int = 150) -> Report:
    """Check that a victim clones an undefended clip, and how its fits repeat, resume and fail.

    An attribute editor, whose card has the tag ``editor``, is checked as what it is: it edits, and trains on nobody.

    Args:
        victim: class or instance; see :class:`vdf_bench.core.interfaces.Victim`.
        iterations: steps of the fit that must end in a likeness, on 16 frames of 48 px.

    Returns:
        a report with the facts ``head_psnr`` and ``plate_psnr``, dB: of the clone, and of the plate without it, inside
        the true head.

    Raises:
        AssertionError: a property does not hold.
    """
    report, new = begin(victim, "victims")
    cls = type(new())
    edits = EDITOR in cls.card.tags
    require_methods(report, cls, *(["load"] if edits else ["fit", "restore"]))
    if edits:
        _check_editor(report, new)
        return report
    _check_clone(report, new, iterations)
    _check_repeats(report, new)
    _check_resumes(report, new)
    _check_failures(report, new)
    return report


def _check_clone(report: Report, new: Callable[[], Any], iterations: int) -> None:
    captured = capture()
    index = captured.split.heldout
    drive = drive_of(captured, index)
    head: Head = new().fit(captured, FitSetting(iterations=iterations))
    made = head.render(drive)
    _check_rendering(report, made, (len(index), captured.size, captured.size))
    psnr, plate = (_head_psnr(rgb, index) for rgb in (made.rgb, drive.backdrop))
    report.facts |= {"head_psnr": psnr, "plate_psnr": plate}
    report.require(
        psnr > plate + 3,
        "its clone of an undefended clip resembles the person",
        f"{psnr:.1f} dB inside the head after {iterations} iterations, {plate:.1f} dB without any clone",
        "give check_victim more iterations, or train better",
    )
    state = {name: value.copy() for name, value in head.state().items()}
    report.require(
        bool(state) and all(isinstance(value, np.ndarray) for value in state.values()),
        "its head's state is named arrays",
        str({name: type(value).__qualname__ for name, value in state.items()}),
        "return a dict of numpy arrays from state()",
    )
    first, again = (each.render(drive_of(captured, index[:3])) for each in (head, new().restore(state)))
    report.require(
        _same_rendering(first, again),
        "a head that was stored and restored renders the same bytes",
        "renderings differ",
        "put everything that render() uses into state()",
    )
    if not hasattr(head, "driven_by"):
        wide, shut = captured.mouth[captured.mouth[:, 0].argmax()], captured.mouth[captured.mouth[:, 0].argmin()]
        still = drive_of(captured, index[:1])
        one, other = (head.render(replace(still, mouth=mouth[None])).rgb for mouth in (wide, shut))
        report.require(
            not np.array_equal(one, other),
            "its lips follow Drive.mouth",
            "open and closed lips render alike",
            "drive the head by Drive.mouth, or say in the head's `driven_by` what it follows instead",
        )


def _check_rendering(report: Report, made: Rendering, shape: tuple[int, int, int]) -> None:
    report.require(
        made.rgb.dtype == np.uint8 and made.rgb.shape == (*shape, 3),
        "it renders (B, S, S, 3) uint8 frames, one for each of the drive",
        f"{made.rgb.dtype} {made.rgb.shape}",
        "render at the size of Drive.backdrop",
    )
    for name in ("depth", "alpha"):
        field = getattr(made, name)
        report.require(
            field is None or (field.shape == shape and field.dtype == np.float32 and bool(np.isfinite(field).all())),
            f"its {name} is (B, S, S) float32 and finite, or None",
            "another array" if field is None else f"{field.dtype} {field.shape}",
            f"return None where the method has no {name}",
        )
    if made.alpha is not None:
        report.require(
            bool(((made.alpha >= 0) & (made.alpha <= 1)).all()),
            "its alpha is in [0, 1]",
            f"{made.alpha.min():.4g} to {made.alpha.max():.4g}",
            "clip rounding errors away",
        )
    if made.alpha is not None and made.depth is not None:
        report.require(
            np.array_equal(made.depth > 0, made.alpha > 0.5),
            "its depth is positive where alpha is above 0.5, and 0 elsewhere",
            "another pattern",
            "set depth to 0 where alpha is 0.5 or less",
        )


def _check_repeats(report: Report, new: Callable[[], Any]) -> None:
    one, two, other = (_fit(new, FitSetting(iterations=_FEW, seed=seed)) for seed in (3, 3, 4))
    report.require(
        _same_state(one, two),
        "the same seed gives the same bytes",
        "states differ",
        "draw from generators of setting.seed alone, and use deterministic kernels",
    )
    report.require(not _same_state(one, other), "another seed gives another head", "the same", "use setting.seed")


def _check_resumes(report: Report, new: Callable[[], Any]) -> None:
    setting = FitSetting(iterations=_FEW, seed=1)
    whole = _fit(new, setting)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder, "checkpoint")
        scratch.write_bytes(b"not a checkpoint")
        report.require(
            _same_state(whole, _fit(new, replace(setting, scratch=scratch))),
            "a damaged checkpoint is as good as none",
            "another head",
            "begin anew where setting.scratch cannot be read",
        )
        scratch.unlink(missing_ok=True)
        with suppress(_CutError):
            _fit(new, replace(setting, scratch=scratch, tell=_cut_off))
        shares: list[float] = []
        again = _fit(new, replace(setting, scratch=scratch, tell=shares.append))
        report.require(
            _same_state(whole, again),
            "a fit that was cut off and asked for again ends in the same bytes",
            "another head",
            "keep weights, optimiser and every random state in the checkpoint at setting.scratch, or keep none",
        )
        report.facts["resumed_at"] = min(shares, default=0.0)


class _CutError(Exception):
    """Ends a fit in its middle, as a killed process would."""


def _cut_off(share: float) -> None:
    if share > _CUT:
        raise _CutError


def _check_failures(report: Report, new: Callable[[], Any]) -> None:
    made = new().fit(headless(), FitSetting(iterations=_FEW)).render(drive_of(headless(), headless().split.heldout[:1]))
    _check_rendering(report, made, made.rgb.shape[:3])
    captured = capture()
    lost = replace(captured.pose, translation=np.full_like(captured.pose.translation, np.nan))
    broken = {"pose": replace(captured, pose=lost), "mouth": replace(captured, mouth=captured.mouth * np.nan)}
    for part, capture_of in broken.items():
        outcome = _outcome(new(), capture_of, FitSetting(iterations=_FEW))
        report.require(
            outcome == "diverged",
            "a capture with numbers that are not finite ends as `diverged`",
            f"{outcome} where the {part} is NaN",
            "raise FitFailed('diverged', 'nan@capture') when the capture or the loss is not finite",
        )
    outcome = _outcome(new(), captured, FitSetting(iterations=100_000, timeout=0.05))
    report.require(
        outcome == "timed-out",
        "a fit ends as `timed-out` soon after setting.timeout",
        outcome,
        "look at the clock in the loop, and raise FitFailed('timed-out', ...)",
    )


def _outcome(victim: Any, captured: Capture, setting: FitSetting) -> str:
    try:
        victim.fit(captured, setting)
    except FitFailed as failure:
        return failure.outcome
    return "a head"


def _fit(new: Callable[[], Any], setting: FitSetting) -> State:
    state: State = new().fit(capture(), setting).state()
    return state


def _same_state(one: State, other: State) -> bool:
    return one.keys() == other.keys() and all(one[name].tobytes() == other[name].tobytes() for name in one)


def _same_rendering(one: Rendering, other: Rendering) -> bool:
    pairs = [(getattr(one, field.name), getattr(other, field.name)) for field in fields(Rendering)]
    return all(a is b if a is None or b is None else a.tobytes() == b.tobytes() for a, b in pairs)


def _head_psnr(rgb: NDArray[np.uint8], index: NDArray[np.int64]) -> float:
    error = np.square((rgb.astype(np.float64) - capture().frames[index]) / 255)
    return float(-10 * np.log10(error[capture().head[index]].mean()))


def _check_editor(report: Report, new: Callable[[], Any]) -> None:
    editor, other = new().load(), new().load()
    report.require(
        bool(editor.edits) and len(set(editor.edits)) == len(editor.edits),
        "it names its edits, each once",
        str(editor.edits),
        "give the loaded editor a tuple `edits`",
    )
    for size in (48, 64):
        picture = tensors(size, 1).requires_grad_(True)
        made = {edit: editor.edit(picture, edit) for edit in editor.edits}
        for edit, changed in made.items():
            report.require(
                tuple(changed.shape) == (1, 3, editor.size, editor.size) and changed.dtype == torch.float32,
                "(N, 3, S, S) pictures of any size become (N, 3, size, size) float32",
                f"{edit}: {changed.dtype} {tuple(changed.shape)}",
                "resize to the editor's own size",
            )
            report.require(
                bool(((changed >= 0) & (changed <= 1)).all()),
                "pixels are in [0, 1]",
                f"{edit}: another value",
                "clamp to [0, 1]",
            )
            report.require(
                torch.equal(changed, other.edit(picture, edit)),
                "loaded twice, it edits the same way",
                f"{edit} differs",
                "switch the network to evaluation, and draw nothing at random",
            )
        apart = [float((a - b).abs().max()) for k, a in enumerate(made.values()) for b in list(made.values())[k + 1 :]]
        report.require(
            min(apart, default=1) > 0.02,
            "its edits differ from each other",
            f"a largest difference of {min(apart, default=1):.3g}",
            "leave edits out that do nothing",
        )
        gradient = gradient_of(torch.cat(list(made.values())).mean(), picture)
        report.require(
            gradient is not None and bool(torch.isfinite(gradient).all()) and bool(gradient.abs().max() > 0),
            "its edits have finite gradients with respect to the picture",
            "none",
            "compute in torch throughout, without detach, rounding or numpy",
        )
