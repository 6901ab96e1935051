"""Whole runs, on a clip of 16 frames at 32 px: killed on a cluster and gone on with here, and two drivers at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from vdf_bench.results import read_results
from vdf_bench.results.traces import SECONDS, read_traces
from vdf_bench.store import Store

RUN = ["run", "--defense", "vdf", "--victim", "triplane", "--clip", "synth-a", "--size", "32", "--frames", "16"]
RUN += ["--iterations", "12", "--set", "vdf.max_iterations_first=3", "--jobs", "2"]
pytestmark = pytest.mark.slow


def begin(*words):
    words = [sys.executable, "-m", "vdf_bench.commands.cli", *RUN, *map(str, words)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(*words):
    process = begin(*words)
    _, err = process.communicate(timeout=1200)
    assert process.returncode == 0, err


def tables(out):
    """Results and traces without measured times."""
    results, traces = read_results(out), read_traces(out)
    return results[results["stage"] != "cost"].reset_index(drop=True), traces[traces["name"] != SECONDS].reset_index(
        drop=True
    )


def alike(one, other):
    return all(mine.equals(theirs) for mine, theirs in zip(tables(one), tables(other), strict=True))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed")
    finish("--out", out)
    return out


def test_killed_on_two_nodes_and_gone_on_with_here(undisturbed, cluster, tmp_path):
    process = begin("--out", tmp_path, "--executor", "ray", "--ray-address", cluster.address)
    store = Store(tmp_path / "store")
    count = json.loads((undisturbed / "run.json").read_text())["plan"]["steps"]
    end = time.monotonic() + 900
    while len(list(store.held())) < count // 2:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end
        time.sleep(0.2)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    halfway = {key for key, _ in store.held()}
    assert count // 2 <= len(halfway) < count
    finish("--out", tmp_path, "--executor", "local")
    assert alike(tmp_path, undisturbed)
    steps = json.loads((tmp_path / "run.json").read_text())["steps"]
    assert {step["key"] for step in steps if step["cached"]} >= halfway


def test_two_drivers_on_one_run_folder(undisturbed, tmp_path):
    both = [begin("--out", tmp_path, "--overwrite") for _ in range(2)]
    for process in both:
        _, err = process.communicate(timeout=1200)
        assert process.returncode == 0, err
    assert alike(tmp_path, undisturbed)
    assert not list((tmp_path / "store" / "claims").iterdir())
