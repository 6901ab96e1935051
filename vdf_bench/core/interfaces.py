"""The seams of the benchmark: what flows between the steps, and what a plug-in must do.

Plug-ins derive from :class:`vdf_bench.core.cards.Component` (card and parameters) and follow one of these protocols.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from vdf_bench.core.budget import Budget
    from vdf_bench.core.capture import Capture
    from vdf_bench.core.cards import Card
    from vdf_bench.core.clip import Clip, Pose, Split
    from vdf_bench.core.metrics import Measurement, Metric

Target = Literal["composite", "full"]
Outcome = Literal["trained", "frozen", "refused", "diverged", "timed-out", "void", "edited"]
Scale = Literal["compact", "paper"]
#: What a victim may compute in where half the precision would do.
Precision = Literal["float32", "bfloat16"]
#: How frames are resized for a parser: Lanczos, or averages over what a pixel covers.
Kernel = Literal["lanczos", "area"]
#: ``video``: clips that 3D-field heads are trained on; ``images``: one-frame clips that attribute editors change.
Track = Literal["video", "images"]


@dataclass(frozen=True)
class Setting:
    """The settings that a defense or purifier gets.

    Attributes:
        budget: bound on the perturbation (defenses; purifiers ignore it).
        size: edge of the square frames, pixels.
        fps: frames per second.
        seed: of every random choice.
        surrogate: the face parser that a defense may differentiate, frozen; None for purifiers and controls, and
            where ``editor`` takes its place.
        editor: the attribute editor that a defense may differentiate instead, frozen, and the edits it shall spoil.
        device: torch device.
        prepared: what the defense's ``prepare`` returned for this budget, size, seed and network; None where it has
            no such method, or was not asked.
        clean: gives unprotected footage of the same clip, frame for frame, for attackers who have some (purifiers).
    """

    budget: Budget
    size: int
    fps: Fraction = Fraction(25)
    seed: int = 0
    surrogate: DifferentiableParser | None = None
    editor: EditorModel | None = None
    device: str = "cpu"
    prepared: Mapping[str, NDArray[np.generic]] | None = None
    clean: Callable[[], Iterator[Tensor]] | None = None


class Defense(Protocol):
    """Protects a video within a budget.

    One that makes something beforehand, for whatever video comes, has a method ``prepare(setting)`` too, which returns
    it as named arrays. It is asked once for all clips, and :attr:`Setting.prepared` hands its answer to ``protect``.
    """

    def protect(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        """Yield one protected frame per frame, causally and streaming.

        Args:
            frames: (3, S, S) float32 RGB in [0, 1], multiples of 1/255.
            setting: budget, size, seed, surrogate.

        Yields:
            (3, S, S) float32 RGB in [0, 1], multiples of 1/255, within ``setting.budget``.
        """
        ...

    def log(self) -> dict[str, list[float]]:
        """Per-frame record of the last ``protect`` (``iterations``, ``success`` ...); empty where there is none."""
        ...


@dataclass(frozen=True)
class Harmless:
    """Under which parameters a purifier leaves every frame alone.

    Attributes:
        parameters: values by name; the others keep their defaults.
        levels: by how much an 8-bit value may then differ at most.
    """

    parameters: dict[str, Any]
    levels: float = 0.0


class Purifier(Protocol):
    """Anything that happens to the frames between publication and capture.

    Attributes:
        harmless: the strength at which it does nothing; None says that there is none.
    """

    harmless: ClassVar[Harmless | None]

    def purify(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        """Yield one frame per frame: (3, S, S) float32 RGB in [0, 1]; may look ahead as far as it must."""
        ...


class ParserModel(Protocol):
    """A face parser, loaded.

    One that resizes frames before it looks has ``edges``, the smallest and largest edge at which it does: whoever
    resizes frames for it opens them. One that can be taught is a ``torch.nn.Module``.
    """

    def parse(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(T, S, S, 3) uint8 RGB to (T, S, S) uint8 classes 0..18 of CelebAMask-HQ (:mod:`vdf_bench.core.labels`)."""
        ...


class DifferentiableParser(ParserModel, Protocol):
    """A parser that a defense may differentiate."""

    def __call__(self, pictures: Tensor) -> Tensor:
        """Logits (N, 19, H, W) of RGB pictures (N, 3, H, W) in [0, 1]; differentiable, any size from 32 px."""
        ...

    def to(self, device: str) -> Self:
        """Move to a torch device."""
        ...


