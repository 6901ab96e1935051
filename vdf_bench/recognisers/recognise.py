"""Face recognisers behind the identity metrics: the shipped one, or an ArcFace-like ONNX file.

Two recognisers never share a column: cosines of one say nothing of cosines of another. ``id-synth``, which ships and
knows rendered heads, fills ``identity``; a user's recogniser fills ``identity_arcface``. Success rates are decisions,
each at its recogniser's own threshold, and which one decided stands in the notes of the run, for every clip.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Protocol

import numpy as np
from pydantic import Field

from vdf_bench.core.cards import Parameters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from vdf_bench.core.clip import Clip
    from vdf_bench.judges.observe import Observation
    from vdf_bench.models.arcface import ArcFace

#: Recognisers in the user's folder that serve clips of real people unasked, the first that is there.
REGISTERED: Final = ("recogniser", "buffalo_l")
#: Without a calibration: separates people with InsightFace's recognisers (same person about .8, strangers 0 ± .11).
ONNX_THRESHOLD: Final = 0.4
UNCALIBRATED: Final = "customary for InsightFace, not calibrated: see `vdf-bench weights calibrate`"


class Recogniser(Protocol):
    """Tells people apart.

    Attributes:
        name: of the model and its file.
        metric: column of its cosines.
        source: path of the file; empty for id-synth.
        threshold: cosine above which two faces are taken for one person.
    """

    name: str
    metric: str
    source: str
    threshold: float

    def embed(self, frames: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.float32]:
        """(T, D) embeddings of (T, S, S, 3) RGB frames with landmarks (T, 68, 2)."""
        ...


class RecogniserParameters(Parameters):
    """Which recogniser decides on identity."""

    onnx: str = Field(
        "",
        description="path of an ArcFace-like recogniser (112 px aligned crops) for all clips; empty takes the one in "
        "your weight folder for clips of real people, else the shipped id-synth",
    )
    threshold: float | None = Field(
        None, ge=-1, le=1, description="cosine of acceptance; None takes the recogniser's own at FAR 1e-3"
    )
    align: Literal["landmarks", "mediapipe"] = Field(
        "landmarks", description="five points behind an ArcFace crop: the shipped landmarker's, or MediaPipe's"
    )


class Choice(NamedTuple):
    """Who recognises people in a clip.

    Attributes:
        name: ``id-synth``, or a file's name.
        metric: column of its cosines.
        path: of the file; None for id-synth.
        threshold: cosine of acceptance.
        basis: where the threshold comes from.
    """

    name: str
    metric: str
    path: Path | None
    threshold: float
    basis: str

    def record(self) -> dict[str, Any]:
        """As ``run.json`` holds it."""
        from vdf_bench.core.files import file_sha256

        known = {"name": self.name, "metric": self.metric, "threshold": self.threshold, "basis": self.basis}
        return known if self.path is None else {**known, "sha256": file_sha256(self.path)}

    def note(self, real: bool) -> str | None:
        """What a reader should know of it; None where nothing is to be said."""
        if self.path is not None:
            by = f"{self.name}, threshold {self.threshold:.3g}: {self.basis}"
            return f"{self.metric} and dsr_identity are judged by {by}"
        return RENDERED_ONLY if real else None


#: Said of real people who are judged by the shipped recogniser.
RENDERED_ONLY: Final = (
    "identity is judged by id-synth, which was validated on rendered heads only; for a recogniser of real faces "
    "`vdf-bench weights fetch buffalo_l`, or --set identity.onnx=FILE"
)


def choose_for(overrides: dict[str, dict[str, str]], real: bool, judges: Sequence[str] = ("dsr", "identity")) -> Choice:
    """Who recognises people in a clip of a run: a file that one of the judges was given serves all.

    Args:
        overrides: parameters of the run's components, by name.
        real: whether the clip shows a real person.
        judges: names of those that recognise people.

    Raises:
        UserError: a parameter that does not exist or is out of bounds.
    """
    from vdf_bench.core import registry

    settings = [registry.create("judges", name, overrides.get(name)).parameters for name in judges]
    return choose(shared(settings), real)


def shared(settings: Sequence[RecogniserParameters]) -> RecogniserParameters:
    """What one recogniser for all judges is told: of each parameter the first that was set."""
    return RecogniserParameters(
        onnx=next((setting.onnx for setting in settings if setting.onnx), ""),
        threshold=next((setting.threshold for setting in settings if setting.threshold is not None), None),
        align=next((setting.align for setting in settings if setting.align != "landmarks"), "landmarks"),
    )


def choose(parameters: RecogniserParameters, real: bool) -> Choice:
    """Who recognises people in a clip, and how strictly; nothing is loaded.

    Args:
        parameters: of the identity judges.
        real: whether the clip shows a real person.
    """
    from vdf_bench.assets.shipped import card
    from vdf_bench.assets.third_party import path_of, present

    path = Path(parameters.onnx) if parameters.onnx else None
    if path is None and real:
        path = next((path_of(name) for name in REGISTERED if present(name)), None)
    if path is None:
        tau, basis = float(card("id-synth")["tau"]), "FAR 1e-3 on rendered heads that it never saw"
        name, metric = SynthRecogniser.name, SynthRecogniser.metric
    else:
        tau, basis = calibration(path)
        name, metric = path.name, OnnxRecogniser.metric
    if parameters.threshold is not None:
        tau, basis = parameters.threshold, "as set"
    return Choice(name, metric, path, tau, basis)


def calibration(path: Path) -> tuple[float, str]:
    """Threshold of a recogniser's file and where it comes from: as measured of these very bytes, else customary."""
    from vdf_bench.assets.record import read_record
    from vdf_bench.core.files import file_sha256

    if path.is_file():
        own = file_sha256(path)
        for facts in read_record().values():
            measured = facts.get("threshold")
            if facts.get("sha256") == own and isinstance(measured, dict):
                return float(measured["value"]), str(measured["basis"])
    return ONNX_THRESHOLD, UNCALIBRATED


