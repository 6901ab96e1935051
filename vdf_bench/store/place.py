"""Places that hold named blobs: a folder, or anything that fsspec reaches.

A blob appears whole or not at all, and :meth:`Place.create` never replaces one: that is all the store and its leases
build on. Names are relative, with ``/``.
"""

from __future__ import annotations

import errno
import os
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from vdf_bench.core.errors import StoreError, UserError
from vdf_bench.core.files import unwritable, write_beside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fsspec import AbstractFileSystem

T = TypeVar("T")

#: Errors that do not pass.
_LASTING = (
    errno.EACCES, errno.EDQUOT, errno.EEXIST, errno.EFBIG, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOENT,
    errno.ENOSPC, errno.ENOTDIR, errno.EPERM, errno.EROFS,
)  # fmt: skip
#: Packages whose own exceptions mean that a server did not answer as it should.
_CLIENTS = ("botocore", "aiobotocore", "aiohttp", "gcsfs", "google", "azure", "requests", "urllib3")
#: Those of them that do not pass.
_HOPELESS = ("NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "NoRegionError")
#: Protocols whose URLs name a bucket first.
_BUCKETS = ("s3", "s3a", "gs", "gcs")
#: A file system without hard links says one of these.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EOPNOTSUPP)


class GoneError(OSError):
    """The place was there and is not now."""


@dataclass(frozen=True)
class Blob:
    """What a listing says of a blob."""

    name: str
    size: int


class Place(Protocol):
    """Named blobs."""

    url: str

    def read(self, name: str, start: int = 0, stop: int | None = None) -> bytes | None:
        """The bytes of a blob, or a part of them; None where there is none."""

    def create(self, name: str, data: bytes) -> bool:
        """Put a blob unless there is one; whether it was put. It appears whole or not at all."""

    def replace(self, name: str, data: bytes) -> None:
        """Put a blob, in place of another if there is one. It appears whole or not at all."""

    def exists(self, name: str) -> bool:
        """Whether there is such a blob."""

    def remove(self, name: str) -> None:
        """Take a blob away, if it is there."""

    def move(self, name: str, to: str) -> None:
        """Give a blob another name, if it is there."""

    def blobs(self, prefix: str) -> Iterator[Blob]:
        """Every blob whose name starts with ``prefix``, in no order; drafts of writers that were killed are none."""


class Folder:
    """A folder on a file system; a shared one will do, if its renames are atomic."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = str(root)
        self._met = False

    def read(self, name: str, start: int = 0, stop: int | None = None) -> bytes | None:
        try:
            with (self.root / name).open("rb") as file:
                file.seek(start)
                return file.read() if stop is None else file.read(stop - start)
        except FileNotFoundError:
            self._look()
            return None

    def create(self, name: str, data: bytes) -> bool:
        path = self.root / name
        with self._there():
            partial = write_beside(path, data)
            try:
                os.link(partial, path)
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                if path.exists():
                    return False
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)
        return True

    def replace(self, name: str, data: bytes) -> None:
        path = self.root / name
        with self._there():
            write_beside(path, data).replace(path)

    def exists(self, name: str) -> bool:
        found = (self.root / name).is_file()
        if not found:
            self._look()
        return found

    def remove(self, name: str) -> None:
        (self.root / name).unlink(missing_ok=True)

    def move(self, name: str, to: str) -> None:
        target = self.root / to
        target.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            (self.root / name).replace(target)

    def blobs(self, prefix: str) -> Iterator[Blob]:
        folder, _, start = prefix.rpartition("/")
        yield from self._below(folder, start)

    def _below(self, folder: str, start: str = "") -> Iterator[Blob]:
        try:
            entries = list(os.scandir(self.root / folder))
        except FileNotFoundError:
            self._look()
            return
        for entry in entries:
            name = f"{folder}/{entry.name}" if folder else entry.name
            if not entry.name.startswith(start):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from self._below(name)
            elif not entry.name.endswith(".partial"):
                with suppress(FileNotFoundError):
                    yield Blob(name, entry.stat().st_size)

    @contextmanager
    def _there(self) -> Iterator[None]:
        """Write while the store is there: what is missing because it went away in between is gone, not missing."""
        self._look()
        try:
            yield
        except FileNotFoundError:
            self._look()
            raise
        self._look()

    def _look(self) -> None:
        """A store that was there and is not is a disk that was unplugged, not an empty store.

        The folder alone tells nothing: it may be the bare mount point, or made anew by who writes a checkpoint.
        """
        if (self.root / "objects").is_dir():
            self._met = True
        elif self._met:
            raise GoneError(errno.ENODEV, "the folder no longer exists", str(self.root))


class Remote:
    """Blobs behind an fsspec file system, such as ``s3://bucket/prefix``.

    Putting an object is atomic in object stores; that none is replaced rests on a conditional put, which S3 has. On a
    file system without one, two writers at the same moment may both write: the same content, so only work is lost.
    """

    def __init__(self, url: str) -> None:
        import fsspec

        self.url = url.rstrip("/")
        protocol = url.partition("://")[0]
        if protocol in _BUCKETS and not url.partition("://")[2].partition("/")[0]:
            raise UserError(f"--store {url} has no bucket: use the form {protocol}://BUCKET/FOLDER")
        options: dict[str, Any] = {"use_listings_cache": False} if protocol in _BUCKETS else {}
        try:
            fs, root = fsspec.core.url_to_fs(self.url, **options)
        except (ImportError, ValueError) as error:
            hint = ": pip install 'vdf-bench[s3]'" if protocol == "s3" else ""
            raise UserError(f"--store {url}: {error}{hint}") from None
        self._fs: AbstractFileSystem = fs
        self._root = str(root).rstrip("/")

    def read(self, name: str, start: int = 0, stop: int | None = None) -> bytes | None:
        try:
            if start == 0 and stop is None:
                return bytes(self._fs.cat_file(self._at(name)))
            return bytes(self._fs.cat_file(self._at(name), start=start, end=stop))
        except FileNotFoundError:
            return None
        except OSError as error:  # a range behind the end is an error to S3
            if "InvalidRange" in str(error) or "not satisfiable" in str(error):
                return b""
            raise

    def create(self, name: str, data: bytes) -> bool:
        try:
            self._fs.pipe_file(self._at(name), data, mode="create")
        except FileExistsError:
            return False
        except OSError as error:
            if "PreconditionFailed" in str(error) or "pre-conditions" in str(error):
                return False
            raise
        return True

    def replace(self, name: str, data: bytes) -> None:
        self._fs.pipe_file(self._at(name), data)

    def exists(self, name: str) -> bool:
        return bool(self._fs.exists(self._at(name)))

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self._fs.rm_file(self._at(name))

    def move(self, name: str, to: str) -> None:
        data = self.read(name)
        if data is not None:
            self.replace(to, data)
            self.remove(name)

    def blobs(self, prefix: str) -> Iterator[Blob]:
        self._fs.invalidate_cache()
        folder, _, start = self._at(prefix).rpartition("/")
        try:
            found = self._fs.find(folder, detail=True, **({"prefix": start} if "s3" in self._fs.protocol else {}))
        except FileNotFoundError:
            return
        for path, info in found.items():
            name = path.removeprefix(self._root).lstrip("/")
            if name.startswith(prefix):
                yield Blob(name, int(info.get("size") or 0))

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"


class Patient:
    """Another place, asked again while it does not answer.

    Args:
        inner: the place.
        patience: seconds of silence, by this process's monotonic clock, after which it is given up.
        first: seconds before it is asked again the first time; each time it is twice as long, up to 5 s.
    """

    def __init__(self, inner: Place, patience: float, first: float = 0.1) -> None:
        self.inner = inner
        self.url = inner.url
        self._patience = patience
        self._first = first

    def read(self, name: str, start: int = 0, stop: int | None = None) -> bytes | None:
        return self._ask(lambda: self.inner.read(name, start, stop))

    def create(self, name: str, data: bytes) -> bool:
        return self._ask(lambda: self.inner.create(name, data), name)

    def replace(self, name: str, data: bytes) -> None:
        self._ask(lambda: self.inner.replace(name, data), name)

    def exists(self, name: str) -> bool:
        return self._ask(lambda: self.inner.exists(name))

    def remove(self, name: str) -> None:
        self._ask(lambda: self.inner.remove(name), name)

    def move(self, name: str, to: str) -> None:
        self._ask(lambda: self.inner.move(name, to), to)

    def blobs(self, prefix: str) -> Iterator[Blob]:
        yield from self._ask(lambda: list(self.inner.blobs(prefix)))

    def _ask(self, question: Callable[[], T], writes: str = "") -> T:
        pause, waited = self._first, time.monotonic()
        while True:
            try:
                return question()
            except Exception as error:
                if _unknown_here(error):
                    why = " ".join(str(error).split())
                    raise StoreError(f"access to the store {self.url} was denied ({why}): {_keys(self.url)}") from error
                if not passing(error):
                    if writes and isinstance(error, OSError):
                        raise unwritable(f"{self.url}/{writes}", error) from error
                    raise
                if time.monotonic() - waited + pause > self._patience:
                    raise StoreError(
                        f"the store {self.url} has not answered for {self._patience:.0f} s ({error}): finished steps "
                        "are kept; run the same command again when it is reachable"
                    ) from error
            time.sleep(pause)
            pause = min(2 * pause, 5.0)


def passing(error: Exception) -> bool:
    """Whether an error may pass by itself: a server that does not answer, a disk that is away."""
    if _unknown_here(error):
        return False
    if isinstance(error, OSError):
        return isinstance(error, GoneError) or error.errno not in _LASTING
    return type(error).__module__.partition(".")[0] in _CLIENTS


def _unknown_here(error: Exception) -> bool:
    """Whether a server does not know, or was not told, who asks; s3fs says the first without an error number."""
    denied = isinstance(error, PermissionError) and error.errno is None
    nowhere = isinstance(error, ValueError) and "Invalid endpoint" in str(error)
    return denied or nowhere or type(error).__name__ in _HOPELESS


def _keys(url: str) -> str:
    """What to set so that a server knows who asks."""
    if url.startswith(("s3://", "s3a://")):
        return "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_ENDPOINT_URL for a server of your own"
    return "configure its client with credentials that may list, read, write and delete"


def open_place(where: Path | str) -> Place:
    """The place that a path or URL names.

    Raises:
        UserError: it names nothing, no such protocol, or its package is not installed.
    """
    text = str(where)
    if text in ("", "file://"):
        raise UserError("--store is empty: give a folder or a URL such as s3://bucket/store")
    if text.startswith("file://"):
        return Folder(Path(text.removeprefix("file://")))
    return Remote(text) if "://" in text else Folder(Path(where))
