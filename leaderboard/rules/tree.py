"""Rules of names, kinds and sizes: what must hold before any file is opened."""

from __future__ import annotations

import unicodedata
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from vdf_bench.leaderboard.findings import Offence, Rule
from vdf_bench.leaderboard.manifest import FILE, MEDIA, SIGNATURE
from vdf_bench.leaderboard.tree import MAX_LISTED, files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdf_bench.leaderboard.case import Case

MAX_NODES: Final = 400
MAX_DEPTH: Final = 4
MAX_PATH: Final = 120
MIB: Final = 2**20
#: Largest file of each suffix, bytes.
MAX_FILE: Final = {".json": MIB // 2, ".toml": MIB // 8, ".md": MIB // 8, ".png": 4 * MIB, ".mkv": 64 * MIB}
MAX_TOTAL: Final = 256 * MIB
#: Names that Windows keeps for devices.
RESERVED: Final = {"con", "prn", "aux", "nul", *(f"{name}{k}" for name in ("com", "lpt") for k in range(1, 10))}
_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


def _archive(case: Case) -> Iterator[Offence]:
    if case.archive:
        yield Offence("", case.archive)


def _escapes(name: bytes) -> str:
    text = name.decode("utf-8", "replace")
    if text.startswith("/"):
        return "it is an absolute path"
    if len(text) > 1 and text[1] == ":" and text[0].isascii() and text[0].isalpha():
        return "it starts with a drive letter"
    if "\\" in text:
        return "it contains a backslash"
    return "it contains '..'" if ".." in text.split("/") else ""


def _escape(case: Case) -> Iterator[Offence]:
    for node in case.nodes:
        if why := _escapes(node.name):
            yield Offence(node.path, f"the path points outside the submission: {why}")


def _encoding(case: Case) -> Iterator[Offence]:
    for node in case.nodes:
        try:
            node.name.decode("utf-8")
        except UnicodeDecodeError:
            yield Offence(node.path, "the name is not UTF-8")


def is_hidden(sign: str) -> bool:
    """Whether a character shows nothing, or turns the order of those around it: controls, bidi marks, joiners."""
    return unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _text(name: bytes) -> str:
    """The name where it is UTF-8; empty where another rule speaks."""
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return ""


def _hidden(case: Case) -> Iterator[Offence]:
    for node in case.nodes:
        if any(is_hidden(sign) for sign in _text(node.name)):
            yield Offence(node.path, "the name contains control or direction characters")


def _characters(case: Case) -> Iterator[Offence]:
    for node in case.nodes:
        text = _text(node.name)
        odd = sorted({s for s in text if s not in _PLAIN and s not in "/\\:" and not is_hidden(s)})
        if odd and not _escapes(node.name):
            shown = ", ".join(f"{sign!r} ({unicodedata.name(sign, 'unnamed')})" for sign in odd[:3])
            yield Offence(node.path, f"the name contains {shown}")


def _names(case: Case) -> Iterator[Offence]:
    for node in case.nodes:
        if _escapes(node.name):
            continue
        for part in _text(node.name).split("/"):
            if part.split(".")[0].lower() in RESERVED:
                yield Offence(node.path, f"{part!r} is a device name on Windows")
            elif part not in ("", "..") and (part.startswith((".", "-")) or part.endswith((".", " "))):
                yield Offence(node.path, f"{part!r} starts with '.' or '-', or ends with '.' or a space")


def _collision(case: Case) -> Iterator[Offence]:
    folded = Counter(unicodedata.normalize("NFKC", node.path).casefold() for node in case.nodes)
    for node in case.nodes:
        if folded[unicodedata.normalize("NFKC", node.path).casefold()] > 1:
            yield Offence(node.path, "another file has the same name on file systems that ignore case or form")


def _length(case: Case) -> Iterator[Offence]:
    for node in case.nodes:
        parts = [part for part in node.name.split(b"/") if part]
        if len(parts) > MAX_DEPTH:
            yield Offence(node.path, f"{len(parts)} folders deep, over {MAX_DEPTH}")
        elif len(node.name) > MAX_PATH:
            yield Offence(node.path, f"a path of {len(node.name)} bytes, over {MAX_PATH}")


def _link(case: Case) -> Iterator[Offence]:
    for node in case.nodes:
        if node.kind in ("link", "hard link"):
            yield Offence(node.path, f"it is a {'symbolic link' if node.kind == 'link' else node.kind}")


def _special(case: Case) -> Iterator[Offence]:
    for node in case.nodes:
        if node.kind == "special":
            yield Offence(node.path, "it is a device, pipe, socket or sparse file")
        elif node.kind == "file" and node.mode & 0o7000:
            yield Offence(node.path, f"it has special permissions ({node.mode:o})")


def _count(case: Case) -> Iterator[Offence]:
    if len(case.nodes) > MAX_NODES:
        shown = f"over {MAX_LISTED}" if len(case.nodes) > MAX_LISTED else str(len(case.nodes))
        yield Offence("", f"{shown} files and folders, over {MAX_NODES}")


def _size(case: Case) -> Iterator[Offence]:
    for node in files(case.nodes):
        limit = MAX_FILE.get(PurePosixPath(node.path).suffix, MAX_TOTAL)
        if node.size > limit:
            yield Offence(node.path, f"{node.size} bytes, over {limit}")


def _empty(case: Case) -> Iterator[Offence]:
    for node in files(case.nodes):
        if not node.size:
            yield Offence(node.path, "the file is empty")


def _total(case: Case) -> Iterator[Offence]:
    total = sum(node.size for node in files(case.nodes))
    if total > MAX_TOTAL:
        yield Offence("", f"{total} bytes in all, over {MAX_TOTAL}")


def _suffix(case: Case) -> Iterator[Offence]:
    for node in files(case.nodes):
        if node.path != SIGNATURE and PurePosixPath(node.path).suffix not in MEDIA:
            yield Offence(
                node.path, f"files such as {PurePosixPath(node.path).suffix or 'those without ending'!r} are not taken"
            )


def _missing(case: Case) -> Iterator[Offence]:
    # A link or folder of that name is another rule's matter.
    if not case.archive and not any(node.path == FILE for node in case.nodes):
        yield Offence(FILE, "the manifest is missing")


_RENAME = "use names of ASCII letters, digits, '.', '_' and '-', in plain folders"
RULES: Final = (
    Rule(
        "archive-unreadable", "tree", "give the folder, or an uncompressed tar of it: tar --format=ustar -cf", _archive
    ),
    Rule("path-escape", "tree", "give paths relative to the submission, without '..'", _escape),
    Rule("path-encoding", "tree", _RENAME, _encoding),
    Rule("path-hidden-characters", "tree", _RENAME, _hidden),
    Rule("path-characters", "tree", _RENAME, _characters),
    Rule("path-reserved", "tree", _RENAME, _names),
    Rule("path-collision", "tree", "give files names that differ in more than case", _collision),
    Rule("path-length", "tree", "use fewer folders and shorter names", _length),
    Rule("link", "tree", "replace it with the file itself", _link),
    Rule("special-file", "tree", "remove it", _special),
    Rule("too-many-files", "tree", "submit only what `vdf-bench submit` writes", _count),
    Rule("file-too-large", "tree", "submit only what `vdf-bench submit` writes", _size),
    Rule("file-empty", "tree", "remove it, or copy it again", _empty),
    Rule("total-too-large", "tree", "submit only what `vdf-bench submit` writes", _total),
    Rule("suffix", "tree", f"only {', '.join(sorted(MEDIA))} files are accepted", _suffix),
    Rule("manifest-missing", "tree", "create it with `vdf-bench submit`", _missing),
)
