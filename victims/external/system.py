"""What an adapter declares of its system: where things are, which commands run in which order, what each must make."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from vdf_bench.assets.checkouts import Checkout
    from vdf_bench.core.capture import Capture
    from vdf_bench.core.interfaces import FitSetting

Entry = Literal["capture", "video"]
Stage = Literal["prepare", "train", "drive"]

#: What tqdm draws: ``6000/50000 [01:02<...``, or ``123it [...`` where it knows no total.
BAR: Final = re.compile(r"(\d+)(?:/\d+|it) \[")


@dataclass(frozen=True)
class Job:
    """One cell at work.

    Attributes:
        root: the work copy; commands run here and every path of theirs is relative to it.
        name: what the clip is called in it: unique, letters and digits.
        capture: what the attacker made of the clip.
        setting: how it trains.
        checkout: where the system is installed.
        entry: what the system is fed with.
        features: which audio features it takes.
        port: a free TCP port.
    """

    root: Path
    name: str
    capture: Capture
    setting: FitSetting
    checkout: Checkout
    entry: Entry
    features: str
    port: int

    @property
    def data(self) -> Path:
        """The folder of the clip in the RAD lineage."""
        return self.root / "data" / self.name

    def steps(self, official: int, total: int, least: int = 1, multiple: int = 1) -> int:
        """Training steps of a stage.

        Args:
            official: steps of the stage, as published.
            total: those of all stages together.
            least: fewer break the system.
            multiple: only multiples of this save a checkpoint.
        """
        asked = self.setting.iterations
        scale = self.checkout.iters_scale if asked is None else asked / total
        return max(least, round(official * scale / multiple) * multiple, multiple)


Fix = Callable[[Job], None]


@dataclass(frozen=True)
class Step:
    """One command, and how to tell whether it did its work.

    Attributes:
        name: what codes call it: ``task 7``, ``train face``.
        stage: what a failure means: a clip that cannot be prepared is refused, a training that fails diverged.
        command: program and arguments; ``python`` is the checkout's own.
        makes: file patterns below the work copy, and how many files each must match (None: one or more, none empty).
        count: finds the iteration in its output; None takes any new line as progress.
        environment: more of it.
        keeps: whether what it ``makes`` counts even if it fails afterwards: the lineage evaluates after rendering.
        then: fixes known defects of what it made.
    """

    name: str
    stage: Stage
    command: tuple[str, ...]
    makes: Mapping[str, int | None] = field(default_factory=dict)
    count: re.Pattern[str] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    keeps: bool = False
    then: Fix | None = None


@dataclass(frozen=True)
class Weight:
    """A file that the user must fetch.

    Attributes:
        path: below the checkout.
        command: what fetches or makes it; ``{repo}``, ``{python}`` and ``{bfm}`` are filled in.
        entries: the entries that need it.
    """

    path: str
    command: str
    entries: tuple[Entry, ...] = ("capture", "video")


@dataclass(frozen=True)
class System:
    """An official system.

    Attributes:
        name: in the user's file.
        url, commit: the repository, and the commit that the adapter was written by.
        markers: files by which its checkout is known.
        modules: what its interpreter must import, and the command that installs each (``{python}``, ``{repo}``).
        weights: files that the user must fetch.
        programs: programs that must be on its path, and for which entries.
        hours: wall hours that one cell may take.
        writes: folders that it writes to, ``{name}`` being the clip's; the work copy has them for itself.
        prepare: lays out the clip in the work copy, before any command runs.
        plan: the commands, first to last.
        video: file pattern of what it rendered, below the work copy.
        notes: what a reader of its results should know, for each entry.
        sapiens: whether it runs commands in an environment of Sapiens.
        exact: whether the video holds the held-out frames and no others; else it may be longer.
        restart: finds lines with which it starts itself again.
        hazards: further messages that tell what went wrong, and the code that says it.
    """

    name: str
    url: str
    commit: str
    markers: tuple[str, ...]
    modules: Mapping[str, str]
    weights: tuple[Weight, ...]
    hours: float
    writes: tuple[str, ...]
    prepare: Fix
    plan: Callable[[Job], list[Step]]
    video: Callable[[Job], str]
    programs: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    notes: Mapping[Entry, str] = field(default_factory=dict)
    sapiens: bool = False
    exact: bool = True
    restart: re.Pattern[str] | None = None
    hazards: tuple[tuple[str, str], ...] = ()
