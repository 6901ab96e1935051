"""Bringing third-party weights into the user's folder, and telling whether what lies there is genuine.

A file takes its place only when its size, its hash and its form are right; the folder never shows half a file. Hashes
that nobody published are remembered when a file is first taken (trust on first use), in ``weights.json`` beside the
files, with what was measured of them, such as a recogniser's threshold.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from vdf_bench.assets.checkpoints import check_model_folder, read_checkpoint, read_state_dict
from vdf_bench.assets.folders import WEIGHTS_VARIABLE, user_folder
from vdf_bench.assets.record import RECORD, read_record, remember
from vdf_bench.assets.third_party import THIRD_PARTY, ThirdParty, check_size, entry_of, path_of
from vdf_bench.core.errors import UserError
from vdf_bench.core.files import file_sha256

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK: Final = 2**20


class FileCheck(NamedTuple):
    """What was found of weights that are present: ``ok`` is None where no hash is known."""

    name: str
    ok: bool | None
    why: str


def add(name: str, source: Path, folder: Path | None = None) -> Path:
    """Copy a file or model folder of the user's into its place.

    Returns:
        Where it lies now.

    Raises:
        UserError: no such weights, no such file, or not what they must be.
    """
    entry, folder = entry_of(name), folder or user_folder()
    place = folder / entry.file
    _make(folder)
    if entry.form == "folder":
        check_model_folder(source)
        if place.exists():
            raise UserError(f"{place} already exists: delete it first")
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            shutil.copytree(source, Path(scratch) / "copy")
            (Path(scratch) / "copy").replace(place)
        return place
    if not source.is_file():
        raise UserError(f"{source} not found: give the path of the weights")
    check_size(entry.name, source)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        copy = Path(scratch) / entry.file
        shutil.copyfile(source, copy)
        _accept(entry, copy, folder, source, chosen=True)
    return place


def fetch(
    name: str,
    progress: Callable[[int, int], None] | None = None,
    folder: Path | None = None,
    *,
    _loopback: bool = False,
) -> Path:
    """Download weights; a download that was cut off goes on where it stopped.

    Args:
        name: of :data:`vdf_bench.assets.third_party.THIRD_PARTY`.
        progress: called with bytes done and bytes in all (0 where the server does not say).
        folder: of the user's weights.
        _loopback: allows plain http to this machine, for tests.

    Returns:
        Where they lie now.

    Raises:
        UserError: nothing to download from, no network, or not the genuine file.
    """
    from vdf_bench.assets.download import download

    entry, folder = entry_of(name), folder or user_folder()
    if not entry.url:
        raise UserError(
            f"{entry.name} has no download URL: get {entry.file} from {entry.page}, then run "
            f"`vdf-bench weights add {entry.name} PATH`"
        )
    _make(folder)
    partial = folder / f"{entry.file}.part"
    remedy = f"download {entry.url} by hand, then `vdf-bench weights add {entry.name} FILE`"
    # An archive holds more than the file that is wanted.
    limit = entry.limit * 2**20 * (2 if entry.member else 1)
    download(entry.url, partial, limit, progress, remedy, loopback=_loopback)
    if entry.member:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            copy = Path(scratch) / entry.file
            try:
                _extract(partial, entry, copy)
            finally:
                partial.unlink()
            _accept(entry, copy, folder, Path(entry.url))
    else:
        try:
            check_size(entry.name, partial)
            _accept(entry, partial, folder, Path(entry.url))
        finally:
            partial.unlink(missing_ok=True)
    return folder / entry.file


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot create {folder} ({error.strerror}): set {WEIGHTS_VARIABLE} to a folder") from None


def verify(folder: Path | None = None) -> list[FileCheck]:
    """Hold every file that is present against its hash."""
    folder = folder or user_folder()
    record = read_record(folder)
    found = []
    for entry in THIRD_PARTY.values():
        path = folder / entry.file
        if entry.form == "folder":
            if path.is_dir():
                found.append(FileCheck(entry.name, None, "a folder, not hashed"))
            continue
        if not path.is_file():
            continue
        wanted = entry.sha256 or record.get(entry.name, {}).get("sha256", "")
        is_, source = file_sha256(path), "published" if entry.sha256 else "remembered"
        if not wanted:
            why = (
                f"sha256 {is_}: not pinned and not remembered; `vdf-bench weights add {entry.name} {path}` remembers it"
            )
            found.append(FileCheck(entry.name, None, why))
        elif is_.startswith(wanted):
            found.append(FileCheck(entry.name, True, f"matches the {source} sha256 {wanted[:12]}"))
        else:
            found.append(FileCheck(entry.name, False, f"sha256 {is_} is not the {source} {wanted}"))
    return found


def _accept(entry: ThirdParty, copy: Path, folder: Path, source: Path, chosen: bool = False) -> None:
    """Check ``copy``, a file that nobody else sees, and put it into its place.

    Args:
        entry: what it must be.
        copy: the file, on the folder's file system.
        folder: of the user's weights.
        source: where it came from, for messages.
        chosen: whether the user named this very file: then it may replace one that was only remembered.
    """
    with copy.open("rb") as file:
        is_ = hashlib.file_digest(file, "sha256").hexdigest()
    if entry.sha256 and not is_.startswith(entry.sha256):
        raise UserError(
            f"{source} does not match {entry.name}: its sha256 is {is_[:16]}..., expected {entry.sha256[:16]}...; "
            f"download it again from {entry.page}"
        )
    before = read_record(folder).get(entry.name, {})
    if not entry.sha256 and not chosen and before.get("sha256", is_) != is_:
        raise UserError(
            f"{source} has changed since it was added: find out why, then delete {folder / RECORD} to trust it"
        )
    check_form(entry, copy)
    size = copy.stat().st_size
    copy.replace(folder / entry.file)
    facts = {"file": entry.file, "sha256": is_, "bytes": size, "hash": entry.pinned}
    # What was measured of these very bytes still holds.
    remember(entry.name, {**before, **facts} if before.get("sha256") == is_ else facts, folder)


def check_form(entry: ThirdParty, path: Path) -> None:
    """Refuse a file that its loader would not read.

    Raises:
        UserError: not of ``entry.form``.
    """
    if entry.form == "onnx":
        from vdf_bench.models.arcface import load_arcface

        load_arcface(path)
    elif entry.form == "state-dict":
        read_state_dict(path, entry.name)
    elif entry.form == "checkpoint":
        read_checkpoint(path, entry.name)
    elif not zipfile.is_zipfile(path):
        raise UserError(f"{path.name} is not {entry.name}: it is not a zip bundle; see {entry.page}")


def _extract(archive: Path, entry: ThirdParty, place: Path) -> None:
    """Write one member of a zip archive to ``place``, never more of it than the entry's limit."""
    try:
        with zipfile.ZipFile(archive) as opened:
            wanted = [each for each in opened.infolist() if Path(each.filename).name == entry.member]
            if len(wanted) != 1:
                raise UserError(f"{entry.url} does not contain {entry.member}; see {entry.page}")
            left = entry.limit * 2**20
            with opened.open(wanted[0]) as source, place.open("wb") as target:
                while chunk := source.read(CHUNK):
                    left -= len(chunk)
                    if left < 0:
                        raise UserError(f"{entry.member} in {entry.url} is larger than {entry.limit} MiB")
                    target.write(chunk)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise UserError(f"{entry.url} is not the expected archive ({error}); see {entry.page}") from None


def shown_size(name: str, folder: Path | None = None) -> str:
    """MiB of what lies there, else of what is published; empty where neither is known."""
    entry, path = entry_of(name), path_of(name, folder)
    if path.is_file():
        return f"{path.stat().st_size / 2**20:.0f} MiB"
    return f"{entry.mib} MiB" if entry.mib else ""
