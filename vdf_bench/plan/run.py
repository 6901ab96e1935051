"""A run: what is asked, what it computes, and where it goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vdf_bench.core.artifact import digest

if TYPE_CHECKING:
    from pathlib import Path

    from vdf_bench.plan.graph import Plan
    from vdf_bench.plan.request import Request
    from vdf_bench.store import Store


@dataclass(frozen=True)
class Run:
    """Where a run stands.

    Attributes:
        out: its folder: table, page, pictures, and by default its store.
        store: its artifacts.
        plan: what it computes.
        request: what was asked.
        config: the options that ask for it, as ``config.toml``; empty where none do.
        command: the command that asks for it; empty where it is that of this process.
    """

    out: Path
    store: Store
    plan: Plan
    request: Request
    config: str = ""
    command: str = ""

    @property
    def identity(self) -> str:
        """Digest of what was asked and of the code that answers: equal identities give equal tables."""
        suite = self.request.suite.record() if self.request.suite else None
        return digest([sorted(self.plan.steps), [vars(cell) for cell in self.plan.cells], self.plan.left_out, suite])

    @property
    def matrix(self) -> str:
        """Digest of what was asked, whatever code answers it: tells whether a folder holds this matrix."""
        cells = [list(cell.only().values()) for cell in self.plan.cells]
        request = self.request
        size = [request.preset.name, request.preset.size, request.preset.frames, request.device, request.timeout]
        asked_of_all = [request.track, request.drive, request.iterations, request.protected_share, *size]
        who = [list(request.judges), request.landmarker, request.recogniser]
        return digest([cells, sorted(request.overrides.items()), *asked_of_all, *who])