def is_real(clip: Clip) -> bool:
    """Whether a clip shows a real person; animated photographs do, and know no pose."""
    return clip.truth is None or clip.truth.pose is None


def load(parameters: RecogniserParameters, real: bool) -> Recogniser:
    """The recogniser that :func:`choose` names.

    Raises:
        UserError: no such file, or not a recogniser.
    """
    chosen = choose(parameters, real)
    if chosen.path is None:
        return SynthRecogniser(load_embedder(), parameters.threshold)
    return OnnxRecogniser(chosen.path, chosen.threshold, parameters.align)


def recogniser_of(parameters: RecogniserParameters, seen: Observation) -> Recogniser:
    """The recogniser that ``parameters`` name; else the cell's, so that judges agree; else the clip's.

    Raises:
        UserError: no such file, or not a recogniser.
    """
    if seen.recogniser is not None and parameters.onnx in ("", seen.recogniser.source):
        return seen.recogniser
    return load(parameters, is_real(seen.clip))


def load_embedder() -> Any:
    """The shipped embedder."""
    from vdf_bench.models import embedder

    return embedder.load_embedder()


class SynthRecogniser:
    """``id-synth``: trained and validated on rendered heads; on real faces its verdict is not validated."""

    name = "id-synth"
    metric = "identity"
    source = ""

    def __init__(self, embedder: Any, threshold: float | None = None) -> None:
        self._embedder = embedder
        self.threshold = float(embedder.tau if threshold is None else threshold)

    def embed(self, frames: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(self._embedder.embed(frames, points), np.float32)


class OnnxRecogniser:
    """An ArcFace-like recogniser from a file; see :mod:`vdf_bench.models.arcface`."""

    metric = "identity_arcface"

    def __init__(self, path: Path, threshold: float, align: str = "landmarks") -> None:
        from vdf_bench.models.arcface import load_arcface

        self._model: ArcFace = load_arcface(path)
        self._mesh: Any = None
        if align == "mediapipe":
            from vdf_bench.models.face_mesh import load_face_mesh

            self._mesh = load_face_mesh()
        self.name, self.source = path.name, str(path)
        self.threshold = threshold

    def embed(self, frames: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.float32]:
        from vdf_bench.models.embedder import five_points

        five = five_points(points)
        if self._mesh is not None:
            found, seen = self._mesh.five_points(frames)
            five = np.where(seen[:, None, None], found, five)
        return self._model.embed(frames, five)
