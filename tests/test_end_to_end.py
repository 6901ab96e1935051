"""The whole story on a clip of 16 frames at 32 px: too small to mean anything, large enough to break."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from vdf_bench.results import read_results
from vdf_bench.results.traces import SECONDS, read_traces

SMALL = ["--size", "32", "--frames", "16", "--iterations", "12", "--set", "vdf.max_iterations_first=3"]
RUN = ["run", "--defense", "vdf", "--victim", "all", "--clip", "synth-a", *SMALL, "--jobs", "2"]


def command(*words, **options):
    environment = {**os.environ, "COLUMNS": "100"}
    words = [sys.executable, "-m", "vdf_bench.commands.cli", *map(str, words)]
    return subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, **options
    )


def finish(*words, **options):
    process = command(*words, **options)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def judged(out):
    """The result table without measured times."""
    table = read_results(out)
    return table[table["stage"] != "cost"].reset_index(drop=True)


def noted(out):
    """The traces without measured times."""
    table = read_traces(out)
    return table[table["name"] != SECONDS].reset_index(drop=True)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    code, said, err = finish(*RUN, "--out", out)
    assert code == 0, err
    return out, said


def test_a_run_leaves_table_record_and_page(undisturbed):
    out, said = undisturbed
    for name in ("results.parquet", "run.json", "report.html", "summary.csv", "summary.md", "summary.tex"):
        assert (out / name).stat().st_size > 0, name
    assert list((out / "plots").glob("*.svg"))
    table = read_results(out)
    assert np.isfinite(table["value"]).all()
    assert set(table["victim"]) == {"", "gaussian", "hashgrid", "triplane"}
    assert set(table["arm"]) == {"clean", "control", "defended"}
    assert {"psnr", "parse_iou", "head_psnr", "identity", "dsr", "lip_correlation"} <= set(table["metric"])
    assert max(map(len, said.splitlines())) <= 100


def test_what_the_defense_noted_is_kept_frame_by_frame(undisturbed):
    out, _ = undisturbed
    table = read_traces(out)
    counts = table.groupby(["defense", "name"])["frame"].count()
    assert counts["vdf"]["iterations"] == counts["vdf"]["share"] == counts["vdf"][SECONDS] == 16
    assert counts["noise"].to_dict() == {SECONDS: 16}
    assert (table.loc[table["name"] == SECONDS, "value"] >= 0).all()
    assert (out / "plots" / "traces.png").is_file()


def test_a_sweep_without_victims_meets_its_floor(undisturbed, tmp_path):
    out, _ = undisturbed
    words = ["sweep", "--capture-only", "--defense", "noise", "--control", "none", "--clip", "synth-a", "--size", "32"]
    words += ["--frames", "16", "--budget", "linf=0.05,psnr>=0,40", "--jobs", "2", "--store", out / "store"]
    code, said, err = finish(*words, "--out", tmp_path)
    assert code == 0, err
    assert "  train " not in said
    assert said.count("  protect synth-a with noise") <= 1, "one perturbation serves every floor"
    assert "at equal" not in said, "one defense cannot be ranked"
    table = read_results(tmp_path)
    psnr = table[(table["metric"] == "psnr")].set_index("floor")["value"]
    assert psnr[0] < 30
    # All of its pixels move by as much: 2 levels are 42.1 dB, 3 would be 38.6.
    assert psnr[40] == pytest.approx(42.11, abs=0.01)
    assert set(table["victim"]) == {""}
    assert (tmp_path / "plots" / "curves.png").is_file()
    assert max(len(line) for line in said.splitlines() if str(tmp_path) not in line) <= 100


def test_the_record_tells_every_step_and_its_cost(undisturbed):
    out, _ = undisturbed
    record = json.loads((out / "run.json").read_text())
    assert record["plan"]["steps"] == len(record["steps"])
    assert all(step["wall"] >= 0 and step["cpu"] >= 0 and step["peak_mib"] > 0 for step in record["steps"])
    assert record["seeds"] == [0]
    assert "torch" in record["environment"]


def test_a_second_run_computes_nothing(undisturbed):
    out, _ = undisturbed
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    code, said, err = finish(*RUN, "--out", out)
    assert code == 0, err
    count = json.loads((out / "run.json").read_text())["plan"]["steps"]
    assert f"{count} of {count} steps were in the store already" in said
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()} == before


def test_a_check_after_a_run_fits_nothing_again_and_agrees(undisturbed, tmp_path):
    out, _ = undisturbed
    small = [word for word in SMALL if word not in ("--set", "vdf.max_iterations_first=3")]
    words = ["victims", "check", "triplane", "--clip", "synth-a", *small, "--jobs", "2"]
    code, said, err = finish(*words, "--out", tmp_path, "--store", out / "store")
    assert code == 1, err  # such small clones meet no gates
    assert "  drive " in said
    assert "  train " not in said
    assert "  capture " not in said
    checked = json.loads((tmp_path / "gates.json").read_text())
    assert not checked["ok"]
    mine = {(clone["victim"], gate["gate"]): gate["value"] for clone in checked["clones"] for gate in clone["gates"]}
    theirs = json.loads((out / "run.json").read_text())["gates"]
    assert mine == {("triplane", gate["gate"]): gate["value"] for gate in theirs if gate["victim"] == "triplane"}
    assert len(list(tmp_path.glob("*.png"))) == 1
    assert max(len(line) for line in said.splitlines() if str(tmp_path) not in line) <= 100


def test_another_matrix_does_not_overwrite_a_run(undisturbed):
    out, _ = undisturbed
    before = (out / "results.parquet").read_bytes()
    code, _, err = finish(*RUN, "--budget", "8/255", "--out", out)
    assert code == 2
    assert err.count("\n") == 1
    assert "--overwrite" in err
    assert (out / "results.parquet").read_bytes() == before


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_killed_run_ends_in_the_same_table(undisturbed, tmp_path, seed):
    reference, said = undisturbed
    del said
    record = json.loads((reference / "run.json").read_text())
    moment = np.random.default_rng(seed).uniform(1.0, max(2.0, 0.8 * record["wall"]))
    process = command(*RUN, "--out", tmp_path, start_new_session=True)
    time.sleep(moment)  # not a wait for something: the moment of the kill is the point
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    code, _, err = finish(*RUN, "--out", tmp_path)
    assert code == 0, err
    assert judged(tmp_path).equals(judged(reference))
    assert noted(tmp_path).equals(noted(reference))


def test_a_damaged_artifact_is_set_aside_and_made_again(undisturbed, tmp_path):
    reference, _ = undisturbed
    subprocess.run(["cp", "-r", reference, tmp_path / "run"], check=True)
    out = tmp_path / "run"
    artifacts = sorted((out / "store" / "objects").rglob("*.artifact"))
    for victim in artifacts[::4]:
        data = bytearray(victim.read_bytes())
        data[len(data) // 2] ^= 255
        victim.write_bytes(bytes(data))
    (out / "complete.json").unlink()
    code, _, err = finish(*RUN, "--out", out)
    assert code == 0, err
    assert judged(out).equals(judged(reference))
    assert len(list((out / "store" / "quarantine").iterdir())) >= 1


def test_a_folder_that_takes_no_files_is_one_line(tmp_path):
    # A limit on file size stands for a full disk: writes fail half way.
    def limit():
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    (tmp_path / "kept.txt").write_text("precious")
    code, _, err = finish(*RUN, "--out", tmp_path, preexec_fn=limit)
    assert code == 2, err
    assert err.startswith("error: cannot write")
    assert err.count("\n") == 1
    assert (tmp_path / "kept.txt").read_text() == "precious"
    assert not list(tmp_path.rglob("*.partial"))


def test_an_impossible_folder_is_one_line():
    code, _, err = finish(*RUN, "--out", "/proc/nowhere")
    assert code == 2
    assert err.count("\n") == 1
    assert "cannot write" in err
