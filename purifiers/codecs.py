"""Video codecs: what a platform does to an upload."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from vdf_bench.core.cards import Card, Component, Parameters
from vdf_bench.core.interfaces import Harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from vdf_bench.core.interfaces import Setting
    from vdf_bench.video.encode import Lossy

PixelFormat = Literal["yuv420p", "yuv444p"]
Preset = Literal["ultrafast", "veryfast", "fast", "medium", "slow"]


class _Codec(Component):
    """Encoding and decoding of the whole video; subclasses say with what.

    Two-pass publication, such as a platform's copy of a platform's copy, is two links: ``h264:23+h264:28``.
    """

    codec: ClassVar[Lossy]
    decoder: ClassVar[str]

    def purify(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        """Encode and decode in step: packets go straight to the decoder, some 50 frames are under way at most."""
        import av

        from vdf_bench.core.frames import to_bytes
        from vdf_bench.purifiers.common import from_bytes
        from vdf_bench.video.encode import lossy_encoder, to_frame

        chosen = self.parameters
        encoder: Any = None
        decoder: Any = av.CodecContext.create(self.decoder, "r")
        decoder.thread_count = 1
        height, width = 0, 0

        def decode(packets: list[Any]) -> Iterator[Tensor]:
            for packet in packets:
                for frame in decoder.decode(packet):
                    # Odd sizes were padded.
                    yield from_bytes(frame.to_ndarray(format="rgb24")[:height, :width])

        for index, tensor in enumerate(frames):
            picture = to_bytes(tensor)
            if encoder is None:
                height, width = picture.shape[:2]
                encoder = lossy_encoder(
                    self.codec, width, height, setting.fps, chosen.crf, str(chosen.preset), chosen.pix_fmt
                )
            frame = to_frame(picture, chosen.pix_fmt)
            frame.pts = index
            yield from decode(encoder.encode(frame))
        if encoder is not None:
            yield from decode([*encoder.encode(None), None])


class H264Parameters(Parameters):
    """Parameters of H.264."""

    crf: int = Field(23, ge=0, le=51, description="x264 constant rate factor; higher is smaller and worse")
    preset: Preset = Field("medium", description="x264 preset")
    pix_fmt: PixelFormat = Field("yuv420p", description="pixel format")


class H264(_Codec):
    """H.264 encoding and decoding of the whole video."""

    card = Card(
        name="h264",
        title="H.264 video compression",
        summary="x264 and back, yuv420p, CRF 23 (the c23 of FaceForensics++; its c40 is h264:40) by default, one "
        "thread: same bytes. Twice published is h264:23+h264:28.",
        source="x264 through FFmpeg; CRF 23 as in FaceForensics++",
        url="https://arxiv.org/abs/1901.08971",
        year=2019,
        short="crf",
    )
    parameters_model = H264Parameters
    harmless: ClassVar[Harmless | None] = Harmless({"crf": 0, "pix_fmt": "yuv444p"}, levels=3)
    codec = "h264"
    decoder = "h264"


class H265Parameters(Parameters):
    """Parameters of H.265."""

    crf: int = Field(28, ge=0, le=51, description="x265 constant rate factor; higher is smaller and worse")
    preset: Preset = Field("medium", description="x265 preset")
    pix_fmt: PixelFormat = Field("yuv420p", description="pixel format")


class H265(_Codec):
    """H.265 encoding and decoding of the whole video."""

    card = Card(
        name="h265",
        title="H.265 (HEVC) video compression",
        summary="x265 and back, yuv420p, CRF 28 by default (x265's own, meant to look like x264's 23), one thread: "
        "same bytes.",
        source="x265 through FFmpeg",
        url="https://x265.readthedocs.io/en/stable/cli.html",
        year=2013,
        version=2,
        short="crf",
    )
    parameters_model = H265Parameters
    #: CRF 0 is not lossless here: single values are off by up to 17 levels.
    harmless: ClassVar[Harmless | None] = None
    codec = "h265"
    decoder = "hevc"


class Vp9Parameters(Parameters):
    """Parameters of VP9."""

    crf: int = Field(31, ge=0, le=63, description="libvpx constant quality; higher is smaller and worse; 0 is lossless")
    preset: int = Field(2, ge=0, le=5, description="libvpx cpu-used: higher is faster and a little worse")
    pix_fmt: PixelFormat = Field("yuv420p", description="pixel format")


class Vp9(_Codec):
    """VP9 encoding and decoding of the whole video."""

    card = Card(
        name="vp9",
        title="VP9 video compression",
        summary="libvpx and back, yuv420p, constant quality 31 by default (FFmpeg's guide for high definition), one "
        "thread: same bytes.",
        source="libvpx through FFmpeg",
        url="https://trac.ffmpeg.org/wiki/Encode/VP9",
        year=2013,
        short="crf",
    )
    parameters_model = Vp9Parameters
    harmless: ClassVar[Harmless | None] = Harmless({"crf": 0, "pix_fmt": "yuv444p"}, levels=3)
    codec = "vp9"
    decoder = "vp9"
