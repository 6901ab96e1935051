"""The example plug-in, installed beside the package as anybody would: its tests pass, and a run uses all of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

EXAMPLE = Path(__file__).parents[1] / "examples" / "plugin"


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """An environment of its own that holds the plug-in, and sees the packages of this one."""
    folder = tmp_path_factory.mktemp("plugin")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    (packages,) = (folder / "venv").glob("lib/python*/site-packages")
    # addsitedir, because editable installs are found through files that a mere path would not read.
    here = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    lines = [f"import site; site.addsitedir({path!r})" for path in here]
    (packages / "here.pth").write_text("\n".join(lines))
    source = shutil.copytree(EXAMPLE, folder / "source")  # building leaves files behind
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*pip, "--target", packages, source], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "venv" / "bin" / "python"


def call(python, *words, cwd):
    environment = {**os.environ, "COLUMNS": "200"} | dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run([python, "-m", *map(str, words)], capture_output=True, text=True, cwd=cwd, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_installed_package_is_whole_and_keeps_its_contracts(python, tmp_path):
    installed = next((python.parents[1] / "lib").rglob("vdf_bench_example"))
    assert {path.name for path in installed.iterdir()} >= {
        path.name for path in (EXAMPLE / "vdf_bench_example").iterdir() if path.is_file()
    }
    call(python, "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", EXAMPLE, EXAMPLE / "tests", cwd=tmp_path)


def test_list_names_the_package(python, tmp_path):
    listed = " ".join(call(python, "vdf_bench.commands.cli", "list", cwd=tmp_path).split())
    for name in ("one-step", "tiny-onnx", "auto-contrast", "edges"):
        assert re.search(rf" {name} [^()]* \(vdf-bench-example 1\.0\.0\) ", listed), listed
    assert "package: vdf-bench-example 1.0.0" in call(python, "vdf_bench.commands.cli", "info", "edges", cwd=tmp_path)


def test_a_run_uses_all_four(python, tmp_path):
    words = ["run", "--defense", "vdf,one-step", "--surrogate", "tiny-onnx,builtin", "--parser", "tiny-onnx,builtin"]
    words += ["--control", "none", "--judge", "edges,dsr"]
    words += ["--purifier", "auto-contrast", "--clip", "synth-a", "--size", "32", "--frames", "20", "--jobs", "1"]
    words += ["--victim", "triplane", "--iterations", "2", "--set", "vdf.max_iterations_first=2"]
    words += ["--set", "vdf.max_iterations=1", "--out", "run", "--store", "store"]
    call(python, "vdf_bench.commands.cli", *words, cwd=tmp_path)
    table = pd.read_parquet(tmp_path / "run" / "results.parquet")
    assert {"vdf", "vdf@tiny-onnx", "one-step", "one-step@tiny-onnx"} <= set(table["defense"])
    assert table["purifier"].str.contains("auto-contrast").any()
    edges = table[table["metric"] == "edge_error"].set_index("defense")["value"]
    assert edges.loc["one-step"].min() > 0.5
    assert "edge error [/255]" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert pd.read_csv(tmp_path / "run" / "summary.csv").set_index("defense").loc["one-step", "edge_error"].min() > 0.5
