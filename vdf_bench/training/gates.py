"""What a shipped network must reach, measured on people that it never saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.core.labels import FACE, GROUPS, mask_of

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from vdf_bench.models.audio_mouth import AudioMouth
    from vdf_bench.models.embedder import Embedder
    from vdf_bench.models.landmarker import Landmarker
    from vdf_bench.parsers.network import Parser
    from vdf_bench.training.augment import Views
    from vdf_bench.training.speech import Utterances

#: Scales at which VDF's loss looks at a frame (``align_corners=False``).
SCALES = (0.5, 0.75, 1.0, 1.5, 2.0)
#: Lowest (or, for errors, highest) accepted value of each measurement.
GATES = {
    "grouped_iou": 0.85,
    "face_recall": 0.90,
    "real_face_iou": 0.80,
    "landmark_nme": 0.04,
    "real_landmark_nme": 0.08,
    "eer": 0.02,
    "voice_r": 0.85,
    "voice_r_width": 0.80,
    "autoencoder_psnr": 23.0,
    "noise_error": 0.60,
    "denoised_gain": 10.0,
    "denoised_gain_over_blur": 0.5,
}
#: MediaPipe's face oval, in order, and the mesh points nearest to the 68 of iBUG.
FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
    150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
MESH_TO_68 = (
    127, 234, 93, 132, 58, 172, 150, 176, 152, 400, 379, 397, 288, 361, 323, 454, 356,
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300, 168, 197, 5, 4, 98, 97, 2, 326, 327,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91, 78, 81, 13, 311, 308, 402, 14, 178,
)  # fmt: skip


def resize(frames: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Antialiased resize of (T, S, S, 3) frames to ``size``."""
    from PIL import Image

    box = Image.Resampling.BICUBIC
    return np.stack([np.array(Image.fromarray(frame).resize((size, size), box)) for frame in frames])


