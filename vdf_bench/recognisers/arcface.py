"""``arcface``: any ArcFace-like recogniser (Deng et al. 2019) from an ONNX file of the user's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

import numpy as np
from pydantic import Field

from vdf_bench.assets.record import read_record
from vdf_bench.assets.third_party import path_of, present
from vdf_bench.core.cards import Card, Parameters
from vdf_bench.core.errors import UserError
from vdf_bench.core.files import file_sha256
from vdf_bench.recognisers.base import BaseRecogniser

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.models.arcface import ArcFace

#: Recognisers in the user's folder that serve unasked, the first that is there.
REGISTERED: Final = ("recogniser", "buffalo_l")
#: Without a calibration: separates people with InsightFace's recognisers (same person about .8, strangers 0 ± .11).
ONNX_THRESHOLD: Final = 0.4
UNCALIBRATED: Final = "customary for InsightFace, not calibrated: see `vdf-bench weights calibrate`"


class ArcFaceParameters(Parameters):
    """Which file, and how strict."""

    file: str = Field(
        "", description="path of an .onnx recogniser (112 px aligned crops); empty takes the one in your weights folder"
    )
    threshold: float | None = Field(
        None, ge=-1, le=1, description="cosine of acceptance; None takes the calibrated one, else 0.4"
    )
    align: Literal["landmarks", "mediapipe"] = Field(
        "landmarks", description="five points of the crop: from the run's landmarker, or MediaPipe's"
    )


class ArcFaceRecogniser(BaseRecogniser):
    """Knows real people; what it was trained on depends on its file."""

    card = Card(
        name="arcface",
        title="ArcFace-like recogniser of real people, from your own ONNX file",
        summary="Takes --set arcface.file=FILE, else recogniser.onnx or buffalo_l's w600k_r50.onnx in your weights "
        "folder (vdf-bench weights fetch buffalo_l). Judges clips of real people by default where it is there.",
        source="ArcFace, Deng et al., CVPR 2019",
        url="https://arxiv.org/abs/1801.07698",
        year=2019,
        trained_on="photographs; see the licence of your file",
    )
    parameters_model: ClassVar[type[Parameters]] = ArcFaceParameters
    metric = "identity_arcface"

    def file(self) -> Path | None:
        """Where the recogniser lies; None where none is named and none is in the weights folder."""
        if self.parameters.file:
            return Path(self.parameters.file)
        return next((path_of(name) for name in REGISTERED if present(name)), None)

    def _file(self) -> Path:
        found = self.file()
        if found is None:
            raise UserError(
                "recogniser arcface has no file: vdf-bench weights fetch buffalo_l, or --set arcface.file=FILE"
            )
        return found

    def threshold(self) -> tuple[float, str]:
        if self.parameters.threshold is not None:
            return self.parameters.threshold, "as set"
        return calibration(self._file())

    def record(self) -> dict[str, Any]:
        path = self._file()
        return {**super().record(), "name": path.name, "sha256": file_sha256(path)}

    def note(self, real: bool) -> str | None:
        del real
        value, basis = self.threshold()
        return f"{self.metric} and dsr_identity are judged by {self._file().name}, threshold {value:.3g}: {basis}"

    def load(self) -> OnnxModel:
        """See :meth:`vdf_bench.core.interfaces.Recogniser.load`."""
        return OnnxModel(self._file(), self.threshold()[0], self.parameters.align)


def calibration(path: Path) -> tuple[float, str]:
    """Threshold of a recogniser's file and where it comes from: as measured of these very bytes, else customary."""
    if path.is_file():
        own = file_sha256(path)
        for facts in read_record().values():
            measured = facts.get("threshold")
            if facts.get("sha256") == own and isinstance(measured, dict):
                return float(measured["value"]), str(measured["basis"])
    return ONNX_THRESHOLD, UNCALIBRATED


class OnnxModel:
    """An ArcFace-like recogniser from a file; see :mod:`vdf_bench.models.arcface`."""

    metric = "identity_arcface"

    def __init__(self, path: Path, threshold: float, align: str = "landmarks") -> None:
        from vdf_bench.models.arcface import load_arcface

        self._model: ArcFace = load_arcface(path)
        self._mesh: Any = None
        if align == "mediapipe":
            from vdf_bench.models.face_mesh import load_face_mesh

            self._mesh = load_face_mesh()
        self.name = path.name
        self.threshold = threshold

    def embed(self, frames: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.float32]:
        """See :meth:`vdf_bench.core.interfaces.RecogniserModel.embed`."""
        from vdf_bench.models.embedder import five_points

        five = five_points(points)
        if self._mesh is not None:
            found, seen = self._mesh.five_points(frames)
            five = np.where(seen[:, None, None], found, five)
        return self._model.embed(frames, five)
