"""Codecs: in memory and through real files, whose headers say what was asked for."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest
import torch

from vdf_bench.video.decode import read_frames
from vdf_bench.video.encode import write_video
from vdf_bench.video.load import load_clip

from .conftest import portrait, psnr, purified

CODECS = {"h264": ("h264", (5, 23, 40)), "h265": ("hevc", (8, 28, 44)), "vp9": ("vp9", (8, 31, 55))}


def pictures(frames: torch.Tensor) -> list[np.ndarray]:
    return [(frame * 255).round().byte().permute(1, 2, 0).numpy() for frame in frames]


@pytest.mark.parametrize("name", CODECS)
def test_quality_goes_by_crf(name, frames):
    quality = [psnr(purified(f"{name}:{crf}", frames[:30]), frames[:30]) for crf in CODECS[name][1]]
    assert all(better > worse + 0.5 for better, worse in pairwise(quality))
    assert 24 < quality[1] < 42


@pytest.mark.parametrize("name", CODECS)
def test_looks_at_time(name, frames):
    """A codec predicts: the same picture comes out differently among other neighbours."""
    alone = purified(name, frames[10:11])[0]
    among = purified(name, frames[:20])[10]
    assert not torch.equal(alone, among)
    assert psnr(among, frames[10]) > 24


@pytest.mark.parametrize("name", CODECS)
def test_repeats_itself(name):
    """At this size x264 used to vary from run to run through its AVX-512 code."""
    moving = portrait(98, 12)
    first = purified(name, moving)
    for _ in range(3):
        assert torch.equal(purified(name, moving), first)


def test_a_second_encoding_costs_more(frames):
    once, twice = (purified(chain, frames[:30]) for chain in ("h264:23", "h264:23+h264:28"))
    assert psnr(twice, frames[:30]) < psnr(once, frames[:30]) - 0.5


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p"])
@pytest.mark.parametrize("name", CODECS)
def test_a_file_says_what_it_is(tmp_path, name, pix_fmt, frames):
    path, crf = tmp_path / "clip.mp4", CODECS[name][1][1]
    write_video(path, pictures(frames), fps=Fraction(25), codec=name, crf=crf, pix_fmt=pix_fmt)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == (CODECS[name][0], pix_fmt)
        assert stream.average_rate == 25 and stream.frames == len(frames)
        assert [float(frame.time) for frame in container.decode(video=0)] == pytest.approx(
            [k / 25 for k in range(len(frames))]
        )
    if name != "vp9":  # libvpx leaves no note
        assert float(re.search(rb"crf=([0-9.]+)", path.read_bytes()).group(1)) == crf
    if shutil.which("ffprobe"):
        asked = "stream=codec_name,pix_fmt,avg_frame_rate,nb_read_frames"
        command = ["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries", asked]
        done = subprocess.run([*command, "-of", "json", str(path)], capture_output=True, text=True, check=True)
        told = json.loads(done.stdout)["streams"][0]
        expected = {"codec_name": CODECS[name][0], "pix_fmt": pix_fmt, "avg_frame_rate": "25/1"}
        assert told == {**expected, "nb_read_frames": str(len(frames))}


@pytest.mark.parametrize("name", CODECS)
def test_purifier_and_file_give_the_same_pictures(tmp_path, name, frames):
    path = tmp_path / "clip.mp4"
    write_video(path, pictures(frames[:30]), codec=name, crf=CODECS[name][1][1])
    purifier = pictures(purified(name, frames[:30]))
    assert np.array_equal(np.stack(list(read_frames(path))), np.stack(purifier))


@pytest.mark.parametrize("name", CODECS)
def test_sound_and_picture_stay_together(tmp_path, name):
    """Flashes with clicks: after a round trip through a file they are at their times, within a frame."""
    frames = np.full((75, 64, 64, 3), 40, np.uint8)
    audio = np.zeros(75 * 640, np.float32)
    times = [12, 37, 61]
    for at in times:
        frames[at] = 220
        audio[at * 640 : at * 640 + 160] = 0.8 * np.sin(np.arange(160) * 0.8)
    path = tmp_path / "clip.mp4"
    write_video(path, frames, audio=audio, codec=name, crf=23)
    clip = load_clip(path, 64)
    assert len(clip) == 75
    light = clip.frames.mean((1, 2, 3))
    seen = np.nonzero(light > 130)[0].tolist()
    loud = np.abs(clip.audio[: 75 * 640])
    onsets = np.nonzero(loud > 0.3)[0]
    heard = [int(onsets[0]), *(int(b) for a, b in pairwise(onsets) if b - a > 3200)]
    assert seen == times
    assert np.abs(np.array(heard) / 640 - times).max() < 1


def test_small_pictures_leave_memory_whole():
    """x265's macroblock tree wrote past its rows below 50 px, which ended the process sooner or later."""
    code = (
        "import torch; from vdf_bench.core import registry; from vdf_bench.core.budget import Budget\n"
        "from vdf_bench.core.interfaces import Setting\n"
        "frames = torch.rand(80, 3, 40, 40, generator=torch.Generator().manual_seed(0))\n"
        "for _ in range(4): list(registry.create('purifiers', 'h265').purify(iter(frames), Setting(Budget(0.0), 40)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
