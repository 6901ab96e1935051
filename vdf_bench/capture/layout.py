"""The folder layout of the RAD-NeRF lineage, so that official systems can be trained from the same capture.

RAD-NeRF, ER-NeRF, SyncTalk, TalkingGaussian and GaussianTalker read it. What a landmark-only capture cannot know is
absent or said to be a proxy: in ``track_params.pt`` the BFM coefficients are zeros and the mesh, from which
GaussianTalker starts, is an ellipsoid; ``au.csv`` holds the two action units that landmarks give, the others being
zero; and ``aud_mel.npy`` is log-mel, not DeepSpeech.
"""

from __future__ import annotations

import csv
import json
import wave
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from vdf_bench.capture.parsing import COLOURS, colour_code
from vdf_bench.core import labels as classes
from vdf_bench.core.clip import SAMPLE_RATE
from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from vdf_bench.core.capture import Capture
    from vdf_bench.core.clip import Pose

#: ``ffmpeg -q:v 1`` quantises about as finely as this libjpeg quality; RGB sources keep 4:4:4.
JPEG_QUALITY: Final = 95
#: Sizes of the BFM bases that the official tracker fits.
BFM_IDENTITY: Final = 100
BFM_EXPRESSION: Final = 79
#: Points of the stand-in for the tracker's mesh, and half its width, height and depth in head units.
MESH_POINTS: Final = 8192
MESH_RADII: Final = (0.95, 1.25, 1.1)
#: Action units that TalkingGaussian and InsTaG read; landmarks tell the last two.
ACTION_UNITS: Final = (1, 4, 5, 6, 7, 25, 45)
#: Inner-lip opening over inter-ocular distance that counts as full AU25 (intensity 5).
FULL_OPENING: Final = 0.4

#: How files in ``parsing`` are coloured. ``lineage``: four colours, as RAD-NeRF, ER-NeRF, SyncTalk and GaussianTalker
#: read them; ``hair-and-mouth``: hair and the inside of the mouth apart, as TalkingGaussian and InsTaG do.
ParsingStyle = Literal["lineage", "hair-and-mouth"]


def write_layout(capture: Capture, folder: Path, style: ParsingStyle = "lineage") -> None:
    """Write ``ori_imgs parsing gt_imgs torso_imgs bc.jpg track_params.pt transforms_*.json`` and what goes with them.

    The jsons hold the capture's own split: the held-out frames are the ones that official test renderings show.
    Frames that are in neither part of it (policy ``drop``) have no entry in them; the others keep their
    numbers, so poses never shift against pictures.

    Args:
        capture: what to write.
        folder: made if need be; must be empty.
        style: colours of the parsing.

    Raises:
        UserError: ``folder`` is a file or holds something already.
    """
    from PIL import Image

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} is not an empty folder: name another one")
    folders = {name: folder / name for name in ("ori_imgs", "parsing", "gt_imgs", "torso_imgs")}
    for path in folders.values():
        path.mkdir(parents=True)

    def jpeg(image: NDArray[np.uint8], path: Path) -> None:
        Image.fromarray(image).save(path, quality=JPEG_QUALITY, subsampling=0)

    jpeg(capture.plate, folder / "bc.jpg")
    for i in range(len(capture)):
        jpeg(capture.frames[i], folders["ori_imgs"] / f"{i}.jpg")
        jpeg(capture.gt[i], folders["gt_imgs"] / f"{i}.jpg")
        Image.fromarray(parsing_picture(capture.labels[i], style)).save(folders["parsing"] / f"{i}.png")
        Image.fromarray(capture.torso[i]).save(folders["torso_imgs"] / f"{i}.png")
        np.savetxt(folders["ori_imgs"] / f"{i}.lms", capture.landmarks[i], "%f")

    _write_tracking(capture, folder)
    np.save(folder / "aud_mel.npy", capture.mel)
    write_action_units(capture, folder / "au.csv")
    if len(capture.audio):
        write_wav(capture.audio, folder / "aud.wav")
    (folder / "capture.json").write_text(json.dumps(_trace(capture), indent=2) + "\n")


