"""A work copy of a checkout that costs no space: links to all of it, and folders of its own where the system writes."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import socket
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from vdf_bench.assets.folders import cache_folder
from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from vdf_bench.assets.checkouts import Checkout

#: The file in a work copy that its owner holds a lock on.
CLAIMED: Final = ".claimed"
#: Set for the harness's own processes, or by the environment that it was started in; they would mislead the system's.
_OURS: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "PYTHONPATH",
    "PYTHONHOME",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
)


@contextmanager
def work_copy(checkout: Checkout, system: str, writes: Collection[str]) -> Iterator[Path]:
    """A folder that looks like the checkout and takes every file that the system writes; removed unless kept.

    Scripts run from it find their modules in the checkout, as Python follows links, and data through the work copy.

    Args:
        checkout: what is linked to; nothing in it changes.
        system: for the folder's name.
        writes: folders, below the checkout, that are the work copy's own.

    Raises:
        UserError: there is no place for it.
    """
    try:
        if checkout.workdir is not None:
            checkout.workdir.mkdir(parents=True, exist_ok=True)
        root = Path(tempfile.mkdtemp(prefix=f"vdf-bench-{system}-", dir=checkout.workdir))
    except OSError as error:
        raise UserError(f"cannot create a working copy of {system}: {error}; set workdir, or free disk space") from None
    remove_stale(root.parent, system)
    try:
        with (root / ".claim").open("w") as claim:
            fcntl.flock(claim, fcntl.LOCK_EX)
            (root / ".claim").rename(root / CLAIMED)
            overlay(checkout.repo, root, [PurePosixPath(path) for path in writes])
            yield root
    finally:
        if checkout.keep:
            (root / CLAIMED).unlink(missing_ok=True)
        else:
            shutil.rmtree(root, ignore_errors=True)


def remove_stale(folder: Path, system: str) -> None:
    """Remove work copies of ours whose owner was killed: the claim on them is nobody's."""
    for claim in folder.glob(f"vdf-bench-{system}-*/{CLAIMED}"):
        with suppress(OSError), claim.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(claim.parent, ignore_errors=True)


@contextmanager
def gpu_turn(gpu: str) -> Iterator[None]:
    """Wait until no other official system of this user's harness runs on ``gpu``: two trainings seldom fit.

    Raises:
        UserError: the cache folder cannot be written.
    """
    path = cache_folder() / f"gpu-{re.sub('[^0-9A-Za-z]+', '-', gpu)}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("w")
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; set XDG_CACHE_HOME to a writable folder") from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # given back when the file is closed, however this process ends
        yield


def overlay(source: Path, target: Path, own: Collection[PurePosixPath]) -> None:
    """Fill ``target`` with links to what is in ``source``, save for the folders ``own``, which start empty."""
    inner: dict[str, list[PurePosixPath]] = {}
    for path in own:
        inner.setdefault(path.parts[0], []).append(PurePosixPath(*path.parts[1:]))
    for entry in source.iterdir() if source.is_dir() else ():
        if entry.name not in inner and entry.name != ".git":
            (target / entry.name).symlink_to(entry)
    for name, below in inner.items():
        (target / name).mkdir()
        if all(path.parts for path in below):
            overlay(source / name, target / name, below)


def environment(checkout: Checkout, system: str, more: Mapping[str, str]) -> dict[str, str]:
    """What the system's commands see: its interpreter first on the path, one GPU, no window, no stale settings."""
    found = {name: value for name, value in os.environ.items() if name not in _OURS}
    binaries = checkout.python.parent
    found["PATH"] = os.pathsep.join([str(binaries), found.get("PATH", os.defpath)])
    if (binaries.parent / "conda-meta").is_dir():  # what activating it would do
        found["CONDA_PREFIX"] = str(binaries.parent)
        libraries = [str(binaries.parent / "lib"), found.get("LD_LIBRARY_PATH", "")]
        found["LD_LIBRARY_PATH"] = os.pathsep.join(filter(None, libraries))
    return {
        **found,
        "CUDA_VISIBLE_DEVICES": checkout.gpu,
        "MPLBACKEND": "Agg",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "TORCH_EXTENSIONS_DIR": str(cache_folder() / "torch-extensions" / system),
        **more,
    }


def free_port() -> int:
    """A TCP port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
