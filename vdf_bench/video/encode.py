"""Encoding: exact storage, small previews, what platforms publish, and the bit rate a video would need.

The output of encoders depends on the number of threads, so one is used everywhere. That of x264 depends on the
processor too, so it keeps to instructions that all have (its AVX-512 macroblock tree even gives varying output on one
machine). x265 gives the same pictures from SSE2 to AVX-512, and libvpx is tested for that by its makers.
"""

from __future__ import annotations

import itertools
import os
import platform
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import av
import numpy as np

from vdf_bench.core.clip import FPS, SAMPLE_RATE
from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from fractions import Fraction

    from numpy.typing import NDArray

    Frames = Iterable[NDArray[np.uint8]]

Lossy = Literal["h264", "h265", "vp9"]
Codec = Literal["ffv1"] | Lossy
#: FFmpeg's encoders.
ENCODERS: Final[dict[Codec, str]] = {"ffv1": "ffv1", "h264": "libx264", "h265": "libx265", "vp9": "libvpx-vp9"}
#: What takes the place of x264's "medium": presets of x264 and x265, ``cpu-used`` of libvpx.
PRESETS: Final[dict[Lossy, str]] = {"h264": "medium", "h265": "medium", "vp9": "2"}

#: Below it the vector kernels of x265's macroblock tree write past their rows (seen up to 48 px), so it is left out.
X265_TREE_EDGE: Final = 64


