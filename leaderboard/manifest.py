"""What a submission says of itself: ``manifest.json``, closed to unknown keys, in one canonical text.

No field holds a score that counts. What a submitter measured stands in ``reported`` and is shown as such.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from vdf_bench.leaderboard.strict_json import canonical_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

#: Raised whenever a field is added or changes its meaning.
SCHEMA: Final = 2
FILE: Final = "manifest.json"
#: Detached signature over the manifest's bytes, as ``ssh-keygen -Y sign`` writes it.
SIGNATURE: Final = "manifest.json.sig"
#: Suffix -> media type of what a submission may hold.
MEDIA: Final = {
    ".json": "application/json",
    ".png": "image/png",
    ".mkv": "video/x-matroska",
    ".toml": "application/toml",
    ".md": "text/markdown",
}

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
#: Names that stand in links and file names.
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$")]
Line = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Paragraph = Annotated[str, StringConstraints(max_length=600)]
Link = Annotated[str, StringConstraints(min_length=1, max_length=300)]
Relative = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$")]
Scalar = bool | int | float | Line


class Strict(BaseModel):
    """Closed to unknown keys and to values of another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class SuiteRef(Strict):
    """The suite that the submission was made for."""

    name: Slug
    sha256: Sha256


class Entry(Strict):
    """What the leaderboard calls it.

    Attributes:
        name: of the entry; with the version it is its permalink.
        version: raised by whoever submits again.
        role: ``control`` for what nobody would deploy: it is shown and never ranked.
    """

    name: Slug
    version: int = Field(ge=1, le=9999)
    title: Line
    summary: Paragraph = ""
    authors: list[Line] = Field(min_length=1, max_length=30)
    role: Literal["defense", "control"] = "defense"


class Paper(Strict):
    """Where the method is described."""

    title: Line
    url: Link


class Method(Strict):
    """A registered component: the Python package that offers it, and its parameters."""

    package: Identifier
    package_version: Identifier
    defense: Identifier
    defense_version: int = Field(ge=1, le=9999)
    config: dict[Identifier, Scalar | list[Scalar]] = Field(default_factory=dict, max_length=60)


class ProtectedClip(Strict):
    """One protected clip of the suite."""

    clip: Slug
    linf: float = Field(gt=0, le=255)
    file: Relative
    frames: int = Field(ge=1, le=15000)
    size: int = Field(ge=32, le=2048)
    fps: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,4}/[0-9]{1,4}$")]
    source_sha256: Sha256
    frames_sha256: Sha256


class FileEntry(Strict):
    """One file beside the manifest."""

    path: Relative
    bytes: int = Field(ge=1)
    sha256: Sha256
    media_type: Line


class Manifest(Strict):
    """All of it.

    Attributes:
        kind: ``frames``: protected clips, from which everything is recomputed; ``method``: a component to run again.
        track: ``video``: clips that heads are trained on; ``images``: portraits that attribute editors change.
        component: what made the frames, or what is to be run.
        seeds: of the defense.
        consent: the submitter may publish these files under ``licence`` and agrees that results stay public.
        reported: figures that the submitter measured: net DSR by budget in levels of 255, such as ``{"12.75": 0.8}``.
    """

    schema_version: Literal[2]
    kind: Literal["frames", "method"]
    track: Literal["video", "images"]
    suite: SuiteRef
    entry: Entry
    component: Method | None = None
    clips: list[ProtectedClip] = Field(default_factory=list, max_length=200)
    files: list[FileEntry] = Field(default_factory=list, max_length=400)
    seeds: list[int] = Field(min_length=1, max_length=20)
    environment: dict[Identifier, Line] = Field(default_factory=dict, max_length=40)
    licence: Identifier
    contact: Link
    paper: Paper | None = None
    consent: Literal[True]
    reported: dict[Line, float] = Field(default_factory=dict, max_length=40)

    def dump(self) -> bytes:
        """Its canonical text."""
        return canonical_bytes(self.model_dump(mode="json"))


def _name_track(value: dict[str, Any]) -> dict[str, Any]:
    """Schema 1 knew videos alone."""
    return {**value, "schema_version": 2, "track": "video"}


#: Schema -> what makes the next one of it.
MIGRATIONS: Final[dict[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {1: _name_track}


def upgrade(value: dict[str, Any]) -> dict[str, Any]:
    """A manifest of any known schema in the newest one.

    Raises:
        LookupError: a schema that nobody here knows.
    """
    version = value.get("schema_version")
    if not isinstance(version, int) or isinstance(version, bool):
        raise LookupError("schema_version is missing")
    while version != SCHEMA:
        if version not in MIGRATIONS:
            raise LookupError(f"schema_version {version} is not one of {sorted([*MIGRATIONS, SCHEMA])}")
        value = MIGRATIONS[version](value)
        version = value["schema_version"]
    return value


def media_type(path: str) -> str:
    """The media type of a path; empty where such files are not taken."""
    return MEDIA.get(PurePosixPath(path).suffix, "")
