"""MediaPipe's face mesh, for five-point alignment: an optional extra with a file of the user's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

#: The picture's left iris, right iris, nose tip, left and right mouth corner. Swapping sides ruins alignment silently.
FIVE: Final = (468, 473, 4, 61, 291)


class FaceMesh:
    """478 points of one face, in frames that stand alone."""

    def __init__(self, path: Path) -> None:
        import mediapipe

        tasks = mediapipe.tasks
        options = tasks.vision.FaceLandmarkerOptions(base_options=tasks.BaseOptions(str(path)), num_faces=1)
        self._landmarker = tasks.vision.FaceLandmarker.create_from_options(options)
        self._picture: Any = lambda frame: mediapipe.Image(
            image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(frame)
        )

    def five_points(self, frames: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Points (T, 5, 2) in pixels, zero where no face is found, and where one is (T,)."""
        points, seen = np.zeros((len(frames), len(FIVE), 2)), np.zeros(len(frames), bool)
        for k, frame in enumerate(frames):
            faces = self._landmarker.detect(self._picture(frame)).face_landmarks
            if faces:
                height, width = frame.shape[:2]
                points[k] = [(faces[0][index].x * width, faces[0][index].y * height) for index in FIVE]
                seen[k] = True
        return points, seen


def load_face_mesh() -> FaceMesh:
    """The mesh with the user's bundle.

    Raises:
        UserError: the extra or the file is missing, the file is too large or not such a bundle.
    """
    import importlib.util

    from vdf_bench.assets.third_party import check_size, how_to_get, path_of

    if importlib.util.find_spec("mediapipe") is None:
        raise UserError(
            "alignment with mediapipe needs the Python package mediapipe: pip install 'vdf-bench[mediapipe]'"
        )
    path = path_of("face_landmarker")
    if not path.is_file():
        raise UserError(f"alignment with mediapipe needs {path}: get it with {how_to_get('face_landmarker')}")
    check_size("face_landmarker", path)
    try:
        return FaceMesh(path)
    except (RuntimeError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{path} is not a face landmarker: {reason}; {how_to_get('face_landmarker')}") from None