def iou(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Intersection over union; 1 where both are empty."""
    union = int((first | second).sum())
    return float((first & second).sum()) / union if union else 1.0


def grouped_iou(parser: Parser, views: Views) -> dict[str, float]:
    """IoU of each label group over all pixels of ``views``."""
    labels = parser.parse(views.rgb)
    return {name: iou(mask_of(labels, group), mask_of(views.labels, group)) for name, group in GROUPS.items()}


def face_recall(parser: Parser, frames: NDArray[np.uint8], labels: NDArray[np.uint8], scale: float) -> float:
    """Share of true face pixels that the parser calls face when frames are resized by ``scale`` as VDF does."""
    import torch
    import torch.nn.functional as F

    x = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255
    size = round(frames.shape[1] * scale)
    with torch.no_grad():
        logits = parser(F.interpolate(x, (size, size), mode="bilinear", align_corners=False))
        logits = F.interpolate(logits, frames.shape[1:3], mode="bilinear", align_corners=False)
    face = mask_of(labels, FACE)
    return float(mask_of(logits.argmax(1).byte().numpy(), FACE)[face].mean())


def downscaled(views: Views, size: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Frames and labels of ``views`` at another edge."""
    index = ((np.arange(size) + 0.5) * views.rgb.shape[1] / size).astype(int)
    return resize(views.rgb, size), views.labels[:, index[:, None], index[None]]


def parser_gates(parser: Parser, views: Views) -> dict[str, Any]:
    """Grouped IoU, and the lowest face recall over the five scales of 96 and 128 px frames."""
    groups = grouped_iou(parser, views)
    recalls = {
        f"{size}px_x{scale:g}": face_recall(parser, *downscaled(views, size), scale)
        for size in (96, 128)
        for scale in SCALES
    }
    return {
        "grouped_iou": float(np.mean(list(groups.values()))),
        "iou": groups,
        "face_recall": min(recalls.values()),
        "face_recall_at": recalls,
    }


def normalised_error(found: NDArray[np.float32], true: NDArray[np.float32]) -> NDArray[np.float32]:
    """Distance of each point over the distance of the outer eye corners: (T, 68, 2) twice to (T, 68)."""
    eyes = np.linalg.norm(true[:, 45] - true[:, 36], axis=1)
    error: NDArray[np.float32] = np.linalg.norm(found - true, axis=2) / eyes[:, None]
    return error


def landmarker_gates(landmarker: Landmarker, views: Views) -> dict[str, Any]:
    """Mean error, its worst size, and how well the score tells faces from none."""
    errors, seen = {}, []
    for size in (64, 128, views.rgb.shape[1]):
        points, score = landmarker.detect(resize(views.rgb, size))
        errors[f"{size}px"] = float(normalised_error(points, views.landmarks * (size / views.rgb.shape[1])).mean())
        seen.append(score)
    _, empty = landmarker.detect(without_faces(views))
    return {
        "landmark_nme": max(errors.values()),
        "landmark_nme_at": errors,
        "face_found": float((np.concatenate(seen) > 0.5).mean()),
        "false_alarms": float((empty > 0.5).mean()),
    }


def without_faces(views: Views) -> NDArray[np.uint8]:
    """The views with the head replaced by the mean colour of their background: what a frozen plate looks like."""
    frames = views.rgb.copy()
    for frame, labels in zip(frames, views.labels, strict=True):
        frame[mask_of(labels, (*FACE, 17, 18))] = frame[labels == 0].mean(0) if (labels == 0).any() else 128
    return frames


def equal_error(genuine: NDArray[np.float32], impostor: NDArray[np.float32]) -> float:
    """Rate at which false accepts equal false rejects."""
    thresholds = np.unique(np.concatenate([genuine, impostor]))
    accepts = 1 - np.searchsorted(np.sort(impostor), thresholds) / len(impostor)
    rejects = np.searchsorted(np.sort(genuine), thresholds) / len(genuine)
    best = np.argmin(np.abs(accepts - rejects))
    return float((accepts[best] + rejects[best]) / 2)


def embedder_gates(embedder: Embedder, views: Views) -> dict[str, Any]:
    """Equal error rate over all pairs, and the cosine that one impostor pair in a thousand exceeds."""
    vectors = embedder.embed(views.rgb, views.landmarks)
    cosine = vectors @ vectors.T
    upper = np.triu(np.ones_like(cosine, bool), 1)
    same = views.identity[:, None] == views.identity[None]
    genuine, impostor = cosine[upper & same], cosine[upper & ~same]
    tau = float(np.quantile(impostor, 1 - 1e-3))
    return {
        "eer": equal_error(genuine, impostor),
        "tau": tau,
        "false_rejects_at_tau": float((genuine < tau).mean()),
        "pairs": [len(genuine), len(impostor)],
    }


def audio_mouth_gates(network: AudioMouth, unseen: Utterances) -> dict[str, Any]:
    """Mean correlation of heard and true lips within an utterance: opening and width."""
    times = np.arange(unseen.lips.shape[1]) / 100
    rows = []
    for mel, lips in zip(unseen.mel, unseen.lips, strict=True):
        heard, _ = network.hear(mel, times)
        rows.append([np.corrcoef(heard[:, k], lips[:, k])[0, 1] for k in range(2)])
    opening, width = np.mean(rows, axis=0)
    return {"voice_r": float(opening), "voice_r_width": float(width)}


def oval_mask(mesh: NDArray[np.float32], size: int) -> NDArray[np.bool_]:
    """Inside of MediaPipe's face oval: mesh (478, 2) in pixels to (size, size)."""
    from skimage.draw import polygon2mask

    mask: NDArray[np.bool_] = polygon2mask((size, size), mesh[list(FACE_OVAL)][:, ::-1])  # type: ignore[no-untyped-call]
    return mask


def real_face_iou(parser: Parser, frames: NDArray[np.uint8], mesh: NDArray[np.float32]) -> float:
    """Mean IoU of the parsed face (labels 1 to 13 without the ears) and MediaPipe's oval, on upright heads.

    The oval ends half-way up the forehead, so the rows from the brows to a quarter of the oval above its top are not
    counted; a face seen higher, in the hair or the background, is an error again.
    """
    faces = mask_of(parser.parse(frames), set(FACE) - {7, 8, 9})
    values = []
    for face, points in zip(faces, mesh, strict=True):
        oval = points[list(FACE_OVAL), 1]
        forehead = oval.min() - 0.25 * np.ptp(oval), points[list(MESH_TO_68[17:27]), 1].min()
        rows = np.arange(len(face)) + 0.5
        counted = (rows < forehead[0]) | (rows > forehead[1])
        values.append(iou(face[counted], oval_mask(points, len(face))[counted]))
    return float(np.mean(values))


def real_landmark_nme(landmarker: Landmarker, frames: NDArray[np.uint8], mesh: NDArray[np.float32]) -> float:
    """Mean error against MediaPipe's points at the places of the 68."""
    points, _ = landmarker.detect(frames)
    return float(normalised_error(points, mesh[:, list(MESH_TO_68)]).mean())