def official_pose(pose: Pose) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Euler angles (T, 3), radians, and translation (T, 3), head units, as the official trackers mean them.

    Their camera looks along -z with y up, and ``rotation = Rx(-theta) Ry(-phi) Rz(psi)``.
    """
    from scipy.spatial.transform import Rotation

    flip = np.array([1.0, -1.0, -1.0])
    rotation = flip[:, None] * pose.rotation.astype(np.float64)
    angles = Rotation.from_matrix(rotation).as_euler("XYZ")
    return angles * np.array([-1.0, -1.0, 1.0]), pose.translation.astype(np.float64) * flip


def camera_to_world(pose: Pose) -> NDArray[np.float64]:
    """(T, 4, 4) ``transform_matrix``: inverse head pose, translation over ten (task 9)."""
    flip = np.array([1.0, -1.0, -1.0])
    rotation = flip[:, None] * pose.rotation.astype(np.float64)
    translation = pose.translation.astype(np.float64) * flip / 10
    matrix = np.tile(np.eye(4), (len(pose), 1, 1))
    matrix[:, :3, :3] = rotation.transpose(0, 2, 1)
    matrix[:, :3, 3] = -np.einsum("tji,tj->ti", rotation, translation)
    return matrix


def parsing_picture(labels: NDArray[np.uint8], style: ParsingStyle) -> NDArray[np.uint8]:
    """(S, S) classes to the (S, S, 3) uint8 RGB that the loaders of ``style`` expect."""
    picture = colour_code(labels)
    if style == "hair-and-mouth":
        hair, mouth, hat = classes.CLASSES.index("hair"), classes.CLASSES.index("mouth"), classes.CLASSES.index("hat")
        picture[labels == hair] = 0
        picture[labels == mouth] = 100
        picture[labels == hat] = COLOURS["head"]
    return picture


def mesh_points() -> NDArray[np.float32]:
    """(MESH_POINTS, 3) points spread evenly over an ellipsoid the size of a head, head units."""
    index = np.arange(MESH_POINTS) + 0.5
    height = 1 - 2 * index / MESH_POINTS
    turn = np.pi * (1 + np.sqrt(5)) * index  # the golden angle: a spiral without seams
    ring = np.sqrt(1 - height**2)
    sphere = np.stack([ring * np.cos(turn), height, ring * np.sin(turn)], axis=1)
    return np.asarray(sphere * MESH_RADII, dtype=np.float32)


def write_wav(audio: NDArray[np.float32], path: Path) -> None:
    """16-bit mono WAV at 16 kHz of samples in [-1, 1]."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((audio.clip(-1, 1) * 32767).round().astype("<i2").tobytes())


def _write_tracking(capture: Capture, folder: Path) -> None:
    import torch

    count = len(capture)
    euler, translation = official_pose(capture.pose)
    torch.save(
        {
            "id": torch.zeros(1, BFM_IDENTITY),
            "exp": torch.zeros(count, BFM_EXPRESSION),
            "euler": torch.tensor(euler, dtype=torch.float32),
            "trans": torch.tensor(translation, dtype=torch.float32),
            "focal": torch.tensor([capture.pose.focal], dtype=torch.float32),
            "vertices": torch.from_numpy(mesh_points())[None],
        },
        folder / "track_params.pt",
    )
    matrices = camera_to_world(capture.pose)
    for name, ids in (("train", capture.split.train), ("val", capture.split.heldout)):
        frames = [{"img_id": int(i), "aud_id": int(i), "transform_matrix": matrices[i].tolist()} for i in ids]
        middle = capture.size / 2
        table = {"focal_len": capture.pose.focal, "cx": middle, "cy": middle, "frames": frames}
        (folder / f"transforms_{name}.json").write_text(json.dumps(table, indent=2) + "\n")


def write_action_units(capture: Capture, path: Path, stretch: bool = False) -> None:
    """OpenFace's columns, leading spaces and all, as far as landmarks tell them.

    ``AU45_r`` (blink, 0 to 2) comes from the eye opening, ``AU25_r`` (lips part, 0 to 5) from the lips'; brows and
    cheeks rest at 0.

    Args:
        capture: whose scalars to take.
        path: the file.
        stretch: whether the most closed eyes and the widest mouths of the training frames count as fully so.
    """
    open_eyes = max(float(np.quantile(capture.eyes, 0.8)), 1e-6)
    # Lids of a closed eye still stand apart in landmarks, by about a quarter of the open ones.
    lowest, widest = 0.25 * open_eyes, FULL_OPENING
    if stretch:
        train = capture.split.train
        lowest = float(capture.eyes[train].min())
        widest = max(float(np.quantile(capture.mouth[train, 0], 0.95)), 1e-6)
    closed = ((open_eyes - capture.eyes) / max(open_eyes - lowest, 1e-6)).clip(0, 1)
    known = {45: 2 * closed, 25: 5 * (capture.mouth[:, 0] / widest).clip(0, 1)}
    columns = [known.get(unit, np.zeros(len(capture))) for unit in ACTION_UNITS]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["frame", *(f" AU{unit:02d}_r" for unit in ACTION_UNITS)])
        writer.writerows([i + 1, *(f"{column[i]:.4f}" for column in columns)] for i in range(len(capture)))


def _trace(capture: Capture) -> dict[str, Any]:
    split = capture.split
    return {
        "frames": len(capture),
        "size": capture.size,
        "valid": [bool(v) for v in capture.valid],
        "train": [int(i) for i in split.train],
        "heldout": [int(i) for i in split.heldout],
        "blocks": [int(i) for i in split.blocks],
        "scalars": capture.scalars,
        "notes": [
            "track_params.pt: id and exp are zeros, vertices an ellipsoid; pose was fitted to landmarks without BFM",
            "au.csv: AU45_r and AU25_r are proxies from eye and lip landmarks; the other units are zero",
            "aud_mel.npy: 80-bin log-mel at 100 Hz, 16 steps a frame",
        ],
    }
