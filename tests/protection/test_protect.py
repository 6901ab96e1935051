"""A protected file: what stays as it was, what a stop costs, and what is refused."""

from __future__ import annotations

import json
import resource
import sys
from fractions import Fraction

import av
import numpy as np
import pytest

from vdf_bench.commands import cli
from vdf_bench.core.errors import UserError
from vdf_bench.protection import measure, partial, work
from vdf_bench.protection.report import describe

from .conftest import portrait


@pytest.fixture
def segments_of_ten(monkeypatch):
    monkeypatch.setattr(partial, "SEGMENT", 10)
    monkeypatch.setattr(work, "SEGMENT", 10)


def pictures(path):
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return np.stack([frame.to_ndarray(format="rgb24") for frame in frames]), frames


def times(path):
    """Seconds of each frame after the first, and where the sound begins and ends beside it."""
    stamps = [frame.pts * frame.time_base for frame in pictures(path)[1]]
    with av.open(str(path)) as container:
        sound = [packet.pts * packet.time_base for packet in container.demux(audio=0) if packet.size]
    return [float(stamp - stamps[0]) for stamp in stamps], float(sound[0] - stamps[0]), float(sound[-1] - stamps[0])


def sound(path):
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def test_size_times_sound_and_background_stay(tmp_path, head, protect):
    uneven = [40 * step + (7 * step) % 13 for step in range(24)]
    video = portrait(tmp_path / "in.mp4", head, size=(230, 130), at=(100, 20), times=uneven)
    report = protect(video, tmp_path / "out.mkv")
    before, after = pictures(video)[0], pictures(tmp_path / "out.mkv")[0]
    assert before.shape == after.shape
    change = np.abs(after.astype(int) - before)
    left, top, width, height = report["square"]
    assert change.max() == 12 == report["picture"]["linf_levels"]
    assert (change[:, top : top + height, left : left + width] > 0).mean() > 0.9
    change[:, top : top + height, left : left + width] = 0
    assert not change.any()
    assert report["coding"]["exact"]
    assert sound(video) == sound(tmp_path / "out.mkv")
    for expected, found in zip(times(video), times(tmp_path / "out.mkv"), strict=True):
        assert found == pytest.approx(expected, abs=0.0021), "Matroska counts milliseconds"
    assert json.loads((tmp_path / "out.mkv.report.json").read_text()) == json.loads(json.dumps(report))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "out.mkv", "out.mkv.report.json"]
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert "title" not in container.metadata
    assert any("title" in note for note in report["notes"])


@pytest.mark.parametrize(("suffix", "rotation", "width"), [(".mkv", -90, 160), (".mp4", 90, 161)])
def test_a_video_on_its_side_stays_so(tmp_path, head, protect, suffix, rotation, width):
    video = portrait(tmp_path / "in.mp4", head, count=6, size=(width, 96), at=(0, 40), rotation=rotation)
    report = protect(video, tmp_path / f"out{suffix}", defense="none")
    before, frames_before = pictures(video)
    after, frames_after = pictures(tmp_path / f"out{suffix}")
    assert frames_before[0].rotation == frames_after[0].rotation == rotation
    assert (report["width"], report["height"]) == (96, width)
    assert after.shape[2] - width == width % 2, "H.264 pads odd sizes"
    difference = np.abs(after[:, :, :width].astype(int) - before).mean()
    assert difference < 8, "the same picture, not a turned one"
    assert report["coding"]["psnr_db"] > 25, "one pixel aside makes it 22"


def test_a_mirrored_video_stays_so(tmp_path, head, protect):
    video = portrait(tmp_path / "in.mp4", head, count=3, rotation=90, mirror=True)
    protect(video, tmp_path / "out.mp4")
    kinds = [
        [bytes(side) for side in pictures(path)[1][0].side_data if len(bytes(side)) == 36]
        for path in (video, tmp_path / "out.mp4")
    ]
    assert kinds[0] == kinds[1] != []


def test_h264_tells_what_it_costs(tmp_path, head, protect):
    video = portrait(tmp_path / "in.mp4", head, count=12, size=(96, 96), pixels=(1, 1))
    report = protect(video, tmp_path / "out.mp4")
    before, after = pictures(video)[0], pictures(tmp_path / "out.mp4")[0]
    assert report["picture"]["linf_levels"] == np.abs(after.astype(int) - before).max() > 12
    assert not report["coding"]["exact"]
    assert 25 < report["coding"]["psnr_db"] < 60
    assert f"{report['coding']['psnr_db']:.1f} dB from the computed pixels" in describe(report)
    assert sound(video) == sound(tmp_path / "out.mp4")
    assert times(video)[0] == times(tmp_path / "out.mp4")[0]


def test_a_stopped_run_goes_on_and_ends_in_the_same_bytes(tmp_path, head, protect, segments_of_ten):
    video = portrait(tmp_path / "in.mp4", head)
    protect(video, tmp_path / "whole.mkv")

    def stop(phase, done, total):
        if phase == "protecting" and done == 17:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        protect(video, tmp_path / "out.mkv", tell=stop)
    assert not (tmp_path / "out.mkv").exists()
    seen = []
    protect(video, tmp_path / "out.mkv", tell=lambda phase, done, total: seen.append((phase, done)))
    assert "looking for the face" not in {phase for phase, _ in seen}
    assert [done for phase, done in seen if phase == "protecting"] == list(range(11, 25))
    assert (tmp_path / "out.mkv").read_bytes() == (tmp_path / "whole.mkv").read_bytes()
    assert times(tmp_path / "out.mkv")[0] == pytest.approx(times(video)[0])
    assert not (tmp_path / "out.mkv.partial").exists()


