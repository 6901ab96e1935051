"""Whole videos in constant memory: pictures with their times, in and out, beside sound that nobody touches.

A picture here is as stored (not turned), at its own size and time. Lossless means FFV1 in RGB; H.264 is 4:2:0, as
platforms and players take it. Packets of sound are copied bit by bit.
"""

from __future__ import annotations

import heapq
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

import av
import numpy as np

from vdf_bench.core.errors import UserError
from vdf_bench.video.decode import open_video, quarter_turns, to_rgb
from vdf_bench.video.encode import configure, to_frame, x264, x264_options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from vdf_bench.video.decode import Source

Coding = Literal["ffv1", "h264"]
#: x264 quality of what is published as H.264: visually close, and what platforms recompress anyway.
PUBLISHED_CRF = 18
#: No clock is finer than this; some containers declare nanoseconds, which x264 cannot count.
_FINEST = Fraction(1, 1_000_000)


@dataclass(frozen=True)
class Shape:
    """How a video's pictures are stored and shown.

    Attributes:
        width, height: stored picture, pixels.
        clock: unit of time stamps, seconds.
        rate: nominal frames per second.
        aspect: width of a stored pixel over its height.
        turns: counter-clockwise quarter turns that make a picture upright.
        matrix: display matrix in FFmpeg's layout, which may mirror too; empty where there is none.
    """

    width: int
    height: int
    clock: Fraction
    rate: Fraction
    aspect: Fraction = Fraction(1)
    turns: int = 0
    matrix: tuple[int, ...] = ()

    def upright(self) -> Shape:
        """The same video with its pictures stored as they are shown."""
        if self.turns % 2:
            return replace(self, width=self.height, height=self.width, aspect=1 / self.aspect, turns=0, matrix=())
        return replace(self, turns=0, matrix=())


@dataclass(frozen=True)
class Shot:
    """One picture of a video.

    Attributes:
        time: presentation, units of the clock; 0 is where the file begins.
        duration: units of the clock; 0 where the file does not say.
        picture: (H, W, 3) uint8 RGB, upright.
    """

    time: int
    duration: int
    picture: NDArray[np.uint8]


def begins(source: Source) -> Fraction:
    """Where a file's own clock begins, seconds: what all its streams are moved back by. No picture is before it."""
    start = Fraction(source.container.start_time or 0, 1_000_000)
    first = Fraction((source.stream.start_time or 0) * (source.stream.time_base or 1))
    return start if start > 0 else min(first, Fraction(0))


def clock_of(source: Source) -> Fraction:
    """The unit in which the times of ``source`` are kept, seconds."""
    return max(Fraction(source.stream.time_base or Fraction(1, 1000)), _FINEST)


def shots(source: Source, clock: Fraction, zero: Fraction) -> Iterator[Shot]:
    """Decode a video's pictures one after another, in presentation order.

    Args:
        source: an open video.
        clock: unit of the times, seconds.
        zero: on the file's own clock, what counts as time 0, seconds.

    Raises:
        UserError: see :meth:`Source.frames`.
    """
    last = -1
    for seconds, frame in source.frames():
        # Two pictures within one unit would not survive the muxer.
        last = max(round((source.origin + seconds - float(zero)) / float(clock)), last + 1)
        length = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 0.0
        yield Shot(last, round(length / float(clock)), to_rgb(frame))


def shape_of(source: Source, frame: Any) -> Shape:
    """What :func:`write` needs to know of a video, from its header and first decoded frame."""
    rate = source.info.fps or Fraction(25)
    aspect = Fraction(source.stream.sample_aspect_ratio or 1)
    sides = [bytes(side) for side in frame.side_data if side.type.name == "DISPLAYMATRIX"]
    matrix = tuple(int(value) for value in np.frombuffer(sides[0], np.int32)) if sides else ()
    return Shape(frame.width, frame.height, clock_of(source), rate, aspect, quarter_turns(frame), matrix)


def write(path: Path, pictures: Iterable[Shot], shape: Shape, coding: Coding, sound: Path | None = None) -> None:
    """Write pictures, and beside them the sound of another file.

    Args:
        path: where to; the suffix selects the container.
        pictures: upright, at least one, times rising.
        shape: how they are stored; ``h264`` repeats the last row or column of odd sizes.
        coding: ``ffv1`` is exact, ``h264`` is yuv420p at CRF 18.
        sound: video file whose audio packets are copied.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
    """
    # Bit-exact muxing leaves out random identifiers and dates: same frames, same bytes.
    options = {"fflags": "+bitexact"} | ({"movflags": "+faststart"} if path.suffix == ".mp4" else {})
    with ExitStack() as stack:
        container: Any = stack.enter_context(av.open(str(path), "w", options=options))
        video = _video_stream(container, shape, coding)
        spoken: Iterator[tuple[float, Any]] = iter(())
        if sound is not None:
            source = stack.enter_context(open_video(sound))
            copies = _sound_streams(container, source)
            if copies:
                spoken = _sound_packets(source, copies)
        seen = _video_packets(video, pictures, shape)
        # Merged by time, for a muxer holds back whatever runs ahead of the other stream.
        for _, packet in heapq.merge(seen, spoken, key=lambda timed: timed[0]):
            container.mux(packet)


