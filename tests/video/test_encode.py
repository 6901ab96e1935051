"""Writing videos: exact where promised, atomic, and the same bytes every time."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from vdf_bench.core.errors import UserError
from vdf_bench.video.decode import probe, read_frames
from vdf_bench.video.encode import encode_bytes, encode_preview, write_video
from vdf_bench.video.load import load_clip

from .conftest import picture


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (70, 65, 65, 3), dtype=np.uint8)


def test_ffv1_is_exact_and_reproducible(tmp_path, noise):
    voice = np.sin(np.arange(70 * 640) / 9).astype(np.float32) * 0.7
    for name in ("a.mkv", "b.mkv"):
        write_video(tmp_path / name, iter(noise), audio=voice)
    assert np.array_equal(np.stack(list(read_frames(tmp_path / "a.mkv"))), noise)
    assert (tmp_path / "a.mkv").read_bytes() == (tmp_path / "b.mkv").read_bytes()
    clip = load_clip(tmp_path / "a.mkv", 65)
    assert np.array_equal(clip.frames, noise)
    assert np.array_equal(clip.audio, voice)
    assert clip.notes == ()


def test_h264_pads_odd_sizes_and_keeps_the_rate(tmp_path):
    frames = [picture(97, 65, step) for step in range(30)]
    write_video(tmp_path / "odd.mp4", frames, fps=Fraction(30), codec="h264", crf=10)
    info = probe(tmp_path / "odd.mp4")
    assert (info.width, info.height, info.fps) == (98, 66, 30)
    back = list(read_frames(tmp_path / "odd.mp4"))
    assert len(back) == 30
    difference = back[7][:65, :97].astype(float) - frames[7]
    assert 10 * np.log10(255**2 / np.mean(difference**2)) > 28


def test_nothing_is_left_of_a_failed_write(tmp_path, noise):
    def breaks():
        yield from noise[:5]
        raise RuntimeError("the source failed")

    target = tmp_path / "clip.mkv"
    target.write_bytes(b"the old one")
    with pytest.raises(RuntimeError, match="the source failed"):
        write_video(target, breaks())
    assert target.read_bytes() == b"the old one"
    assert list(tmp_path.iterdir()) == [target]
    with pytest.raises(ValueError, match="at least one frame"):
        write_video(target, [])


def test_preview_plays_in_browsers(tmp_path):
    frames = [picture(97, 97, step) for step in range(30)]
    content = encode_preview(frames)
    assert content == encode_preview(frames)
    assert content.index(b"moov") < content.index(b"mdat")  # playable while it loads
    path = tmp_path / "preview.mp4"
    path.write_bytes(content)
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert len(list(container.decode(video=0))) == 30


def test_bits_grow_with_quality_and_noise(noise):
    calm = [picture(64, 64, step) for step in range(40)]
    assert 0 < encode_bytes(calm, crf=35) < encode_bytes(calm, crf=23) < encode_bytes(noise[:40], crf=23)
    assert encode_bytes(calm) == encode_bytes(iter(calm))
    # x264 leaves noise this strong at several bits per pixel.
    assert encode_bytes(noise[:40], crf=23) / (40 * 65 * 65) > 1
    assert encode_bytes([]) == 0


def test_places_that_cannot_be_written_are_one_line(tmp_path):
    frames = [picture(64, 64)]
    (tmp_path / "file").write_text("precious")
    (tmp_path / "folder.mkv").mkdir()
    for path in (tmp_path / "file" / "a.mkv", tmp_path / "none" / "a.mkv", tmp_path / "folder.mkv"):
        with pytest.raises(UserError, match="cannot write"):
            write_video(path, frames)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.mkv"]
