"""What is remembered of the user's weights: hashes, and what was measured of them, such as a recogniser's threshold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from vdf_bench.assets.checkpoints import folder_fingerprint
from vdf_bench.assets.folders import user_folder
from vdf_bench.assets.shipped import SHIPPED
from vdf_bench.assets.third_party import path_of
from vdf_bench.core.errors import UserError
from vdf_bench.core.files import file_sha256, write_atomically

if TYPE_CHECKING:
    from pathlib import Path

RECORD: Final = "weights.json"
RECORD_LIMIT: Final = 2**20


def read_record(folder: Path | None = None) -> dict[str, dict[str, Any]]:
    """What is remembered, by name; nothing where nothing is.

    Raises:
        UserError: the record is damaged.
    """
    path = (folder or user_folder()) / RECORD
    if not path.is_file():
        return {}
    try:
        if path.stat().st_size > RECORD_LIMIT:
            raise ValueError("too large")
        content = json.loads(path.read_text())
        if not isinstance(content, dict) or not all(isinstance(each, dict) for each in content.values()):
            raise ValueError("not a table of tables")
    except ValueError as error:
        raise UserError(f"{path} is damaged ({error}): delete it and add the weights again") from None
    return content


def remember(name: str, facts: dict[str, Any], folder: Path | None = None) -> None:
    """Put ``facts`` in the place of what was remembered of ``name``."""
    folder = folder or user_folder()
    record = {**read_record(folder), name: facts}
    write_atomically(folder / RECORD, (json.dumps(record, indent=2, sort_keys=True) + "\n").encode())


def recorded_facts(name: str, folder: Path | None = None) -> dict[str, Any]:
    """What is remembered of the very file that lies there; nothing of another that has taken its place."""
    facts = read_record(folder).get(name, {})
    path = path_of(name, folder)
    return facts if path.is_file() and facts.get("sha256") == file_sha256(path) else {}


def weights_state(name: str) -> str:
    """What results depend on of weights, shipped or the user's; empty where they are absent."""
    shipped = SHIPPED / f"{name}.safetensors"
    return file_state(shipped if shipped.is_file() else path_of(name))


def file_state(path: Path) -> str:
    """What results depend on of a weights file or model folder: its content, and how it was calibrated."""
    if not path.is_file():
        return folder_fingerprint(path) if path.is_dir() else ""
    content = file_sha256(path)
    measured = [facts.get("threshold") for facts in read_record().values() if facts.get("sha256") == content]
    return content + (json.dumps(measured, sort_keys=True) if any(measured) else "")
