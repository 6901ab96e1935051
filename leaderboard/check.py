"""The checker: every rule over a submission, stage after stage."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from vdf_bench.core.errors import UserError
from vdf_bench.leaderboard.case import Case
from vdf_bench.leaderboard.findings import STAGES, Finding
from vdf_bench.leaderboard.rules import RULES
from vdf_bench.leaderboard.sandbox import decode_picture, decode_video
from vdf_bench.leaderboard.tree import BadArchiveError, files, read_archive, read_folder, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vdf_bench.leaderboard.records import Record


@contextmanager
def opened(path: Path, records: Sequence[Record] = ()) -> Iterator[tuple[Case, list[Finding]]]:
    """A submission with all that rules find in it; what was unpacked or decoded is gone afterwards.

    Args:
        path: a folder, or a plain tar archive of one.
        records: entries that the board holds.

    Raises:
        UserError: there is nothing to check.
    """
    if path.is_symlink() or not (path.is_dir() or path.is_file()):
        raise UserError(f"{path} is neither a folder nor a tar archive: give the folder that `vdf-bench submit` wrote")
    with tempfile.TemporaryDirectory(prefix="vdf-bench-check-") as folder:
        work = Path(folder)
        case = _laid_open(path, work)
        case.records = list(records)
        yield case, list(examine(case, work))


def examine(case: Case, work: Path) -> Iterator[Finding]:
    """All findings, by stage; the first stage with an error is the last that is entered.

    Args:
        case: the submission; of an archive, one that is not unpacked yet (``work/unpacked`` will hold it).
        work: an empty folder of ours.
    """
    for stage in STAGES:
        if stage == "manifest" and case.root.suffix == ".tar" and case.root.is_file():
            refused = _unpacked(case, work)
            if refused is not None:
                yield refused
                return
        if stage == "media":
            decode(case, work)
        found = [finding for rule in RULES if rule.stage == stage for finding in rule.findings(case)]
        yield from found
        if any(finding.severity == "error" for finding in found):
            return


def decode(case: Case, work: Path) -> None:
    """Decode every video and picture of a submission in children."""
    suite = case.suite
    shown = sorted(node.path for node in files(case.nodes))
    for k, path in enumerate(shown):
        suffix = PurePosixPath(path).suffix
        if suffix == ".mkv":
            raw = work / f"{k}.raw"
            case.media[path] = decode_video(case.root / path, suite.frames, suite.size, raw)
        elif suffix == ".png":
            case.media[path] = decode_picture(case.root / path)


def _laid_open(path: Path, work: Path) -> Case:
    if path.is_dir():
        return Case(path, read_folder(path))
    # Its own name is a stranger's too: a link of ours stands for it.
    stand_in = work / "submission.tar"
    stand_in.symlink_to(path.resolve())
    try:
        return Case(stand_in, read_archive(path))
    except BadArchiveError as error:
        return Case(stand_in, [], archive=str(error))


def _unpacked(case: Case, work: Path) -> Finding | None:
    into = work / "unpacked"
    into.mkdir()
    try:
        unpack(case.root, into)
    except BadArchiveError as error:
        rule = next(rule for rule in RULES if rule.name == "archive-unreadable")
        return Finding(rule.name, "error", "", str(error), rule.remedy)
    case.root = into
    return None
