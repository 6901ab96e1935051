"""Files on this machine: digests of their content, and writing them whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import uuid
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from vdf_bench.core.errors import StoreError, UserError

if TYPE_CHECKING:
    from pathlib import Path

#: A folder must take at least this much before a run starts.
MIN_FREE_MIB = 64


def write_beside(path: Path, data: bytes) -> Path:
    """Write ``data`` into a file of its own beside ``path`` and flush it to disk; nothing is left of a failure.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
    """
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with suppress(OSError):  # a file system that went read-only cannot be tidied either
            partial.unlink()
        raise
    return partial


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` beside ``path``, flush it to disk, and rename it into place.

    Raises:
        UserError: the folder cannot be written, or the disk is full.
    """
    try:
        write_beside(path, data).replace(path)
    except OSError as error:
        raise unwritable(str(path), error) from error


def check_room(folder: Path) -> None:
    """Make a folder and see that it takes files.

    Raises:
        UserError: read-only, or nearly full.
    """
    probe = folder / f".writable-{uuid.uuid4().hex[:8]}"
    write_atomically(probe, b"")
    probe.unlink()
    free = shutil.disk_usage(folder).free // 2**20
    if free < MIN_FREE_MIB:
        raise StoreError(
            f"{folder} has {free} MiB free, a run needs {MIN_FREE_MIB} MiB: free disk space or choose another --out"
        )


def check_file(file: Path, option: str) -> None:
    """See that a file can be written that is made only later, and leave nothing behind.

    Args:
        file: it may be there and will be replaced; folders above it may not be there.
        option: of the command line, by which it was given.

    Raises:
        UserError: it is a folder, stands below a file, or its folder takes none.
    """
    if file.is_dir():
        raise UserError(f"{option} {file} is a folder: give a file name")
    above = next(path for path in (*file.parents, file.cwd()) if path.exists())
    if not above.is_dir():
        raise UserError(f"{option} {file}: {above} is a file: choose a folder")
    try:
        with tempfile.TemporaryFile(dir=above):
            pass
    except OSError as error:
        raise UserError(f"{option} {file}: {above} is not writable ({error.strerror}): choose another folder") from None


def unwritable(where: str, error: OSError) -> StoreError:
    """The one line about a place that takes no files."""
    why = error.strerror or error
    return StoreError(f"cannot write {where}: {why}; choose another --out or --store, or free disk space")


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hex; read again only when its size or time of change differ."""
    stat = path.stat()
    return _sha256(path, stat.st_size, stat.st_mtime_ns)


@cache
def _sha256(path: Path, size: int, changed: int) -> str:
    del size, changed  # they tell one content of the path from another
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
