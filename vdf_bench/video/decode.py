"""Decoding: any video file to upright RGB frames with their times, one after another.

Sequential decoding with PyAV is canonical: seeking and other decoders return other frames for some files (an index
twelve frames off on MPEG-1, a first frame repeated where time stamps start late). A file is taken as hostile: only
plain media containers are opened, and sizes are limited before and during decoding.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

MAX_BYTES = 4 * 2**30
MAX_PIXELS = 8192 * 4320
#: Longest video that is decoded whole, seconds; talking-head systems train on three to five minutes.
MAX_SECONDS = 600.0
MIN_PIXELS = 64

# Playlists and concatenation scripts could make the demuxer open other files, so they are not among these.
_CONTAINERS = (
    "mov,matroska,webm,avi,mpeg,mpegts,mpegvideo,ogg,flv,asf,gif,mxf,nut,yuv4mpegpipe,h264,hevc,m4v,ivf,dv,"
    "mp3,wav,flac,aac"
)
_REENCODE = "re-encode it, for example: ffmpeg -i IN -pix_fmt yuv420p OUT.mp4"
#: Transfer characteristics of HDR video (ITU-T H.273): PQ and HLG.
_HDR = {16: "PQ", 18: "HLG"}
#: Frames inspected for the interlaced flag before decoding proper starts.
_PEEK = 4


@dataclass(frozen=True)
class VideoInfo:
    """What the header of a video file says, before anything is decoded.

    Attributes:
        path: the file.
        bytes: its size.
        container, codec, pix_fmt: FFmpeg names.
        width, height: stored picture, pixels.
        fps: average rate; None where the header does not say.
        seconds: duration of the video stream; None where the header does not say.
        audio: codec and rate of the sound; None without sound.
    """

    path: Path
    bytes: int
    container: str
    codec: str
    pix_fmt: str
    width: int
    height: int
    fps: Fraction | None
    seconds: float | None
    audio: str | None


@dataclass
class Source:
    """An open video.

    Attributes:
        info: what the header says.
        origin: presentation time of the first decoded frame on the file's own clock, seconds.
        end: where the last decoded frame ends, seconds after ``origin``.
        notes: what was done to the frames, one line each; filled while decoding.
    """

    info: VideoInfo
    container: Any
    stream: Any
    origin: float = 0.0
    end: float = 0.0
    notes: list[str] = field(default_factory=list)

    def frames(self) -> Iterator[tuple[float, Any]]:
        """Yield (seconds after the first frame, progressive ``av.VideoFrame``) in presentation order.

        Raises:
            UserError: a frame cannot be decoded, or the picture size changes.
        """
        decoded = self._decoded()
        head = list(islice(decoded, _PEEK))
        if any(frame.interlaced_frame for frame in head):
            self.notes.append("interlaced: deinterlaced with bwdif, one frame for two fields")
            return self._timed(_deinterlaced(chain(head, decoded), self.stream))
        return self._timed(chain(head, decoded))

    def _decoded(self) -> Iterator[Any]:
        count, damaged, size = 0, 0, None
        try:
            for frame in self.container.decode(self.stream):
                size = size or (frame.width, frame.height)
                if (frame.width, frame.height) != size:
                    raise UserError(f"{self.info.path}: the picture size changes at frame {count}: {_REENCODE}")
                damaged += frame.is_corrupt
                yield frame
                count += 1
            if damaged:
                self.notes.append(f"{damaged} damaged frames: the decoder filled the gaps")
        except av.error.FFmpegError as error:
            where = f"frame {count} cannot be decoded ({error.strerror})"
            raise UserError(f"{self.info.path}: {where}; the file is damaged or truncated: copy it again") from error

    def _timed(self, frames: Iterator[Any]) -> Iterator[tuple[float, Any]]:
        """Attach times; a stamp that is missing or runs backwards is replaced by the nominal step."""
        # The header may promise one frame an hour; no frame lasts longer than a second here.
        step = min(float(1 / (self.info.fps or Fraction(25))), 1.0)
        last: float | None = None
        repaired, shift = 0, 0.0
        for frame in frames:
            stamp = frame.time
            if last is None:
                self.origin = stamp or 0.0
                time = 0.0
            elif stamp is None or stamp - self.origin + shift <= last:
                time = last + step
                shift = shift if stamp is None else time - (stamp - self.origin)
                repaired += 1
            else:
                time = stamp - self.origin + shift
            self.end = time + step
            last = time
            yield time, frame
        if repaired:
            self.notes.append(f"{repaired} time stamps missing or out of order: counted at the nominal rate")


def probe(path: Path) -> VideoInfo:
    """Read the header of a video file.

    Raises:
        UserError: the file is missing, empty, too large, or holds no video.
    """
    with open_video(path) as source:
        return source.info


@contextmanager
def open_video(path: Path, *, ours: bool = False) -> Iterator[Source]:
    """Open a video file for sequential decoding, within the limits of this module.

    Args:
        path: the file.
        ours: this project wrote it: of any size.

    Raises:
        UserError: the file is missing, empty, too large, or holds no video.
    """
    size = _checked_bytes(path, ours=ours)
    try:
        container = av.open(str(path), options={"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"})
    except av.error.FFmpegError as error:
        reason = f"{path} is not a readable video ({error.strerror})"
        raise UserError(f"{reason}: if it is a video, it is damaged or truncated: copy it again") from error
    with container:
        stream = _video_stream(path, container)
        # The header may lie about the picture; the decoder itself refuses larger ones.
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        yield Source(_describe(path, size, container, stream), container, stream)


def to_rgb(frame: Any) -> NDArray[np.uint8]:
    """One decoded frame as upright (H, W, 3) uint8 RGB; matrix and range as tagged, BT.601 limited if untagged."""
    rgb = frame.to_ndarray(format="rgb24")
    return np.ascontiguousarray(np.rot90(rgb, quarter_turns(frame)))


def quarter_turns(frame: Any) -> int:
    """Counter-clockwise quarter turns that make a decoded frame upright (its display matrix), 0 to 3."""
    return int(round(frame.rotation / 90) % 4)


def read_frames(path: Path) -> Iterator[NDArray[np.uint8]]:
    """Decode the frames of a video as stored, at its own rate and size.

    Yields:
        (H, W, 3) uint8 RGB, upright.

    Raises:
        UserError: see :func:`open_video` and :meth:`Source.frames`.
    """
    with open_video(path) as source:
        for _, frame in source.frames():
            yield to_rgb(frame)


def at_rate(
    frames: Iterator[tuple[float, Any]], source: Source, rate: Fraction, notes: list[str]
) -> Generator[Any, None, None]:
    """Resample to a constant rate: each output instant takes the frame whose time is nearest (ties: the earlier).

    Args:
        frames: timed frames of ``source``.
        source: asked for its ``end`` once the frames are spent.
        rate: output frames per second.
        notes: gets a line at the end where the rate changed.

    Yields:
        Decoded frames, ``round(duration * rate)`` of them.
    """
    step = float(1 / rate)
    count = 0
    gaps: list[float] = []
    held: tuple[float, Any] | None = None
    try:
        for time, frame in frames:
            if held is not None:
                gaps.append(time - held[0])
                if gaps[-1] > MAX_SECONDS:
                    raise UserError(f"{source.info.path}: time stamps jump by {gaps[-1]:.0f} s: {_REENCODE}")
                # The small slack keeps ties ties, in spite of rounding.
                while count * step <= (held[0] + time) / 2 + 1e-6:
                    yield held[1]
                    count += 1
            held = (time, frame)
        while held is not None and count < round(source.end / step):
            yield held[1]
            count += 1
    finally:
        notes.extend(_rate_notes(gaps, rate))


def _rate_notes(gaps: list[float], rate: Fraction) -> list[str]:
    """What resampling had to do, from the times between the source's frames."""
    if not gaps:
        return []
    # Containers that count milliseconds jitter by one of them.
    if max(gaps) > 1.5 * min(gaps) + 0.002:
        what = f"variable frame rate, {1 / max(gaps):.3g} to {1 / min(gaps):.3g} fps"
    else:
        mean = len(gaps) / sum(gaps)
        if abs(mean / float(rate) - 1) < 0.005:
            return []
        what = f"{mean:.4g} fps"
    return [f"{what}: resampled to {float(rate):g} fps by nearest time"]


