"""`vdf-bench models train stargan-synth` and ``attgan-synth``: the shipped attribute editors."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from vdf_bench.assets.shipped import save_shipped
from vdf_bench.models.editors import SIZE, SynthEditor, new_editor
from vdf_bench.models.embedder import load_embedder
from vdf_bench.training.common import rounded
from vdf_bench.training.editor_data import editable_seeds, plain_seeds, render_sittings
from vdf_bench.training.gates_editors import EDITOR_GATES, editor_gates
from vdf_bench.training.learn_editors import Pairs, drawn_boldly, edit_loss, learn_editor, missed_share

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor, nn

    from vdf_bench.training.common import Progress
    from vdf_bench.training.editor_data import Sittings

#: Identity seed from which training takes people, how many, and sittings of each.
FIRST_SEED: Final = 20_000
PEOPLE: Final = 250
TAKES: Final = 4
#: Identity seed from which gates take people without attributes, and how many: neither training's nor the portraits'.
GATE_SEED: Final = 310_000
GATE_PEOPLE: Final = 50


@dataclass(frozen=True)
class Cycle:
    """One rise and fall of the learning rate.

    Attributes:
        loss: of an edit, its source and its target.
        peak: of the rate.
        stages: edge, batch and steps of each.
        favour: how often each attribute is turned over; evenly without.
    """

    loss: Callable[[Tensor, Tensor, Tensor], Tensor]
    peak: float
    stages: tuple[tuple[int, int, int], ...]
    favour: tuple[float, ...] | None = None


#: Glasses and smiles: thin, small, and learnt last.
_SMALL: Final = (0.1, 0.15, 0.35, 0.05, 0.35)
_GLASSES: Final = (0.1, 0.15, 0.5, 0.05, 0.2)
CYCLES: Final = {
    "stargan-synth": (
        Cycle(partial(edit_loss, power=0.5), 2e-3, ((64, 16, 1600), (128, 8, 1900))),
        Cycle(missed_share, 1.5e-3, ((64, 16, 500), (128, 8, 900))),
        Cycle(drawn_boldly, 2.5e-3, ((64, 16, 800), (128, 8, 1000)), _SMALL),
        Cycle(missed_share, 2.2e-3, ((64, 16, 300), (128, 8, 1400)), (0.2, 0.15, 0.3, 0.05, 0.3)),
        Cycle(missed_share, 2.2e-3, ((128, 8, 1800),), (0.17, 0.1, 0.34, 0.05, 0.34)),
        Cycle(missed_share, 1e-3, ((128, 8, 400),), (0.1, 0.15, 0.5, 0.05, 0.2)),
        Cycle(missed_share, 8e-4, ((128, 8, 400),), (0.1, 0.1, 0.6, 0.05, 0.15)),
    ),
    "attgan-synth": (
        Cycle(edit_loss, 2e-3, ((64, 16, 2500), (128, 8, 2500))),
        Cycle(missed_share, 2e-3, ((64, 16, 500), (128, 8, 1300))),
        Cycle(missed_share, 1.2e-3, ((128, 8, 800),), (0.15, 0.2, 0.35, 0.1, 0.2)),
        Cycle(missed_share, 1.5e-3, ((128, 8, 600),), _GLASSES),
        Cycle(missed_share, 1e-3, ((128, 8, 300),), _GLASSES),
    ),
}
TITLES: Final = {
    "stargan-synth": "attribute editor of StarGAN's family: residual generator, the condition as planes, instance norm",
    "attgan-synth": "attribute editor of AttGAN's family: encoder and decoder with skip connections, the condition in "
    "the latent code, batch norm",
}
LIMITS: Final = (
    "learnt from exact pairs (mean absolute, then mean squared error against the truth), with no discriminator and no "
    "attribute classifier: the families' architecture at a fraction of their width, not their training; edits rendered "
    "heads near the middle of the frame; on photographs of real people it is unmeasured"
)


def train_editor(
    name: str,
    seed: int,
    out: Path,
    progress: Progress,
    sittings: Sittings | None = None,
    unseen: Sittings | None = None,
    scale: float = 1.0,
) -> dict[str, Any]:
    """Train an editor and write it with its card.

    Args:
        name: of :data:`vdf_bench.models.editors.NETWORKS`.
        seed: of initialisation and of every draw.
        out: folder to write to.
        progress: called with the state of the training.
        sittings: training renders, where they are made already.
        unseen: gate renders, where they are made already.
        scale: multiplies the number of steps.

    Returns:
        The gates as measured.
    """
    nan = float("nan")
    if sittings is None:
        seeds = editable_seeds(FIRST_SEED, PEOPLE)
        sittings = render_sittings(seeds, TAKES, SIZE, progress=lambda done: progress("render", done, nan))
    if unseen is None:
        seeds = plain_seeds(GATE_SEED, GATE_PEOPLE)
        unseen = render_sittings(seeds, 1, SIZE, True, lambda done: progress("render gates", done, nan))
    started = time.process_time()
    steps: dict[str, int] = {}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = new_editor(name)
        for number, cycle in enumerate(CYCLES[name]):
            stages = tuple((edge, count, max(1, round(most * scale))) for edge, count, most in cycle.stages)
            tell = partial(progress, f"train {number + 1}")
            learn_editor(network, Pairs(sittings, seed + number, cycle.favour), stages, tell, cycle.loss, cycle.peak)
            for edge, _, most in stages:
                steps[f"{edge} px"] = steps.get(f"{edge} px", 0) + most
    return publish(name, network, sittings, unseen, seed, steps, time.process_time() - started, out)


def publish(
    name: str,
    network: nn.Module,
    sittings: Sittings,
    unseen: Sittings,
    seed: int,
    steps: dict[str, int],
    seconds: float,
    out: Path,
) -> dict[str, Any]:
    """Measure the gates, and write a trained editor with its card.

    Args:
        name: of the editor.
        network: trained.
        sittings: what it was trained on.
        unseen: what its gates are measured on.
        seed: of its training.
        steps: of the optimiser, by edge.
        seconds: of a processor.
        out: folder to write to.

    Returns:
        The gates.
    """
    gates: dict[str, Any] = rounded(editor_gates(SynthEditor(network), unseen, load_embedder()))
    description = {
        "title": TITLES[name],
        "licence": "Apache-2.0",
        "parameters": sum(p.numel() for p in network.parameters()),
        "data": f"{sittings.rgb.shape[1] * len(sittings)} renders: {_described(sittings)}, each in six states of the "
        "five attributes; no picture of a real person",
        "seed": seed,
        "steps": steps,
        "cpu_seconds": round(seconds),
        "gates_on": f"{_described(unseen)}, without attributes and never trained on; 8-bit pictures, {SIZE} px",
        "gates": gates,
        "required": EDITOR_GATES,
        "missed": [key for key, row in gates["attributes"].items() if row["gain"] < EDITOR_GATES["edit_gain"]],
        "limits": LIMITS,
    }
    save_shipped(name, network.state_dict(), description, out)
    return gates


def _described(sittings: Sittings) -> str:
    people = np.unique(sittings.identity)
    return f"{len(sittings)} sittings of {len(people)} synthetic people (identity seeds {people[0]}-{people[-1]})"