def refuse_sound(video: Path, suffix: str) -> None:
    """Find out before any work whether a container takes the sound of a video.

    Raises:
        UserError: it does not; says which sound, and what to do.
    """
    container_format = {".mkv": "matroska", ".mp4": "mp4"}[suffix]
    with open_video(video) as source:
        for stream in source.container.streams.audio:
            name = stream.codec_context.name if stream.codec_context else "unknown"
            try:
                with av.open(BytesIO(), "w", format=container_format) as trial:
                    trial.add_stream_from_template(stream, opaque=True)
                    trial.start_encoding()
            except (av.error.FFmpegError, ValueError):
                other = "name it .mkv" if suffix == ".mp4" else "convert its sound first, for example to AAC"
                raise UserError(f"{video}: a {suffix} file cannot contain {name} audio: {other}") from None


class Echo:
    """What comes back when pictures go through H.264, in step: some 50 of them are under way at most.

    Attributes:
        bits: size of the stream so far.
    """

    def __init__(self, crf: int, rate: Fraction) -> None:
        self.bits = 0
        self._crf, self._rate = crf, rate
        self._encoder: Any = None
        self._decoder: Any = av.CodecContext.create("h264", "r")
        self._decoder.thread_count = 1
        self._size = (0, 0)
        self._count = 0

    def push(self, picture: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
        """Send (H, W, 3) uint8 RGB; returns the pictures that came back, in the order they were sent."""
        if self._encoder is None:
            self._size = picture.shape[:2]
            self._encoder = x264(picture.shape[1], picture.shape[0], self._rate, self._crf, "medium")
        frame = to_frame(picture, "yuv420p")
        frame.pts = self._count
        self._count += 1
        return self._decode(self._encoder.encode(frame))

    def end(self) -> list[NDArray[np.uint8]]:
        """The pictures that are still under way."""
        return self._decode([*self._encoder.encode(None), None]) if self._encoder else []

    def _decode(self, packets: list[Any]) -> list[NDArray[np.uint8]]:
        self.bits += sum(8 * packet.size for packet in packets if packet is not None)
        height, width = self._size
        return [
            frame.to_ndarray(format="rgb24")[:height, :width]
            for packet in packets
            for frame in self._decoder.decode(packet)
        ]


def written_shots(path: Path, clock: Fraction) -> Iterator[Shot]:
    """The pictures of a file that this project wrote, of any size, at the given times."""
    with open_video(path, ours=True) as source:
        yield from shots(source, clock, Fraction(0))


def _video_stream(container: Any, shape: Shape, coding: Coding) -> Any:
    stream = container.add_stream("ffv1" if coding == "ffv1" else "libx264", rate=shape.rate)
    configure(stream.codec_context, shape.width, shape.height, shape.rate, "bgr0" if coding == "ffv1" else "yuv420p")
    stream.codec_context.time_base = shape.clock
    stream.codec_context.sample_aspect_ratio = shape.aspect
    stream.options = {"level": "3"} if coding == "ffv1" else x264_options(PUBLISHED_CRF, "medium")
    if shape.matrix:
        if not hasattr(stream, "set_display_matrix"):
            raise UserError("a rotated video needs a newer PyAV: pip install --upgrade av")
        stream.set_display_matrix(shape.matrix)
    return stream


def _video_packets(stream: Any, pictures: Iterable[Shot], shape: Shape) -> Iterator[tuple[float, Any]]:
    pix_fmt = stream.codec_context.pix_fmt
    for shot in pictures:
        frame = to_frame(np.rot90(shot.picture, -shape.turns), pix_fmt)
        frame.pts, frame.time_base = shot.time, shape.clock
        if shot.duration:
            frame.duration = shot.duration
        for packet in stream.encode(frame):
            yield _seconds(packet), packet
    for packet in stream.encode(None):
        yield _seconds(packet), packet


def _sound_streams(container: Any, source: Source) -> dict[int, Any]:
    """Output streams by the index of the input stream that they copy."""
    return {
        stream.index: container.add_stream_from_template(stream, opaque=True)
        for stream in source.container.streams.audio
        if stream.codec_context
    }


def _sound_packets(source: Source, copies: dict[int, Any]) -> Iterator[tuple[float, Any]]:
    zero = begins(source)
    streams = [stream for stream in source.container.streams.audio if stream.index in copies]
    reached: dict[int, int] = {}
    try:
        for packet in source.container.demux(streams):
            if not packet.size:
                continue
            index = packet.stream.index
            if packet.dts is None:
                packet.dts = packet.pts if packet.pts is not None else reached.get(index, 0)
            if packet.pts is None:
                packet.pts = packet.dts
            reached[index] = packet.dts + (packet.duration or 0)
            shift = round(zero / packet.time_base)
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            seconds = _seconds(packet)
            packet.stream = copies[index]
            yield seconds, packet
    except av.error.FFmpegError as error:
        raise UserError(f"{source.info.path}: its audio is damaged ({error.strerror}): copy the file again") from error


def _seconds(packet: Any) -> float:
    return float(packet.dts * packet.time_base)
