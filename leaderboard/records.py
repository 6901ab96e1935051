"""What the board keeps of an entry: one JSON file per entry, version and suite, written once.

A record is never rewritten. What happens to it later (contested, withdrawn, superseded) is appended to its events, with
a reason, and it stays visible.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints, ValidationError

from vdf_bench.core.artifact import canonical
from vdf_bench.core.errors import UserError
from vdf_bench.core.files import write_atomically
from vdf_bench.leaderboard.manifest import (
    Entry,
    Identifier,
    Line,
    Link,
    Method,
    Paper,
    Paragraph,
    Sha256,
    Slug,
    Strict,
    SuiteRef,
)

SCHEMA: Final = 1
#: The board's own records.
FOLDER: Final = Path(__file__).with_name("submissions")
#: In rising order of what stands behind the figures.
TIERS: Final = ("reported", "verified", "reproduced")
Date = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Status = Literal["listed", "contested", "withdrawn", "superseded"]


class ClipRecord(Strict):
    """One published clip, by its fingerprints.

    Attributes:
        sha256: of the decoded frames.
        prints: of every frame (:class:`vdf_bench.leaderboard.frames.Print`).
        sketch: of the perturbation, for finding copies.
        fidelity: metric -> value of the stage ``protect``.
    """

    clip: Slug
    linf: float
    sha256: Sha256
    prints: list[tuple[str, int, int, int]]
    sketch: list[int]
    fidelity: dict[str, float]


class CellRecord(Strict):
    """One attack on one clip.

    Attributes:
        status: ``scored``; ``void`` where the clean clone fails its gates, whoever protects; ``infrastructure`` where
            the machine gave up, which is nobody's success.
        outcome, code: as in the result table.
        net: net DSR: defended minus clean, through the same attacker; 0 where it is not scored.
        clean, value: metric -> value of the clean and of the defended cell.
    """

    clip: Slug
    linf: float
    attack: Line
    victim: Slug
    seed: int
    status: Literal["scored", "void", "infrastructure"]
    outcome: Line
    code: Annotated[str, StringConstraints(max_length=200)] = ""
    net: float = Field(ge=-1, le=1)
    clean: dict[str, float]
    value: dict[str, float]


class Event(Strict):
    """What happened to a record after it was written."""

    status: Status
    date: Date
    reason: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    by: Paragraph = ""


class Record(Strict):
    """An entry on the board.

    Attributes:
        tier: what was done to trust it.
        kind: ``frames`` are scored on the suite's public clips, ``method`` on held-out ones.
        manifest_sha256: of the submitted manifest's bytes.
        signed_by: fingerprint of the key that signed it; empty where nobody did.
        seconds_per_frame: CPU seconds of protecting a frame, of methods alone: frames do not tell what they took.
        environment: of the machine that computed the figures.
        pictures: files beside the records, of the first clip.
    """

    schema_version: Literal[1] = 1
    suite: SuiteRef
    entry: Entry
    tier: Literal["reported", "verified", "reproduced"]
    kind: Literal["frames", "method"]
    component: Method | None = None
    paper: Paper | None = None
    licence: Identifier
    contact: Link
    reported: dict[Line, float] = Field(default_factory=dict)
    manifest_sha256: Sha256
    signed_by: Paragraph = ""
    frames: list[ClipRecord]
    cells: list[CellRecord]
    seconds_per_frame: float | None = None
    environment: dict[Identifier, Line] = Field(default_factory=dict)
    date: Date
    failure: Paragraph = ""
    pictures: dict[Line, Line] = Field(default_factory=dict)
    events: list[Event] = Field(default_factory=list)

    @property
    def id(self) -> str:
        """What links name it: ``pgd-v1``."""
        return f"{self.entry.name}-v{self.entry.version}"

    @property
    def status(self) -> Status:
        """What the last event made of it."""
        return self.events[-1].status if self.events else "listed"

    def dump(self) -> bytes:
        """Its one text: canonical values, a line for every key of the top, so that versions can be compared."""
        value = self.model_dump(mode="json")
        lines = [f"{canonical(key)}: {canonical(value[key])}" for key in sorted(value)]
        return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def path_of(record: Record, folder: Path = FOLDER) -> Path:
    """Where a record lies."""
    return folder / record.suite.name / f"{record.id}.json"


def read_record(path: Path) -> Record:
    """A record from its file.

    Raises:
        UserError: it is damaged.
    """
    try:
        return Record.model_validate_json(path.read_bytes())
    except (OSError, ValidationError, ValueError) as error:
        told = str(error).splitlines()[0]
        raise UserError(
            f"{path} is not a record of the leaderboard ({told}): restore it from the git history"
        ) from error


def read_records(folder: Path = FOLDER) -> list[Record]:
    """All records below a folder, by path.

    Raises:
        UserError: one is damaged, or lies where another belongs.
    """
    found = []
    for path in sorted(folder.glob("*/*.json")):
        record = read_record(path)
        if path != path_of(record, folder):
            raise UserError(
                f"{path} is the record of {record.id} in {record.suite.name}: move it to that suite and name"
            )
        found.append(record)
    return found


def add_record(record: Record, folder: Path = FOLDER) -> Path:
    """Write a new record; where it lies.

    Raises:
        UserError: there is another one of this entry, version and suite, and the machine did not give up on that.
    """
    path = path_of(record, folder)
    if path.exists() and path.read_bytes() != record.dump() and not read_record(path).failure:
        raise UserError(
            f"{path} already exists, and records are never overwritten: raise --entry-version and submit again"
        )
    write_atomically(path, record.dump())
    return path


def add_event(path: Path, event: Event) -> Record:
    """Append an event to a record; the record as it is now.

    Raises:
        UserError: it is no record.
    """
    record = read_record(path)
    changed = record.model_copy(update={"events": [*record.events, event]})
    write_atomically(path, changed.dump())
    return changed


def newest(records: list[Record]) -> dict[tuple[str, str], Record]:
    """(suite hash, entry) -> its record of the highest version."""
    found: dict[tuple[str, str], Record] = {}
    for record in sorted(records, key=lambda each: each.entry.version):
        found[record.suite.sha256, record.entry.name] = record
    return found


__all__ = [
    "FOLDER",
    "SCHEMA",
    "TIERS",
    "CellRecord",
    "ClipRecord",
    "Event",
    "Record",
    "add_event",
    "add_record",
    "newest",
    "path_of",
    "read_record",
    "read_records",
]
