"""What several judges look at, computed once per cell: masks, landmarks, lip openings, cosines.

An :class:`Observation` is the evidence itself with lazy views. ``judge_all`` hands one to all judges, so that no
network sees the same frames twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vdf_bench.core import labels as classes
from vdf_bench.core import registry
from vdf_bench.core.interfaces import Evidence
from vdf_bench.judges import points as face
from vdf_bench.recognisers.choice import AUTO, choose, is_real

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from vdf_bench.core.capture import Capture
    from vdf_bench.core.clip import Clip
    from vdf_bench.core.interfaces import LandmarkModel, RecogniserModel

#: The landmarker's own boundary between face and no face.
SEEN = 0.5
#: Clean training frames behind an enrolment.
ENROLMENT_FRAMES = 32


@dataclass(frozen=True)
class Tools:
    """The networks with which judges look at faces.

    Attributes:
        landmarker: a registered one.
        recogniser: a registered one, or ``auto``: see :mod:`vdf_bench.recognisers.choice`.
        parameters: of both kinds, by component.
    """

    landmarker: str = "builtin"
    recogniser: str = AUTO
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def load_landmarker(self) -> LandmarkModel:
        """The landmarker with its weights."""
        found = registry.load("landmarkers", self.landmarker).configured(self.parameters.get(self.landmarker, {}))
        model: LandmarkModel = found.load()
        return model

    def load_recogniser(self, clip: Clip) -> RecogniserModel:
        """The recogniser of a clip with its weights."""
        return choose(self.recogniser, self.parameters, is_real(clip)).load()


class Faces(NamedTuple):
    """Landmarks (T, 68, 2) float32 pixels, zero where ``seen`` (T,) is False."""

    points: NDArray[np.float32]
    seen: NDArray[np.bool_]


class Lips(NamedTuple):
    """Inner-lip openings (J,) of clone and owner on the frames where the owner's face is found.

    Attributes:
        clone, truth: opening over the owner's inter-ocular distance, block means removed; 0 where unseen.
        frames: (J,) positions among the held-out frames.
        blocks: positions into these arrays, a block at a time.
    """

    clone: NDArray[np.float64]
    truth: NDArray[np.float64]
    frames: NDArray[np.int64]
    blocks: list[NDArray[np.int64]]


@dataclass(frozen=True)
class Observation(Evidence):
    """Evidence with lazy views; B is the number of held-out frames.

    Attributes:
        tools: networks that look at faces; each is loaded when first asked for, and serves all judges of the cell.
    """

    tools: Tools = field(default_factory=Tools)

    @cached_property
    def undefended(self) -> bool:
        """Whether this arm published the clip as it is: then it is its own clean twin."""
        same = self.capture is not None and self.clean_capture is self.capture
        return same or bool(np.array_equal(self.protected, self.clip.frames))

    @cached_property
    def true_frames(self) -> NDArray[np.uint8]:
        """(B, S, S, 3): the clean frames that the clone should look like."""
        return self.clip.frames[self.split.heldout]

    @cached_property
    def clone_frames(self) -> NDArray[np.uint8]:
        """(B, S, S, 3): the clone; without a fit, the clean backdrop on which no head was put, else black."""
        if self.rendering is not None:
            return self.rendering.rgb
        capture = self.clean_capture or self.capture
        return np.zeros_like(self.true_frames) if capture is None else capture.backdrop(self.split.heldout)

    @cached_property
    def alpha(self) -> NDArray[np.float32] | None:
        """(B, S, S) opacity in [0, 1]; 0 without a fit; None where the clone is a video only."""
        if self.rendering is None:
            return np.zeros(self.true_frames.shape[:3], np.float32)
        return None if self.rendering.alpha is None else np.clip(np.nan_to_num(self.rendering.alpha), 0, 1)

    @cached_property
    def depth(self) -> NDArray[np.float32] | None:
        """(B, S, S) camera z of the clone's surface, 0 where there is none or no fit; None where it is not known."""
        if self.rendering is None:
            return np.zeros(self.true_frames.shape[:3], np.float32)
        if self.rendering.depth is None or self.alpha is None:
            return None
        return np.where(self.alpha > 0.5, np.nan_to_num(self.rendering.depth, posinf=0, neginf=0), 0)

    @cached_property
    def head(self) -> NDArray[np.bool_]:
        """(B, S, S) head (face and hair) on the true frames: the truth's, else the clean capture's, else all."""
        labels = self.true_labels
        return np.ones(self.true_frames.shape[:3], bool) if labels is None else classes.mask_of(labels, classes.HEAD)

    @cached_property
    def room(self) -> NDArray[np.bool_]:
        """(B, S, S) pixels of the true frames that show nothing of the person, from the same source; else none."""
        labels = self.true_labels
        if labels is None:
            return np.zeros(self.true_frames.shape[:3], bool)
        return classes.mask_of(labels, classes.BACKGROUND)

    @cached_property
    def true_labels(self) -> NDArray[np.uint8] | None:
        """(B, S, S) classes of the true frames: the truth's, else the clean capture's."""
        if self.clip.truth is not None:
            return self.clip.truth.labels[self.split.heldout]
        capture: Capture | None = self.clean_capture or self.capture
        return None if capture is None else capture.labels[self.split.heldout]

    @cached_property
    def landmarker(self) -> LandmarkModel:
        return self.tools.load_landmarker()

    @cached_property
    def recogniser(self) -> RecogniserModel:
        return self.tools.load_recogniser(self.clip)

    def find(self, frames: NDArray[np.uint8]) -> Faces:
        """Landmarks of ``frames``; a face counts as seen when scored above :data:`SEEN`."""
        found, score = self.landmarker.detect(frames)
        seen = (score >= SEEN) & np.isfinite(found).all((1, 2))
        return Faces(np.where(seen[:, None, None], found, 0).astype(np.float32), seen)

    @cached_property
    def true_faces(self) -> Faces:
        """Landmarks on the true held-out frames, by the same network as the clone's, so that its bias cancels."""
        return self.find(self.true_frames)

    @cached_property
    def clone_faces(self) -> Faces:
        """Landmarks on the clone; none without a fit."""
        if self.rendering is None:
            count = len(self.split.heldout)
            return Faces(np.zeros((count, 68, 2), np.float32), np.zeros(count, bool))
        return self.find(self.clone_frames)

    @cached_property
    def lips(self) -> Lips:
        """Lip openings of clone and owner; a faceless clone frame counts as its block's mean."""
        frames = np.nonzero(self.true_faces.seen)[0]
        owner = self.split.blocks[frames]
        blocks = [np.nonzero(owner == block)[0] for block in np.unique(owner)]
        scale = face.inter_ocular(self.true_faces.points[frames])
        truth = face.centre_blocks(face.lip_opening(self.true_faces.points[frames], scale), blocks)
        opening = face.lip_opening(self.clone_faces.points[frames], scale)
        seen = self.clone_faces.seen[frames]
        clone = face.centre_blocks(opening, [block[seen[block]] for block in blocks if seen[block].any()])
        return Lips(clone, truth, frames, blocks)

    @cached_property
    def enrolment_faces(self) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Clean training frames (E, S, S, 3) with a face, evenly spread, and their landmarks (E, 68, 2)."""
        train = self.split.train
        chosen = train[np.unique(np.linspace(0, len(train) - 1, ENROLMENT_FRAMES).round().astype(int))]
        frames = self.clip.frames[chosen]
        faces = self.find(frames)
        return frames[faces.seen], faces.points[faces.seen]

    @cached_property
    def cosines(self) -> NDArray[np.float64]:
        """(B,) cosine of each clone frame to the owner's enrolment; 0 where the clone or the owner has no face."""
        frames, landmarks = self.enrolment_faces
        faces = self.clone_faces
        cosine = np.zeros(len(faces.seen))
        if len(frames) and faces.seen.any():
            owner = self.recogniser.embed(frames, landmarks).mean(0, dtype=np.float64)
            clone = self.recogniser.embed(self.clone_frames[faces.seen], faces.points[faces.seen])
            length = np.linalg.norm(owner) * np.linalg.norm(clone, axis=1)
            cosine[faces.seen] = np.nan_to_num(clone @ owner / np.maximum(length, 1e-12))
        return np.clip(cosine, -1, 1)


def observe(evidence: Evidence, tools: Tools | None = None) -> Observation:
    """The observation of ``evidence``; itself where it is one already."""
    if isinstance(evidence, Observation):
        return evidence
    shared: dict[str, Any] = {item.name: getattr(evidence, item.name) for item in fields(Evidence)}
    return Observation(**shared, tools=tools or Tools())