def test_a_stopped_run_is_not_mixed_with_another(tmp_path, head, protect, segments_of_ten):
    video = portrait(tmp_path / "in.mp4", head, count=12)

    def stop(phase, done, total):
        if phase == "protecting" and done == 11:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        protect(video, tmp_path / "out.mkv", tell=stop)
    with pytest.raises(UserError, match=r"started with a different seed: delete .*partial"):
        protect(video, tmp_path / "out.mkv", seed=1)
    assert (tmp_path / "out.mkv.partial" / "000000.nut").is_file()


def test_what_is_there_is_kept(tmp_path, head, protect):
    video = portrait(tmp_path / "in.mp4", head, count=4)
    out = tmp_path / "out.mkv"
    out.write_text("precious")
    with pytest.raises(UserError, match="--overwrite"):
        protect(video, out)

    def fail(phase, done, total):
        if phase == "measuring":
            raise RuntimeError("late failure")

    with pytest.raises(RuntimeError, match="late"):
        protect(video, out, tell=fail, overwrite=True)
    assert out.read_text() == "precious"
    protect(video, out, overwrite=True)
    assert len(pictures(out)[0]) == 4
    (tmp_path / "new.mkv.partial").mkdir()
    (tmp_path / "new.mkv.partial" / "letter").write_text("precious")
    with pytest.raises(UserError, match="already exists"):
        protect(video, tmp_path / "new.mkv")
    assert (tmp_path / "new.mkv.partial" / "letter").read_text() == "precious"


def test_refusals_leave_nothing_behind(tmp_path, head, protect):
    blank = portrait(tmp_path / "blank.mp4", np.full_like(head, 90), count=4)
    with pytest.raises(UserError, match="no face found"):
        protect(blank, tmp_path / "out.mkv")
    old_sound = portrait(tmp_path / "old.mkv", head, count=4, sound="pcm_u8")
    with pytest.raises(UserError, match=r"cannot contain pcm_u8 audio: name it \.mkv"):
        protect(old_sound, tmp_path / "out.mp4")
    with pytest.raises(UserError, match="the input video"):
        protect(blank, blank, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blank.mp4", "old.mkv"]


def test_two_at_once_are_refused(tmp_path, head, protect):
    video = portrait(tmp_path / "in.mp4", head, count=4)

    def again(phase, done, total):
        if phase == "protecting":
            protect(video, tmp_path / "out.mkv")

    with pytest.raises(UserError, match="another process"):
        protect(video, tmp_path / "out.mkv", tell=again)


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path, head, protect, segments_of_ten):
    video = portrait(tmp_path / "in.mp4", head)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # No file may grow beyond what a segment takes, so that the whole does not fit.
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
    try:
        with pytest.raises(UserError, match=r"File too large; free disk space, then run the same command"):
            protect(video, tmp_path / "out.mkv")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (tmp_path / "out.mkv").exists()
    assert (tmp_path / "out.mkv.partial" / "000002.nut").is_file()
    protect(video, tmp_path / "out.mkv")
    assert len(pictures(tmp_path / "out.mkv")[0]) == 24


def test_a_large_square_is_protected_at_a_smaller_size(tmp_path, head, protect):
    video = portrait(tmp_path / "in.mp4", head, count=6, sound="")
    report = protect(video, tmp_path / "out.mkv", size=64)
    assert report["size"] == 64
    assert report["square"] == (0, 0, 96, 96)
    assert 0 < report["picture"]["linf_levels"] <= 12
    assert any("worked at 64 px" in note for note in report["notes"])


def test_wide_pixels_are_seen_square_by_the_defense(tmp_path, head, protect):
    squeezed = head[:, :, ::2].repeat(1, axis=2)
    canvas = np.ascontiguousarray(np.pad(squeezed, ((0, 0), (0, 0), (0, 48), (0, 0)), mode="edge"))
    video = portrait(tmp_path / "in.mp4", canvas, count=6, size=(48, 96), pixels=(2, 1))
    report = protect(video, tmp_path / "out.mp4")
    assert report["square"][2:] == (48, 96)
    assert report["size"] == 96
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(2)


def test_the_command_says_how_far_it_is_and_what_it_is_not(tmp_path, head, monkeypatch, capsys):
    portrait(tmp_path / "in.mp4", head, count=3)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(measure, "SAMPLES", 2)
    words = ["vdf-bench", "protect", "in.mp4", "out.mkv", "--defense", "noise", "--budget", "linf=8"]
    monkeypatch.setattr(sys, "argv", words)

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(SystemExit) as stopped:
        patched.setattr(work, "join", stop)
        cli.main()
    assert stopped.value.code == 130
    assert "run the same command again" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "measuring: 1 of 3 frames" in out
    assert "protecting" not in out, "was done before"
    assert "noise within 8/255" in out
    assert "largest change 8 levels" in out
    assert "no guarantee" in out
