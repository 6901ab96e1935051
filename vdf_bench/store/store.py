"""Content-addressed artifacts: what a step made, under the key of everything that made it.

An artifact is one object, ``objects/ab/abcd….artifact``. It is written once, appears whole or not at all, and its
checksums are looked at whenever it is read; one that is damaged is set aside in ``quarantine/`` and computed again.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vdf_bench.core.artifact import LOOK, Artifact, read_meta
from vdf_bench.core.errors import UserError
from vdf_bench.core.files import check_room
from vdf_bench.store.place import Folder, Patient, Remote, open_place
from vdf_bench.store.settings import seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vdf_bench.store.place import Place

#: Seconds for which a store may be silent before a run gives up; the environment variable sets another number.
PATIENCE = 120.0
PATIENCE_VARIABLE = "VDF_BENCH_STORE_PATIENCE"
#: Where steps that run against a remote store keep their checkpoints.
SCRATCH_VARIABLE = "VDF_BENCH_SCRATCH"
_SUFFIX = ".artifact"
#: Asking for more keys than this one by one takes longer than one listing.
_LISTED = 64


class Store:
    """Artifacts in a folder or at an fsspec URL.

    Attributes:
        root: the folder; the URL, as text, of a store that is none.
        place: where its blobs lie, also those of leases and recorded costs.
        private: whether only this process sees it, as ``memory://``.
    """

    def __init__(self, where: Path | str, patience: float | None = None) -> None:
        given = patience if patience is not None else seconds(PATIENCE_VARIABLE, PATIENCE)
        inner = open_place(where)
        self.root: Path | str = inner.root if isinstance(inner, Folder) else inner.url
        self.place: Place = Patient(inner, given)
        self.private = isinstance(inner, Remote) and inner.url.startswith("memory://")

    def path(self, key: str) -> Path:
        """The file of the artifact ``key``, of a store in a folder."""
        return Path(self.root) / self._name(key)

    def has(self, key: str) -> bool:
        """Whether ``key`` is there (its checksums are looked at when it is read)."""
        return self.place.exists(self._name(key))

    def missing(self, keys: Iterable[str]) -> set[str]:
        """Those of ``keys`` that are not there; of many, by one listing."""
        asked = set(keys)
        if len(asked) <= _LISTED:
            return {key for key in asked if not self.has(key)}
        return asked - {key for key, _ in self.held()}

    def held(self) -> Iterator[tuple[str, int]]:
        """Every key that is there, and the bytes of its artifact."""
        for blob in self.place.blobs("objects/"):
            if blob.name.endswith(_SUFFIX):
                yield blob.name.rpartition("/")[2].removesuffix(_SUFFIX), blob.size

    def get(self, key: str) -> Artifact | None:
        """The artifact ``key``; None where it is absent, or was damaged and has now been set aside."""
        data = self.place.read(self._name(key))
        if data is None:
            return None
        try:
            return Artifact.unpack(data)
        except ValueError:
            self._set_aside(key)
            return None

    def meta(self, key: str) -> dict[str, Any] | None:
        """The record of the artifact ``key`` without its arrays; None as :meth:`get`."""
        name = self._name(key)
        first = self.place.read(name, 0, LOOK)
        if first is None:
            return None
        try:
            return read_meta(lambda start, stop: (self.place.read(name, start, stop) or b"") if start else first)
        except ValueError:
            self._set_aside(key)
            return None

    def put(self, key: str, artifact: Artifact) -> None:
        """Write ``artifact`` under ``key``, atomically and once: an artifact that is there already stays.

        Raises:
            UserError: the place cannot be written, is full, or does not answer.
        """
        self.place.create(self._name(key), artifact.pack())

    def scratch(self, key: str) -> Path:
        """Where the step ``key`` may keep a checkpoint until its artifact is there: always on this machine."""
        if isinstance(self.root, Path):
            return self.root / "scratch" / key
        home = Path(os.environ.get(SCRATCH_VARIABLE) or Path(tempfile.gettempdir()) / "vdf-bench-scratch")
        return home / hashlib.sha256(self.root.encode()).hexdigest()[:16] / key

    def quarantined(self) -> int:
        """How many damaged artifacts were set aside."""
        return sum(1 for _ in self.place.blobs("quarantine/"))

    def check_folder(self) -> None:
        """See that no file stands where the store's folder is to be.

        Raises:
            UserError: one does.
        """
        if isinstance(self.root, Path):
            parents = (self.root, *self.root.parents)
            taken = next((path for path in parents if path.exists() and not path.is_dir()), None)
            if taken is not None:
                raise UserError(f"--store {self.root}: {taken} is a file: choose a folder")

    def check_writable(self) -> None:
        """See that the store takes blobs, and has room where it is a folder.

        Raises:
            UserError: it does not.
        """
        if isinstance(self.root, Path):
            check_room(self.root / "objects")
        probe = f"writable-{uuid.uuid4().hex[:8]}"
        self.place.replace(probe, b"")
        self.place.remove(probe)

    def _name(self, key: str) -> str:
        return f"objects/{key[:2]}/{key}{_SUFFIX}"

    def _set_aside(self, key: str) -> None:
        self.place.move(self._name(key), f"quarantine/{key}.{uuid.uuid4().hex[:8]}{_SUFFIX}")