def colour_notes(frame: Any) -> list[str]:
    """Notes on how the pixel format of a decoded frame was brought to 8-bit RGB."""
    notes = []
    depth = max(component.bits for component in frame.format.components)
    if depth > 8:
        notes.append(f"{depth}-bit {frame.format.name}: reduced to 8-bit RGB")
    transfer = int(getattr(frame, "color_trc", 0) or 0)
    if transfer in _HDR:
        notes.append(f"HDR ({_HDR[transfer]}): converted without tone mapping, colours look flat")
    return notes


def _checked_bytes(path: Path, *, ours: bool) -> int:
    if path.is_dir():
        raise UserError(f"{path} is a folder: give a video file")
    if not path.is_file():
        raise UserError(f"{path} not found: give the path of a video file")
    size = path.stat().st_size
    if not size:
        raise UserError(f"{path} is empty: give a video file")
    if size > MAX_BYTES and not ours:
        raise UserError(
            f"{path} has {size / 2**30:.1f} GiB, the limit is {MAX_BYTES / 2**30:.0f} GiB: cut it or re-encode "
            "it smaller"
        )
    return size


def _video_stream(path: Path, container: Any) -> Any:
    # The cover picture of a song counts as a video stream in FFmpeg.
    cover = av.stream.Disposition.attached_pic
    stream = next((stream for stream in container.streams.video if not stream.disposition & cover), None)
    if stream is None:
        raise UserError(f"{path} has no video stream, only {_kinds(container)}: give a video file")
    context = stream.codec_context
    if context is None:
        raise UserError(f"{path}: no decoder for its video stream: {_REENCODE}")
    if context.width * context.height > MAX_PIXELS:
        raise UserError(f"{path}: {context.width}x{context.height} pixels are too large: use at most 8192x4320")
    return stream


