"""What became of a claim: its figures, their verdicts, and the words that say so."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from vdf_bench.claims.verdicts import Measured, Verdict, combine, judge, summarise
from vdf_bench.report import words

if TYPE_CHECKING:
    from vdf_bench.claims.claim import Claim, Part
    from vdf_bench.claims.equal_success import Ratio
    from vdf_bench.report.record import Run

#: So many parts of a claim, all of one kind, are shown by their ends.
MANY = 3


@dataclass(frozen=True)
class Figure:
    """A measured part.

    Attributes:
        name: what it says.
        unit: as of :class:`vdf_bench.claims.catalogue.Part`.
        bound: the claim holds from here on; None of a figure for comparison.
        measured: None where nobody could be measured.
        verdict: on this part alone; None without a bound.
        of: people asked for.
    """

    name: str
    unit: str
    bound: float | None
    measured: Measured | None
    verdict: Verdict | None
    of: int

    def _show(self, value: float) -> str:
        if self.unit == "%":
            return words.number(100 * value, 0)
        return words.number(value, 1 if self.unit else 3)

    @property
    def text(self) -> str:
        """Such as ``98 [95, 100] %``."""
        if self.measured is None:
            return "void"
        found = self.measured
        ends = (
            f" [{self._show(found.low)}, {self._show(found.high)}]"
            if found.low is not None and found.high is not None
            else ""
        )
        return f"{self._show(found.value)}{ends}{_unit(self.unit)}"

    @property
    def required(self) -> str:
        """Such as ``≥ 50 %``; empty without a bound."""
        if self.bound is None:
            return ""
        return f"≥\N{NO-BREAK SPACE}{self.bound * (100 if self.unit == '%' else 1):g}{_unit(self.unit)}"

    @property
    def basis(self) -> str:
        """On whom it rests."""
        if self.measured is None:
            return f"0 of {self.of} people"
        lost = self.of - len(self.measured.people)
        return self.measured.basis + (f"; {lost} of {self.of} void" if lost > 0 else "")


@dataclass(frozen=True)
class Finding:
    """A claim and what was found.

    Attributes:
        claim: what was claimed.
        figures: its parts.
        beside: figures that decide nothing.
        verdict: of all parts.
        command: repeats it.
        notes: what else a reader must know.
        seconds: CPU seconds behind it, those it shares with other claims included.
    """

    claim: Claim
    figures: tuple[Figure, ...]
    beside: tuple[Figure, ...]
    verdict: Verdict
    command: str
    notes: tuple[str, ...]
    seconds: float

    @property
    def short(self) -> str:
        """All deciding figures on one line; of many of one kind the least and the largest."""
        if not self.figures:
            return "–"
        known = [figure for figure in self.figures if figure.measured]
        void = [figure.name for figure in self.figures if not figure.measured]
        lost = [f"void: {', '.join(void)}"] if void else []
        if len(self.figures) < MANY or not known:
            return "; ".join([f"{figure.name}: {figure.text}" for figure in known] + lost)
        worst, best = (pick(known, key=_value) for pick in (min, max))
        if len(known) == 1 or worst.text != best.text:
            ends = (worst, best) if len(known) > 1 else (worst,)
            return "; ".join([f"{figure.name}: {figure.text}" for figure in ends] + lost)
        return "; ".join([f"{worst.name}: {worst.text}", f"{len(known) - 1} more alike", *lost])

    @property
    def bounds(self) -> list[str]:
        """The bounds of its parts, each once."""
        return list(dict.fromkeys(figure.required for figure in self.figures))

    @property
    def basis(self) -> str:
        """On how many people the verdict rests, the least of its parts; empty where nothing is judged."""
        if self.claim.missing:
            return ""
        told = [figure for figure in self.figures if figure.measured] or self.figures
        return min(told, key=lambda figure: len(figure.measured.people) if figure.measured else 0).basis if told else ""

    def record(self) -> dict[str, Any]:
        """As ``claims.json`` holds it."""
        claim = self.claim
        told = {name: getattr(claim, name) for name in ("title", "paper", "quote", "protocol", "missing", "any_part")}
        return {
            "claim": claim.name,
            **told,
            "verdict": self.verdict,
            "basis": self.basis,
            "figures": [asdict(figure) for figure in self.figures],
            "beside": [asdict(figure) for figure in self.beside],
            "command": self.command,
            "notes": list(self.notes),
            "cpu_seconds": self.seconds,
        }


def find_out(claim: Claim, run: Run, command: str) -> Finding:
    """Judge a claim by the run made for it."""
    figures = tuple(_figure(run, part) for part in claim.parts)
    verdicts = [figure.verdict for figure in figures if figure.verdict]
    return Finding(
        claim=claim,
        figures=figures,
        beside=tuple(_figure(run, part) for part in claim.beside),
        verdict="not testable here" if claim.missing else combine(verdicts, claim.any_part),
        command=command,
        notes=(),
        seconds=sum(float(step.get("cpu") or 0) for step in run.record.get("steps") or []),
    )


def find_speed(claim: Claim, ratios: list[Ratio], said: str, command: str, seconds: float, bound: float) -> Finding:
    """Judge the claim of speed, whose own rule knows bounds; where that leaves it open, the common rule decides.

    Args:
        claim: the claim.
        ratios: as :func:`vdf_bench.claims.equal_success.ratios` gives them.
        said: the sentence of :func:`vdf_bench.claims.equal_success.verdict`.
        command: repeats it.
        seconds: CPU seconds it took.
        bound: the published factor.
    """
    from vdf_bench.claims.equal_success import INHERITING

    figures: list[Figure] = []
    verdict: Verdict = "not testable here"
    counting = [ratio for ratio in ratios if ratio.baseline != INHERITING and ratio.relation == "="]
    if counting:
        fastest = min(counting, key=lambda ratio: ratio.value)
        people = {f"clip {k + 1}": fastest.value for k in range(fastest.of)}
        measured = Measured(fastest.value, fastest.low, fastest.high, people, spread=True)
        verdict = judge(measured, bound)
        figures.append(Figure(f"speed of vdf over {fastest.baseline}", "times", bound, measured, verdict, fastest.of))
    # Its own rule takes an interval that holds the factor for the factor, and knows of baselines that were given up.
    if said.startswith(("reproduced", "exceeded")):
        verdict = "reproduced"
    elif verdict == "reproduced":
        verdict = "partly"
    return Finding(claim, tuple(figures), (), verdict, command, (said.partition(": ")[2],), seconds)


def _figure(run: Run, part: Part) -> Figure:
    from vdf_bench.claims.measures import people

    share = (0.0 if part.how == "value" else -1.0, 1.0)
    bounds = share if part.unit == "%" else (-math.inf, math.inf)
    measured = summarise(people(run, part), part.how == "ratio", bounds=bounds)
    verdict = None if part.bound is None else judge(measured, part.bound)
    unit = "times" if part.how == "ratio" else part.unit
    clips = set(run.results["clip"])
    return Figure(
        part.name, unit, part.bound, measured, verdict, len({run.identities.get(clip, clip) for clip in clips})
    )


def _unit(unit: str) -> str:
    return f"\N{NO-BREAK SPACE}{unit}" if unit else ""


def _value(figure: Figure) -> float:
    return figure.measured.value if figure.measured else float("-inf")