def write_video(
    path: Path,
    frames: Frames,
    fps: Fraction = FPS,
    audio: NDArray[np.float32] | None = None,
    codec: Codec = "ffv1",
    crf: int = 18,
    pix_fmt: str | None = None,
) -> None:
    """Write frames to a video file, streaming; the file appears only when it is complete.

    ``ffv1`` (give ``.mkv``) is exact; the others are not, not even at ``crf=0``, unless ``pix_fmt`` keeps RGB.

    Args:
        path: where to; the suffix selects the container.
        frames: (H, W, 3) uint8 RGB; at least one.
        fps: frames per second.
        audio: (N,) float32 mono at 16 kHz, or None or empty for none.
        codec: see above.
        crf: quality on the scale of the codec's encoder, lower is better; not used by FFV1.
        pix_fmt: FFmpeg pixel format; by default ``bgr0`` for FFV1 and ``yuv420p`` for the others.

    Raises:
        UserError: the folder cannot be written, or the disk is full.
        ValueError: there are no frames.
    """
    path = Path(path)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        _encode(partial, frames, fps, audio, codec, crf, pix_fmt)
        partial.replace(path)
    except (OSError, av.error.FFmpegError) as error:
        raise UserError(
            f"cannot write {path}: {error.strerror or error}; choose another place, or free disk space"
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink()


def encode_preview(frames: Frames, fps: Fraction = FPS, crf: int = 26) -> bytes:
    """A small H.264 MP4 that every browser plays (yuv420p, index at the front), as bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "preview.mp4"
        _encode(path, frames, fps, None, "h264", crf, None)
        return path.read_bytes()


def encode_bytes(frames: Frames, crf: int = 23, preset: str = "medium", fps: Fraction = FPS) -> int:
    """Size of the H.264 stream of ``frames``, in **bits** (no container), for bit-rate measurements.

    Args:
        frames: (H, W, 3) uint8 RGB.
        crf: x264 quality.
        preset: x264 preset.
        fps: frames per second; the rate control looks at it.
    """
    encoder: Any = None
    bits = 0
    for index, picture in enumerate(frames):
        if encoder is None:
            encoder = x264(picture.shape[1], picture.shape[0], fps, crf, preset)
        frame = to_frame(picture, encoder.pix_fmt)
        frame.pts = index
        bits += sum(8 * packet.size for packet in encoder.encode(frame))
    return bits + (sum(8 * packet.size for packet in encoder.encode(None)) if encoder else 0)


def x264(width: int, height: int, fps: Fraction, crf: int, preset: str, pix_fmt: str = "yuv420p") -> Any:
    """A deterministic x264 encoder for pictures of that size (odd sizes are padded, see :func:`to_frame`)."""
    return lossy_encoder("h264", width, height, fps, crf, preset, pix_fmt)


def lossy_encoder(
    codec: Lossy, width: int, height: int, fps: Fraction, crf: int, preset: str, pix_fmt: str = "yuv420p"
) -> Any:
    """A deterministic encoder for pictures of that size (odd sizes are padded, see :func:`to_frame`)."""
    encoder: Any = av.CodecContext.create(ENCODERS[codec], "w")
    configure(encoder, width, height, fps, pix_fmt)
    encoder.time_base = 1 / fps
    encoder.options = lossy_options(codec, crf, preset, min(width, height))
    return encoder


def to_frame(picture: NDArray[np.uint8], pix_fmt: str) -> Any:
    """A picture (H, W, 3) uint8 RGB as a frame to encode; odd sizes repeat the last row or column for 4:2:0."""
    if pix_fmt == "yuv420p" and (picture.shape[0] % 2 or picture.shape[1] % 2):
        picture = np.pad(picture, ((0, picture.shape[0] % 2), (0, picture.shape[1] % 2), (0, 0)), mode="edge")
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    return frame if _is_rgb(pix_fmt) else frame.reformat(format=pix_fmt, dst_colorspace="itu601")


def lossy_options(codec: Lossy, crf: int, preset: str, edge: int) -> dict[str, str]:
    """Options under which an encoder gives the same output every time.

    Args:
        codec: see :data:`ENCODERS`.
        crf: constant quality, on the encoder's scale.
        preset: speed, in the encoder's words; see :data:`PRESETS`.
        edge: shorter side of the pictures, pixels.
    """
    if codec == "h264":
        return x264_options(crf, preset)
    if codec == "h265":
        # Frame threads and wavefronts are threads of x265's own, which FFmpeg's count does not reach.
        parameters = "pools=none:frame-threads=1:wpp=0:log-level=error"
        if edge < X265_TREE_EDGE:
            parameters += ":cutree=0"
        return {"crf": str(crf), "preset": preset, "x265-params": parameters}
    return {"crf": str(crf), "b": "0", "deadline": "good", "cpu-used": preset, "row-mt": "0"}


def x264_options(crf: int, preset: str) -> dict[str, str]:
    """Options that make x264's output the same on every processor of a family."""
    options = {"crf": str(crf), "preset": preset}
    if platform.machine().lower() in {"x86_64", "amd64"}:
        options["x264-params"] = "asm=MMX2,SSE2Fast,SSSE3,SSE4.2"
    return options


def _is_rgb(pix_fmt: str) -> bool:
    return bool(av.VideoFormat(pix_fmt).is_rgb)


def configure(context: Any, width: int, height: int, fps: Fraction, pix_fmt: str) -> None:
    """Set up an encoder for the frames of :func:`to_frame`: size, rate, colours, one thread."""
    even = pix_fmt == "yuv420p"
    context.width, context.height = (width + width % 2, height + height % 2) if even else (width, height)
    context.pix_fmt = pix_fmt
    context.framerate = fps
    context.thread_count = 1
    if not _is_rgb(pix_fmt):
        context.color_range, context.colorspace = 1, 6  # limited range, SMPTE 170M: the matrix of to_frame


def _encode(
    path: Path,
    frames: Frames,
    fps: Fraction,
    audio: NDArray[np.float32] | None,
    codec: Codec,
    crf: int,
    pix_fmt: str | None,
) -> None:
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise ValueError("a video needs at least one frame")
    pix_fmt = pix_fmt or ("bgr0" if codec == "ffv1" else "yuv420p")
    # Bit-exact muxing leaves out random identifiers and dates: same frames, same bytes.
    options = {"fflags": "+bitexact"}
    if path.suffix in {".mp4", ".mov"}:
        options["movflags"] = "+faststart"
    with av.open(str(path), "w", options=options) as container:
        video: Any = container.add_stream(ENCODERS[codec], rate=fps)
        edge = min(first.shape[:2])
        configure(video.codec_context, first.shape[1], first.shape[0], fps, pix_fmt)
        video.options = {"level": "3"} if codec == "ffv1" else lossy_options(codec, crf, PRESETS[codec], edge)
        sound = _sound_stream(container, codec) if audio is not None and len(audio) else None
        if sound is not None and audio is not None:
            _mux_sound(container, sound, audio)
        for picture in itertools.chain([first], frames):
            container.mux(video.encode(to_frame(picture, pix_fmt)))
        container.mux(video.encode(None))


def _sound_stream(container: Any, codec: Codec) -> Any:
    return container.add_stream("pcm_f32le" if codec == "ffv1" else "aac", rate=SAMPLE_RATE, layout="mono")


def _mux_sound(container: Any, stream: Any, audio: NDArray[np.float32]) -> None:
    frame: Any = av.AudioFrame.from_ndarray(audio.reshape(1, -1).astype(np.float32), format="fltp", layout="mono")
    frame.sample_rate = SAMPLE_RATE
    frame.pts = 0
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
