"""The corpus of bad videos: each ends in one line that names the file, the reason and the remedy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from vdf_bench.core.errors import UserError
from vdf_bench.video import decode
from vdf_bench.video import load as video
from vdf_bench.video.load import load_clip

from .conftest import encode

if TYPE_CHECKING:
    from pathlib import Path


def fails(path: Path, pattern: str, **arguments) -> None:
    with pytest.raises(UserError) as caught:
        load_clip(path, 32, **arguments)
    line = str(caught.value)
    assert "\n" not in line
    assert path.name in line
    assert re.search(pattern, line), line
    assert re.search("give|use|copy|re-encode|cut", line), f"no remedy: {line}"


def sound_only(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 32000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_missing(tmp_path):
    fails(tmp_path / "nothing.mp4", "not found")


def test_folder(tmp_path):
    fails(tmp_path, "is a folder")


def test_empty(tmp_path):
    path = tmp_path / "empty.mp4"
    path.touch()
    fails(path, "is empty")


def test_text(tmp_path):
    path = tmp_path / "letter.mp4"
    path.write_text("Dear video,\n" * 200)
    fails(path, "not a readable video")


def test_playlist_cannot_reach_other_files(tmp_path, plain):
    path = tmp_path / "list.mp4"
    path.write_text(f"ffconcat version 1.0\nfile '{plain}'\n")
    fails(path, "not a readable video")
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{plain}\n#EXT-X-ENDLIST\n")
    fails(path, "not a readable video")


def test_truncated_before_its_index(tmp_path, plain):
    path = tmp_path / "half.mp4"
    path.write_bytes(plain.read_bytes()[: plain.stat().st_size // 2])
    fails(path, "damaged or truncated")


def test_truncated_after_its_index(tmp_path):
    whole = encode(tmp_path / "whole.mkv", 150, codec="ffv1", pix_fmt="bgr0").read_bytes()
    path = tmp_path / "cut.mkv"
    path.write_bytes(whole[: len(whole) * 6 // 10])
    fails(path, "truncated")


def test_damaged_in_the_middle(tmp_path):
    path = encode(tmp_path / "scratched.mp4", 80, options={"g": "1"})
    content = bytearray(path.read_bytes())
    middle = (content.index(b"mdat") + content.index(b"moov")) // 2
    content[middle : middle + 3000] = b"\xff" * 3000
    path.write_bytes(content)
    fails(path, r"frame \d\d cannot be decoded")


def test_sound_without_picture(tmp_path):
    fails(sound_only(tmp_path / "voice.mp4"), "no video stream, only audio")


@pytest.mark.parametrize(("count", "said"), [(1, "1 frame "), (20, "20 frames"), (63, "63 frames")])
def test_too_short(tmp_path, count, said):
    fails(encode(tmp_path / "short.mp4", count), f"has {said}.*at least 64 frames")


def test_short_at_its_own_rate(tmp_path):
    fails(encode(tmp_path / "brief.mp4", 100, fps=50), "has 50 frames at 25 fps")


@pytest.mark.parametrize("size", [(32, 32), (200, 48)])
def test_too_small(tmp_path, size):
    fails(encode(tmp_path / "stamp.mp4", size=size), "pixels are too small")


def test_no_face(plain):
    fails(plain, "no face found.* one person in every frame", find_face=lambda frame: None)


def test_too_short_or_small_is_said_before_no_face(tmp_path):
    fails(encode(tmp_path / "one.mp4", 1), "has 1 frame ", find_face=lambda frame: None)
    fails(encode(tmp_path / "stamp.mp4", size=(32, 32)), "too small", find_face=lambda frame: None)


def test_face_too_small(tmp_path):
    path = encode(tmp_path / "far.mp4", size=(192, 128))
    fails(path, "face is too small", find_face=lambda frame: (10, 10, 20, 20))


def test_size_limits(plain, monkeypatch):
    monkeypatch.setattr(decode, "MAX_BYTES", 1000)
    fails(plain, "GiB")
    monkeypatch.undo()
    monkeypatch.setattr(decode, "MAX_PIXELS", 95 * 96)
    fails(plain, "too large")


def test_duration_limit(plain, monkeypatch):
    monkeypatch.setattr(video, "MAX_SECONDS", 2.0)
    fails(plain, "lasts 3 s, the limit is 2 s")
    assert len(load_clip(plain, 32, max_frames=64)) == 64
