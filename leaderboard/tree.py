"""What lies in a submission, before a byte of it is trusted: names, kinds and sizes, without following anything.

A submission is a folder, or a plain tar archive of one. Both become the same list of nodes, so that the same rules
hold for both; an archive is unpacked by this module alone, and only after its nodes passed.
"""

from __future__ import annotations

import os
import stat
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: More nodes than this are not even listed.
MAX_LISTED: Final = 2000
MAX_ARCHIVE: Final = 512 * 2**20
#: Bytes of a file's beginning that tell what it is.
HEAD: Final = 512


@dataclass(frozen=True)
class Node:
    """One thing in a submission.

    Attributes:
        name: its path as bytes on the disk or in the archive, slashes between folders.
        kind: ``file``, ``folder``, ``link``, ``hard link`` or ``special``.
        size: bytes.
        mode: permission bits.
    """

    name: bytes
    kind: str
    size: int
    mode: int

    @property
    def path(self) -> str:
        """The name as text; what is not UTF-8 is shown with escapes."""
        return self.name.decode("utf-8", "backslashreplace")


class BadArchiveError(Exception):
    """An archive that cannot be read to its end, or is no plain tar."""


def read_folder(root: Path) -> list[Node]:
    """Every node below ``root``, sorted; at most :data:`MAX_LISTED` and one more.

    Raises:
        UserError: the folder cannot be read.
    """
    nodes: list[Node] = []
    todo = [os.fsencode(root)]
    base = len(todo[0]) + 1
    while todo and len(nodes) <= MAX_LISTED:
        try:
            with os.scandir(todo.pop()) as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    kind = _kind(status)
                    nodes.append(Node(entry.path[base:], kind, status.st_size, stat.S_IMODE(status.st_mode)))
                    if kind == "folder":
                        todo.append(entry.path)
        except OSError as error:
            raise UserError(f"{root} cannot be read: {error.strerror}; check its permissions") from error
    return sorted(nodes, key=lambda node: node.name)


def _kind(status: os.stat_result) -> str:
    if stat.S_ISLNK(status.st_mode):
        return "link"
    if stat.S_ISDIR(status.st_mode):
        return "folder"
    if not stat.S_ISREG(status.st_mode):
        return "special"
    return "hard link" if status.st_nlink > 1 else "file"


def read_archive(path: Path) -> list[Node]:
    """Every member of a plain tar archive, in its order; compressed ones are not opened.

    Raises:
        BadArchiveError: it is compressed, damaged, truncated, or no tar.
    """
    if path.stat().st_size > MAX_ARCHIVE:
        raise BadArchiveError(f"{path.stat().st_size} bytes, over {MAX_ARCHIVE}")
    try:
        with tarfile.open(path, "r:", encoding="utf-8", errors="surrogateescape") as archive:
            nodes = []
            for member in archive:
                if member.name in (".", "./"):  # the folder itself, as tar -C FOLDER . writes it
                    continue
                nodes.append(_member(member))
                if len(nodes) > MAX_LISTED:
                    break
                if member.isreg() and member.offset_data + member.size > path.stat().st_size:
                    raise BadArchiveError(f"it ends inside {member.name!r}")
            return nodes
    except BadArchiveError:
        raise
    # The standard reader meets hostile headers with whatever its arithmetic gives.
    except (tarfile.TarError, OSError, ValueError, OverflowError, EOFError, RecursionError, LookupError) as error:
        raise BadArchiveError(f"{type(error).__name__}: {error}") from error


def _member(member: tarfile.TarInfo) -> Node:
    name = member.name.removeprefix("./").encode("utf-8", "surrogateescape")
    kinds = ((member.issym, "link"), (member.islnk, "hard link"), (member.isdir, "folder"))
    kind = next(
        (kind for holds, kind in kinds if holds()), "file" if member.isreg() and not member.issparse() else "special"
    )
    return Node(name, kind, member.size, member.mode)


def unpack(path: Path, into: Path) -> None:
    """Write the files of an archive whose nodes have passed; every file is made new, none is followed.

    Raises:
        BadArchiveError: it changed since it was listed, or is damaged.
    """
    try:
        with tarfile.open(path, "r:", encoding="utf-8", errors="surrogateescape") as archive:
            for member in archive:
                place = into / member.name
                if not place.resolve().is_relative_to(into.resolve()):
                    raise BadArchiveError(f"{member.name!r} points outside the folder")
                if member.isdir():
                    place.mkdir(parents=True, exist_ok=True)
                    continue
                content = archive.extractfile(member)
                if content is None:
                    raise BadArchiveError(f"{member.name!r} is not a regular file")
                place.parent.mkdir(parents=True, exist_ok=True)
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
                with os.fdopen(os.open(place, flags, 0o600), "wb") as file:
                    while block := content.read(1 << 20):
                        file.write(block)
    except (tarfile.TarError, OSError, ValueError, OverflowError, EOFError) as error:
        raise BadArchiveError(f"{type(error).__name__}: {error}") from error


def read_bytes(root: Path, path: str, limit: int | None = None) -> bytes:
    """A file of a submission, without following a link in its last part.

    Args:
        root: the submission.
        path: relative, of a node that passed.
        limit: read no more than this.
    """
    with os.fdopen(os.open(root / path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        return file.read() if limit is None else file.read(limit)


def files(nodes: list[Node]) -> Iterator[Node]:
    """The plain files among nodes."""
    return (node for node in nodes if node.kind == "file")
