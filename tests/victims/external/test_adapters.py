"""Every adapter against a stand-in checkout: it trains, renders the held-out frames, and touches nothing else."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from vdf_bench.core.clip import Pose
from vdf_bench.core.errors import UserError
from vdf_bench.core.interfaces import Drive, FitFailed, FitSetting
from vdf_bench.stages.packing import pack_rendering, unpack_rendering

SYSTEMS = ("er-nerf", "synctalk", "talkinggaussian", "instag", "gaussiantalker", "mimictalk")


def snapshot(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def held_out(capture, count=None):
    held = capture.split.heldout[:count]
    pose = Pose(capture.pose.rotation[held], capture.pose.translation[held], capture.pose.focal)
    return Drive(pose, capture.mouth[held], capture.eyes[held], capture.backdrop(held))


def difference(rgb, capture, frames):
    return np.abs(rgb.astype(int) - frames[capture.split.heldout]).mean()


@pytest.mark.parametrize("system", SYSTEMS)
def test_trains_and_shows_the_held_out_frames(system, bench):
    repo = bench.checkout(system)
    before = snapshot(repo)
    shares = []
    head = bench.fit(system, FitSetting(tell=shares.append))
    capture = bench.capture
    rendering = head.render(held_out(capture))
    assert rendering.rgb.shape == capture.frames[capture.split.heldout].shape and rendering.rgb.dtype == np.uint8
    truth = capture.frames if system == "mimictalk" else capture.gt
    assert difference(rendering.rgb, capture, truth) < 8  # codecs lie between, and MimicTalk's own size
    assert (rendering.alpha, rendering.depth) == (None, None)
    assert shares == sorted(shares) and shares[-1] == 1
    assert "the adapter was written for" in head.notes[0]
    assert ("ellipsoid" in str(head.notes)) == (system == "gaussiantalker")
    assert snapshot(repo) == before
    assert not list(bench.work.iterdir())  # the work copy is gone
    again = bench.victim(system).restore(head.state()).render(held_out(capture))
    np.testing.assert_array_equal(again.rgb, rendering.rgb)
    assert unpack_rendering(pack_rendering(again, {})).alpha is None


@pytest.mark.parametrize("system", ["er-nerf", "synctalk"])
def test_official_preprocessing_feeds_the_same_split(system, bench):
    bench.checkout(system)
    head = bench.fit(system, entry="video")
    assert difference(head.render(held_out(bench.capture)).rgb, bench.capture, bench.capture.frames) < 8


@pytest.mark.parametrize("features", ["esperanto", "hubert"])
def test_other_audio_features(features, bench):
    bench.checkout("er-nerf")
    assert len(bench.fit("er-nerf", features=features).state()["rgb"]) == len(bench.capture.split.heldout)


def test_a_head_shows_the_held_out_part_only(bench):
    frames = np.zeros((8, 32, 32, 3), np.uint8)
    with pytest.raises(UserError, match="rendered 8 held-out frames"):
        bench.victim("er-nerf").restore({"rgb": frames}).render(held_out(bench.capture, 3))


def test_steps_scale(bench):
    from vdf_bench.assets.checkouts import find_checkout
    from vdf_bench.victims.external.system import Job

    bench.checkout("gaussiantalker", iters_scale=0.25)
    bench.fit("gaussiantalker")  # which takes them by a configuration of ours
    checkout = find_checkout("gaussiantalker")
    for asked, fine, branch in ((None, 2500, 14_000), (1000, 500, 14_000), (90_000, 50_000, 45_000)):
        setting = FitSetting(iterations=asked)
        job = Job(bench.folder, "x", bench.capture, setting, checkout, "capture", "deepspeech", 1)
        assert job.steps(10_000, 17_999, multiple=500) == fine
        assert job.steps(50_000, 100_000, least=14_000) == branch


def test_cells_take_turns_on_a_gpu(bench):
    from vdf_bench.victims.external.workspace import gpu_turn

    code = (
        "from vdf_bench.victims.external.workspace import gpu_turn\n"
        "with gpu_turn('0,1'): print('mine', flush=True); input()"
    )
    other = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert other.stdout.readline() == b"mine\n"
        lock = (bench.folder / "cache" / "vdf-bench" / "gpu-0-1.lock").open("w")
        with lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with gpu_turn("2"):
            pass
    finally:
        other.kill()
        other.communicate()
    with gpu_turn("0,1"):  # whoever held it is gone
        pass


def test_only_composites(bench):
    bench.checkout("er-nerf")
    with pytest.raises(FitFailed, match=r"refused: full-frame-target@prepare"):
        bench.fit("er-nerf", FitSetting(target="full"))


@pytest.mark.parametrize("system", ["er-nerf", "mimictalk"])
def test_silence_is_refused(system, bench):
    bench.checkout(system)
    mute = replace(bench.capture, audio=np.zeros(0, np.float32))
    with pytest.raises(FitFailed, match=r"refused: no-audio@prepare"):
        bench.victim(system).fit(mute, FitSetting())


def test_the_entry_video_loses_nothing(bench, tmp_path):
    from vdf_bench.victims.external.rad import write_clip
    from vdf_bench.video.decode import probe, read_frames

    path = tmp_path / "clip.mp4"
    write_clip(path, bench.capture.frames, bench.capture.audio)
    np.testing.assert_array_equal(np.stack(list(read_frames(path))), bench.capture.frames)
    assert probe(path).fps == Fraction(25) and "pcm" in probe(path).audio


def test_the_official_split_is_replaced_by_ours(bench, tmp_path):
    from vdf_bench.assets.checkouts import find_checkout
    from vdf_bench.victims.external.rad import split_honestly
    from vdf_bench.victims.external.system import Job

    bench.checkout("er-nerf")
    job = Job(tmp_path, "x", bench.capture, FitSetting(), find_checkout("er-nerf"), "video", "deepspeech", 1)
    job.data.mkdir(parents=True)
    table = {"focal_len": 60.0, "cx": 16.0, "cy": 16.0}
    frames = [{"img_id": i, "aud_id": i, "transform_matrix": (np.eye(4) * i).tolist()} for i in range(24)]

    def write(*parts):
        for name, part in zip(("train", "val"), parts, strict=True):
            (job.data / f"transforms_{name}.json").write_text(json.dumps({**table, "frames": part}))

    write(frames[:21], frames[21:])
    split_honestly(job)
    for name, ids in (("train", bench.capture.split.train), ("val", bench.capture.split.heldout)):
        content = json.loads((job.data / f"transforms_{name}.json").read_text())
        assert content["focal_len"] == 60 and [f["img_id"] for f in content["frames"]] == ids.tolist()
        assert all(f["transform_matrix"][0][0] == f["img_id"] for f in content["frames"])
    assert (job.data / "au.csv").is_file()
    write(frames[:20], frames[21:])
    with pytest.raises(FitFailed, match=r"refused: 23 of 24 poses@transforms"):
        split_honestly(job)
    frames[3]["transform_matrix"][0][0] = float("nan")
    write(frames[:21], frames[21:])
    with pytest.raises(FitFailed, match=r"refused: nan@transforms"):
        split_honestly(job)
