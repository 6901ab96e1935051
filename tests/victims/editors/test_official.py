"""Official checkpoints: stand-ins of the same format load key by key; anything else is refused in one line."""

import pytest
import torch

from vdf_bench.assets import third_party
from vdf_bench.assets.folders import WEIGHTS_VARIABLE
from vdf_bench.assets.needs import unmet
from vdf_bench.assets.third_party import path_of
from vdf_bench.core import registry
from vdf_bench.core.errors import UserError
from vdf_bench.models.supply import add
from vdf_bench.victims.editors.official import attgan, stargan
from vdf_bench.victims.editors.official.attgan import EDITS as ATT_EDITS
from vdf_bench.victims.editors.official.hisd_network import layout_of
from vdf_bench.victims.editors.official.networks import AttGenerator, StarGenerator

NAMES = ("stargan", "attgan", "hisd", "attentiongan")
#: Width of the stand-ins; published networks have 64.
WIDTH = 8


def normed(state, key, channels, running):
    state[f"{key}.weight"], state[f"{key}.bias"] = torch.rand(channels) + 0.5, torch.randn(channels) * 0.1
    if running:
        state[f"{key}.running_mean"], state[f"{key}.running_var"] = torch.zeros(channels), torch.ones(channels)
        state[f"{key}.num_batches_tracked"] = torch.tensor(7)


def weight(*shape):
    return torch.randn(*shape) / (torch.tensor(shape[1:]).prod() ** 0.5 if len(shape) > 1 else 1)


def star_state(heads=None):
    """The official keys, spelt out from the published table: indices count every layer of one Sequential."""
    w, state = WIDTH, {}
    state["main.0.weight"] = weight(w, 8, 7, 7)
    normed(state, "main.1", w, True)
    for index, a, b in ((3, w, 2 * w), (6, 2 * w, 4 * w)):
        state[f"main.{index}.weight"] = weight(b, a, 4, 4)
        normed(state, f"main.{index + 1}", b, True)
    for index in range(9, 15):
        for layer in (0, 3):
            state[f"main.{index}.main.{layer}.weight"] = weight(4 * w, 4 * w, 3, 3)
            normed(state, f"main.{index}.main.{layer + 1}", 4 * w, True)
    for index, a, b in ((15, 4 * w, 2 * w), (18, 2 * w, w)):
        state[f"main.{index}.weight"] = weight(a, b, 4, 4)
        normed(state, f"main.{index + 1}", b, True)
    for key, channels in (heads or {"main.21": 3}).items():
        state[f"{key}.weight"] = weight(channels, w, 7, 7)
    return state


def attention_state():
    return star_state({"img_reg.0": 3, "attetion_reg.0": 1})


def att_state():
    widths, n, state = [WIDTH * 2**k for k in range(5)], len(ATT_EDITS), {}
    for level, (a, b) in enumerate(zip([3, *widths], widths, strict=False)):
        state[f"enc_layers.{level}.layers.0.weight"] = weight(b, a, 4, 4)
        normed(state, f"enc_layers.{level}.layers.1", b, True)
    inputs = (widths[4] + n, widths[4] + widths[3] + n, widths[3], widths[2])
    for level, (a, b) in enumerate(zip(inputs, widths[:0:-1], strict=True)):
        state[f"dec_layers.{level}.layers.0.weight"] = weight(a, b, 4, 4)
        normed(state, f"dec_layers.{level}.layers.1", b, True)
    state["dec_layers.4.layers.0.weight"], state["dec_layers.4.layers.0.bias"] = weight(widths[1], 3, 4, 4), weight(3)
    optimiser = {"state": {0: {"step": 3, "exp_avg": torch.zeros(2)}}, "param_groups": [{"lr": 2e-4}]}
    return {"G": state, "D": {"fc.weight": torch.zeros(2)}, "optim_G": optimiser}


def hisd_state():
    w, state = WIDTH, {}

    def convolution(key, inputs, outputs, edge=1, bias=True):
        state[f"{key}.weight"] = weight(outputs, inputs, edge, edge)
        if bias:
            state[f"{key}.bias"] = torch.zeros(outputs)

    def block(key, inputs, outputs, middle=False):
        convolution(f"{key}.conv1", inputs, outputs if middle else inputs, 3)
        convolution(f"{key}.conv2", outputs if middle else inputs, outputs, 3)
        convolution(f"{key}.sc", inputs, outputs, bias=False)

    def line(key, inputs, outputs):
        state[f"{key}.weight"], state[f"{key}.bias"] = weight(outputs, inputs), torch.zeros(outputs)

    convolution("encoder.0", 3, w)
    block("encoder.1", w, 2 * w)
    block("encoder.2", 2 * w, 4 * w)
    block("decoder.0", 4 * w, 2 * w)
    block("decoder.1", 2 * w, w)
    convolution("decoder.2", w, 3)
    convolution("extractors.model.0", 3, 4)
    block("extractors.model.1", 4, 6)
    convolution("extractors.model.3", 6, 3 * 10)
    for tag, attributes in enumerate((2, 2, 3)):
        key = f"translators.{tag}"
        convolution(f"{key}.model.0", 4 * w, w)
        block(f"{key}.model.1", w, w, middle=True)
        block(f"{key}.model.2", w, w, middle=True)
        line(f"{key}.style_to_params", 10, 8 * w)
        convolution(f"{key}.features.0", w, 4 * w)
        convolution(f"{key}.masks.0", w, 4 * w)
        key = f"mappers.{tag}"
        line(f"{key}.pre_model.0", 5, 12)
        line(f"{key}.pre_model.1.linear", 12, 14)
        for attribute in range(attributes):
            line(f"{key}.post_models.{attribute}.0.linear", 14, 11)
            line(f"{key}.post_models.{attribute}.1", 11, 10)
    return {"gen_test": state, "gen": {}}