class Parser(Protocol):
    """A kind of face parser. Its card says whether it is ``differentiable`` (may be a surrogate) and ``teachable``."""

    def load(self, landmarker: LandmarkModel | None = None) -> ParserModel:
        """Read the weights: frozen, evaluating.

        Args:
            landmarker: of the run, for parsers that look at landmarks; None takes the shipped one.

        Raises:
            UserError: weights are absent or damaged.
        """
        ...


class LandmarkModel(Protocol):
    """A landmarker, loaded."""

    def detect(self, frames: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(T, S, S, 3) uint8 RGB to 68 iBUG points (T, 68, 2) float32 pixels (x, y) and scores (T,) in [0, 1]."""
        ...


class Landmarker(Protocol):
    """A kind of landmarker."""

    def load(self) -> LandmarkModel:
        """Read the weights.

        Raises:
            UserError: weights are absent or damaged.
        """
        ...


class RecogniserModel(Protocol):
    """A face recogniser, loaded.

    Attributes:
        name: of the model or its file.
        metric: column of its cosines in the result table.
        threshold: cosine above which two faces are taken for one person, at a false accept rate of 1e-3.
    """

    name: str
    metric: str
    threshold: float

    def embed(self, frames: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.float32]:
        """(T, D) embeddings of (T, S, S, 3) uint8 RGB frames with landmarks (T, 68, 2) in pixels."""
        ...


class Recogniser(Protocol):
    """A kind of face recogniser; derive from :class:`vdf_bench.recognisers.base.BaseRecogniser`."""

    def load(self) -> RecogniserModel:
        """Read the weights.

        Raises:
            UserError: weights are absent or damaged.
        """
        ...

    def threshold(self) -> tuple[float, str]:
        """Cosine of acceptance, and where it comes from in words; nothing is loaded."""
        ...


class EditorModel(Protocol):
    """An attribute editor, loaded: a frozen image-to-image network.

    Attributes:
        size: edge of the pictures that it gives out, pixels.
        edits: names of the changes that it can make.
    """

    size: int
    edits: tuple[str, ...]

    def edit(self, pictures: Tensor, edit: str) -> Tensor:
        """Make one change to every picture; differentiable.

        Args:
            pictures: (N, 3, S, S) float32 RGB in [0, 1], of any size: the editor resizes to its own.
            edit: one of :attr:`edits`.

        Returns:
            (N, 3, size, size) float32 RGB in [0, 1].
        """
        ...


class Editor(Protocol):
    """A victim of the images track: it changes portraits with the weights that it brings, and trains on nobody.

    Its card has the tag ``editor``.
    """

    def load(self, device: str = "cpu") -> EditorModel:
        """Read the weights.

        Raises:
            UserError: they are absent, or not what they should be.
        """
        ...


@dataclass(frozen=True)
class FitSetting:
    """How a victim trains.

    ``device``, ``scratch`` and ``tell`` say where and how it runs; they change no result on one machine.

    Attributes:
        target: ``composite`` trains on frames whose background was replaced through the parsing mask (RAD-NeRF,
            TalkingGaussian ...); ``full`` on the frames as they are.
        seed: of initialisation and sampling.
        iterations: optimisation steps, or None for the victim's default at this size.
        timeout: wall seconds after which the fit ends as ``timed-out``.
        scale: ``compact`` is sized for a CPU; ``paper`` takes the sizes and step counts of the published systems.
        device: torch device.
        scratch: file for checkpoints, from which a killed fit goes on; None keeps none.
        tell: called now and then with the share of the fit that is done.
        precision: of what a victim may compute in half of it; None takes bfloat16 where a GPU computes, else float32.
    """

    target: Target = "composite"
    seed: int = 0
    iterations: int | None = None
    timeout: float = 3600.0
    scale: Scale = "compact"
    device: str = "cpu"
    scratch: Path | None = None
    tell: Callable[[float], None] | None = None
    precision: Precision | None = None


@dataclass(frozen=True)
class Drive:
    """What makes a head speak and move: B frames.

    Attributes:
        pose: head pose of each frame, focal length in pixels of ``backdrop``.
        mouth: (B, 2) float32, opening and width over inter-ocular distance (units of ``Capture.mouth``).
        eyes: (B,) float32, eye opening over eye width (units of ``Capture.eyes``).
        backdrop: (B, S, S, 3) uint8 RGB, what stands behind the head: the torso over the plate.
        device: torch device to draw on.
    """

    pose: Pose
    mouth: NDArray[np.float32]
    eyes: NDArray[np.float32]
    backdrop: NDArray[np.uint8]
    device: str = "cpu"


@dataclass(frozen=True)
class Rendering:
    """The cloned video: B frames.

    Attributes:
        rgb: (B, S, S, 3) uint8 RGB, head over the backdrop.
        depth: (B, S, S) float32, camera z in head units where ``alpha`` > 0.5, 0 elsewhere; None where the victim
            gives out no more than a video.
        alpha: (B, S, S) float32 in [0, 1], opacity of the field; None likewise.
    """

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32] | None = None
    alpha: NDArray[np.float32] | None = None


class Head(Protocol):
    """A trained 3D field. It may have ``notes``, a tuple of lines that a reader of the results should know.

    One that does not follow ``Drive.mouth`` says in ``driven_by`` what its lips follow instead.
    """

    def render(self, drive: Drive) -> Rendering:
        """Render every frame of ``drive``."""
        ...

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Named arrays from which :meth:`Victim.restore` makes the same head; at least one entry."""
        ...


class Victim(Protocol):
    """A 3D-field talking-head system: it clones the person in a capture."""

    def fit(self, capture: Capture, setting: FitSetting) -> Head:
        """Train on ``capture.split.train``.

        Raises:
            FitFailed: the optimisation diverged or timed out.
        """
        ...

    def restore(self, state: dict[str, NDArray[np.generic]]) -> Head:
        """The head whose :meth:`Head.state` this is."""
        ...


class FitFailed(Exception):
    """Training ended without a usable field.

    Attributes:
        outcome: ``diverged`` or ``timed-out``; of official systems also ``refused``, by their own preprocessing.
        code: one word with detail, such as ``nan@iteration 120`` or ``empty-field``.
    """

    def __init__(self, outcome: Outcome, code: str) -> None:
        super().__init__(f"{outcome}: {code}")
        self.outcome: Outcome = outcome
        self.code = code


class CaptureRefused(Exception):
    """The stock pipeline stopped at this clip (policy ``strict``).

    Attributes:
        code: such as ``no_face@frame 3``.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Edits:
    """What an attribute editor made of one portrait.

    Attributes:
        names: of the changes.
        rgb: (E, S, S, 3) uint8 RGB, one picture a change, in the editor's own size.
    """

    names: tuple[str, ...]
    rgb: NDArray[np.uint8]


@dataclass(frozen=True)
class Evidence:
    """What a judge may look at. Fields of later stages are None in earlier ones.

    ``clean_*`` is the clean arm's twin: the undefended clip through the same attacker (same purifier, capture
    policy, victim, seed), so that every effect is a difference.

    Attributes:
        clip: the original clip, with truth where it was rendered.
        split: training and held-out frames.
        protected: (T, S, S, 3) uint8, as published (before any purifier).
        capture, clean_capture: what the attacker made of it.
        rendering, clean_rendering: clones on the held-out frames; None where the fit failed.
        edits, clean_edits: of attribute editors; None in the video track.
        outcome, code: outcome of the fit so far (``trained`` unless it failed or was refused).
        log: per-frame record of the defense.
        seconds: CPU seconds of the steps behind this evidence, by step name.
        peak_mib: peak resident memory of those steps, by step name.
    """

    clip: Clip
    split: Split
    protected: NDArray[np.uint8]
    capture: Capture | None = None
    clean_capture: Capture | None = None
    rendering: Rendering | None = None
    clean_rendering: Rendering | None = None
    edits: Edits | None = None
    clean_edits: Edits | None = None
    outcome: Outcome = "trained"
    code: str = ""
    log: dict[str, list[float]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    peak_mib: dict[str, float] = field(default_factory=dict)


class Judge(Protocol):
    """A metric, or a family of them that share a model.

    Attributes:
        card: what it is.
        stage: the step after which it can run: ``protect`` sees ``protected``, ``capture`` sees captures too,
            ``clone`` sees renderings too; ``edit`` sees ``protected`` and edits.
    """

    card: ClassVar[Card]
    stage: ClassVar[Literal["protect", "capture", "clone", "edit"]]

    @classmethod
    def declared(cls) -> tuple[Metric, ...]:
        """Every metric that :meth:`measure` may give, weights or not; no other judge may declare these names."""
        ...

    def measure(self, evidence: Evidence) -> Iterable[Measurement]:
        """Measure; failed or faceless output maps to a defined value, never to NaN.

        Yields:
            Rows of declared metrics, best made by :meth:`vdf_bench.core.metrics.Metric.measurement`.
        """
        ...
