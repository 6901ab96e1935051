"""The documented failures of official systems, each with its outcome and code; none hangs or leaves a process."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vdf_bench.core.artifact import Artifact
from vdf_bench.core.errors import UserError
from vdf_bench.core.interfaces import FitFailed, FitSetting
from vdf_bench.stages import drive, fit
from vdf_bench.victims.external.pipeline import reason
from vdf_bench.victims.external.runner import Ended

#: Seconds without progress; starting Python on a busy machine takes a few.
STALL = 10.0


def survivors(marker):
    """Processes that inherited ``marker`` from the environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if marker.encode() in entry.read_bytes() and int(entry.parent.name) != os.getpid():
                found.append(int(entry.parent.name))
    return found


@pytest.fixture
def marked(bench, monkeypatch):
    """Fails the test if any process of an official system is still there after it."""
    marker = f"standin-{time.monotonic_ns()}"
    monkeypatch.setenv("STANDIN_MARKER", marker)
    yield bench
    assert survivors(marker) == []
    assert not list(bench.work.iterdir())


VIDEO = {"entry": "video"}
CASES = [
    ("er-nerf", {"task 7": "no_face"}, VIDEO, "refused", "no_face@task 7"),
    ("er-nerf", {"task 5": "empty"}, VIDEO, "refused", "empty-foreground@task 5"),
    ("er-nerf", {"task 4": "nothing"}, VIDEO, "refused", "missing parsing/*.png@task 4"),
    ("er-nerf", {"task 8": "nothing"}, VIDEO, "refused", "missing track_params.pt@task 8"),
    ("synctalk", {"blendshapes": "no_blendshape"}, {}, "refused", "no_face@blendshapes"),
    ("er-nerf", {"audio features": "nothing"}, {}, "refused", "missing aud_ds.npy@audio features"),
    ("er-nerf", {"train head": "lost"}, {}, "diverged", "missing aud_ds.npy@train head"),
    ("er-nerf", {"train head": "crash"}, {}, "diverged", "RuntimeError@train head"),
    ("er-nerf", {"train head": "nothing"}, {}, "diverged", "missing checkpoints/*.pth@train head"),
    ("synctalk", {"evaluation": "train head"}, {}, "diverged", "no_face@train head"),
    ("er-nerf", {"render": "few"}, {}, "diverged", "frames 4/8@render"),
    ("talkinggaussian", {"train mouth": "nan"}, {}, "diverged", "nan@iteration 20"),
    ("gaussiantalker", {"train": "exec"}, {}, "diverged", "restarts@3"),
    ("mimictalk", {"render": "nothing"}, {}, "diverged", "missing out.mp4@render"),
]


@pytest.mark.parametrize(("system", "fate", "parameters", "outcome", "code"), CASES, ids=[c[4] for c in CASES])
def test_each_failure_has_its_code(system, fate, parameters, outcome, code, marked):
    marked.checkout(system, fate)
    with pytest.raises(FitFailed) as failure:
        marked.fit(system, **parameters)
    assert (failure.value.outcome, failure.value.code) == (outcome, code)


@pytest.mark.parametrize("how", ["babble", "deaf", "brood"])
def test_a_hang_ends(how, marked):
    """TalkingGaussian's endless loops: one that keeps printing, one deaf to SIGTERM, one with children."""
    marked.checkout("talkinggaussian", {"train mouth": how}, stall=STALL)
    start = time.monotonic()
    with pytest.raises(FitFailed) as failure:
        marked.fit("talkinggaussian")
    assert (failure.value.outcome, failure.value.code) == ("timed-out", "no-progress@iteration 1200")
    assert time.monotonic() - start > STALL


def test_the_wall_clock_ends_it(marked):
    marked.checkout("instag", {"adapt": "hang"}, hours=8 / 3600)
    with pytest.raises(FitFailed) as failure:
        marked.fit("instag")
    assert failure.value.outcome == "timed-out"
    assert failure.value.code.startswith("timeout@")


def test_a_crash_after_rendering_costs_the_official_numbers_only(marked):
    marked.checkout("er-nerf", {"evaluation": "render"})
    assert len(marked.fit("er-nerf").state()["rgb"]) == len(marked.capture.split.heldout)


@pytest.mark.parametrize(("what", "said"), [("memory", "ran out of memory"), ("import", "cannot import what it needs")])
def test_the_machines_faults_are_no_outcomes(what, said, marked):
    """They would count as protection."""
    marked.checkout("er-nerf", {"train head": what})
    with pytest.raises(
        UserError, match=rf"er-nerf, train head: it {said} .*vdf-bench doctor external.er-nerf"
    ) as error:
        marked.fit("er-nerf")
    assert "\n" not in str(error.value)


