"""Runs the steps of a job one by one, looks at what each made, and says in one code what went wrong.

A failure of the machine (no memory, a broken environment) is the user's to fix, never an outcome: it would count as
protection.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

from vdf_bench.core.errors import UserError
from vdf_bench.core.interfaces import FitFailed
from vdf_bench.victims.external.runner import Limits, Watch, run_watched
from vdf_bench.victims.external.workspace import environment

if TYPE_CHECKING:
    from pathlib import Path

    from vdf_bench.core.interfaces import Outcome
    from vdf_bench.victims.external.runner import Ended
    from vdf_bench.victims.external.system import Job, Stage, Step, System

_OUTCOMES: Final[dict[Stage, Outcome]] = {"prepare": "refused", "train": "diverged", "drive": "diverged"}

#: Messages in a failed command's last lines, and the code that says what they mean.
HAZARDS: Final = (
    (r"object of type 'NoneType' has no len\(\)", "no_face"),  # face_alignment found none
    (r"No faces were detected|no face detected", "no_face"),
    (r"Found array with 0 sample\(s\)", "empty-foreground"),  # the parser called a sampled frame all background
    (r"need at least one array to (?:stack|concatenate)", "too-few-frames"),  # the tracker's batches
)
#: Messages that are the machine's fault.
MACHINE: Final = (
    (r"CUDA out of memory|OutOfMemoryError|MemoryError|std::bad_alloc|Cannot allocate memory", "ran out of memory"),
    (r"No space left on device", "found no space left on the disk"),
    (r"(?m)^(?:ModuleNotFoundError|ImportError): ", "cannot import what it needs"),
    (r"no kernel image is available|CUDA driver version|No CUDA GPUs are available|nvcc", "cannot use the GPU"),
)
#: Exit code of a command that the kernel killed, most often for want of memory.
_KILLED: Final = 128 + 9
DOCTOR: Final = "vdf-bench doctor external"


def run_steps(system: System, job: Job, seconds: float, grace: float = 10.0) -> None:
    """Run every step of ``job``.

    Args:
        system: what runs.
        job: the clip at work.
        seconds: wall clock that all steps share.
        grace: seconds that a stopped step has to end by itself.

    Raises:
        FitFailed: a step failed, or did not make what it must.
        UserError: the machine failed it.
    """
    end = time.monotonic() + seconds
    steps = system.plan(job)
    with (job.root / "vdf-bench.log").open("wb") as log:
        for index, step in enumerate(steps):
            limits = Limits(end - time.monotonic(), job.checkout.stall, grace=grace)
            watch = Watch(step.count, system.restart)
            program = [str(job.checkout.python) if word == "python" else word for word in step.command]
            seen = environment(job.checkout, system.name, step.environment)
            check(system, step, job, run_watched(program, job.root, seen, limits, watch, log))
            if step.then is not None:
                step.then(job)
            if job.setting.tell is not None:
                job.setting.tell((index + 1) / len(steps))


def check(system: System, step: Step, job: Job, ended: Ended) -> None:
    """Raise what the end of ``step`` means, unless it ended well and made what it must.

    Raises:
        FitFailed: see :func:`run_steps`.
        UserError: the machine failed it.
    """
    where = f"iteration {ended.iteration}" if step.count is not None else step.name
    if ended.reason == "timeout":
        raise FitFailed("timed-out", f"timeout@{where}")
    if ended.reason == "no-progress":
        raise FitFailed("timed-out", f"no-progress@{where}")
    if ended.reason == "restarts":
        raise FitFailed("diverged", f"restarts@{ended.restarts}")
    if ended.reason == "nan":
        raise FitFailed("diverged", f"nan@{where}")
    missing = missing_output(step, job.root)
    if not missing and (ended.code == 0 or step.keeps):
        return
    machine = "ran out of memory" if ended.code == _KILLED else match(ended, MACHINE)
    if machine is not None:
        raise UserError(f"{system.name}, {step.name}: it {machine}{last_error(ended)}: run `{DOCTOR}.{system.name}`")
    # Scripts of this lineage call each other through os.system and pass over failures: words tell even at code 0.
    known = match(ended, (*system.hazards, *HAZARDS))
    said = known or (missing if ended.code == 0 else reason(ended))
    raise FitFailed(_OUTCOMES[step.stage], f"{said}@{step.name}")


def missing_output(step: Step, root: Path) -> str | None:
    """What the step should have made and did not, in a few words; None where all is there."""
    for pattern, wanted in step.makes.items():
        sizes = [path.stat().st_size for path in root.glob(pattern)]
        if not sizes:
            return f"missing {pattern.rpartition('/')[2] if '*' not in pattern else '/'.join(pattern.split('/')[-2:])}"
        if wanted is not None and len(sizes) != wanted:
            return f"{len(sizes)} of {wanted} {'/'.join(pattern.split('/')[-2:])}"
        if not all(sizes):
            return f"empty {'/'.join(pattern.split('/')[-2:])}"
    return None


def match(ended: Ended, messages: tuple[tuple[str, str], ...]) -> str | None:
    """The code of the first of ``messages`` that stands in the last lines."""
    text = "\n".join(ended.tail)
    return next((code for pattern, code in messages if re.search(pattern, text)), None)


def reason(ended: Ended) -> str:
    """Why a command failed, in a few words: a file that it missed, or its last exception."""
    text = "\n".join(ended.tail)
    files = re.findall(
        r"No such file or directory: b?['\"]([^'\"]+)['\"]|^(?:OSError: )?(\S+) not found\.?$", text, re.M
    )
    if files:
        return f"missing {''.join(files[-1]).rpartition('/')[2]}"
    raised = re.findall(r"^(?:\w+\.)*(\w*(?:Error|Exception|Interrupt|StopIteration))\b", text, re.MULTILINE)
    return raised[-1] if raised else f"exit code {ended.code}"


def last_error(ended: Ended) -> str:
    """The last line that names an error, in parentheses after a space; empty where there is none."""
    lines = [line for line in ended.tail if "rror" in line]
    return f" ({lines[-1][:160]})" if lines else ""
