"""Rules that compare the files with the manifest: all listed, all present, all of the stated type."""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from vdf_bench.leaderboard import signature, strict_json
from vdf_bench.leaderboard.findings import Offence, Rule
from vdf_bench.leaderboard.manifest import FILE, MEDIA, SIGNATURE, media_type
from vdf_bench.leaderboard.tree import HEAD, files, read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdf_bench.leaderboard.case import Case

#: Beginnings of what is never taken, whatever it is called.
FORBIDDEN: Final = {
    b"PK\x03\x04": "a zip archive",
    b"PK\x05\x06": "a zip archive",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!": "rar",
    b"\x93NUMPY": "a NumPy array, which may hold pickles",
    b"\x89HDF": "HDF5",
    b"\x7fELF": "a program",
    b"MZ": "a program",
    b"#!": "a script",
}
#: Pickles begin with a protocol number, and the oldest ones with what they do first.
_PICKLE: Final = tuple(b"\x80" + bytes([k]) for k in range(2, 6))
_MAGIC: Final = {".png": b"\x89PNG\r\n\x1a\n", ".mkv": b"\x1a\x45\xdf\xa3"}
_TEXT: Final = (".json", ".toml", ".md")


def _heads(case: Case) -> Iterator[tuple[str, bytes]]:
    for node in files(case.nodes):
        yield node.path, read_bytes(case.root, node.path, HEAD)


def _forbidden(case: Case) -> Iterator[Offence]:
    for path, head in _heads(case):
        what = next((what for magic, what in FORBIDDEN.items() if head.startswith(magic)), "")
        if head.startswith(_PICKLE):
            what = "a pickle, which is a program"
        if head[257:262] == b"ustar":
            what = "a tar archive"
        if what:
            yield Offence(path, f"it is {what}")


def _is_forbidden(head: bytes) -> bool:
    return head.startswith((*FORBIDDEN, *_PICKLE)) or head[257:262] == b"ustar"


def _magic(case: Case) -> Iterator[Offence]:
    for path, head in _heads(case):
        suffix = PurePosixPath(path).suffix
        if _is_forbidden(head):
            continue
        if suffix in _MAGIC and not head.startswith(_MAGIC[suffix]):
            yield Offence(path, f"it does not start like a {suffix} file")
        elif suffix in _TEXT:
            try:
                text = read_bytes(case.root, path).decode("utf-8")
            except UnicodeDecodeError:
                yield Offence(path, "it is not UTF-8 text")
                continue
            if "\0" in text:
                yield Offence(path, "it contains null bytes, so it is not text")


def _text(case: Case) -> Iterator[Offence]:
    """JSON and TOML beside the manifest are parsed here, as strictly."""
    for node in files(case.nodes):
        if node.path == FILE:
            continue
        suffix = PurePosixPath(node.path).suffix
        try:
            if suffix == ".json":
                strict_json.parse(read_bytes(case.root, node.path))
            elif suffix == ".toml":
                data = read_bytes(case.root, node.path).decode("utf-8")
                if data.count("[") > 2000 or "[" * 20 in data:
                    yield Offence(node.path, "nested too deeply")
                else:
                    tomllib.loads(data)
        except UnicodeDecodeError:
            continue
        except (ValueError, RecursionError) as error:
            yield Offence(node.path, f"it cannot be read ({error})")


def _unlisted(case: Case) -> Iterator[Offence]:
    listed = {each.path for each in case.manifest.files} | {FILE, SIGNATURE}
    for node in files(case.nodes):
        if node.path not in listed:
            yield Offence(node.path, "it is not listed in the manifest")


def _absent(case: Case) -> Iterator[Offence]:
    there = {node.path for node in files(case.nodes)}
    for each in case.manifest.files:
        if each.path not in there:
            yield Offence(each.path, "it is listed in the manifest but missing")
    listed = {each.path for each in case.manifest.files}
    for clip in case.manifest.clips:
        if clip.file not in listed:
            yield Offence(clip.file, f"the manifest names it for clip {clip.clip}, but does not list it under files")


def _twice(case: Case) -> Iterator[Offence]:
    for path, times in Counter(each.path for each in case.manifest.files).items():
        if times > 1 or path in (FILE, SIGNATURE):
            yield Offence(path, "it is listed twice in the manifest, or is the manifest itself")


def _hash(case: Case) -> Iterator[Offence]:
    there = {node.path: node for node in files(case.nodes)}
    for each in case.manifest.files:
        if each.path not in there:
            continue
        if there[each.path].size != each.bytes:
            yield Offence(each.path, f"{there[each.path].size} bytes, the manifest says {each.bytes}")
            continue
        with os.fdopen(os.open(case.root / each.path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != each.sha256:
            yield Offence(each.path, f"its SHA-256 is {found[:12]}…, the manifest says {each.sha256[:12]}…")


def _type(case: Case) -> Iterator[Offence]:
    for each in case.manifest.files:
        if each.media_type != media_type(each.path):
            yield Offence(each.path, f"its media_type is {each.media_type!r}, expected {media_type(each.path)!r}")
    for clip in case.manifest.clips:
        if PurePosixPath(clip.file).suffix != ".mkv":
            yield Offence(clip.file, f"clip {clip.clip} is not an .mkv file")


def _signature(case: Case) -> Iterator[Offence]:
    if any(node.path == SIGNATURE for node in files(case.nodes)):
        signed = signature.check(case.manifest_bytes, read_bytes(case.root, SIGNATURE))
        if signed.problem:
            yield Offence(SIGNATURE, signed.problem)


_AGAIN = "create the submission again with `vdf-bench submit`"
RULES: Final = (
    Rule(
        "forbidden-content",
        "files",
        "remove it: archives, pickles and programs are not accepted under any name",
        _forbidden,
    ),
    Rule("content-type", "files", f"use files whose content matches their name: {', '.join(sorted(MEDIA))}", _magic),
    Rule("text-syntax", "files", "fix the file, or remove it", _text),
    Rule("file-unlisted", "files", _AGAIN, _unlisted),
    Rule("file-absent", "files", _AGAIN, _absent),
    Rule("file-listed-twice", "files", _AGAIN, _twice),
    Rule("file-hash", "files", "files were changed after the manifest was written: create the submission again", _hash),
    Rule("media-type", "files", _AGAIN, _type),
    Rule("signature-invalid", "files", "sign the manifest again, or remove the signature", _signature),
)
