"""The contract of defenses."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import torch

from vdf_bench.core.budget import Budget
from vdf_bench.core.interfaces import Setting
from vdf_bench.stages.enforce import IGNORES_BUDGET
from vdf_bench.testing.component import begin
from vdf_bench.testing.footage import tensors
from vdf_bench.testing.networks import EDGE, BrightnessParser, TintEditor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from vdf_bench.core.cards import Component, Surrogate
    from vdf_bench.testing.report import Report

_FRAMES: Final = 6
#: Frames after which a second run ends, to see that what follows does not matter.
_FIRST: Final = 3
_SETTINGS: Final[dict[Surrogate, Callable[[], Setting]]] = {
    "parser": lambda: Setting(Budget(0.05), EDGE, seed=7, surrogate=BrightnessParser()),
    # The field's budget: 0.05 on [-1, 1] pictures.
    "editor": lambda: Setting(Budget(6.4 / 255), EDGE, seed=7, editor=TintEditor()),
}


def check_defense(defense: type[Component] | Component) -> Report:
    """Check that a defense is causal, streams, repeats itself and stays within its budget, on every kind of network.

    Args:
        defense: class or instance; see :class:`vdf_bench.core.interfaces.Defense`.

    Raises:
        AssertionError: a property does not hold.
    """
    report, new = begin(defense, "defenses", "protect", "log")
    for lent in sorted(new().surrogates or {"parser"}):
        setting = _SETTINGS[lent]()
        report.component = f"{report.component.partition(' on ')[0]} on the {lent} that is lent to it"
        one = new()
        report.require(one.log() == {}, "its log is empty before it protects", str(one.log()), "return {} until then")
        published = _check_stream(report, one, setting)
        _check_log(report, one)
        _check_repeats(report, one, new(), setting, published)
        _check_budget(report, new, setting, published)
    report.component = report.component.partition(" on ")[0]
    return report


def _check_stream(report: Report, defense: Any, setting: Setting) -> list[Tensor]:
    """Protect the clip, a frame at a time, and return what came out."""
    frames, published, taken = tensors(EDGE, _FRAMES), [], []

    def source() -> Iterator[Tensor]:
        for index, frame in enumerate(frames):
            taken.append(index)
            yield frame

    for frame in defense.protect(source(), setting):
        published.append(frame)
        report.require(
            len(taken) == len(published),
            "each protected frame comes before the next frame is asked for",
            f"frame {len(published) - 1} came when {len(taken)} had been asked for",
            "write protect as a generator that yields one frame for each that it takes",
        )
    report.require(
        len(published) == len(frames),
        "it yields one frame for each",
        f"{len(published)} for {len(frames)}",
        "yield exactly once in the loop over frames",
    )
    report.require(
        torch.equal(frames, tensors(EDGE, _FRAMES)),
        "it leaves the frames that it is given as they are",
        "a clean frame was written to",
        "copy a frame before you change it in place",
    )
    for index, frame in enumerate(published):
        _check_frame(report, index, frame, (3, EDGE, EDGE))
    return published


def _check_frame(report: Report, index: int, frame: Tensor, shape: tuple[int, ...]) -> None:
    report.require(
        tuple(frame.shape) == shape and frame.dtype == torch.float32 and not frame.requires_grad,
        "frames are (3, S, S) float32 without gradients",
        f"frame {index} is {tuple(frame.shape)} {frame.dtype}" + ", requires_grad" * frame.requires_grad,
        "detach what you yield, and keep the clean frame's shape and type",
    )
    levels = frame.double() * 255
    report.require(
        bool(torch.isfinite(frame).all()) and float(frame.min()) >= 0 and float(frame.max()) <= 1,
        "pixels are in [0, 1]",
        f"frame {index} spans {float(frame.min()):.4g} to {float(frame.max()):.4g}",
        "clamp to [0, 1]",
    )
    report.require(
        float((levels - levels.round()).abs().max()) < 1e-3,
        "pixels are whole 8-bit levels",
        f"frame {index} has pixels between two levels",
        "yield (frame * 255).round() / 255, after everything else",
    )


def _check_log(report: Report, defense: Any) -> None:
    log = defense.log()
    wrong = [
        name for name, values in log.items() if len(values) != _FRAMES or not all(math.isfinite(v) for v in values)
    ]
    report.require(
        not wrong,
        "its log has one finite number for each frame",
        ", ".join(f"{name}: {log[name]}" for name in wrong),
        "start each list anew in protect, and append once for each frame",
    )


def _check_repeats(report: Report, used: Any, fresh: Any, setting: Setting, published: list[Tensor]) -> None:
    few = tensors(EDGE, _FRAMES)[:_FIRST]
    for defense, what, fix in (
        (
            fresh,
            "it is causal, and the same seed gives the same bytes",
            "look only at frames that came before; draw from a torch.Generator or numpy Generator of setting.seed",
        ),
        (used, "protecting again with the same object gives the same bytes", "keep no state between calls of protect"),
    ):
        again = list(defense.protect(iter(few.clone()), setting))
        same = [torch.equal(a, b) for a, b in zip(again, published, strict=False)]
        report.require(
            len(again) == _FIRST and all(same),
            what,
            f"on the first {_FIRST} of {_FRAMES} frames it yields {len(again)}, equal: {same}",
            fix,
        )
    report.require(
        list(fresh.protect(iter(()), setting)) == [],
        "it yields nothing for no frames",
        "a frame",
        "yield inside the loop over frames only",
    )


def _check_budget(report: Report, new: Callable[[], Any], setting: Setting, published: list[Tensor]) -> None:
    if IGNORES_BUDGET in new().card.tags:
        return
    frames = tensors(EDGE, _FRAMES)
    runs = {setting.budget: published}
    for budget in (Budget(8 / 255), Budget(0.0)):
        few = iter(frames[: _FIRST - 1].clone())
        runs[budget] = list(new().protect(few, replace(setting, budget=budget)))
    for budget, made in runs.items():
        worst = max(int(((a - b) * 255).round().abs().max()) for a, b in zip(made, frames, strict=False))
        report.require(
            worst <= budget.whole_levels,
            "it stays within its budget",
            f"a pixel changes by {worst} levels, the budget is {budget}",
            "clamp the perturbation to setting.budget.whole_levels / 255",
        )
