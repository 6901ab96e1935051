"""Digests of the code behind a step, so that a changed method is never answered from the cache."""

from __future__ import annotations

import hashlib
import importlib.util
from functools import cache
from pathlib import Path


@cache
def code_digest(*modules: str) -> str:
    """SHA-256 over the sources of ``modules``; of a package, all modules below it. Nothing is executed but parents.

    Raises:
        ModuleNotFoundError: no such module.
    """
    total = hashlib.sha256()
    for module in sorted(modules):
        spec = importlib.util.find_spec(module)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(module)
        origin = Path(spec.origin)
        files = sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]
        for file in files:
            total.update(file.relative_to(origin.parent).as_posix().encode() + b"\0")
            total.update(file.read_bytes() + b"\0")
    return total.hexdigest()


def weights_digest(*names: str) -> str:
    """SHA-256 over weights by name: shipped ones, or a user's (:mod:`vdf_bench.models.third_party`).

    Absent ones count as empty.
    """
    from vdf_bench.models.supply import file_sha256
    from vdf_bench.models.third_party import THIRD_PARTY, path_of

    shipped = _shipped_digest(*(name for name in names if name not in THIRD_PARTY))
    users = {name: path_of(name) for name in sorted(names) if name in THIRD_PARTY}
    if not users:
        return shipped
    known = [(name, file_sha256(path) if path.is_file() else "") for name, path in users.items()]
    return hashlib.sha256(repr([shipped, known]).encode()).hexdigest()


@cache
def _shipped_digest(*names: str) -> str:
    """SHA-256 over shipped weight files ``models/weights/NAME.safetensors``; absent ones count as empty."""
    folder = Path(__file__).parent / "models" / "weights"
    total = hashlib.sha256()
    for name in sorted(names):
        file = folder / f"{name}.safetensors"
        total.update(name.encode() + b"\0" + (file.read_bytes() if file.is_file() else b""))
    return total.hexdigest()


def user_weights_digest(*paths: str) -> str:
    """Digest of what a user supplied for judges: the folder of weights, and files named in parameters.

    Names, sizes and times of change stand for contents, which may be hundreds of megabytes.
    """
    from vdf_bench.models.weights import user_folder

    folder = user_folder()
    files = [*(folder.iterdir() if folder.is_dir() else ()), *map(Path, paths)]
    seen = sorted((f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in files if f.is_file())
    return hashlib.sha256(repr(seen).encode()).hexdigest()
