"""Packing a submission: the suite's clips under a defense, through the ordinary plan, and a manifest over them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from importlib.metadata import packages_distributions, version
from typing import TYPE_CHECKING, Any, Literal

from vdf_bench.core import registry
from vdf_bench.core.errors import UserError
from vdf_bench.core.files import write_atomically
from vdf_bench.core.frames import frames_digest
from vdf_bench.leaderboard.manifest import (
    FILE,
    SCHEMA,
    Entry,
    FileEntry,
    Manifest,
    Method,
    Paper,
    ProtectedClip,
    SuiteRef,
    media_type,
)
from vdf_bench.plan import Plan, build_plan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from vdf_bench.leaderboard.suite import BoardSuite
    from vdf_bench.plan import Request
    from vdf_bench.store import Store

#: Protected clips: (clip, budget in levels) -> (T, S, S, 3) uint8 RGB.
Protected = dict[tuple[str, float], "NDArray[np.uint8]"]
#: The same places -> key of the step that makes it.
Wanted = dict[tuple[str, float], str]


@dataclass(frozen=True)
class About:
    """What a submitter says of an entry; see :class:`vdf_bench.leaderboard.manifest.Manifest`."""

    name: str
    title: str
    authors: tuple[str, ...]
    contact: str
    licence: str
    version: int = 1
    summary: str = ""
    paper: Paper | None = None
    role: Literal["defense", "control"] = "defense"


def plan_protection(
    suite: BoardSuite, defense: str, overrides: Mapping[str, dict[str, str]]
) -> tuple[Request, Plan, Wanted]:
    """The steps that protect every clip of a suite at every budget, as any run takes them, and no more.

    Args:
        suite: whose clips.
        defense: component name.
        overrides: ``--set``, by component.

    Returns:
        What is asked; the steps; and which of them makes which clip.

    Raises:
        UserError: an unknown defense or parameter, or this machine renders other clips than the suite's.
    """
    for clip in suite.clips:
        suite.clip(clip)
    request = replace(suite.request(), defenses=(defense,), overrides=dict(overrides))
    plan = build_plan(request)
    # Defenses without a budget are shown at each of the suite's.
    wanted = {
        (cell.clip, round(levels, 6)): cell.steps["protected"]
        for cell in plan.cells
        if cell.arm != "clean" or defense == "none"
        for levels in ([cell.linf] if cell.linf else suite.budgets)
    }
    needed: set[str] = set()
    todo = list(wanted.values())
    while todo:
        key = todo.pop()
        if key not in needed:
            needed.add(key)
            todo += plan.steps[key].inputs.values()
    return request, Plan({key: step for key, step in plan.steps.items() if key in needed}), wanted


def read_protected(store: Store, wanted: Wanted) -> Protected:
    """The clips that the steps of :func:`plan_protection` made.

    Raises:
        UserError: an artifact was damaged.
    """
    found: Protected = {}
    for place, key in wanted.items():
        artifact = store.get(key)
        if artifact is None:
            raise UserError("an artifact in the store was damaged and has been removed: run the same command again")
        found[place] = artifact.arrays["frames"]
    return found


def method_of(defense: str, overrides: Mapping[str, str]) -> Method:
    """The component behind a submission: its package, versions, and all its parameters.

    Raises:
        UserError: an unknown defense or parameter.
    """
    loaded = registry.load("defenses", defense)
    parameters = loaded.configured(overrides).parameters.model_dump(mode="json")
    top = loaded.__module__.partition(".")[0]
    package = next(iter(packages_distributions().get(top, [])), top.replace("_", "-"))
    # None and nothing are the defaults of those that have them.
    config = {name: _plain(value) for name, value in parameters.items() if value not in (None, "", [])}
    return Method(
        package=package,
        package_version=version(package),
        defense=defense,
        defense_version=loaded.card.version,
        config=config,
    )


def _plain(value: Any) -> Any:
    """A parameter as the manifest takes it: a number, a text, or a list of those."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value if isinstance(value, bool | int | float) else str(value)


def write_frames(
    out: Path, suite: BoardSuite, protected: Protected, about: About, component: Method | None, seeds: list[int]
) -> Manifest:
    """Write protected clips and their manifest.

    Args:
        out: a folder that is not there yet, or empty.
        suite: what the clips are of.
        protected: see :data:`Protected`.
        about: what the submitter says.
        component: what made the frames, where it is known.
        seeds: of the defense.

    Raises:
        UserError: the folder is not empty, or cannot be written.
    """
    from vdf_bench.video.encode import write_video

    prepare(out)
    clips, files = [], []
    for (clip, levels), frames in sorted(protected.items()):
        name = f"{clip}-{levels:g}.mkv"
        write_video(out / name, iter(frames))
        files.append(_file(out, name))
        clips.append(
            ProtectedClip(
                clip=clip,
                linf=levels,
                file=name,
                frames=len(frames),
                size=frames.shape[1],
                fps="25/1",
                source_sha256=suite.clips[clip],
                frames_sha256=frames_digest(frames),
            )
        )
    manifest = _manifest("frames", suite, about, component, seeds, clips, files)
    write_atomically(out / FILE, manifest.dump())
    return manifest


def write_method(out: Path, suite: BoardSuite, about: About, component: Method, seeds: list[int]) -> Manifest:
    """Write the manifest of a method, which others will run.

    Raises:
        UserError: the folder is not empty, or cannot be written.
    """
    prepare(out)
    manifest = _manifest("method", suite, about, component, seeds, [], [])
    write_atomically(out / FILE, manifest.dump())
    return manifest


def prepare(out: Path) -> None:
    """Make the folder.

    Raises:
        UserError: something is in it.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"--out {out} already exists and is not empty: choose another folder")
    out.mkdir(parents=True, exist_ok=True)


def _manifest(
    kind: Literal["frames", "method"],
    suite: BoardSuite,
    about: About,
    component: Method | None,
    seeds: list[int],
    clips: list[ProtectedClip],
    files: list[FileEntry],
) -> Manifest:
    from pydantic import ValidationError

    from vdf_bench.results.gather import environment

    try:
        return Manifest(
            schema_version=SCHEMA,
            kind=kind,
            track=suite.track,
            suite=SuiteRef(name=suite.name, sha256=suite.sha256),
            entry=Entry(
                name=about.name,
                version=about.version,
                title=about.title,
                summary=about.summary,
                authors=list(about.authors),
                role=about.role,
            ),
            component=component,
            clips=clips,
            files=files,
            seeds=seeds,
            environment={key: value[:120] or "unknown" for key, value in environment().items()},
            licence=about.licence,
            contact=about.contact,
            paper=about.paper,
            consent=True,
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UserError(f"the entry's {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _file(out: Path, name: str) -> FileEntry:
    data = (out / name).read_bytes()
    return FileEntry(path=name, bytes=len(data), sha256=hashlib.sha256(data).hexdigest(), media_type=media_type(name))
