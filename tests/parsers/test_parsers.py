"""The parsers that attackers run, with the weights that ship."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vdf_bench.core import labels as classes
from vdf_bench.core import registry
from vdf_bench.parsers.ensemble import EnsembleParser
from vdf_bench.parsers.modified import modified
from vdf_bench.parsers.network import load_parser
from vdf_bench.stages.load import load_clip
from vdf_bench.training.finetune import finetune

SIZE = 64


@pytest.fixture(scope="module")
def clip():
    return load_clip("synth-a", SIZE, 3)


def loaded(name):
    return registry.create("parsers", name).load()


def head_overlap(labels, truth):
    """Intersection over union of the head."""
    found, there = (classes.mask_of(part, classes.HEAD) for part in (labels, truth))
    return (found & there).sum() / (found | there).sum()


class Fixed:
    """A network, or a hull, that sees one class in each column, as sure as it is told."""

    def __init__(self, labels, sure=5.0):
        self.labels, self.sure = np.asarray(labels, np.uint8), sure

    def parse(self, frames):
        return np.broadcast_to(self.labels, frames.shape[:3]).copy()

    def logits(self, frames):
        found = torch.nn.functional.one_hot(torch.from_numpy(self.parse(frames)).long(), 19)
        yield self.sure * found.permute(0, 3, 1, 2).float()


def test_the_hull_decides_for_a_head_that_a_network_sees():
    #        agree | fooled, inside | fooled, outside | both blind | another part
    fooled = Fixed([1, 16, 0, 17, 0, 0, 1], sure=50.0)
    honest = Fixed([1, 16, 1, 1, 14, 0, 14])
    hull = Fixed([0, 1, 1, 1, 0, 1, 0])
    seen = EnsembleParser(fooled, honest, hull).parse(np.zeros((2, 1, 7, 3), np.uint8))
    assert seen[0, 0].tolist() == [1, 16, 1, 17, 0, 0, 1]
    assert (seen[0] == seen[1]).all()


def test_the_ensemble_is_as_good_as_its_best_on_a_clean_clip(clip):
    found = {
        name: head_overlap(loaded(name).parse(clip.frames), clip.truth.labels)
        for name in ("builtin", "heldout", "landmark-hull", "ensemble")
    }
    assert found["ensemble"] > max(found.values()) - 0.01, found


@pytest.mark.parametrize("chosen", [{"scale": 0.7}, {"scale": 1.3, "kernel": "area"}, {"vote": 1}])
def test_modifiers_cost_little_on_a_clean_clip(clip, chosen):
    plain = head_overlap(loaded("builtin").parse(clip.frames), clip.truth.labels)
    assert head_overlap(modified(loaded("builtin"), **chosen).parse(clip.frames), clip.truth.labels) > plain - 0.06


def test_a_taught_parser_sees_through_what_it_was_taught_on(clip):
    """A sign pattern that leaves nothing of the head stands for a defense."""
    parser = load_parser("builtin")
    x = (parser.look(clip.frames)).requires_grad_(True)
    parser(x)[:, 1:].logsumexp(1).sum().backward()
    pattern = np.rint(20 * x.grad.mean(0).sign().permute(1, 2, 0).numpy())
    protected = np.clip(clip.frames - pattern, 0, 255).astype(np.uint8)
    before = head_overlap(parser.parse(protected), clip.truth.labels)
    taught = [load_parser("builtin") for _ in range(2)]
    for each in taught:
        finetune(each, clip.frames, protected, seed=0, steps=25)
    first, second = (each.state_dict() for each in taught)
    assert all(torch.equal(first[name], second[name]) for name in first), "same seed, same weights"
    after = load_parser("builtin")
    after.load_state_dict(first)
    assert head_overlap(after.parse(protected), clip.truth.labels) > before + 0.05
    assert head_overlap(after.parse(clip.frames), clip.truth.labels) > 0.85
