import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vdf_bench.core.budget import Budget
from vdf_bench.defenses.common.pixels import publish, quantise, whole_levels


@pytest.mark.parametrize(("text", "levels"), [("0.05", 12), ("8/255", 8), ("16/255", 16), ("0", 0), ("255/255", 255)])
def test_whole_levels(text, levels):
    assert whole_levels(Budget.parse(text)) == levels


@given(st.integers(0, 255))
def test_every_k_of_255_keeps_its_k(k):
    assert whole_levels(Budget.parse(f"{k}/255")) == k


def test_rounding_lets_the_gradient_through():
    picture = torch.tensor([0.1003, 0.5, 0.9], requires_grad=True)
    quantised = quantise(picture)
    assert torch.equal(quantised, torch.round(picture.detach() * 255) / 255)
    (quantised * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert picture.grad.tolist() == [1.0, 2.0, 3.0]


@given(st.integers(0, 30), st.integers(0, 2**31))
def test_rounding_never_leaves_the_budget(levels, seed):
    generator = torch.Generator().manual_seed(seed)
    clean = torch.randint(0, 256, (3, 8, 8), generator=generator) / 255
    delta = (2 * torch.rand(3, 8, 8, generator=generator) - 1) * levels / 255
    delta[0] = levels / 255
    out = publish(clean, delta)
    assert int(((out - clean) * 255).round().abs().max()) <= levels
    assert out.min() >= 0
    assert out.max() <= 1
