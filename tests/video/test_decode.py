"""Unusual videos that are handled: right count, right size, upright, and a note that says what was done."""

from __future__ import annotations

import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from vdf_bench.video.decode import probe, read_frames
from vdf_bench.video.load import load_clip

from .conftest import BLUE, GREEN, RED, YELLOW, encode, picture

if TYPE_CHECKING:
    from pathlib import Path


def corners(frame: np.ndarray) -> list[np.ndarray]:
    """Colours an eighth of the edge away from the four corners, row by row."""
    near, far = len(frame) // 8, len(frame) - 1 - len(frame) // 8
    return [frame[y, x].astype(int) for y in (near, far) for x in (near, far)]


def shows(frame: np.ndarray, *colours: tuple[int, int, int], tolerance: int = 12) -> None:
    for seen, wanted in zip(corners(frame), colours, strict=True):
        assert np.abs(seen - wanted).max() <= tolerance, (corners(frame), colours)


def position(frame: np.ndarray) -> float:
    """Horizontal centre of the white square, as a share of the width."""
    row = frame[len(frame) // 2 - 1 : len(frame) // 2 + 1].min(axis=(0, 2)).astype(float)
    row = np.where(row > 120, row, 0)
    return float((row * np.arange(len(row))).sum() / row.sum() / len(row))


def only_note(clip, text: str) -> None:
    assert [note for note in clip.notes if text in note] and len(clip.notes) == 1, clip.notes


def test_ordinary(plain):
    clip = load_clip(plain, 96)
    assert (clip.name, clip.identity, clip.frames.shape, clip.notes) == ("plain", "plain", (70, 96, 96, 3), ())
    assert clip.source["pixels"] == "96x96" and clip.source["codec"] == "h264" and len(clip.source["sha256"]) == 64
    shows(clip.frames[0], RED, GREEN, BLUE, YELLOW)
    # At its own size a clip is the decoded video, byte for byte.
    assert np.array_equal(clip.frames, np.stack(list(read_frames(plain))))


def test_probe(plain):
    info = probe(plain)
    assert (info.width, info.height, info.fps, info.seconds) == (96, 96, 25, pytest.approx(2.8))
    assert info.audio == "aac 44100 Hz"


def test_sound_is_aligned(plain):
    audio = load_clip(plain, 32).audio
    assert audio.shape == (70 * 640,) and audio.dtype == np.float32
    spectrum = np.abs(np.fft.rfft(audio[8000:24000]))
    assert int(spectrum.argmax()) == 440  # one second: bins are Hz
    assert np.abs(audio).max() == pytest.approx(0.5, abs=0.05)


def test_late_sound(tmp_path):
    clip = load_clip(encode(tmp_path / "late.mkv", sound=1.5, sound_at=1.0), 32)
    loud = np.nonzero(np.abs(clip.audio) > 0.05)[0]
    assert loud[0] / 16000 == pytest.approx(1.0, abs=0.03)
    assert loud[-1] / 16000 == pytest.approx(2.5, abs=0.05)
    only_note(clip, "sound ends")


def test_clock_that_starts_late(tmp_path):
    times = [0.85 + step / 25 for step in range(70)]
    clip = load_clip(encode(tmp_path / "offset.mkv", times=times, sound=3.65), 96)
    assert clip.frames.shape == (70, 96, 96, 3)
    assert position(clip.frames[5]) < position(clip.frames[10]) < position(clip.frames[15])
    assert clip.notes == ()


def test_no_sound(tmp_path):
    clip = load_clip(encode(tmp_path / "mute.mp4"), 32)
    assert clip.audio.shape == (0,)
    only_note(clip, "no sound")


def test_odd_size(tmp_path):
    clip = load_clip(encode(tmp_path / "odd.mkv", size=(97, 131), codec="ffv1", pix_fmt="yuv444p", sound=2.8), 64)
    assert clip.frames.shape == (70, 64, 64, 3)
    shows(clip.frames[0], RED, GREEN, BLUE, YELLOW)
    only_note(clip, "97x131 is not square: cropped 97 pixels square in the middle")


def test_4k(tmp_path):
    path = encode(
        tmp_path / "large.mp4", 4, (3840, 2160), fps=1, options={"preset": "ultrafast"}, still=True, sound=4.0
    )
    clip = load_clip(path, 64)
    assert clip.frames.shape == (100, 64, 64, 3)
    shows(clip.frames[50], RED, GREEN, BLUE, YELLOW)
    assert any("3840x2160 is not square" in note for note in clip.notes)


def test_10_bit(tmp_path):
    clip = load_clip(encode(tmp_path / "deep.mp4", pix_fmt="yuv420p10le", sound=2.8), 96)
    shows(clip.frames[0], RED, GREEN, BLUE, YELLOW)
    only_note(clip, "10-bit yuv420p10le: reduced to 8-bit RGB")


@pytest.mark.parametrize("tags", [(1, 1), (5, 1), (1, 2), (5, 2)], ids=["709", "601", "709-full", "601-full"])
def test_colour_matrix_and_range(tmp_path, tags):
    path = encode(tmp_path / "tagged.mp4", 64, pix_fmt="yuv444p", options={"crf": "1"}, tags=tags, sound=2.6)
    shows(load_clip(path, 96).frames[0], RED, GREEN, BLUE, YELLOW, tolerance=6)


@pytest.mark.parametrize(("fps", "count", "said"), [(30, 90, "30 fps"), (60, 180, "60 fps"), (50, 150, "50 fps")])
def test_other_rates(tmp_path, fps, count, said):
    clip = load_clip(encode(tmp_path / "rate.mp4", count, (192, 192), fps=fps, sound=3.0), 192)
    assert len(clip) == 75
    only_note(clip, f"{said}: resampled to 25 fps")
    for index in (0, 7, 20, 33):
        nearest = picture(192, 192, round(index * fps / 25))
        assert position(clip.frames[index]) == pytest.approx(position(nearest), abs=0.012)


def test_variable_rate(tmp_path):
    times = list(np.cumsum([0.0] + [0.02, 0.1] * 40))[:80]
    clip = load_clip(encode(tmp_path / "variable.mkv", 80, (192, 192), times=times, sound=4.8), 192)
    assert len(clip) == round((times[-1] + 0.04) * 25)
    only_note(clip, "variable frame rate, 10 to 50 fps")
    for index in (3, 11, 24):
        step = int(np.abs(np.array(times) - index / 25).argmin())
        assert position(clip.frames[index]) == pytest.approx(position(picture(192, 192, step)), abs=0.012)


@pytest.mark.parametrize(
    ("rotation", "said", "colours"),
    [
        (-90, "turned 90 degrees clockwise", (BLUE, RED, YELLOW, GREEN)),
        (90, "turned 270 degrees clockwise", (GREEN, YELLOW, RED, BLUE)),
        (180, "turned 180 degrees clockwise", (YELLOW, BLUE, GREEN, RED)),
    ],
)
def test_rotated(tmp_path, rotation, said, colours):
    path = turned(encode(tmp_path / "turned.mp4", size=(96, 128), sound=2.8), rotation)
    clip = load_clip(path, 96)
    shows(clip.frames[0], *colours)
    assert said in clip.notes[0]
    assert next(read_frames(path)).shape == ((96, 128, 3) if rotation != 180 else (128, 96, 3))


def turned(path: Path, rotation: int) -> Path:
    """Write the display matrix of a phone held sideways into the track header (ISO 14496-12, 8.3.2)."""
    cosine, sine = round(np.cos(np.radians(rotation))), round(np.sin(np.radians(rotation)))
    matrix = struct.pack(">9i", *(65536 * v for v in (cosine, -sine, 0, sine, cosine, 0, 0, 0)), 1 << 30)
    content = bytearray(path.read_bytes())
    start = content.index(b"tkhd") + 4 + 40
    content[start : start + 36] = matrix
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("h264.mp4", "libx264", {"x264-params": "tff=1", "crf": "8"}),
        ("dvd.mpg", "mpeg2video", {"flags": "+ilme+ildct", "b": "4M"}),
    ],
)
def test_interlaced(tmp_path, name, codec, options):
    path = encode(tmp_path / name, codec=codec, options=options, sound=2.8, combed=True)
    clip = load_clip(path, 96)
    assert len(clip) == 70
    only_note(clip, "deinterlaced with bwdif")
    shows(clip.frames[30], RED, GREEN, BLUE, YELLOW, tolerance=20)
    # Where the square of only one field stands, rows alternate by 150 levels and more unless they are taken apart.
    middle = slice(44, 52)
    assert comb(picture(96, 96, 20)[middle], picture(96, 96, 22)[middle]) > 100
    assert comb(clip.frames[5][middle]) < 50


