"""Weights that ship: safetensors with a model card, checked against its SHA-256."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

SHIPPED = Path(__file__).parent / "shipped_weights"
#: No file that ships is larger.
SHIPPED_LIMIT = 8 * 2**20


def card(name: str, folder: Path = SHIPPED) -> dict[str, Any]:
    """Model card of a shipped network.

    Raises:
        UserError: it is absent or unreadable.
    """
    path = folder / f"{name}.json"
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        raise UserError(f"model card {path} is missing; create it with `vdf-bench models train {name}`") from None
    except ValueError as error:
        raise UserError(f"{path}: {error}; restore it, or run `vdf-bench models train {name}`") from None
    return content


def load_shipped(name: str, folder: Path = SHIPPED) -> dict[str, Tensor]:
    """Float32 tensors of a shipped network, checked against its card.

    Raises:
        UserError: absent, too large, or not the file that the card describes.
    """
    import torch
    from safetensors.torch import load

    path = folder / f"{name}.safetensors"
    remedy = f"reinstall vdf-bench, or run `vdf-bench models train {name}`"
    if not path.is_file():
        raise UserError(f"weights file {path} is missing; {remedy}")
    if path.stat().st_size > SHIPPED_LIMIT:
        raise UserError(f"{path} is larger than {SHIPPED_LIMIT} bytes; {remedy}")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != card(name, folder).get("sha256"):
        raise UserError(f"{path} does not match the SHA-256 in its model card; {remedy}")
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
