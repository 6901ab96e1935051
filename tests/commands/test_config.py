"""``--config`` repeats a run; what is no list of options is refused in one line, and fast."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from vdf_bench import api
from vdf_bench.commands.options import OPTIONS, taking
from vdf_bench.core.errors import UserError
from vdf_bench.runs.config import MAX_BYTES, read_config, write_config
from vdf_bench.runs.options import Options, prepare_run

DEFAULTS = {
    "executor": "local", "ray_address": "", "jobs": 1, "step_timeout": None, "max_hours": None,
    "out": "out", "store": None, "overwrite": False, "clip": "synth-a", "size": 32, "frames": 16,
}  # fmt: skip
IMAGES = {"track": "images", "victim": "editors", "frames": None, "clip": "", "defense": "grasp@attgan-synth"}


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"clip": "synth-a@20f,photo-astronaut", "size": None, "frames": None, "preset": "quick", "seed": "3,1"},
        {"judge": "capture,fidelity", "recogniser": "id-synth"},
        {"defense": "pgd,noise", "budget": [0.05, "linf=8,psnr>=38"], "set": {"pgd.steps": 2}, "control": "none"},
        {"set": ["gaussian.count=300", "vdf.betas=0.5,0.9"], "iterations": 7, "protected_share": 0.5, "timeout": 9},
        {"parser": "builtin/vote,heldout", "surrogate": "builtin,surrogate-b", "policy": "strict", "target": "both"},
        {"purifier": "auto:fast", "exhaustive": True, "victim": "gaussian"},
        {"purifier": ["jpeg:75+resize:0.5", "h264:23"], "capture_only": True, "ignore_versions": True},
        IMAGES,
    ],
)  # fmt: skip
def test_a_config_repeats_the_run(tmp_path, asked):
    first, _ = prepare_run({**DEFAULTS, **asked, "out": tmp_path / "first"})
    path = tmp_path / "config.toml"
    path.write_text(first.config)
    again = read_config(path, OPTIONS)
    second, _ = prepare_run({**DEFAULTS, "clip": "", "size": None, "frames": None, **again, "out": tmp_path / "second"})
    assert second.identity == first.identity
    assert second.matrix == first.matrix
    assert second.config == first.config


def test_a_config_names_the_suite_that_ran(tmp_path):
    run, _ = prepare_run({**DEFAULTS, "purifier": "auto", "victim": "gaussian", "out": tmp_path / "run"})
    assert 'purifier = "auto:autopurify-1-fast"' in run.config
    assert ("suites", "autopurify-1-fast") in run.plan.components


def test_the_command_of_a_run_says_what_is_no_default():
    options = Options.of({"defense": ["vdf", "pgd"], "set": {"vdf.gain": 2}, "capture_only": True, "clip": "a b.mp4"})
    assert options.command() == "vdf-bench run --defense vdf,pgd --clip 'a b.mp4' --capture-only --set vdf.gain=2"


def test_texts_survive_being_written(tmp_path):
    odd = 'a"b\\c\n\té\x7f'
    path = tmp_path / "config.toml"
    path.write_bytes(write_config({"clip": odd, "set": [f"vdf.{odd}={odd}"], "size": None}, "odd").encode())
    assert read_config(path, OPTIONS) == {"clip": odd, "set": [f"vdf.{odd}={odd}"]}


def test_the_command_line_wins(vdf_bench):
    text = 'defense = ["noise", "pgd"]\nsize = 48\ncapture-only = true\n[set]\npgd.steps = 3\n"pgd.step" = 0.5\n'
    Path("my.toml").write_text(text)
    code, out, err = vdf_bench("run", "--config", "my.toml", "--defense", "noise", "--dry-run")
    assert code == 0, err
    assert "with noise" in out
    assert "with pgd" not in out
    assert "train" not in out
    code, _, err = vdf_bench("run", "--config", "my.toml", "--set", "pgd.steps=-1", "--dry-run")
    assert code == 2
    assert "pgd.steps" in err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("defence = 'vdf'", "did you mean 'defense'"),
        ("config = 'other.toml'", "unknown option 'config'"),
        ("capture-only = true\ncapture_only = true", "contains capture_only twice"),
        ("size = 'big'", "Invalid value for '--size'"),
        ("size = 1", "32"),
        ("seed = {a = 1}", "seed: give a text"),
        ("set = 3", "COMPONENT.PARAMETER"),
        ("[set]\na.b.c.d.e.f.g.h.i = 1", "nested too deeply"),
        ("size", "not valid TOML"),
        ("seed = " + "[" * 5000, "nested too deeply"),
        (".".join(["a"] * 200_000) + " = 1", "more than 16 levels"),
        ("# " + "x" * MAX_BYTES, "larger than 1 MiB"),
    ],
)  # fmt: skip
def test_a_config_that_is_none_is_one_line(vdf_bench, content, said):
    Path("my.toml").write_text(content)
    begun = time.process_time()
    code, _, err = vdf_bench("run", "--config", "my.toml", "--dry-run")
    assert code == 2
    assert said in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("place", ["nowhere.toml", "."])
def test_a_config_that_cannot_be_read_is_one_line(tmp_path, place):
    with pytest.raises(UserError, match=r"--config .*(not found|cannot be read)"):
        read_config(tmp_path / place, OPTIONS)


def test_commands_take_every_option_of_the_api():
    @taking(api.run, api.sweep)
    def command(**asked):
        del asked

    parameters = command.__signature__.parameters
    assert parameters["victim"].default == "gaussian"
    assert parameters["preset"].default == "standard"
