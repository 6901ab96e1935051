"""A universal perturbation: what disturbs an editor on other people's portraits, fused into one (CMUA)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from vdf_bench.defenses.common.editing import random_start
from vdf_bench.defenses.common.pixels import quantise, whole_levels

if TYPE_CHECKING:
    from torch import Tensor

    from vdf_bench.core.interfaces import EditorModel, Setting
    from vdf_bench.defenses.cmua.parameters import CmuaParameters


def universal_perturbation(editor: EditorModel, setting: Setting, parameters: CmuaParameters) -> Tensor:
    """The perturbation for ``setting``: (3, S, S) in [0, 1] units, multiples of 1/255."""
    pictures = training_portraits(parameters.people, setting.size, setting.seed).to(setting.device)
    return make_universal(editor, pictures, whole_levels(setting.budget) / 255, parameters, setting.seed)


def training_portraits(count: int, size: int, seed: int) -> Tensor:
    """(count, 3, size, size) 8-bit portraits of people from the range that shipped networks are trained on."""
    from vdf_bench.scenes.head import Head
    from vdf_bench.scenes.identity import sample_identity
    from vdf_bench.scenes.portraits import sample_sitting, take_portrait
    from vdf_bench.scenes.training import TRAIN_SEEDS

    people = np.random.default_rng([seed, 11]).choice(len(TRAIN_SEEDS), count, replace=False)
    seeds = [TRAIN_SEEDS[int(index)] for index in people]
    views = [take_portrait(Head.build(sample_identity(each)), sample_sitting(each), size).rgb for each in seeds]
    return quantise(torch.from_numpy(np.stack(views)).permute(0, 3, 1, 2).float().clamp(0, 1))


def make_universal(
    editor: EditorModel, pictures: Tensor, bound: float, parameters: CmuaParameters, seed: int
) -> Tensor:
    """Attack batch after batch and edit after edit, and fuse.

    Args:
        editor: network to disturb.
        pictures: (N, 3, S, S) RGB in [0, 1] that the perturbation is made on.
        bound: of the perturbation, [0, 1] units.
        parameters: of the method.
        seed: of the start.

    Returns:
        (3, S, S) in [0, 1] units, whole levels.
    """
    size = parameters.editor_step_size / 255 or bound / max(parameters.editor_steps, 1)
    perturbation = random_start(pictures[0], torch.Generator().manual_seed(seed)).clamp(-bound, bound)
    for begin in range(0, len(pictures), parameters.batch):
        batch = pictures[begin : begin + parameters.batch]
        for edit in editor.edits:
            with torch.no_grad():
                clean = editor.edit(batch, edit)
            attack = perturbation
            for _ in range(parameters.editor_steps if bound else 0):
                trial = attack.expand_as(batch).clone().requires_grad_()
                seen = quantise((batch + trial).clamp(0, 1))
                loss = -(editor.edit(seen, edit) - clean).square().mean((1, 2, 3)).sum()
                (gradient,) = torch.autograd.grad(loss, trial)
                attack = (attack - size * gradient.sign().mean(0).sign()).clamp(-bound, bound)
            perturbation = parameters.fusion * perturbation + (1 - parameters.fusion) * attack
    return quantise(perturbation)
