"""ArcFace-like recognisers (Deng et al. 2019) from an ONNX file, through insightface's own class.

insightface rather than bare onnxruntime, because each file says in its graph whether it normalises pixels itself, and
reading that wrongly yields embeddings that look sane and are not. The file's size is checked before anything parses it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

#: No recogniser is larger; the largest published ones have some 260 MiB.
SIZE_LIMIT: Final = 512 * 2**20
#: Where eyes, nose tip and mouth corners lie in the 112 px crop (Deng et al. 2019), array coordinates.
TEMPLATE: Final = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float64
)


class ArcFace:
    """A recogniser on one CPU thread.

    Attributes:
        edge: of its aligned crops, pixels.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self.edge = int(model.input_size[0])

    def embed(self, frames: NDArray[np.uint8], five: NDArray[np.float64]) -> NDArray[np.float32]:
        """(T, D) embeddings, not normalised.

        Args:
            frames: (T, H, W, 3) uint8 RGB.
            five: (T, 5, 2) eye centres, nose tip and mouth corners, the picture's left ones first; pixels whose
                centres count half integers.
        """
        # get_feat follows OpenCV: it expects BGR and swaps to RGB itself.
        crops = [crop[..., ::-1] for crop in align(frames, five, self.edge)]
        return np.asarray(np.concatenate([self._model.get_feat(crop) for crop in crops]), np.float32)


def load_arcface(path: Path) -> ArcFace:
    """The recogniser in ``path``.

    Raises:
        UserError: no such file, too large, or not a face recogniser.
    """
    if not path.is_file():
        raise UserError(f"{path} not found: give the path of an ArcFace-like .onnx recogniser")
    if path.stat().st_size > SIZE_LIMIT:
        raise UserError(f"{path} is larger than the {SIZE_LIMIT // 2**20} MiB that a recogniser can have")
    import onnxruntime
    from insightface.model_zoo import get_model

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        model = get_model(str(path), providers=["CPUExecutionProvider"], sess_options=options)
    except Exception as error:  # onnxruntime's errors have no common public base
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{path} cannot be read as ONNX: {reason}; add the recogniser again") from None
    if getattr(model, "taskname", "") != "recognition":
        raise UserError(f"{path} is not a face recogniser: give an ArcFace-like .onnx with 112 px input")
    return ArcFace(model)


def align(frames: NDArray[np.uint8], five: NDArray[np.float64], edge: int) -> Iterator[NDArray[np.uint8]]:
    """ArcFace crops (edge, edge, 3) of (T, H, W, 3) frames with points (T, 5, 2); bilinear, black outside."""
    from scipy.ndimage import affine_transform

    from vdf_bench.models.embedder import similarity

    # Landmarks count pixel centres at half integers, arrays at integers; the template is in array coordinates. As in
    # insightface, points are fitted to the template and the map is inverted: the other way round has another scale.
    to_crop = similarity(np.asarray(five, np.float64) - 0.5, TEMPLATE * (edge / 112))
    for frame, forward in zip(frames, to_crop, strict=True):
        inverse = np.linalg.inv(np.vstack([forward, [0, 0, 1]]))[1::-1]  # rows first
        matrix, offset = inverse[:, 1::-1], inverse[:, 2]
        channels = [
            affine_transform(channel.astype(np.float32), matrix, offset, (edge, edge), order=1)
            for channel in np.moveaxis(frame, 2, 0)
        ]
        yield np.rint(np.stack(channels, 2)).astype(np.uint8)
