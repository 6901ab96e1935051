"""Face recognisers behind the identity metrics: the shipped one, or any ArcFace-like ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from pydantic import Field

from vdf_bench.cards import Parameters
from vdf_bench.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from vdf_bench.judges.observe import Observation


class Recogniser(Protocol):
    """Tells people apart.

    Attributes:
        name: of the model and its file.
        threshold: cosine above which two faces are taken for one person.
    """

    name: str
    threshold: float

    def embed(self, frames: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.float32]:
        """(T, D) embeddings of (T, S, S, 3) RGB frames with landmarks (T, 68, 2)."""
        ...


class RecogniserParameters(Parameters):
    """Which recogniser decides on identity."""

    onnx: str = Field(
        "", description="path of an ArcFace-like recogniser (112 px aligned crops); empty takes the shipped id-synth"
    )
    threshold: float | None = Field(
        None, ge=-1, le=1, description="cosine of acceptance; None takes the shipped model's own, or .4 for a file"
    )


#: Separates people with InsightFace's recognisers (same person about .8, strangers about 0 ± .11).
ONNX_THRESHOLD = 0.4


def load_embedder() -> Any:
    """The shipped embedder."""
    from vdf_bench.models import embedder

    return embedder.load_embedder()


def recogniser_of(parameters: RecogniserParameters, seen: Observation | None = None) -> Recogniser:
    """The recogniser that ``parameters`` name; else the cell's; else the shipped one.

    Raises:
        UserError: no such file, or not a recogniser.
    """
    if parameters.onnx:
        threshold = ONNX_THRESHOLD if parameters.threshold is None else parameters.threshold
        return OnnxRecogniser(Path(parameters.onnx), threshold)
    if seen is not None and seen.recogniser is not None:
        return seen.recogniser
    return SynthRecogniser(load_embedder(), parameters.threshold)


class SynthRecogniser:
    """``id-synth``: trained and validated on rendered heads; on real faces its verdict is not validated."""

    name = "id-synth"

    def __init__(self, embedder: Any, threshold: float | None = None) -> None:
        self._embedder = embedder
        self.threshold = float(embedder.tau if threshold is None else threshold)

    def embed(self, frames: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(self._embedder.embed(frames, points), np.float32)


class OnnxRecogniser:
    """An InsightFace recogniser from a file, on one CPU thread."""

    def __init__(self, path: Path, threshold: float) -> None:
        import onnxruntime
        from insightface.model_zoo import get_model

        if not path.is_file():
            raise UserError(f"identity.onnx={path}: no such file; give the path of an ArcFace-like .onnx recogniser")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._model = get_model(str(path), providers=["CPUExecutionProvider"], sess_options=options)
        except Exception as error:  # onnxruntime's errors have no common public base
            raise UserError(f"identity.onnx={path} cannot be read as ONNX: {error}") from error
        if getattr(self._model, "taskname", "") != "recognition":
            raise UserError(f"identity.onnx={path} is no face recogniser; give an ArcFace-like .onnx with 112 px input")
        self.name = path.name
        self.threshold = threshold

    def embed(self, frames: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.float32]:
        edge = self._model.input_size[0]
        # get_feat follows OpenCV: it expects BGR and swaps to RGB itself.
        crops = [crop[..., ::-1] for crop in align(frames, points, edge)]
        return np.asarray(np.concatenate([self._model.get_feat(crop) for crop in crops]), np.float32)


def align(frames: NDArray[np.uint8], points: NDArray[np.float32], edge: int) -> Iterator[NDArray[np.uint8]]:
    """ArcFace crops (edge, edge, 3) of (T, S, S, 3) frames with landmarks (T, 68, 2); bilinear, black outside."""
    from scipy.ndimage import affine_transform

    from vdf_bench.models.embedder import EDGE, TEMPLATE, five_points, similarity

    # Landmarks count pixel centres at half integers, arrays at integers; ArcFace's template is in array coordinates.
    five = five_points(points) - 0.5
    template = np.broadcast_to(TEMPLATE * (edge / EDGE), five.shape)
    for frame, crop_to_frame in zip(frames, similarity(template, five), strict=True):
        rows_first = crop_to_frame[::-1]
        matrix, offset = rows_first[:, 1::-1], rows_first[:, 2]
        channels = [
            affine_transform(channel, matrix, offset, (edge, edge), order=1) for channel in np.moveaxis(frame, 2, 0)
        ]
        yield np.stack(channels, 2)
