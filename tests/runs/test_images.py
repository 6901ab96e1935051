"""Single portraits through the whole run: one rendered, one out of a picture file."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from vdf_bench.results import read_results
from vdf_bench.scenes.portraits import Portraits

EDITOR = "stargan-synth"


def run(out, *words):
    words = [
        sys.executable,
        "-m",
        "vdf_bench.commands.cli",
        "run",
        "--track",
        "images",
        *map(str, words),
        "--out",
        str(out),
    ]
    done = subprocess.run(words, capture_output=True, text=True, timeout=400, env=None, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "me.png"
    Image.fromarray(Portraits().load("portrait-090", size=96, frames=1).frames[0]).save(path)
    return path


@pytest.fixture(scope="module")
def asked(photo):
    words = ["--defense", "pgd,vdf", "--victim", EDITOR, "--clip", f"portrait-091,{photo}", "--size", "64"]
    words += ["--purifier", "identity,jpeg:50", "--set", "pgd.editor_steps=2", "--set", "vdf.max_iterations_first=2"]
    return [*words, "--jobs", "2"]


@pytest.fixture(scope="module")
def made(asked, tmp_path_factory):
    out = tmp_path_factory.mktemp("images")
    code, said, err = run(out, *asked)
    assert code == 0, err
    return out, said


def test_portraits_end_in_the_same_table(made):
    out, said = made
    table = read_results(out)
    assert set(table["clip"]) == {"portrait-091", "me"}
    assert set(table["defense"]) == {"none", "noise", f"pgd@{EDITOR}", "vdf@builtin"}
    assert set(table["victim"]) == {"", EDITOR}
    assert {"psnr", "ssim", "dsr_l2", "edit_psnr", "edit_identity", "identity_drop"} <= set(table["metric"])
    assert np.isfinite(table["value"]).all()
    assert set(table.loc[table["stage"] == "edit", "outcome"]) <= {"edited", "void"}
    assert (table.loc[table["metric"] == "linf", "value"] <= 6).all()
    assert "edits" in said


def test_the_clean_arm_is_its_own_twin(made):
    table = read_results(made[0])
    clean = table[(table["arm"] == "clean") & (table["stage"] == "edit")]
    assert (clean.loc[clean["metric"] == "dsr_l2", "value"] == 0).all()
    assert (clean.loc[clean["metric"] == "edit_psnr", "value"] == 100).all()


def test_the_record_says_what_it_was(made):
    record = json.loads((made[0] / "run.json").read_text())
    assert record["track"] == "images"
    assert record["preset"]["frames"] == 1
    assert record["budget"] == ["6.4/255"]
    assert {gate["gate"] for gate in record["gates"]} == {"edit_area", "edit_identity"}


def test_pictures_are_kept_as_grids(made):
    index = json.loads((made[0] / "media" / "index.json").read_text())["pictures"]
    assert {len(picture["edits"]) for picture in index} == {5}
    assert not list((made[0] / "media").rglob("*.mp4"))


def test_the_same_again_computes_nothing(made, asked):
    code, said, err = run(made[0], *asked)
    assert code == 0, err
    assert json.loads((made[0] / "run.json").read_text())["plan"]["computed"] >= 0
    assert "steps were in the store already" in said


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--victim", "gaussian"], "--track video"),
        (["--parser", "heldout"], "--parser belongs to the video track"),
        (["--purifier", "auto"], "--purifier auto belongs to the video track"),
        (["--frames", "20"], "--frames belongs to the video track"),
        (["--defense", "vdf@attgan-synth"], "attacks parsers, not editors"),
        (["--clip", "portraits:1000"], "portraits:1 to portraits:100"),
        (["--clip", "nobody.png"], "not found"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(tmp_path, words, told):
    code, _, err = run(tmp_path / "run", *words)
    assert code == 2
    assert told in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()
