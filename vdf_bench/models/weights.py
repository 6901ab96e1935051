"""Where weights come from: shipped safetensors with a model card, or a user's own checkpoint.

Nothing here unpickles code: shipped weights are safetensors checked against the SHA-256 of their card; a user's
``.pth`` is read with ``weights_only=True``, after its size.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vdf_bench.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor, nn

SHIPPED = Path(__file__).parent / "weights"
#: No file that ships is larger.
SHIPPED_LIMIT = 8 * 2**20
#: No file of a model folder that a user supplies is larger: float32 parts of two billion parameters fit.
FOLDER_FILE_LIMIT = 8 * 2**30
#: No file that is not weights: configurations, vocabularies.
FOLDER_TEXT_LIMIT = 16 * 2**20
#: Folder of the user's own weights.
WEIGHTS_VARIABLE = "VDF_BENCH_WEIGHTS"


def user_folder() -> Path:
    """Folder in which user-supplied weights are looked for: ``$VDF_BENCH_WEIGHTS`` or the user's cache."""
    chosen = os.environ.get(WEIGHTS_VARIABLE)
    if chosen:
        return Path(chosen)
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "vdf-bench" / "weights"


def stable_diffusion_folder() -> Path:
    """Where the user's Stable Diffusion 1.x lies, in the layout of diffusers; it need not be there."""
    return user_folder() / "stable-diffusion-v1"


def stable_diffusion_fingerprint() -> str:
    """What tells one user's Stable Diffusion from another: see :func:`folder_fingerprint`."""
    return folder_fingerprint(stable_diffusion_folder())


def folder_fingerprint(folder: Path) -> str:
    """What tells one model folder from another: its files' names and sizes, and what is configured.

    Gigabytes of weights are told by their size. A single file is told by its content.
    """
    if folder.is_file():
        from vdf_bench.models.supply import file_sha256

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
        raise UserError(f"no folder {folder}: copy the model there, as diffusers saves it, or set {WEIGHTS_VARIABLE}")
    files = [file for file in folder.rglob("*") if file.is_file()]
    if not any(file.suffix == ".safetensors" for file in files):
        raise UserError(f"{folder} has no safetensors: copy the model again, saved with safe_serialization=True")
    for file in files:
        limit = FOLDER_FILE_LIMIT if file.suffix == ".safetensors" else FOLDER_TEXT_LIMIT
        if file.suffix in (".safetensors", ".json", ".txt") and file.stat().st_size > limit:
            raise UserError(f"{file} is larger than {limit // 2**20} MiB: is it the right file?")


def card(name: str, folder: Path = SHIPPED) -> dict[str, Any]:
    """Model card of a shipped network.

    Raises:
        UserError: it is absent or unreadable.
    """
    path = folder / f"{name}.json"
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        raise UserError(f"no model card {path}; make it with `vdf-bench models train {name}`") from None
    except ValueError as error:
        raise UserError(f"{path}: {error}; restore it, or `vdf-bench models train {name}`") from None
    return content


def load_shipped(name: str, folder: Path = SHIPPED) -> dict[str, Tensor]:
    """Float32 tensors of a shipped network, checked against its card.

    Raises:
        UserError: absent, too large, or not the file that the card describes.
    """
    import torch
    from safetensors.torch import load

    path = folder / f"{name}.safetensors"
    remedy = f"reinstall vdf-bench, or `vdf-bench models train {name}`"
    if not path.is_file():
        raise UserError(f"weights {path} are absent; {remedy}")
    if path.stat().st_size > SHIPPED_LIMIT:
        raise UserError(f"{path} is larger than {SHIPPED_LIMIT} bytes; {remedy}")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != card(name, folder).get("sha256"):
        raise UserError(f"{path} does not match the SHA-256 of its card; {remedy}")
    return {key: value.float() if value.dtype == torch.float16 else value for key, value in load(content).items()}


def save_shipped(
    name: str, state: dict[str, Tensor], description: dict[str, Any], folder: Path, half: bool = True
) -> None:
    """Write ``NAME.safetensors`` (float16 if ``half``) and ``NAME.json`` (``description`` with size and SHA-256)."""
    import torch
    from safetensors.torch import save

    halves = {
        key: (value.half() if half and value.dtype == torch.float32 else value).contiguous().cpu()
        for key, value in state.items()
    }
    content = save(halves)
    if len(content) > SHIPPED_LIMIT:
        raise ValueError(f"{name}: {len(content)} bytes exceed the {SHIPPED_LIMIT} of a shipped network")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.safetensors").write_bytes(content)
    full = {"name": name, **description, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / f"{name}.json").write_text(json.dumps(full, indent=2) + "\n")


def read_state_dict(path: Path, name: str) -> dict[str, Tensor]:
    """The tensors of a user's ``.pth``, by key; no code in it is run, and nothing too large is read.

    Args:
        path: the file.
        name: of its entry in :mod:`vdf_bench.models.third_party`.

    Raises:
        UserError: absent, too large, or not a plain state dict.
    """
    return _tensors(read_checkpoint(path, name), path, name)


def read_part(path: Path, name: str, part: str) -> dict[str, Tensor]:
    """The tensors of one network in a user's checkpoint: its table ``part``, or the keys that begin with ``part.``.

    Args:
        path: the file.
        name: of its entry in :mod:`vdf_bench.models.third_party`.
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
        name: of its entry in :mod:`vdf_bench.models.third_party`.

    Raises:
        UserError: absent, too large, or damaged, or it holds more than that.
    """
    import pickle

    import torch

    from vdf_bench.models.third_party import check_size, how_to_get

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

    from vdf_bench.models.third_party import how_to_get

    if not isinstance(content, dict) or not all(isinstance(each, torch.Tensor) for each in content.values()):
        raise UserError(f"{path} is not a state dict of {name}: not a table of tensors; {how_to_get(name)}")
    return content


def load_user_checkpoint(network: nn.Module, name: str, folder: Path | None = None) -> None:
    """Load a user-supplied state dict into ``network``.

    Raises:
        UserError: absent, too large, not a plain state dict, or of another network.
    """
    from vdf_bench.models.third_party import how_to_get, path_of

    path = path_of(name, folder)
    state = read_state_dict(path, name)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise UserError(f"{path} is not a state dict of {name}: {_first_line(error)}; {how_to_get(name)}") from None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
