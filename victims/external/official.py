"""The victim that every adapter is: it trains an official system, lets it render the held-out part, and reads that."""

from __future__ import annotations

import hashlib
import uuid
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from vdf_bench.assets.checkouts import Checkout, Finding, find_checkout
from vdf_bench.core.cards import Component, Parameters
from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from vdf_bench.core.capture import Capture
    from vdf_bench.core.interfaces import Drive, FitSetting, Rendering
    from vdf_bench.victims.external.system import Job, System

ENTRY = "capture: train from our capture; video: run the official preprocessing on the video"


class LineageParameters(Parameters):
    """Of systems that train from the RAD-NeRF lineage's folder."""

    entry: Literal["capture", "video"] = Field("capture", description=ENTRY)
    features: Literal["deepspeech", "esperanto", "hubert"] = Field("deepspeech", description="audio features")


class VideoHead:
    """What an official system leaves: the held-out frames that it rendered with its own audio features.

    Args:
        frames: (B, S, S, 3) uint8 RGB.
        notes: what a reader of the results should know.
    """

    #: For the record of the run.
    driven_by = "the system's own audio features"

    def __init__(self, frames: NDArray[np.uint8], notes: tuple[str, ...] = ()) -> None:
        self._frames = frames
        self.notes = notes

    def render(self, drive: Drive) -> Rendering:
        """The rendered frames, whatever ``drive`` asks besides their number.

        Raises:
            UserError: ``drive`` is not the held-out part.
        """
        from vdf_bench.core.interfaces import Rendering

        if len(drive.eyes) != len(self._frames):
            raise UserError(
                f"an official system rendered {len(self._frames)} held-out frames and cannot be driven by "
                f"{len(drive.eyes)} others: drive it by the held-out part"
            )
        return Rendering(rgb=self._frames)

    def state(self) -> dict[str, NDArray[np.generic]]:
        return {"rgb": self._frames}


