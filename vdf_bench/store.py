"""Content-addressed artifacts: what a step made, under the key of everything that made it.

An artifact is one file, ``objects/ab/abcd….artifact``: a line with a checksum, then a safetensors body whose entry
``__meta__`` holds JSON. It is written beside its place and renamed into it, so a reader never sees half of one.
A file whose checksum is wrong is set aside in ``quarantine/`` and computed again.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from vdf_bench.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_MAGIC = b"vdf-bench artifact 1 "
_META = "__meta__"


def canonical(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, no NaN. The text that keys are hashed from.

    Raises:
        ValueError: NaN or infinity inside.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True)


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of ``value``, hexadecimal."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


@dataclass(frozen=True)
class Artifact:
    """Named arrays and a JSON-like record."""

    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    meta: dict[str, Any] = field(default_factory=dict)

    def pack(self) -> bytes:
        """The file's bytes; equal artifacts pack to equal bytes."""
        from safetensors.numpy import save

        record = np.frombuffer(canonical(self.meta).encode(), np.uint8)
        arrays = {name: np.asarray(self.arrays[name], order="C") for name in sorted(self.arrays)}
        body = save({**arrays, _META: record})
        return _MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n" + body

    @classmethod
    def unpack(cls, data: bytes) -> Artifact:
        """Read back what :meth:`pack` wrote.

        Raises:
            ValueError: not an artifact, or its checksum is wrong.
        """
        from safetensors.numpy import load

        head, _, body = data.partition(b"\n")
        if not head.startswith(_MAGIC) or head[len(_MAGIC) :] != hashlib.sha256(body).hexdigest().encode():
            raise ValueError("not an artifact, or damaged")
        arrays = load(body)
        meta = json.loads(arrays.pop(_META).tobytes())
        return cls(arrays, meta)


class Store:
    """A folder of artifacts."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, key: str) -> Path:
        """Where the artifact ``key`` is or would be."""
        return self.root / "objects" / key[:2] / f"{key}.artifact"

    def has(self, key: str) -> bool:
        """Whether ``key`` is there (its checksum is looked at when it is read)."""
        return self.path(key).is_file()

    def get(self, key: str) -> Artifact | None:
        """The artifact ``key``; None where it is absent, or was damaged and has now been set aside."""
        path = self.path(key)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            return Artifact.unpack(data)
        except ValueError:
            aside = self.root / "quarantine"
            aside.mkdir(parents=True, exist_ok=True)
            path.replace(aside / f"{key}.{uuid.uuid4().hex[:8]}.artifact")
            return None

    def put(self, key: str, artifact: Artifact) -> None:
        """Write ``artifact`` under ``key``, atomically; equal keys hold equal content, so a second write wins.

        Raises:
            UserError: the folder cannot be written, or the disk is full.
        """
        path = self.path(key)
        write_atomically(path, artifact.pack())

    def scratch(self, key: str) -> Path:
        """Where the step ``key`` may keep a checkpoint until its artifact is there."""
        return self.root / "scratch" / key

    def quarantined(self) -> int:
        """How many damaged artifacts were set aside."""
        aside = self.root / "quarantine"
        return len(list(aside.iterdir())) if aside.is_dir() else 0


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` beside ``path``, flush it to disk, and rename it into place.

    Raises:
        UserError: the folder cannot be written, or the disk is full.
    """
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):  # a file system that went read-only cannot be tidied either
            partial.unlink()
        raise UserError(
            f"cannot write {path}: {error.strerror or error}; choose another --out or --store, or make room"
        ) from error


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
