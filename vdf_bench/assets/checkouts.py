"""Where checkouts of official systems lie on this machine: one TOML file of the user's.

    [er-nerf]
    repo = "~/src/ER-NeRF"
    python = "~/miniconda3/envs/ernerf/bin/python"
    gpu = "0"

It is ``$VDF_BENCH_EXTERNAL``, else ``~/.config/vdf-bench/external.toml``.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from vdf_bench.assets.folders import checkouts_file
from vdf_bench.core.errors import UserError


def _absolute(value: object) -> object:
    """Home directories expanded; links kept, as an interpreter's link says which environment it belongs to."""
    return Path(value).expanduser().absolute() if isinstance(value, str) else value


UserPath = Annotated[Path, BeforeValidator(_absolute)]


class Checkout(BaseModel):
    """One official system as it is installed here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    repo: UserPath = Field(description="folder of the checkout; it is only read")
    python: UserPath = Field(description="interpreter of the environment made for it")
    weights: UserPath | None = Field(None, description="where you keep its weights: doctor copies from there")
    bfm: UserPath | None = Field(None, description="where you keep the Basel Face Model: doctor copies from there")
    sapiens_python: UserPath | None = Field(None, description="interpreter of the sapiens_lite environment (InsTaG)")
    gpu: str = Field("0", description="CUDA_VISIBLE_DEVICES")
    iters_scale: float = Field(1.0, gt=0, le=10, description="factor on the official numbers of training steps")
    hours: float | None = Field(None, gt=0, description="wall hours that one cell may take; unset: the system's own")
    stall: float = Field(1800.0, gt=0, description="seconds without progress after which a step is stopped")
    workdir: UserPath | None = Field(None, description="where work copies are made and removed; unset: TMPDIR")
    keep: bool = Field(False, description="leave work copies, with their log, to see what went wrong")


@dataclass(frozen=True)
class Finding:
    """One requirement of a component, and whether this machine meets it.

    Attributes:
        what: the requirement, in a few words.
        missing: what is missing or wrong; empty where it is met.
        fix: the command that fixes it.
    """

    what: str
    missing: str = ""
    fix: str = ""


def find_checkout(system: str) -> Checkout | None:
    """The checkout of ``system`` (``er-nerf``); None where the user names none.

    Raises:
        UserError: the file cannot be read, or says something that is not known.
    """
    path = checkouts_file()
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}; fix it or delete it") from None
    if system not in table:
        return None
    try:
        return Checkout.model_validate(table[system])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join([system, *map(str, first["loc"])])
        raise UserError(f"{path}: {where}: {first['msg']} (known keys: {', '.join(Checkout.model_fields)})") from None