class Official(Component):
    """Base of the adapters: each adds a card, a :class:`~vdf_bench.victims.external.system.System` and parameters."""

    system: ClassVar[System]
    #: Seconds between asking a stopped step to end and killing it.
    grace: ClassVar[float] = 10.0

    def fit(self, capture: Capture, setting: FitSetting) -> VideoHead:
        """Train, and render the held-out frames; ``setting.timeout`` gives way to the hours of the user's file.

        Raises:
            FitFailed: the system failed on this clip, with a code that says where.
            UserError: the checkout is not usable, or the machine failed.
        """
        from vdf_bench.core.interfaces import FitFailed
        from vdf_bench.victims.external.pipeline import run_steps
        from vdf_bench.victims.external.system import Job
        from vdf_bench.victims.external.workspace import free_port, gpu_turn, work_copy

        if setting.target != "composite":
            raise FitFailed("refused", "full-frame-target@prepare")  # they all train on composites
        system, checkout = self.system, self._checkout()
        name = f"clip{uuid.uuid4().hex[:12]}"
        writes = [path.format(name=name) for path in system.writes]
        with gpu_turn(checkout.gpu), work_copy(checkout, system.name, writes) as root:
            entry, features = self.parameters.entry, getattr(self.parameters, "features", "")
            job = Job(root, name, capture, setting, checkout, entry, features, free_port())
            system.prepare(job)
            run_steps(system, job, 3600 * (checkout.hours or system.hours), self.grace)
            return VideoHead(self._collect(job), self._notes(job))

    def restore(self, state: dict[str, NDArray[np.generic]]) -> VideoHead:
        frames: Any = state["rgb"]
        return VideoHead(frames)

    @classmethod
    def fingerprint(cls) -> str:
        """The checkout's commit, what was changed in it, its weights by name and size, and what the user's file sets.

        Raises:
            UserError: the user's file is broken.
        """
        checkout = find_checkout(cls.system.name)
        if checkout is None:
            return "none"
        places = [checkout.repo / weight.path for weight in cls.system.weights]
        files = {file for place in places for file in ([place] if place.is_file() else place.rglob("*"))}
        sizes = sorted((f.relative_to(checkout.repo).as_posix(), f.stat().st_size) for f in files if f.is_file())
        told = (checkout.iters_scale, checkout.hours or cls.system.hours, checkout.stall)
        return repr([commit_of(checkout.repo), sizes, told])

    @classmethod
    def doctor(cls, entry: str = "") -> list[Finding]:
        """What the system needs here for ``entry`` (by default its own default), and what of it is missing.

        Raises:
            UserError: it has no such entry, or the user's file is broken.
        """
        from vdf_bench.victims.external.doctor import examine

        return examine(cls.system, cls.configured({"entry": entry} if entry else {}).parameters.entry)

    def _checkout(self) -> Checkout:
        """The checkout, with what can be told of it without running anything.

        Raises:
            UserError: something is missing.
        """
        from vdf_bench.victims.external.doctor import examine_files

        checkout = find_checkout(self.system.name)
        if checkout is None:
            raise UserError(f"victim {self.card.name} needs a checkout: run `vdf-bench doctor {self.card.name}`")
        for finding in examine_files(self.system, checkout, self.parameters.entry):
            if finding.missing:
                what = f"{finding.what}: {finding.missing}"
                raise UserError(f"victim {self.card.name}: {what}: run `vdf-bench doctor {self.card.name}`")
        return checkout

    def _notes(self, job: Job) -> tuple[str, ...]:
        commit = commit_of(job.checkout.repo)
        written = "" if commit.startswith(self.system.commit) else f", the adapter was written for {self.system.commit}"
        told = f"{self.system.url} at {' '.join(word[:12] for word in commit.split())}{written}"
        proxies = self.system.notes.get(job.entry)
        return (told, proxies) if proxies else (told,)

    def _collect(self, job: Job) -> NDArray[np.uint8]:
        """The rendered frames, (B, S, S, 3) uint8 RGB, resampled where the system has a size of its own.

        Raises:
            FitFailed: there are too few, or they do not decode.
        """
        import numpy as np
        from PIL import Image

        from vdf_bench.core.interfaces import FitFailed
        from vdf_bench.video.decode import read_frames

        wanted, size = len(job.capture.split.heldout), job.capture.size
        videos = sorted(job.root.glob(self.system.video(job)))
        if not videos:
            raise FitFailed("diverged", "missing video@render")
        try:
            frames = list(islice(read_frames(videos[-1]), wanted + 1))
        except UserError:
            raise FitFailed("diverged", "broken video@render") from None
        if len(frames) < wanted or (self.system.exact and len(frames) > wanted):
            more = "more than " if len(frames) > wanted else ""
            raise FitFailed("diverged", f"frames {more}{min(len(frames), wanted)}/{wanted}@render")
        square = (size, size)
        return np.stack(
            [
                f if f.shape[:2] == square else np.asarray(Image.fromarray(f).resize(square, Image.Resampling.LANCZOS))
                for f in frames[:wanted]
            ]
        )


def commit_of(repo: Path) -> str:
    """The commit of a checkout and a digest of what was changed since; of a plain folder, a digest of its scripts."""
    import subprocess

    def git(*arguments: str) -> bytes:
        command = ["git", "-C", str(repo), *arguments]
        return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout  # noqa: S603

    try:
        commit = git("rev-parse", "HEAD").decode().strip()
        changed = git("diff", "HEAD")
    except (OSError, subprocess.SubprocessError):
        total = hashlib.sha256()
        for file in sorted([*repo.rglob("*.py"), *repo.rglob("*.sh")]):
            total.update(file.relative_to(repo).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
        return f"files {total.hexdigest()}"
    return commit + (f" changed {hashlib.sha256(changed).hexdigest()}" if changed else "")
