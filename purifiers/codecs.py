"""Video codecs: what a platform does to an upload."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from vdf_bench.cards import Card, Component, Parameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from vdf_bench.interfaces import Setting


class H264Parameters(Parameters):
    """Parameters of H.264."""

    crf: int = Field(23, ge=0, le=51, description="x264 constant rate factor; higher is smaller and worse")
    preset: Literal["ultrafast", "veryfast", "fast", "medium", "slow"] = Field("medium", description="x264 preset")
    pix_fmt: Literal["yuv420p", "yuv444p"] = Field("yuv420p", description="pixel format")


class H264(Component):
    """H.264 encoding and decoding of the whole video."""

    card = Card(
        name="h264",
        title="H.264 video compression",
        summary="x264 and back, yuv420p, CRF 23 (the c23 of FaceForensics++) by default, one thread: same bytes.",
        source="x264 through FFmpeg; CRF 23 as in FaceForensics++",
        url="https://arxiv.org/abs/1901.08971",
        year=2019,
        short="crf",
    )
    parameters_model = H264Parameters

    def purify(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        """Encode and decode in step: packets go straight to the decoder, some 50 frames are under way at most."""
        import av

        from vdf_bench.video.encode import to_frame, x264

        encoder: Any = None
        decoder: Any = av.CodecContext.create("h264", "r")
        size = 0, 0

        def decode(packets: list[Any]) -> Iterator[Tensor]:
            for packet in packets:
                for frame in decoder.decode(packet):
                    yield _to_tensor(frame, *size)

        for index, tensor in enumerate(frames):
            picture = (tensor.detach().cpu() * 255).round().clamp(0, 255).byte().permute(1, 2, 0).numpy()
            if encoder is None:
                size = picture.shape[0], picture.shape[1]
                chosen = self.parameters
                encoder = x264(size[1], size[0], setting.fps, chosen.crf, chosen.preset, chosen.pix_fmt)
            frame = to_frame(picture, chosen.pix_fmt)
            frame.pts = index
            yield from decode(encoder.encode(frame))
        if encoder is not None:
            yield from decode([*encoder.encode(None), None])


def _to_tensor(frame: Any, height: int, width: int) -> Tensor:
    """A decoded frame without its padding, (3, H, W) float32 in [0, 1]."""
    import torch

    rgb = frame.to_ndarray(format="rgb24")[:height, :width]
    return torch.from_numpy(rgb.copy()).permute(2, 0, 1).contiguous().float() / 255
