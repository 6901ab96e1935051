"""Artifacts, and the keys that they lie under: what a step made, and the text that its key is hashed from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_MAGIC = b"vdf-bench artifact 2 "
#: The first form kept its record inside the body, where it could only be trusted after reading all of it.
_FIRST_MAGIC = b"vdf-bench artifact 1 "
_META = "__meta__"
_DIGEST = 64
#: Length of the first line: magic, two checksums and the newline.
_HEAD = len(_MAGIC) + 2 * _DIGEST + 2
#: Bytes of a first look; nearly every record ends within.
LOOK = 1 << 16


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
    """Named arrays and a JSON-like record.

    As a file: a line with the checksums of record and body, the record as a line of JSON, and a safetensors body.
    """

    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    meta: dict[str, Any] = field(default_factory=dict)

    def pack(self) -> bytes:
        """The file's bytes; equal artifacts pack to equal bytes."""
        from safetensors.numpy import save

        record = canonical(self.meta).encode()
        body = save({name: np.asarray(self.arrays[name], order="C") for name in sorted(self.arrays)})
        return b"".join([_MAGIC, _sha256(record), b" ", _sha256(body), b"\n", record, b"\n", body])

    @classmethod
    def unpack(cls, data: bytes) -> Artifact:
        """Read back what :meth:`pack` wrote, now or in its first form.

        Raises:
            ValueError: not an artifact, or a checksum is wrong.
        """
        from safetensors.numpy import load

        head, _, _ = data[:LOOK].partition(b"\n")
        if head.startswith(_FIRST_MAGIC):
            rest = data[len(head) + 1 :]
            _demand(head[len(_FIRST_MAGIC) :] == _sha256(rest))
            arrays = load(rest)
            return cls(arrays, json.loads(arrays.pop(_META).tobytes()))
        _demand(head.startswith(_MAGIC))
        end = data.find(b"\n", _HEAD)
        _demand(end >= 0)
        record, body = data[_HEAD:end], data[end + 1 :]  # a body is tens of megabytes: it is copied no second time
        _demand(head[len(_MAGIC) :] == _sha256(record) + b" " + _sha256(body))
        return cls(load(body), json.loads(record))


def read_meta(read: Callable[[int, int], bytes]) -> dict[str, Any]:
    """The record of an artifact, its arrays left where they are.

    Args:
        read: yields the bytes from one position to another, fewer where the file ends.

    Raises:
        ValueError: not an artifact, or the record's checksum is wrong.
    """
    data = read(0, LOOK)
    if data.startswith(_FIRST_MAGIC):
        return Artifact.unpack(data if len(data) < LOOK else data + read(LOOK, 1 << 62)).meta
    _demand(data.startswith(_MAGIC) and len(data) >= _HEAD)
    while (end := data.find(b"\n", _HEAD)) < 0:
        more = read(len(data), 8 * len(data))
        _demand(bool(more))
        data += more
    record = data[_HEAD:end]
    _demand(data[len(_MAGIC) : len(_MAGIC) + _DIGEST] == _sha256(record))
    meta: dict[str, Any] = json.loads(record)
    return meta


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()


def _demand(holds: bool) -> None:
    if not holds:
        raise ValueError("not an artifact, or damaged")
