"""What every registered defense must hold to, your own included: install its package, then run this file.

``pytest tests/defenses/test_contract.py -k NAME`` runs it for one of them. A defense that can differentiate several
networks is held to it on each.
"""

import math
from dataclasses import replace

import pytest
import torch

from vdf_bench.core import registry
from vdf_bench.core.budget import Budget

NAMES = registry.names("defenses")
CASES = [(name, lent) for name in NAMES for lent in sorted(registry.load("defenses", name).surrogates or {"parser"})]
on_every_network = pytest.mark.parametrize(("name", "lent"), CASES, indirect=["lent"])


def create(name):
    """The defense at its defaults, but for few steps where it takes a number of them: the contract is the same."""
    fields = registry.load("defenses", name).parameters_model.model_fields
    fewer = {"steps": "8", "draws": "2", "editor_steps": "6", "people": "2"}
    if "draws" in fields:
        fewer |= {"max_iterations_first": "6", "max_iterations": "2"}
    return registry.create("defenses", name, {key: value for key, value in fewer.items() if key in fields})


def protect(name, frames, setting):
    return list(create(name).protect(iter(frames), setting))


@pytest.fixture
def lent(request, setting, editing):
    """What the setting lends: a parser or an editor."""
    return {"parser": setting, "editor": editing}[request.param]


@pytest.fixture(scope="module")
def made():
    return {}


@pytest.fixture
def published(name, lent, frames, made):
    """A defense's output on a network, made once."""
    key = (name, lent.editor is None)
    if key not in made:
        made[key] = protect(name, frames, lent)
    return made[key]


@pytest.mark.parametrize("name", NAMES)
def test_card_names_the_entry_point(name):
    assert registry.load("defenses", name).card.name == name


@on_every_network
def test_one_frame_for_each_in_order_shape_and_type(name, published, frames):
    out = published
    assert len(out) == len(frames)
    assert all(
        frame.shape == clean.shape and frame.dtype == torch.float32 for frame, clean in zip(out, frames, strict=True)
    )
    assert not any(frame.requires_grad for frame in out)


@on_every_network
def test_eight_bit_pictures(name, published):
    for frame in published:
        levels = frame.double() * 255
        assert (levels - levels.round()).abs().max() < 1e-4
        assert frame.min() >= 0
        assert frame.max() <= 1


@on_every_network
@pytest.mark.parametrize("linf", [0.05, 8 / 255, 0.0])
def test_budget_holds_to_the_level(name, linf, frames, lent):
    if "ignores-budget" in registry.load("defenses", name).card.tags:
        pytest.skip("its card says that it ignores the budget")
    out = protect(name, frames[:2], replace(lent, budget=Budget(linf)))
    worst = max(int(((a - b) * 255).round().abs().max()) for a, b in zip(out, frames[:2], strict=True))
    assert worst <= math.floor(linf * 255 + 1e-6)


@on_every_network
def test_causal(name, published, frames, lent):
    for frame, whole in zip(protect(name, frames[:4], lent), published, strict=False):
        assert torch.equal(frame, whole)


@on_every_network
def test_same_seed_same_bytes(name, published, frames, lent):
    for first, second in zip(published, protect(name, frames, lent), strict=True):
        assert torch.equal(first, second)


@on_every_network
def test_frames_stream(name, frames, lent):
    """The first protected frame comes before the second clean one is asked for, so memory does not grow."""
    asked = []

    def source():
        for index, frame in enumerate(frames):
            asked.append(index)
            yield frame

    stream = create(name).protect(source(), lent)
    for index, _ in enumerate(stream):
        assert asked[-1] == index


@on_every_network
def test_input_left_alone(name, frames, lent):
    copies = [frame.clone() for frame in frames[:2]]
    protect(name, copies, lent)
    assert all(torch.equal(copy, frame) for copy, frame in zip(copies, frames[:2], strict=True))


@on_every_network
def test_log_has_one_entry_a_frame(name, frames, lent):
    defense = create(name)
    assert defense.log() == {}
    list(defense.protect(iter(frames[:3]), lent))
    for values in defense.log().values():
        assert len(values) == 3
        assert all(math.isfinite(value) for value in values)
