"""A finished run, read back: the result table and ``run.json``."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from vdf_bench.core.errors import UserError
from vdf_bench.report.track import IMAGES, TRACKS, VIDEO
from vdf_bench.results import READABLE, SCHEMA, read_results

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from vdf_bench.report.curves import Panel
    from vdf_bench.report.track import Terms

#: Key of ``run.json`` -> what its list holds.
_LISTS: dict[str, type] = {"gates": dict, "steps": dict, "left_out": dict, "notes": str}


@dataclass(frozen=True)
class Run:
    """A run folder in memory.

    Attributes:
        folder: where it lies.
        results: the result table.
        record: ``run.json``; every key of it may be absent.
    """

    folder: Path
    results: pd.DataFrame
    record: dict[str, Any] = field(default_factory=dict)

    @property
    def identities(self) -> dict[str, str]:
        """Clip -> person, as far as the run knows; other clips are persons of their own."""
        return {str(clip): str(person) for clip, person in (self.record.get("identities") or {}).items()}

    @property
    def terms(self) -> Terms:
        """The measures and words of the run's track."""
        return TRACKS.get(str(self.record.get("track")), VIDEO)

    def access(self, row: Mapping[str, Any]) -> str:
        """``white-box`` where the attacker runs the network that the defense could differentiate, else ``transfer``.

        In the video track that is the parser, the first part of a capture: ``builtin``, ``builtin/strict``,
        ``heldout:repair`` ...; taught further, it is another network. In the images track it is the editor.

        Args:
            row: with ``defense``, which names its surrogate after an ``@`` where it is not the run's, ``capture`` and
                ``victim``; what differentiates nothing is told beside the white-box attacks.
        """
        capture = str(row["capture"])
        surrogate = str(row.get("defense", "")).partition("@")[2]
        if self.terms is IMAGES:
            return "white-box" if surrogate in ("", str(row["victim"])) else "transfer"
        surrogate = surrogate or str(self.record.get("surrogate") or "builtin")
        parser, *parts = re.split(r"[/:+, ]", capture)
        taught = any(part.startswith("finetuned") for part in parts)
        return "white-box" if parser == surrogate and not taught else "transfer"

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row per attacked defense, see :func:`vdf_bench.report.tables.summarise`."""
        from vdf_bench.report.tables import summarise

        return summarise(self)

    @cached_property
    def panels(self) -> list[Panel]:
        """Defenses at equal strength, by attack, see :func:`vdf_bench.report.curves.panels`."""
        from vdf_bench.report.curves import make_panels

        return make_panels(self)

    @cached_property
    def traces(self) -> pd.DataFrame:
        """What defenses noted of every frame, see :mod:`vdf_bench.results.traces`; empty in runs of older versions."""
        from vdf_bench.results.traces import read_traces

        return read_traces(self.folder)

    def failed_gates(self) -> list[dict[str, Any]]:
        """Gates that a clean clone did not pass: why cells are void."""
        return [gate for gate in self.record.get("gates") or [] if gate.get("ok") is False]


def load_run(folder: Path) -> Run:
    """Read a run folder.

    Raises:
        UserError: a file is missing, damaged or of another schema.
    """
    results = read_results(folder)
    path = folder / "run.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing: give the folder that `vdf-bench run --out` wrote") from None
    except (ValueError, OSError) as error:
        raise UserError(f"{path} cannot be read ({error}); run again or restore it") from None
    if not isinstance(record, dict) or record.get("schema") not in READABLE:
        raise UserError(f"{path} does not follow schema {SCHEMA}: use the version of vdf-bench that wrote it")
    odd = [name for name, kind in _LISTS.items() if not _is_list_of(kind, record.get(name))]
    odd += [name for name in ("identities", "environment", "inputs") if not isinstance(record.get(name) or {}, dict)]
    if odd:
        raise UserError(f"{path} is damaged ({', '.join(odd)}): run again or restore it")
    return Run(folder, results, record)


def _is_list_of(kind: type, value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(item, kind) for item in value))