def test_the_drive_step_records_what_lips_follow(bench):
    capture = bench.capture
    held = len(capture.split.heldout)
    params = {"victim": "external.er-nerf", "parameters": {}, "drive": "landmarks", "device": "cpu"}
    captured = Artifact(capture.to_arrays(), {})
    head = Artifact({"rgb": np.zeros((held, 32, 32, 3), np.uint8)}, {"outcome": "trained", "code": ""})
    made = drive.run(params, {"head": head, "capture": captured, "clean_capture": captured})
    assert made.meta["drive"] == "the system's own audio features"
    assert set(made.arrays) == {"rgb"}


def test_what_a_killed_harness_left_is_swept(bench):
    bench.checkout("er-nerf", {"train head": "crash"})
    for name in ("dead", "alive", "kept"):
        (bench.work / f"vdf-bench-er-nerf-{name}").mkdir(parents=True)
    for name in ("dead", "alive"):
        (bench.work / f"vdf-bench-er-nerf-{name}" / ".claimed").touch()
    with (bench.work / "vdf-bench-er-nerf-alive" / ".claimed").open() as claim:
        fcntl.flock(claim, fcntl.LOCK_EX)
        with pytest.raises(FitFailed):
            bench.fit("er-nerf")
    assert {path.name for path in bench.work.iterdir()} == {"vdf-bench-er-nerf-alive", "vdf-bench-er-nerf-kept"}


def test_a_kept_work_copy_tells_what_went_wrong(bench):
    repo = bench.checkout("er-nerf", {"train head": "crash"}, keep=True)
    with pytest.raises(FitFailed):
        bench.fit("er-nerf")
    (kept,) = bench.work.iterdir()
    assert "RuntimeError: shape mismatch" in (kept / "vdf-bench.log").read_text()
    assert (kept / "main.py").resolve() == repo / "main.py" and not (kept / ".git").exists()


def test_a_broken_video_is_an_outcome(marked, monkeypatch):
    from vdf_bench.victims.external import official

    monkeypatch.setattr(official, "islice", lambda frames, count: iter(()))
    marked.checkout("er-nerf")
    with pytest.raises(FitFailed, match=r"diverged: frames 0/8@render"):
        marked.fit("er-nerf")


def test_features_that_are_no_numbers_are_refused(bench, tmp_path):
    from vdf_bench.assets.checkouts import find_checkout
    from vdf_bench.victims.external.rad import settle_features
    from vdf_bench.victims.external.system import Job

    bench.checkout("er-nerf")
    job = Job(tmp_path, "x", bench.capture, FitSetting(), find_checkout("er-nerf"), "capture", "deepspeech", 1)
    job.data.mkdir(parents=True)
    for broken in (np.full((24, 16, 29), np.nan), np.zeros((3, 16, 29)), np.zeros(24)):
        np.save(job.data / "aud.npy", broken)
        (job.data / "aud_ds.npy").unlink(missing_ok=True)
        with pytest.raises(FitFailed, match=r"refused: broken aud_ds.npy@audio features"):
            settle_features(job)
    np.save(job.data / "aud_ds.npy", np.arange(22.0)[:, None, None] * np.ones((1, 16, 29)))
    settle_features(job)
    assert np.load(job.data / "aud_ds.npy")[:, 0, 0].tolist() == [*range(22), 21, 21]


def test_the_fit_step_keeps_outcome_and_code(marked):
    marked.checkout("er-nerf", {"task 7": "no_face"})
    params = {"victim": "external.er-nerf", "parameters": {"entry": "video"}, "target": "composite", "seed": 0}
    params |= {"iterations": None, "timeout": 10.0, "scale": "compact", "device": "cpu", "scratch": None, "tell": None}
    made = fit.run(params, {"capture": Artifact(replace(marked.capture).to_arrays(), {})})
    assert made.arrays == {}
    assert (made.meta["outcome"], made.meta["code"]) == ("refused", "no_face@task 7")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("FileNotFoundError: [Errno 2] No such file or directory: 'data/x/aud_ds.npy'", "missing aud_ds.npy"),
        ("OSError: data/x/ori_imgs/7.lms not found.", "missing 7.lms"),
        ("torch.cuda.CudaError: an illegal memory access", "CudaError"),
        ("Killed by something", "exit code 3"),
    ],
)
def test_reasons(line, code):
    assert reason(Ended("ended", 3, 0, 0, ("Traceback (most recent call last):", line))) == code