STATES = {"stargan": star_state, "attgan": att_state, "hisd": hisd_state, "attentiongan": attention_state}
PARTS = {"attgan": "G", "hisd": "gen_test"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path))
    return tmp_path


def put(name, change=lambda state: None):
    torch.manual_seed(3)
    content = STATES[name]()
    change(content[PARTS[name]] if name in PARTS else content)
    torch.save(content, path_of(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_of_the_format_edits_and_lets_gradients_through(name, folder):
    put(name)
    editor = registry.create("victims", name, {"size": 64})
    assert unmet(editor.card) is None
    model = editor.load()
    assert model.size == 64 and len(set(model.edits)) == len(model.edits) >= 5
    torch.manual_seed(0)
    pictures = torch.rand(2, 3, 80, 80, requires_grad=True)
    edits = [model.edit(pictures, edit) for edit in model.edits]
    assert all(edit.shape == (2, 3, 64, 64) and edit.min() >= 0 and edit.max() <= 1 for edit in edits)
    assert not torch.equal(edits[0], edits[-1])
    edits[0].square().mean().backward()
    assert pictures.grad[0].abs().sum() > 0
    # One picture's edit does not depend on its neighbour, nor on how often it is asked for.
    assert torch.allclose(model.edit(pictures[:1], model.edits[0]), edits[0][:1], atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_other_networks_are_refused_in_one_line(name, folder):
    def lose(state):
        del state[max(state)]

    def widen(state):
        key = next(key for key in reversed(state) if state[key].ndim == 4)
        state[key] = torch.zeros(*state[key].shape[:3], 9)

    def extend(state):
        state["head.weight"] = torch.zeros(3)

    for change in (lose, widen, extend):
        put(name, change)
        with pytest.raises(UserError, match=f"not a checkpoint of {name}") as refused:
            registry.create("victims", name).load()
        assert "\n" not in str(refused.value)


class Code:
    def __reduce__(self):
        return print, ("this must never be seen",)


@pytest.mark.parametrize("name", NAMES)
def test_hostile_and_oversized_files_are_refused(name, folder, capsys, monkeypatch):
    torch.save({"G": Code(), "gen_test": Code(), "main.0.weight": Code()}, path_of(name))
    with pytest.raises(UserError, match="more than plain tensors"):
        registry.create("victims", name).load()
    with pytest.raises(UserError, match="more than plain tensors"):
        add(name, path_of(name))
    assert "never" not in capsys.readouterr().out
    with path_of(name).open("wb") as file:
        file.truncate(third_party.entry_of(name).limit * 2**20 + 1)
    with pytest.raises(UserError, match="larger than"):
        registry.create("victims", name).load()
    path_of(name).unlink()
    assert f"weights add {name}" in unmet(registry.load("victims", name).card)


def test_published_sizes():
    """Parameters of the papers' networks, counted by hand from their tables."""
    star = sum(p.numel() for p in StarGenerator(64, 5).parameters())
    down = 8 * 64 * 49 + 64 * 128 * 16 + 128 * 256 * 16
    assert star == down + 12 * 256 * 256 * 9 + 256 * 128 * 16 + 128 * 64 * 16 + 64 * 3 * 49 + 2 * (
        64 + 128 + 256 + 12 * 256 + 128 + 64
    )
    keys = AttGenerator(64, 13).state_dict()
    assert keys["enc_layers.4.layers.0.weight"].shape == (1024, 512, 4, 4)
    assert keys["dec_layers.0.layers.0.weight"].shape == (1037, 1024, 4, 4)
    assert keys["dec_layers.1.layers.0.weight"].shape == (1024 + 512 + 13, 512, 4, 4)
    assert keys["dec_layers.4.layers.0.weight"].shape == (128, 3, 4, 4)


def test_labels_follow_the_official_rules():
    assert stargan.target((False, False, True, False, True), "blond-hair") == (0, 1, 0, 0, 1)
    assert stargan.target((False, False, True, False, True), "age") == (0, 0, 1, 0, 0)
    vector = dict(zip(ATT_EDITS, attgan.target(("brown-hair", "no-beard"), "blond-hair"), strict=True))
    assert (vector["blond-hair"], vector["brown-hair"], vector["no-beard"], vector["male"]) == (1.0, -0.5, 0.5, -0.5)
    assert attgan.target(("no-beard",), "no-beard")[ATT_EDITS.index("no-beard")] == -1.0


def test_an_attention_mask_keeps_the_picture(folder):
    def only_mask(state):
        state["attetion_reg.0.weight"].zero_()
        state["img_reg.0.weight"].zero_()

    put("attentiongan", only_mask)
    pictures = torch.rand(1, 3, 64, 64)
    edited = registry.create("victims", "attentiongan", {"size": 64}).load().edit(pictures, "age")
    # Half of the picture, half of a grey answer.
    assert torch.allclose(edited, 0.5 * pictures + 0.25, atol=1e-6)


def test_hisd_reads_its_widths_from_the_file():
    layout = layout_of(hisd_state()["gen_test"], ())
    assert layout.encoder == (8, 16, 32) and layout.translators == (8, 8, 8) and layout.extractors == (4, 6)
    assert (layout.mapper, layout.heads, layout.style, layout.noise) == ((12, 14), (11,), 10, 5)
    assert layout.attributes == (2, 2, 3)
