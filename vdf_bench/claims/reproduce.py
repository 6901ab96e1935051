"""Carries claims out: the run behind each, in one store for all, so that what claims share is computed once."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vdf_bench.claims.catalogue import CLIPS
from vdf_bench.claims.findings import Finding, find_out, find_speed
from vdf_bench.core.artifact import digest
from vdf_bench.core.budget import Budget
from vdf_bench.core.files import write_atomically
from vdf_bench.plan.clips import PORTRAITS
from vdf_bench.plan.presets import preset as find_preset

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vdf_bench.claims.claim import Claim, Study
    from vdf_bench.core.registry import Kind
    from vdf_bench.execute.schedule import Watcher
    from vdf_bench.plan import Request
    from vdf_bench.plan.presets import Preset
    from vdf_bench.plan.run import Run

SCHEMA = 1
#: Of every claim, where no other is asked for: the official code's.
BUDGET = Budget(0.05)
#: Edge in pixels and frames of the clips on which speed is measured, whatever the preset.
SPEED = (96, 24)


@dataclass(frozen=True)
class Setup:
    """What all claims are measured on.

    Attributes:
        preset: size, length and seeds.
        clips: a person each.
        budget: of every defense.
        out: folder of the store, of a run folder for each claim, and of the page.
        jobs: steps at once.
    """

    preset: Preset
    clips: tuple[str, ...]
    budget: Budget
    out: Path
    jobs: int

    def command(self, name: str) -> str:
        """What repeats a claim."""
        plain = find_preset(self.preset.name)
        words = ["vdf-bench reproduce", name, "--preset", self.preset.name]
        words += [
            f"--{what} {getattr(self.preset, what)}"
            for what in ("size", "frames")
            if getattr(self.preset, what) != getattr(plain, what)
        ]
        words += [f"--clip {','.join(self.clips)}"] if self.clips != CLIPS else []
        words += [f"--budget {self.budget.linf:g}"] if self.budget != BUDGET else []
        return " ".join(words)


def request(study: Study, setup: Setup) -> Request:
    """What a study asks of an ordinary run."""
    from vdf_bench.attackers.attacker import every_attacker
    from vdf_bench.plan import Request

    images = study.track == "images"
    return Request(
        preset=setup.preset.still() if images else setup.preset,
        defenses=study.defenses,
        controls=study.controls,
        victims=study.victims,
        attackers=every_attacker(study.chains, ("builtin",)),
        clips=portraits(study, setup) if images else tuple(c + study.length for c in setup.clips[: study.clips]),
        budgets=(Budget(study.budget / 255) if study.budget else setup.budget,),
        track=study.track,
    )


def portraits(study: Study, setup: Setup) -> tuple[str, ...]:
    """The portraits of a claim on images: the study's, or those that were asked for."""
    asked = tuple(clip for clip in setup.clips if clip.partition(":")[0] == PORTRAITS)
    return asked or (f"{PORTRAITS}:{study.clips}",)


def prepare_claim(claim: Claim, setup: Setup) -> Run:
    """Plan the run behind a claim that has one.

    Raises:
        UserError: a clip that does not exist, or a folder that cannot take the run.
    """
    from vdf_bench.runs.run import prepare

    if claim.study is None:
        raise ValueError(f"{claim.name} has no study")
    return prepare(request(claim.study, setup), setup.out / claim.name, setup.out / "store", overwrite=True)


def measure_run(claim: Claim, setup: Setup, run: Run, watcher: Watcher, say: Callable[[str], None]) -> Finding:
    """Compute what is missing of the run behind a claim, and judge the claim by it.

    Raises:
        UserError: an input that cannot serve, or a folder that cannot be written.
        StepFailedError: a step raised.
    """
    from vdf_bench.report.load import load_run
    from vdf_bench.runs.run import complete

    complete(run, setup.jobs, watcher, say)
    return find_out(claim, load_run(run.out), setup.command(claim.name))


def measure_speedup(claim: Claim, setup: Setup, tell: Callable[[str, float], None]) -> Finding:
    """The speed measures itself, at the defaults of ``reproduce speedup``.

    What the same code measured of the same clips is read back from ``speedup.json``.
    """
    from vdf_bench.attackers.attacker import SURROGATE
    from vdf_bench.claims.equal_success import BASELINES, CLAIM, METHOD, Ratio
    from vdf_bench.claims.report import write_speedup
    from vdf_bench.claims.speed import measure_speed
    from vdf_bench.plan.keys import Keys, code_digest

    size, frames = SPEED
    methods: list[tuple[Kind, str]] = [("defenses", name) for name in (METHOD, *BASELINES)]
    code = [code_digest("vdf_bench.claims.equal_success"), Keys().of("protect", *methods, ("parsers", SURROGATE))]
    key = digest([list(setup.clips), size, frames, str(setup.budget), code])
    record = _held(setup.out / "speedup.json")
    command = "vdf-bench reproduce speedup"
    if record.get("key") == key:
        ratios = [Ratio(**ratio) for ratio in record["ratios"]]
        return find_speed(claim, ratios, record["verdict"], command, record["cpu_seconds"], CLAIM)
    begun = time.process_time()
    found = measure_speed(setup.clips, size, frames, setup.budget, tell=tell)
    spent = time.process_time() - begun
    record = _held(write_speedup(found, setup.out)) | {"key": key, "cpu_seconds": spent}
    text = json.dumps(record, indent=1, sort_keys=True, allow_nan=False)
    write_atomically(setup.out / "speedup.json", text.encode())
    return find_speed(claim, found.ratios, found.verdict, command, spent, CLAIM)


def _held(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def write_findings(findings: list[Finding], setup: Setup) -> Path:
    """Write ``claims.json``, the page ``claims.html`` and its table as ``claims.md``; returns the page."""
    from vdf_bench.claims.page import markdown, render
    from vdf_bench.claims.verdicts import RULE
    from vdf_bench.results.gather import environment

    record = {
        "schema": SCHEMA,
        "preset": {"name": setup.preset.name, "size": setup.preset.size, "frames": setup.preset.frames},
        "clips": list(setup.clips),
        "seeds": list(setup.preset.seeds),
        "budget": str(setup.budget),
        "environment": environment(),
        "command": setup.command("all"),
        "cpu_seconds": cpu_seconds(findings, setup),
        "rule": RULE,
        "claims": [finding.record() for finding in findings],
    }
    text = json.dumps(record, indent=1, sort_keys=True, allow_nan=False)
    write_atomically(setup.out / "claims.json", text.encode())
    write_atomically(setup.out / "claims.md", markdown(findings).encode())
    page = setup.out / "claims.html"
    write_atomically(page, render(findings, record).encode())
    return page


def cpu_seconds(findings: list[Finding], setup: Setup) -> float:
    """CPU seconds of every step behind the findings, each step once, and of the speed claim."""
    steps: dict[str, float] = {}
    own = 0.0
    for finding in findings:
        if finding.claim.study is None:
            own += finding.seconds
            continue
        for step in _held(setup.out / finding.claim.name / "run.json").get("steps") or []:
            steps[step["key"]] = float(step.get("cpu") or 0)
    return own + sum(steps.values())
