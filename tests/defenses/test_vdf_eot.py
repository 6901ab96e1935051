from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from vdf_bench.core import registry
from vdf_bench.core.budget import Budget
from vdf_bench.core.errors import UserError
from vdf_bench.defenses.common.parsing import relabelled_share
from vdf_bench.defenses.vdf import expectation
from vdf_bench.defenses.vdf.eot import VdfEot
from vdf_bench.defenses.vdf.eot_parameters import SURROGATES, EotParameters


@pytest.fixture
def wide(setting):
    return replace(setting, budget=Budget(0.15))


def run(frames, setting, **parameters):
    few = {"surrogates": (), "max_iterations_first": 30, "max_iterations": 4}
    defense = VdfEot(EotParameters.model_validate(few | parameters))
    return list(defense.protect(iter(frames), setting)), defense.log()


def hidden(parser, clean, frames, purifier, setting):
    """Mean share of a clean frame's face that is not seen after libjpeg or Lanczos, the attacker's own tools."""
    name, values = purifier
    purified = registry.create("purifiers", name, values).purify(iter(frames), setting)
    shares = []
    for before, after in zip(clean, purified, strict=True):
        face = parser(before[None])[0].argmax(0) == 1
        shares.append(relabelled_share(parser(after[None])[0][:, face], (0,)))
    return sum(shares) / len(shares)


class GrainParser(torch.nn.Module):
    """Misled in two ways: by darkness, and more easily by fine grain, which no resizing leaves."""

    def forward(self, x):
        grey = x.mean(1, keepdim=True)
        light = F.avg_pool2d(grey, 3, 1, 1, count_include_pad=False)
        grain = F.avg_pool2d((grey - light).square(), 5, 1, 2, count_include_pad=False)
        margin = 40 * (light - 0.5) - 6000 * grain
        return torch.cat([-margin, margin, torch.full_like(margin, -20).expand(-1, 17, -1, -1)], 1)


@pytest.mark.parametrize(
    "purifier", [("jpeg", {"quality": "50"}), ("resize", {"factor": "0.4"}), ("resize", {"factor": "0.6"})]
)
def test_outlives_purifiers_where_one_view_does_not(purifier, frames, wide):
    parser = GrainParser()
    setting = replace(wide, surrogate=parser)
    plain, _ = run(frames[:2], setting, transforms=(), draws=1, learning_rate=0.1)
    expected, _ = run(frames[:2], setting, learning_rate=0.1)
    assert hidden(parser, frames[:2], plain, ("identity", {}), setting) > 0.9
    assert hidden(parser, frames[:2], expected, purifier, setting) > 0.9
    assert hidden(parser, frames[:2], plain, purifier, setting) < 0.8


def test_an_inherited_perturbation_is_cheap(frames, wide):
    _, log = run(frames, wide, learning_rate=0.1, confidence=0.95)
    assert max(log["iterations"][1:]) <= 4
    assert sum(log["iterations"][1:]) / 7 < log["iterations"][0] / 3


def test_confidence_is_asked_for(frames, wide):
    hasty, sure, endless = (run(frames[:1], wide, confidence=c)[1]["iterations"][0] for c in (0, 0.95, 1))
    assert hasty < sure < endless == 30


def test_parsers_take_turns(frames, wide, parser, monkeypatch):
    seen = []

    class Watched(torch.nn.Module):
        def __init__(self, name):
            super().__init__()
            self.name = name

        def forward(self, x):
            seen.append(self.name)
            return parser(x)

    monkeypatch.setattr(expectation, "load_surrogate", Watched)
    run(frames[:1], wide, surrogates=SURROGATES, draws=6, confidence=1, max_iterations_first=3)
    # Once for the clean face, then twice in each draw: before three updates.
    assert sorted(seen) == [*("surrogate-b",) * 7, *("surrogate-c",) * 7]


def test_the_seed_draws_the_views(frames, wide):
    first, _ = run(frames[:1], wide, noise_start=0, mask=False, confidence=1, max_iterations_first=3)
    second, _ = run(frames[:1], replace(wide, seed=8), noise_start=0, mask=False, confidence=1, max_iterations_first=3)
    assert not torch.equal(first[0], second[0])


def test_heldout_cannot_be_asked_for():
    with pytest.raises(UserError, match="surrogates"):
        registry.create("defenses", "vdf-eot", {"surrogates": "surrogate-b,heldout"})
    assert registry.create("defenses", "vdf-eot", {"surrogates": ""}).parameters.surrogates == ()


def test_scale_range_must_rise():
    with pytest.raises(UserError, match="must rise"):
        registry.create("defenses", "vdf-eot", {"scale_range": "2,0.5"})