def _kinds(container: Any) -> str:
    return ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"


def _describe(path: Path, size: int, container: Any, stream: Any) -> VideoInfo:
    context = stream.codec_context
    seconds = None
    if stream.duration is not None:
        seconds = float(stream.duration * stream.time_base)
    elif container.duration is not None and not container.streams.audio:
        seconds = container.duration / 1e6
    audio = next(iter(container.streams.audio), None)
    rate = stream.average_rate or stream.guessed_rate
    return VideoInfo(
        path=path,
        bytes=size,
        container=container.format.name,
        codec=context.name,
        pix_fmt=context.pix_fmt or "unknown",
        width=context.width,
        height=context.height,
        # Some containers only know their clock's rate (90 kHz); no camera does that.
        fps=Fraction(rate) if rate and rate <= 1000 else None,
        seconds=seconds,
        audio=f"{audio.codec_context.name} {audio.codec_context.sample_rate} Hz" if audio else None,
    )


def _deinterlaced(frames: Iterator[Any], stream: Any) -> Iterator[Any]:
    graph = av.filter.Graph()
    steps = [graph.add_buffer(template=stream), graph.add("bwdif", "mode=send_frame:deint=interlaced")]
    graph.link_nodes(*steps, graph.add("buffersink")).configure()
    for frame in chain(frames, [None]):
        graph.push(frame)
        while True:
            try:
                yield graph.pull()
            except (BlockingIOError, EOFError):
                break
