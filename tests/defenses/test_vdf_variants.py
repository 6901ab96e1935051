import pytest
import torch

from vdf_bench.assets.third_party import path_of
from vdf_bench.core import registry
from vdf_bench.core.errors import UserError
from vdf_bench.defenses.common.record import Record
from vdf_bench.defenses.vdf import VdfParameters
from vdf_bench.defenses.vdf.perturbation import Painter, Variables
from vdf_bench.defenses.vdf.stream import protect
from vdf_bench.defenses.vdf.variants import OfficialParameters
from vdf_bench.models.vgg import LAYERS, Vgg16Features, load_vgg16

ABLATIONS = {
    "vdf-noshare": {"sharing": "none"},
    "vdf-spatial": {"domain": "spatial"},
    "vdf-frequency": {"domain": "frequency"},
    "vdf-1scale": {"scales": (1.0,), "weights": (1.0,)},
    "vdf-nomask": {"mask": False},
    "vdf-init": {"max_iterations_first": 0, "max_iterations": 0},
}


@pytest.fixture
def user_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("VDF_BENCH_WEIGHTS", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(("name", "changes"), ABLATIONS.items())
def test_an_ablation_changes_one_thing(name, changes):
    whole = VdfParameters().model_dump()
    ablated = registry.create("defenses", name).parameters.model_dump()
    assert {key: value for key, value in ablated.items() if value != whole[key]} == changes
    assert ablated.keys() == whole.keys()


def test_official_constants():
    official = OfficialParameters()
    stated = (official.domain, official.loss, official.gain, official.phase_offset, official.learning_rate)
    assert stated == ("frequency", "log", 10, 1, 0.01)
    assert (official.noise_start, official.mask_start, official.mask, official.betas) == (1, 0, True, (0.9, 0.999))
    assert (official.sharing, official.decay, official.motion, official.updates) == ("ssim", 0.8, False, "all")
    assert (official.check_every_first, official.visual_weight, official.success_share) == (5, 0.5, 0.8)
    capped = registry.load("defenses", "vdf-official").card.summary
    assert "Official but for the cap: 150 iterations" in capped
    assert (official.max_iterations_first, official.max_iterations) == (150, 15)
    long = registry.create("defenses", "vdf-official", {"max_iterations_first": "3000", "max_iterations": "3000"})
    assert long.parameters.max_iterations == 3000


def test_official_step_is_adams_on_gradients_divided_by_255():
    """The official rounding multiplies by 255 unseen by its gradient, and divides in sight of it."""
    start = torch.tensor([0.3, -0.2])
    slope = torch.tensor([3e-6, -4e-4])
    ends = []
    for scale, epsilon in ((1 / 255, 1e-8), (1.0, OfficialParameters().adam_epsilon)):
        leaf = start.clone().requires_grad_()
        adam = torch.optim.Adam([leaf], lr=0.01, eps=epsilon)
        for _ in range(3):
            leaf.grad = scale * slope
            adam.step()
        ends.append(leaf.detach())
    assert torch.allclose(*ends, atol=1e-7)


def test_control_publishes_the_start(frames, setting):
    defense = registry.create("defenses", "vdf-init")
    out = list(defense.protect(iter(frames[:1]), setting))
    parameters = defense.parameters
    drawn = Variables.draw(32, parameters, torch.Generator().manual_seed(setting.seed))
    assert torch.equal(out[0], Painter(frames[0], 12, parameters).paint(drawn))
    assert "control" in defense.card.tags


@pytest.mark.parametrize("region", ["full_face", "mouth", "neck", "face"])
def test_every_target_is_hit(region, frames, setting):
    """A parser that reads bright pixels as a source label and dark ones as a target: hidden by darkening them."""
    source = {"full_face": 1, "mouth": 12, "neck": 14, "face": 1}[region]
    target = {"full_face": 0, "mouth": 16, "neck": 1, "face": 14}[region]

    class Labels(torch.nn.Module):
        def forward(self, x):
            margin = 40 * (x.mean(1) - 0.5)
            logits = torch.full((1, 19, *x.shape[2:]), -20.0)
            rows = {target: -margin[0], source: margin[0]}
            return torch.stack([rows.get(label, logits[0, label]) for label in range(19)])[None]

    defense = registry.create(
        "defenses", "vdf", {"region": region, "learning_rate": "0.1", "max_iterations_first": "99"}
    )
    from dataclasses import replace

    out = list(defense.protect(iter(frames[:2]), replace(setting, surrogate=Labels())))
    assert defense.log()["success"] == [1.0, 1.0]
    was, now = (Labels()(frame[None])[0].argmax(0) for frame in (frames[1], out[1]))
    assert (was == source).any()
    assert (now[was == source] == target).float().mean() > 0.8


class TestVisualTerm:
    def test_absence_is_told(self, user_weights, frames, setting):
        defense = registry.create("defenses", "vdf-official", {"max_iterations_first": "0"})
        list(defense.protect(iter(frames[:1]), setting))
        assert defense.log()["vgg"] == [0.0]
        assert load_vgg16() is None

    def test_damage_is_one_line(self, user_weights):
        path_of("vgg16", user_weights).write_bytes(b"not a checkpoint")
        with pytest.raises(UserError, match="not a state dict of vgg16"):
            load_vgg16()

    def test_checkpoints_of_torchvision_load(self, user_weights):
        """Its file holds the whole network; layers past the last compared one are left aside."""
        torch.manual_seed(0)
        network = Vgg16Features()
        extra = {"features.24.weight": torch.zeros(1), "classifier.0.weight": torch.zeros(1)}
        torch.save({**network.state_dict(), **extra}, path_of("vgg16", user_weights))
        loaded = load_vgg16()
        x = torch.rand(1, 3, 16, 16)
        assert all(torch.equal(a, b) for a, b in zip(network(x), loaded(x), strict=True))
        assert not any(parameter.requires_grad for parameter in loaded.parameters())
        assert [tuple(f.shape[1:]) for f in loaded(x)] == [(64, 16, 16), (128, 8, 8), (256, 4, 4), (512, 2, 2)]
        assert max(LAYERS) == len(loaded.features) - 1

    def test_term_holds_the_perturbation_back(self, frames, setting):
        """An attack with a heavy visual term leaves features nearer to the clean frame's than one without."""
        from vdf_bench.defenses.vdf.visual import VisualLoss

        torch.manual_seed(0)
        network = Vgg16Features().eval().requires_grad_(False)
        parameters = OfficialParameters(max_iterations_first=8, learning_rate=0.3, scales=(1.0,), weights=(1.0,))
        seen = VisualLoss(network, 1.0).against(frames[0])
        assert float(seen(frames[0])) == 0.0
        distance = []
        for weight in (1e-6, 1e4):
            visual = VisualLoss(network, weight)
            (out,) = protect(iter(frames[:1]), setting, parameters, Record(), visual=visual)
            distance.append(float(seen(out)))
        assert distance[1] < 0.7 * distance[0]
