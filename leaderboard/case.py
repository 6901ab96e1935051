"""A submission on the table: what rules look at, made when it is first asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from vdf_bench.leaderboard import strict_json
from vdf_bench.leaderboard.manifest import FILE, Manifest, upgrade
from vdf_bench.leaderboard.suites import SUITES
from vdf_bench.leaderboard.tree import Node, read_bytes

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from vdf_bench.leaderboard.media import Media
    from vdf_bench.leaderboard.records import Record
    from vdf_bench.leaderboard.suite import BoardSuite


@dataclass
class Case:
    """One submission.

    Attributes:
        root: its folder; of an archive, where it was unpacked.
        nodes: what lies in it.
        records: entries that the board holds already.
        media: path -> what decoding in a child process gave; filled between the stages ``files`` and ``media``.
        archive: why the archive it came in could not be read; empty where it could, or there was none.
    """

    root: Path
    nodes: list[Node]
    records: list[Record] = field(default_factory=list)
    media: dict[str, Media] = field(default_factory=dict)
    archive: str = ""

    @cached_property
    def manifest_bytes(self) -> bytes:
        """At most what may be parsed, and a byte."""
        return read_bytes(self.root, FILE, strict_json.MAX_BYTES + 1)

    @cached_property
    def parsed(self) -> tuple[Any, strict_json.JsonRefusedError | None]:
        """The manifest's JSON value, or why it has none."""
        try:
            return strict_json.parse(self.manifest_bytes), None
        except strict_json.JsonRefusedError as error:
            return None, error

    @cached_property
    def read(self) -> tuple[Manifest | None, str, str]:
        """The manifest; or None, the rule that refuses it, and why."""
        value, error = self.parsed
        if error is not None:
            return None, f"manifest-{error.code}", str(error)
        if not isinstance(value, dict):
            return None, "manifest-schema", f"it is a {type(value).__name__}, not an object"
        try:
            value = upgrade(value)
        except LookupError as problem:
            return None, "manifest-version", str(problem.args[0])
        try:
            return Manifest.model_validate(value), "", ""
        except ValidationError as problem:
            first = problem.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "the whole"
            more = f" (and {problem.error_count() - 1} more)" if problem.error_count() > 1 else ""
            return None, "manifest-schema", f"{where}: {first['msg']}{more}"

    @property
    def manifest(self) -> Manifest:
        """The manifest, in stages that come after it was found good."""
        found = self.read[0]
        assert found is not None
        return found

    @property
    def suite(self) -> BoardSuite:
        """The suite that it names, likewise."""
        return SUITES[self.manifest.suite.name]

    @cached_property
    def control(self) -> bool:
        """Whether the entry says of itself that nobody would deploy it: some errors are then warnings; no rank."""
        return self.manifest.entry.role == "control"

    @cached_property
    def sources(self) -> dict[str, NDArray[np.uint8]]:
        """Frames of the suite's clips."""
        return {name: self.suite.clip(name).frames for name in self.suite.clips}
