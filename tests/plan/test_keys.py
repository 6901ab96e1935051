"""Keys know the weights, the versions and the parameters that a result depends on."""

from __future__ import annotations

import pytest

from vdf_bench.assets.folders import WEIGHTS_VARIABLE
from vdf_bench.assets.third_party import entry_of, path_of
from vdf_bench.core.errors import UserError
from vdf_bench.plan import Request, build_plan, closure
from vdf_bench.plan.keys import Keys
from vdf_bench.plan.presets import preset


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The user's own weights: none yet."""
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path))
    return tmp_path


def supply(name, content):
    """Put a file, or a model folder, where weights of that name are looked for."""
    place = path_of(name)
    if entry_of(name).form == "folder":
        place.mkdir(exist_ok=True)
        place = place / "config.json"
    place.write_text(content)


@pytest.mark.parametrize(
    ("stage", "kind", "component", "weights"),
    [
        ("protect", "defenses", "photoguard", "stable-diffusion-v1"),
        ("protect", "defenses", "vdf-official", "vgg16"),
        ("purify", "purifiers", "diffpure", "pixel-diffusion"),
        ("purify", "purifiers", "grid-pure", "pixel-diffusion"),
        ("purify", "purifiers", "noisy-upscale", "stable-diffusion-x4-upscaler"),
        ("purify", "purifiers", "impress", "stable-diffusion-v1"),
        ("purify", "purifiers", "impress", "vgg16"),
        ("capture", "parsers", "bisenet", "bisenet"),
        ("edit", "victims", "stargan", "stargan"),
        ("edit", "victims", "attgan", "attgan"),
        ("edit", "victims", "hisd", "hisd"),
        ("edit", "victims", "attentiongan", "attentiongan"),
        ("judge", "judges", "sync", "syncnet"),
        ("judge", "judges", "distribution", "inception"),
        ("judge", "judges", "fidelity", "alexnet"),
        ("judge", "judges", "identity", "buffalo_l"),
    ],
)
def test_the_users_weights_are_in_the_key(stage, kind, component, weights, folder):
    found = [Keys().of(stage, (kind, component))]
    for content in ("{}", '{"other": 1}'):
        supply(weights, content)
        found.append(Keys().of(stage, (kind, component)))
    assert len(set(found)) == 3


def test_weights_that_a_step_does_not_read_are_not_in_its_key():
    before = Keys().of("capture", ("parsers", "builtin"), ("landmarkers", "builtin"))
    supply("bisenet", "other")
    assert Keys().of("capture", ("parsers", "builtin"), ("landmarkers", "builtin")) == before


def test_a_file_that_a_parameter_names_is_in_the_key(folder):
    file = folder / "mine.onnx"
    found = set()
    for content in ("one", "another"):
        file.write_text(content)
        found.add(Keys().of("judge", ("judges", "identity"), files=[str(file)]))
    assert len(found) == 2


def test_parsers_that_a_defense_takes_turns_with_are_in_its_key(monkeypatch):
    """Other weights of a surrogate are another result, though the defense's own code never names them."""

    def keys():
        request = Request(preset("quick"), ("vdf-eot",), (), clips=("synth-a",), controls=())
        return {step.key for step in build_plan(request).steps.values() if step.name == "protect"}

    from vdf_bench.plan import keys as module

    real, before = module.weights_state, keys()
    monkeypatch.setattr(module, "weights_state", lambda name: "other" if name == "surrogate-c" else real(name))
    assert not before & keys()


def test_versions_of_libraries_count_unless_told_otherwise(monkeypatch):
    def keys():
        return [Keys(versions).of("capture", ("parsers", "builtin")) for versions in (True, False)]

    before = keys()
    real = closure.metadata.version
    monkeypatch.setattr(closure.metadata, "version", lambda name: "0" if name == "torch" else real(name))
    after = keys()
    assert before[0] != after[0] and before[1] == after[1]


def test_an_unknown_component_is_the_users_error():
    with pytest.raises(UserError, match="did you mean 'builtin'"):
        Keys().of("capture", ("parsers", "buildin"))
