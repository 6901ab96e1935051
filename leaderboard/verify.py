"""Verification: everything that the board shows of an entry is computed again, from the pixels or from the code.

Frames go through the ordinary plan in the place where a defense would stand (:mod:`vdf_bench.leaderboard.enter`).
Methods are run again on clips that no default was tuned on, with seeds that nobody knew before.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vdf_bench.core.errors import UserError
from vdf_bench.leaderboard.enter import Frames, plan_with
from vdf_bench.leaderboard.findings import clean
from vdf_bench.leaderboard.frames import Print, differences, print_frames, sketch
from vdf_bench.leaderboard.manifest import SIGNATURE, SuiteRef
from vdf_bench.leaderboard.records import CellRecord, ClipRecord, Record
from vdf_bench.leaderboard.sandbox import decode_video
from vdf_bench.leaderboard.tree import files, read_bytes
from vdf_bench.stats import paired_differences

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from vdf_bench.leaderboard.case import Case
    from vdf_bench.leaderboard.suite import BoardSuite
    from vdf_bench.plan.run import Run

#: What is kept of a cell: the stage trace.
METRICS: Final = (
    "parse_iou",
    "face_recall",
    "landmark_nme",
    "head_psnr",
    "alpha_head",
    "identity",
    "face_rate",
    "lip_correlation",
    "dsr",
    "dsr_identity",
    "dsr_lips",
    "dsr_quality",
    "attacker_seconds",
)
FIDELITY: Final = ("psnr", "ssim", "ms_ssim", "flicker", "linf", "bitrate_ratio")
#: Outcomes that say something of the machine, not of the defense.
_INFRASTRUCTURE: Final = ("timed-out",)
#: Two machines of one kind agree to this; measured times are not compared.
TOLERANCE: Final = 1e-6


def locate(case: Case, known: Record, work: Path) -> list[str]:
    """Where the frames of a submission differ from those of its record: clip, frame and, of a single value, pixel.

    Args:
        case: a submission whose tree is safe to open.
        known: the record of the same entry, version and suite.
        work: an empty folder.
    """
    there = {node.path for node in files(case.nodes)}
    prints = {(each.clip, each.linf): each for each in known.frames}
    found = []
    for k, each in enumerate(case.manifest.clips):
        record = prints.get((each.clip, each.linf))
        if record is None or each.file not in there:
            continue
        suite = case.suite
        media = case.media.get(each.file)
        media = media or decode_video(case.root / each.file, suite.frames, suite.size, work / f"located-{k}.raw")
        if media.refused:
            found.append(f"{each.clip} at {each.linf:g} levels: {media.problem}")
        elif media.sha256 != record.sha256:
            told = differences([Print.read(one) for one in record.prints], media.frames)
            found += [f"{each.clip} at {each.linf:g} levels, {line}" for line in told]
    return found


def frames_run(case: Case, out: Path, store: Path) -> Run:
    """The run that computes everything of a checked submission of frames; from here on all reads our copy of them.

    Raises:
        UserError: a folder that cannot be written.
    """
    from vdf_bench.runs.run import prepare

    suite = case.suite
    published = {}
    home = out / "frames"
    home.mkdir(parents=True, exist_ok=True)
    for each in case.manifest.clips:
        media = case.media[each.file]
        path = home / f"{each.clip}-{each.linf:g}.npy"
        np.save(path, media.frames, allow_pickle=False)
        unchanged = media.sha256 == suite.clips[each.clip]
        published[each.clip, each.linf] = Frames(path.resolve(), media.sha256, unchanged)
    request = suite.request()
    prepared = prepare(replace(request, defenses=("none",)), out, store, overwrite=True)
    return replace(prepared, plan=plan_with(request, case.manifest.entry.name, published))


def method_run(case: Case, out: Path, store: Path, clips: tuple[str, ...], seeds: tuple[int, ...]) -> Run:
    """The run of a submitted method on held-out clips; its package must be installed, by somebody who decided to.

    Raises:
        UserError: another version is installed, or a clip is not held out.
    """
    from vdf_bench.leaderboard.pack import method_of
    from vdf_bench.runs.run import prepare

    suite, component = case.suite, case.manifest.component
    assert component is not None
    if odd := [clip for clip in clips if clip not in suite.heldout]:
        raise UserError(
            f"--clip {','.join(odd)}: choose from the held-out clips of {suite.name}: {', '.join(suite.heldout)}"
        )
    config = {name: _text(value) for name, value in component.config.items()}
    installed = method_of(component.defense, config)
    if (installed.package, installed.package_version) != (component.package, component.package_version):
        raise UserError(
            f"{component.defense} comes from {installed.package} {installed.package_version} here: install "
            f"{component.package}=={component.package_version} first, if you trust it"
        )
    request = replace(
        suite.request(), defenses=(component.defense,), clips=clips, seeds=seeds, overrides={component.defense: config}
    )
    return prepare(request, out, store, overwrite=True)


def record_of(case: Case, run: Run) -> Record:
    """What the board keeps of a run that is complete."""
    from vdf_bench.results import read_results

    table = read_results(run.out)
    cells = cells_of(table, case.suite)
    if case.manifest.kind == "method":
        spent = table[(table["metric"] == "seconds_per_frame") & (table["arm"] != "clean")]["value"]
        record = _record(case, "reproduced", [], cells)
        return record.model_copy(update={"seconds_per_frame": float(spent.mean()) if len(spent) else None})
    fidelity = _fidelity(table)
    frames = []
    for each in case.manifest.clips:
        media = case.media[each.file]
        frames.append(
            ClipRecord(
                clip=each.clip,
                linf=each.linf,
                sha256=media.sha256,
                prints=[(one.digest, *one.sums) for one in print_frames(media.frames)],
                sketch=sketch(media.frames.astype(np.int16) - case.sources[each.clip]),
                fidelity=fidelity.get((each.clip, each.linf), {}),
            )
        )
    return _record(case, "verified", frames, cells)


def cells_of(table: pd.DataFrame, suite: BoardSuite) -> list[CellRecord]:
    """The cells of an entry from a result table.

    Args:
        table: of one defense and the clean arm.
        suite: which attacks have names.
    """
    mine = table[(table["arm"] != "clean") & (table["victim"] != "")]
    pairs = paired_differences(table, "dsr")
    named = zip(*(pairs[name] for name in _PLACE), strict=True)
    nets = {_key(place): float(delta) for place, delta in zip(named, pairs["delta"], strict=True)}
    found = []
    for place in sorted({_key(place) for place in zip(*(mine[name] for name in _PLACE), strict=True)}):
        clip, linf, chain, capture, victim, seed = place
        defended = table[(table["arm"] != "clean") & (table["linf"].round(6) == linf)]
        defended = _rows(defended, chain, capture, clip, victim, seed)
        own = defended[defended["victim"] != ""]
        outcome, code = str(own["outcome"].iloc[0]), str(own["code"].iloc[0])
        void = outcome == "void" or place not in nets
        found.append(
            CellRecord(
                clip=clip,
                linf=linf,
                attack=suite.attack_of(chain, capture),
                victim=victim,
                seed=seed,
                status="infrastructure" if outcome in _INFRASTRUCTURE else "void" if void else "scored",
                outcome=outcome,
                code=clean_code(code),
                net=0.0 if void or outcome in _INFRASTRUCTURE else nets[place],
                clean=_values(_rows(table[table["arm"] == "clean"], chain, capture, clip, victim, seed)),
                value=_values(defended),
            )
        )
    return found


#: What names a cell of one defense in a result table.
_PLACE: Final = ("clip", "linf", "purifier", "capture", "victim", "seed")


def _key(place: tuple[Any, ...]) -> tuple[str, float, str, str, str, int]:
    clip, linf, chain, capture, victim, seed = place
    return str(clip), round(float(linf), 6), str(chain), str(capture), str(victim), int(seed)


def _rows(table: pd.DataFrame, chain: str, capture: str, clip: str, victim: str, seed: int) -> pd.DataFrame:
    """Measurements of a cell and of the capture that it shares with other victims."""
    same = (table["purifier"] == chain) & (table["capture"] == capture) & (table["clip"] == clip)
    return table[same & table["victim"].isin(["", victim]) & (table["seed"] == seed)]


def clean_code(code: str) -> str:
    """A code of an outcome in one short printable line."""
    return clean(code, 200)


def _values(rows: pd.DataFrame) -> dict[str, float]:
    kept = rows[rows["metric"].isin(METRICS)]
    return {str(name): round(float(value), 6) for name, value in zip(kept["metric"], kept["value"], strict=True)}


def _fidelity(table: pd.DataFrame) -> dict[tuple[str, float], dict[str, float]]:
    rows = table[(table["stage"] == "protect") & (table["arm"] != "clean") & table["metric"].isin(FIDELITY)]
    found: dict[tuple[str, float], dict[str, float]] = {}
    for clip, linf, metric, value in zip(rows["clip"], rows["linf"], rows["metric"], rows["value"], strict=True):
        found.setdefault((str(clip), round(float(linf), 6)), {})[str(metric)] = round(float(value), 6)
    return found


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _record(case: Case, tier: Any, frames: list[ClipRecord], cells: list[CellRecord]) -> Record:
    import hashlib

    from vdf_bench.leaderboard import signature
    from vdf_bench.results.gather import environment

    manifest = case.manifest
    signed = ""
    if any(node.path == SIGNATURE for node in files(case.nodes)):
        signed = signature.check(case.manifest_bytes, read_bytes(case.root, SIGNATURE)).key
    return Record(
        suite=SuiteRef(name=case.suite.name, sha256=case.suite.sha256),
        entry=manifest.entry,
        tier=tier,
        kind=manifest.kind,
        component=manifest.component,
        paper=manifest.paper,
        licence=manifest.licence,
        contact=manifest.contact,
        reported=manifest.reported,
        manifest_sha256=hashlib.sha256(case.manifest_bytes).hexdigest(),
        signed_by=signed,
        frames=frames,
        cells=cells,
        environment={name: value[:120] or "unknown" for name, value in environment().items()},
        date=datetime.now(UTC).date().isoformat(),
    )


def failed(case: Case, reason: str) -> Record:
    """A record of an entry that this machine could not compute: shown, with the reason, and never scored."""
    record = _record(case, "reported", [], [])
    return record.model_copy(update={"failure": clean(reason, 500)})


def disagreements(known: Record, found: Record) -> list[str]:
    """Where a recomputation differs from the record: pixels first, then figures.

    Args:
        known: as it is on the board.
        found: as computed now.
    """
    told: list[str] = []
    if known.suite.sha256 != found.suite.sha256:
        return [f"the record is of another suite ({known.suite.sha256[:12]}…)"]
    before = {(each.clip, each.linf): each for each in known.frames}
    for each in found.frames:
        old = before.pop((each.clip, each.linf), None)
        if old is None:
            told.append(f"{each.clip} at {each.linf:g} levels is not in the record")
        elif old.sha256 != each.sha256:
            changed = [k for k, (a, b) in enumerate(zip(old.prints, each.prints, strict=False)) if a[0] != b[0]]
            told.append(f"{each.clip} at {each.linf:g} levels: frames {', '.join(map(str, changed[:8]))} differ")
    told += [f"{clip} at {levels:g} levels is in the record alone" for clip, levels in before]
    cells = {_place(cell): cell for cell in known.cells}
    for cell in found.cells:
        was = cells.pop(_place(cell), None)
        if was is None and found.kind == "method":
            continue
        if was is None:
            told.append(f"{_named(cell)} is not in the record")
        elif (was.status, was.outcome) != (cell.status, cell.outcome):
            told.append(
                f"{_named(cell)}: {was.status} ({was.outcome}) in the record, {cell.status} ({cell.outcome}) now"
            )
        elif abs(was.net - cell.net) > TOLERANCE:
            told.append(f"{_named(cell)}: net DSR {was.net:.4f} in the record, {cell.net:.4f} now")
    if found.kind == "frames":  # methods may be run on other people, with other seeds
        told += [f"{_named(cell)} is in the record alone" for cell in cells.values()]
    return told


def _place(cell: CellRecord) -> tuple[Any, ...]:
    return (cell.clip, cell.linf, cell.attack, cell.victim, cell.seed)


def _named(cell: CellRecord) -> str:
    return f"{cell.clip} at {cell.linf:g} levels, {cell.attack}, {cell.victim}"
