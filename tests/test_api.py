"""The Python API: its examples, how light it is, and that it asks for what the command line asks for."""

from __future__ import annotations

import doctest
import inspect
import json
import re
import subprocess
import sys
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

import vdf_bench
from vdf_bench import api
from vdf_bench.commands import cli
from vdf_bench.commands.options import OPTIONS
from vdf_bench.core import registry
from vdf_bench.report.page import _record_lines
from vdf_bench.runs.options import Options
from vdf_bench.stages import floor, protect
from vdf_bench.stages.packing import pack_clip

PUBLIC = [name for name in vdf_bench.__all__ if name not in ("__version__", "UserError")]
TINY = {"capture_only": True, "size": 32, "frames": 16, "clip": "synth-a", "progress": False}


def test_import_is_light():
    code = (
        "import sys, vdf_bench; assert set(vdf_bench.__all__) <= set(dir(vdf_bench))\n"
        "print(sorted({'torch', 'pandas', 'numpy', 'pydantic', 'rich', 'typer'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_names():
    assert re.match(r"\d+\.\d+", vdf_bench.__version__)
    assert vdf_bench.run is api.run
    with pytest.raises(AttributeError, match="'ran'"):
        _ = vdf_bench.ran


@pytest.mark.parametrize("name", PUBLIC)
def test_examples_do_what_they_say(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    examples = doctest.DocTestFinder(recurse=False).find(getattr(vdf_bench, name), name, module=api, globs={})
    assert any(test.examples for test in examples), "the docstring holds no example"
    told = []
    for test in examples:
        runner.run(test, out=told.append)
    assert not runner.failures, "".join(told)


def test_the_readme_shows_an_example_that_runs():
    shown = re.findall(r"```pycon\n(.*?)```", (Path(__file__).parents[1] / "README.md").read_text(), re.DOTALL)
    assert shown
    run_here = "\n".join(dedent(f"    {getattr(vdf_bench, name).__doc__}") for name in PUBLIC)
    lines = {line.strip() for line in run_here.splitlines()}
    assert {line.strip() for block in shown for line in block.splitlines()} <= lines


def test_options_are_those_of_the_command_line():
    asked = {name: one.default for name, one in inspect.signature(api.run).parameters.items()}
    assert asked.keys() - {"progress"} == OPTIONS.keys() - {"dry_run", "config"}
    assert Options.of(asked) == Options()
    assert {field.name for field in fields(Options)} <= asked.keys()


def test_lists_are_taken_as_lists_and_as_texts():
    listed = {"defense": ["vdf", "pgd"], "seed": [0, 1], "budget": [0.05, "linf=8,psnr>=38"], "clip": [Path("a.mp4")]}
    written = {"defense": "vdf,pgd", "seed": "0,1", "budget": "0.05,linf=8,psnr>=38", "clip": "a.mp4"}
    given = {"set": {"vdf": {"gain": 2}, "pgd.steps": 3}}, {"set": ["vdf.gain=2", "pgd.steps=3"]}
    assert Options.of(listed | given[0]) == Options.of(written | given[1])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"size": "big"}, "--size 'big'"),
        ({"frames": 3}, "16 to 15000"),
        ({"timeout": "soon"}, "--timeout 'soon' is not a number"),
        ({"protected_share": 2}, "--protected-share 2"),
        ({"jobs": -1}, "--jobs -1"),
        ({"step_timeout": 0}, "--step-timeout 0"),
        ({"clip": ["a,b.mp4"]}, "contains a comma"),
        ({"set": {"vdf.gain": object()}}, "give a text"),
        ({"set": [3]}, "COMPONENT.PARAMETER"),
        ({"recogniser": "id-sint"}, "did you mean 'id-synth'"),
        ({"landmarker": "bultin"}, "did you mean 'builtin'"),
        ({"surrogate": "heldout"}, "unknown surrogate"),
        ({"defense": "vfd"}, "did you mean 'vdf'"),
        ({"track": "images", "capture_only": True}, "--capture-only belongs to the video track"),
        ({"track": "images", "purifier": "auto"}, "--purifier auto belongs"),
    ],
)  # fmt: skip
def test_bad_values_are_user_errors(tmp_path, asked, said):
    with pytest.raises(vdf_bench.UserError, match=re.escape(said)):
        vdf_bench.run(**asked, out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A run that ends at the capture."""
    return vdf_bench.run("noise", **TINY, out=tmp_path_factory.mktemp("api") / "run")


def test_results_hold_what_the_folder_holds(small):
    assert set(small.table["arm"]) == {"clean", "control"}
    assert small.record["library_versions"] == "in keys"
    noise = {"kind": "defenses", "name": "noise", "distribution": "vdf-bench", "version": vdf_bench.__version__}
    assert noise in small.record["plugins"]
    assert small.complete
    assert small.missing == ""
    assert "No victim was run" in small.verdict
    assert small.verdict in small._repr_html_()
    assert repr(small).startswith("Results('")
    assert len(small.summary) == len(small.summary.drop_duplicates())
    assert small.figures == {path.stem: path for path in (small.folder / "plots").glob("*.png")}


def test_what_is_missing_is_said(small, tmp_path):
    copy = tmp_path / "run"
    copy.mkdir()
    for name in ("results.parquet", "run.json"):
        (copy / name).write_bytes((small.folder / name).read_bytes())
    record = json.loads((copy / "run.json").read_text())
    record |= {"unreached": 2, "failures": [{"cause": "memory"}, {"cause": "memory"}]}
    (copy / "run.json").write_text(json.dumps(record))
    results = vdf_bench.load(copy)
    assert not results.complete
    assert "2 steps failed (memory), 2 steps were not reached" in results.missing
    assert results.missing in results._repr_html_()


def test_the_config_of_a_run_repeats_it_from_the_command_line(small, tmp_path, monkeypatch, capsys):
    words = ["run", "--config", small.folder / "config.toml", "--out", tmp_path / "again"]
    monkeypatch.setattr(sys, "argv", ["vdf-bench", *map(str, words), "--store", str(small.folder / "store")])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert not stop.value.code
    again = vdf_bench.load(tmp_path / "again")
    assert again.record["run"] == small.record["run"]
    steps = len(again.record["steps"])
    assert f"{steps} of {steps} steps were in the store already" in capsys.readouterr().out


def test_versions_that_are_ignored_are_said(tmp_path, capsys):
    results = vdf_bench.run("none", control="none", ignore_versions=True, **TINY, out=tmp_path)
    assert results.record["library_versions"] == "ignored"
    told = [note for note in results.record["notes"] if "versions of libraries were ignored" in note]
    assert len(told) == 1
    assert told[0] in (tmp_path / "report.html").read_text()
    assert capsys.readouterr().out == "", "progress=False prints nothing"


def test_the_page_names_plug_ins_of_others_alone():
    plugins = [
        {"kind": "defenses", "name": "vdf", "distribution": "vdf-bench", "version": "0.1.0"},
        {"kind": "judges", "name": "mine", "distribution": "my-lab", "version": "2.0"},
    ]
    assert ("plug-in", "judges mine: my-lab 2.0") in _record_lines({"plugins": plugins})
    assert len(_record_lines({"plugins": plugins})) == 1


def test_a_script_needs_no_guard(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import vdf_bench\n"
        "results = vdf_bench.run('none', control='none', capture_only=True, size=32, frames=16, jobs=2, out='run')\n"
        "print('complete', results.complete)\n"
    )
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("complete True") == 1
    assert "steps" in done.stdout or "capture synth-a" in done.stdout, "progress is shown unless told otherwise"


@pytest.mark.parametrize("chosen", ["linf=8/255", "linf=8/255,psnr>=40"])
def test_frames_are_protected_as_a_run_protects_them(chosen):
    clip = registry.create("clips", "synth").load("synth-a", size=32, frames=16)
    parameters = {"max_iterations_first": 3, "max_iterations": 2}
    found = vdf_bench.protect(
        clip.frames, budget=chosen, seed=3, set={f"vdf.{name}": value for name, value in parameters.items()},
        surrogate="surrogate-b", progress=False,
    )  # fmt: skip
    params = {
        "defense": "vdf", "linf": 8 / 255, "seed": 3, "surrogate": "surrogate-b",
        "parameters": registry.create("defenses", "vdf", parameters).parameters.model_dump(mode="json"),
    }  # fmt: skip
    inputs = {"clip": pack_clip(clip)}
    inputs["bounded"] = protect.run(params, inputs)
    wanted = floor.run({"linf": 8 / 255, "floor": 40.0 if "psnr" in chosen else 0.0}, inputs)
    assert clip.fps == Fraction(25)
    np.testing.assert_array_equal(found, wanted.arrays["frames"])


@pytest.mark.parametrize(
    ("frames", "options", "said"),
    [
        (np.zeros((2, 32, 40, 3), np.uint8), {}, r"give \(T, S, S, 3\) uint8"),
        (np.zeros((2, 32, 32, 3), np.float32), {}, "float32"),
        (np.zeros((0, 32, 32, 3), np.uint8), {}, "at least one"),
        (np.zeros((2, 16, 16, 3), np.uint8), {}, "32 px or more"),
        (np.zeros((2, 32, 32, 3), np.uint8), {"out": "x.mkv"}, "belong to videos"),
        (np.zeros((2, 32, 32, 3), np.uint8), {"surrogate": "heldout"}, "unknown surrogate 'heldout'"),
        (np.zeros((2, 32, 32, 3), np.uint8), {"defense": "cmua"}, "attribute editors"),
        (np.zeros((2, 32, 32, 3), np.uint8), {"set": {"pgd.steps": 3}}, "only vdf is run"),
        ("video.mp4", {}, "give out"),
        ("video.mp4", {"out": "x.mkv", "size": 9}, "64 to 2048"),
        ("video.mp4", {"out": "x.mkv"}, "not found"),
    ],
)  # fmt: skip
def test_what_cannot_be_protected_is_refused(frames, options, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(vdf_bench.UserError, match=said):
        vdf_bench.protect(frames, **options, progress=False)


def test_components_are_listed_with_where_they_come_from():
    found = vdf_bench.list_components()
    assert list(found.columns) == ["kind", "name", "title", "needs", "available", "distribution", "version"]
    assert set(found["kind"]) <= set(registry.KINDS)
    builtin = found.query("kind == 'parsers' and name == 'builtin'").iloc[0]
    assert (builtin["available"], builtin["needs"]) == (True, "weights:builtin")
    with pytest.raises(vdf_bench.UserError, match="did you mean 'victims'"):
        vdf_bench.list_components("victim")
