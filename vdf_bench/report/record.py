"""A finished run, read back: the result table and ``run.json``."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from vdf_bench.core.metrics import STAGES, Definition
from vdf_bench.report.track import IMAGES, TRACKS, VIDEO

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from vdf_bench.report.panel import Panel
    from vdf_bench.report.track import Terms


@dataclass(frozen=True)
class Run(ABC):
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

    @cached_property
    def metrics(self) -> dict[str, Definition]:
        """What every metric of the table means, by name, in the order of the story.

        As the run recorded it; what it did not record, as in folders of older versions, is asked of the judges that are
        installed. A metric that nobody knows goes by what the table says of it.

        Raises:
            UserError: the record is damaged, or installed judges contradict each other.
        """
        from vdf_bench.judges.declared import declared_metrics

        rows = self.results.drop_duplicates("metric").set_index("metric")
        found = {one.name: one for one in map(Definition.from_record, self.record.get("metrics") or [])}
        if not found.keys() >= set(rows.index):
            found = {**declared_metrics(), **found}
        for name, row in rows.iterrows():
            if name not in found:
                told = (str(name), row["stage"], row["unit"], row["better"], -math.inf, math.inf, "")
                found[str(name)] = Definition(*told, "not defined: the judge that measured it is not installed here")
        here = [one for name, one in found.items() if name in rows.index]
        return {one.name: one for one in sorted(here, key=lambda one: STAGES.index(one.stage))}

    def reach(self, metric: str) -> float:
        """Upper bound of a metric less its lower one; infinite where the table does not hold it."""
        one = self.metrics.get(metric)
        return one.upper - one.lower if one else math.inf

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
                ``victim``; what differentiates nothing is shown with the white-box attacks.
        """
        capture = str(row["capture"])
        surrogate = str(row.get("defense", "")).partition("@")[2]
        if self.terms is IMAGES:
            return "white-box" if surrogate in ("", str(row["victim"])) else "transfer"
        surrogate = surrogate or str(self.record.get("surrogate") or "builtin")
        parser, *parts = re.split(r"[/:+, ]", capture)
        taught = any(part.startswith("finetuned") for part in parts)
        return "white-box" if parser == surrogate and not taught else "transfer"

    @property
    @abstractmethod
    def summary(self) -> pd.DataFrame:
        """One row per attacked defense, see :func:`vdf_bench.report.tables.summarise`."""

    @property
    @abstractmethod
    def panels(self) -> list[Panel]:
        """Defenses at equal strength, by attack; none with neither a second budget nor a second defense."""

    @cached_property
    def traces(self) -> pd.DataFrame:
        """What defenses noted of every frame, see :mod:`vdf_bench.results.traces`; empty in runs of older versions."""
        from vdf_bench.results.traces import read_traces

        return read_traces(self.folder)

    def failed_gates(self) -> list[dict[str, Any]]:
        """Gates that a clean clone did not pass: why cells are void."""
        return [gate for gate in self.record.get("gates") or [] if gate.get("ok") is False]
