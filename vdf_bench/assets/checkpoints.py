"""A user's own checkpoints and model folders, read as hostile files: no code in them is run, and sizes come first."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from vdf_bench.assets.folders import WEIGHTS_VARIABLE
from vdf_bench.assets.third_party import check_size, how_to_get, path_of
from vdf_bench.core.errors import UserError
from vdf_bench.core.files import file_sha256

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

#: No file of a model folder that a user supplies is larger: float32 parts of two billion parameters fit.
FOLDER_FILE_LIMIT = 8 * 2**30
#: No file that is not weights: configurations, vocabularies.
FOLDER_TEXT_LIMIT = 16 * 2**20


def folder_fingerprint(folder: Path) -> str:
    """What tells one model folder from another: its files' names and sizes, and what is configured.

    Gigabytes of weights are identified by their size, a single file by its content.
    """
    if folder.is_file():
        return file_sha256(folder)
    total = hashlib.sha256()
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        total.update(f"{file.relative_to(folder).as_posix()} {file.stat().st_size}\n".encode())
        if file.suffix == ".json" and file.stat().st_size <= FOLDER_TEXT_LIMIT:
            total.update(file.read_bytes())
    return total.hexdigest() if folder.is_dir() else "none"


def check_model_folder(folder: Path) -> None:
    """Refuse a model folder in diffusers' layout before a library reads it.

    Raises:
        UserError: it is absent, has no safetensors, or holds a file larger than such a model has.
    """
    if not folder.is_dir():
        raise UserError(
            f"folder {folder} not found: copy the model there in diffusers' format, or set {WEIGHTS_VARIABLE}"
        )
    files = [file for file in folder.rglob("*") if file.is_file()]
    if not any(file.suffix == ".safetensors" for file in files):
        raise UserError(f"{folder} has no safetensors: copy the model again, saved with safe_serialization=True")
    for file in files:
        limit = FOLDER_FILE_LIMIT if file.suffix == ".safetensors" else FOLDER_TEXT_LIMIT
        if file.suffix in (".safetensors", ".json", ".txt") and file.stat().st_size > limit:
            raise UserError(f"{file} is larger than {limit // 2**20} MiB: check that it is the right file")


def read_state_dict(path: Path, name: str) -> dict[str, Tensor]:
    """The tensors of a user's ``.pth``, by key; no code in it is run, and nothing too large is read.

    Args:
        path: the file.
        name: of its entry in :mod:`vdf_bench.assets.third_party`.

    Raises:
        UserError: absent, too large, or not a plain state dict.
    """
    return _tensors(read_checkpoint(path, name), path, name)


def read_part(path: Path, name: str, part: str) -> dict[str, Tensor]:
    """The tensors of one network in a user's checkpoint: its table ``part``, or the keys that begin with ``part.``.

    Args:
        path: the file.
        name: of its entry in :mod:`vdf_bench.assets.third_party`.
        part: the network, as the official training names it; a file of that network alone will do as well.

    Raises:
        UserError: absent, too large, or with no plain state dict there.
    """
    content = read_checkpoint(path, name)
    if isinstance(content, dict) and isinstance(content.get(part), dict):
        content = content[part]
    elif isinstance(content, dict) and (own := [key for key in content if str(key).startswith(f"{part}.")]):
        content = {key.removeprefix(f"{part}."): content[key] for key in own}
    return _tensors(content, path, name)


def read_checkpoint(path: Path, name: str) -> Any:
    """What a user's checkpoint holds: tensors, numbers and tables of them; no code in it is run.

    Args:
        path: the file.
        name: of its entry in :mod:`vdf_bench.assets.third_party`.

    Raises:
        UserError: absent, too large, or damaged, or it holds more than that.
    """
    import pickle

    import torch

    if not path.is_file():
        raise UserError(f"{name} needs {path}: get it with {how_to_get(name)}, or set {WEIGHTS_VARIABLE}")
    check_size(name, path)
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError, TypeError, AttributeError, ValueError, KeyError) as error:
        # PyTorch's own words would advise to trust the file.
        reason = "it holds more than plain tensors, or is damaged"
        if not isinstance(error, pickle.UnpicklingError):
            reason = _first_line(error)
        raise UserError(f"{path} is not a state dict of {name}: {reason}; {how_to_get(name)}") from None


def _tensors(content: Any, path: Path, name: str) -> dict[str, Tensor]:
    import torch

    if not isinstance(content, dict) or not all(isinstance(each, torch.Tensor) for each in content.values()):
        raise UserError(
            f"{path} is not a state dict of {name}: it is not a mapping of names to tensors; {how_to_get(name)}"
        )
    return content


def load_user_checkpoint(network: nn.Module, name: str, folder: Path | None = None) -> None:
    """Load a user-supplied state dict into ``network``.

    Raises:
        UserError: absent, too large, not a plain state dict, or of another network.
    """
    path = path_of(name, folder)
    state = read_state_dict(path, name)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise UserError(f"{path} is not a state dict of {name}: {_first_line(error)}; {how_to_get(name)}") from None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
