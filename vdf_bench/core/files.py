"""Digests of files."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hex; read again only when its size or time of change differ."""
    stat = path.stat()
    return _sha256(path, stat.st_size, stat.st_mtime_ns)


@cache
def _sha256(path: Path, size: int, changed: int) -> str:
    del size, changed  # they tell one content of the path from another
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
