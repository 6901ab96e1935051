"""How long a victim takes until its clones are good: the cheapest budget of steps that passes the gate on head PSNR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from vdf_bench.core import registry
from vdf_bench.core.clip import Pose
from vdf_bench.core.interfaces import Drive, FitSetting
from vdf_bench.judges.gates import GATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vdf_bench.bench.clock import Clock
    from vdf_bench.core.capture import Capture
    from vdf_bench.core.interfaces import Head, Rendering

#: What clean clones must reach inside the head, dB.
GATE: Final = float(next(gate.bound for gate in GATES if gate.metric == "head_psnr"))
#: Budgets that are tried, steps; each is a fit of its own, for schedules depend on the budget.
BUDGETS: Final = (50, 100, 200, 400, 800, 1600)


class Try(NamedTuple):
    """A fit of ``steps`` in ``seconds``, preparations included, and the head PSNR of its clone, dB."""

    steps: int
    seconds: float
    head_psnr: float


@dataclass(frozen=True)
class Climb:
    """The budgets that were tried, cheapest first.

    Attributes:
        victim: who trained.
        tried: all fits; the last is the first to pass, if any did.
    """

    victim: str
    tried: tuple[Try, ...]

    @property
    def reached(self) -> bool:
        """Whether the last passed the gate."""
        return self.tried[-1].head_psnr >= GATE


def fit(victim: str, capture: Capture, setting: FitSetting, clock: Clock) -> tuple[Head, float]:
    """A trained head, and the seconds that it took."""
    component = registry.create("victims", victim)
    heads: list[Any] = []
    seconds = clock.time(lambda: heads.append(component.fit(capture, setting)))
    return heads[0], seconds


def render_heldout(head: Head, capture: Capture, device: str = "cpu") -> Rendering:
    """The frames that nobody trained on, in their own poses."""
    held = capture.split.heldout
    pose = Pose(capture.pose.rotation[held], capture.pose.translation[held], capture.pose.focal)
    return head.render(Drive(pose, capture.mouth[held], capture.eyes[held], capture.backdrop(held), device))


def head_psnr(rendering: Rendering, capture: Capture) -> float:
    """PSNR inside the head over the held-out frames, dB, mean over frames."""
    held = capture.split.heldout
    error = ((rendering.rgb.astype(float) - capture.frames[held]) / 255) ** 2
    inside = capture.head[held]
    return float(np.mean([-10 * np.log10(e[m].mean()) for e, m in zip(error, inside, strict=True) if m.any()]))


def climb(victim: str, capture: Capture, clock: Clock, budgets: Sequence[int] = BUDGETS) -> Climb:
    """Try one budget after the other until a clone of unseen frames passes the gate."""
    device = str(clock.device)
    tried: list[Try] = []
    for steps in budgets:
        head, seconds = fit(victim, capture, FitSetting(iterations=steps, device=device), clock)
        tried.append(Try(steps, seconds, head_psnr(render_heldout(head, capture, device), capture)))
        if tried[-1].head_psnr >= GATE:
            break
    return Climb(victim, tuple(tried))