def comb(frame: np.ndarray, later: np.ndarray | None = None) -> float:
    """Largest mean difference of neighbouring rows, of a column; ``later`` replaces every second row."""
    woven = frame.astype(float).mean(2)
    if later is not None:
        woven[1::2] = later.astype(float).mean(2)[1::2]
    alternating = woven[2:-2:2] - (woven[1:-3:2] + woven[3:-1:2]) / 2
    return float(np.abs(alternating.mean(0)).max())


def test_cropped_around_the_face(tmp_path):
    path = encode(tmp_path / "wide.mp4", size=(320, 128), sound=2.8)
    clip = load_clip(path, 64, find_face=lambda frame: (220, 40, 260, 84))
    # The face is in the right half, so no red or blue is left.
    shows(clip.frames[0], GREEN, GREEN, YELLOW, YELLOW)
    only_note(clip, "cropped 106 pixels square around the face")


def test_face_in_some_frames_is_noted(plain):
    answers = iter([None, (30, 30, 60, 60)] * 50)
    clip = load_clip(plain, 32, find_face=lambda frame: next(answers))
    only_note(clip, "sampled frames")


def test_decoding_again_gives_the_same(plain):
    first, second = load_clip(plain, 48), load_clip(plain, 48)
    assert np.array_equal(first.frames, second.frames) and np.array_equal(first.audio, second.audio)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_stays_bounded(tmp_path):
    """A large picture is scaled as it is decoded: 100 stored 4K frames would take 2.5 GB."""
    path = encode(tmp_path / "large.mp4", 4, (3840, 2160), fps=1, options={"preset": "ultrafast"}, still=True)
    # The kernel's high-water mark of this program's own memory; getrusage would start from its parent's.
    code = (
        "import sys; from pathlib import Path; from vdf_bench.video.load import load_clip; load_clip(sys.argv[1], 64);"
        "print(Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1_200_000  # KiB
