"""From the texts of options to values: each function refuses in one line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vdf_bench.attackers.attacker import Attacker
    from vdf_bench.attackers.suite import Suite
    from vdf_bench.core.interfaces import Track
    from vdf_bench.core.registry import Kind
    from vdf_bench.execute.executor import Resources
    from vdf_bench.plan import Request

#: Of runs that name no budget, by track: VDF's, and that of the image defenses, which is 0.05 on [-1, 1] pictures.
BUDGETS: dict[Track, str] = {"video": "0.05", "images": "6.4/255"}
#: Largest seed, so that every generator takes it.
MAX_SEED = 2**32 - 1


def names(text: str) -> tuple[str, ...]:
    """The parts of a comma-separated list, each once."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def choice(text: str, option: str, known: tuple[str, ...]) -> str:
    """``text`` if it is known.

    Raises:
        UserError: it is not.
    """
    if text not in known:
        from vdf_bench.core.registry import suggest

        raise UserError(f"{option} {text!r}: {suggest(text, list(known))}")
    return text


def component(kind: Kind, name: str, option: str, *others: str) -> str:
    """``name`` if a component of this kind is registered under it, or it is one of ``others``.

    Raises:
        UserError: it is not.
    """
    from vdf_bench.core import registry

    return choice(name, option, (*others, *registry.names(kind)))


def track(text: str) -> Track:
    """``video`` or ``images``.

    Raises:
        UserError: neither.
    """
    return "images" if choice(text, "--track", tuple(BUDGETS)) == "images" else "video"


def some_names(text: str, option: str) -> tuple[str, ...]:
    """The parts of a comma-separated list, at least one.

    Raises:
        UserError: there is none.
    """
    found = names(text)
    if not found:
        raise UserError(f"{option} {text!r} is empty: give a comma-separated list, or remove the option")
    return found


def attackers(purifiers: str, parsers: str, policy: str) -> tuple[Attacker, ...]:
    """Every purifier chain with every parser.

    Raises:
        UserError: nothing is named, or a text is of no known form.
    """
    from vdf_bench.attackers.attacker import every_attacker
    from vdf_bench.attackers.spec import POLICIES

    chains, captures = some_names(purifiers, "--purifier"), some_names(parsers, "--parser")
    return every_attacker(chains, captures, choice(policy, "--policy", POLICIES))


def suite(purifiers: str, parsers: str, policy: str, exhaustive: bool) -> Suite | None:
    """The fixed suite of attackers that is asked for; None where attackers are named.

    Raises:
        UserError: an unknown suite, or a suite and something that it decides itself.
    """
    from vdf_bench.attackers.suite import parse_suite

    found = parse_suite(purifiers, exhaustive)
    if found and (parsers, policy) != ("builtin", "repair"):
        raise UserError("--purifier auto chooses parsers and policies itself: remove --parser and --policy")
    if exhaustive and not found:
        raise UserError("--exhaustive needs --purifier auto: attackers that you name are always run completely")
    return found


def device(text: str, executor: str = "local") -> str:
    """``cpu`` or ``cuda``; ``auto`` is ``cuda`` where there is one.

    Args:
        text: as asked.
        executor: ``ray`` takes ``cuda`` at its word, since its nodes may have what this machine has not.

    Raises:
        UserError: unknown, or there is no such device here.
    """
    if choice(text, "--device", ("auto", "cpu", "cuda")) == "cpu" or (text == "cuda" and executor == "ray"):
        return text
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if text == "cuda":
        raise UserError(
            "--device cuda: PyTorch finds no GPU on this machine: install a CUDA build of torch, or use --device cpu"
        )
    return "cpu"


def seed(text: str) -> int:
    """A seed.

    Raises:
        UserError: no whole number, or out of bounds.
    """
    try:
        value = int(text)
    except ValueError:
        raise UserError(f"--seed {text!r} is not a whole number: give a comma-separated list such as 0,1,2") from None
    if not 0 <= value <= MAX_SEED:
        raise UserError(f"--seed {value} is out of range: give 0 to {MAX_SEED}")
    return value


def timeout(seconds: float) -> float:
    """Seconds that a fit may take.

    Raises:
        UserError: none at all, or no end.
    """
    if not 0 < seconds <= 1e7:
        raise UserError(f"--timeout {seconds:g} is out of range: give seconds above 0, up to 1e7")
    return seconds


def share(value: float) -> float:
    """Share of a clip's frames that is protected.

    Raises:
        UserError: none at all, or more than all.
    """
    if not 0 < value <= 1:
        raise UserError(f"--protected-share {value:g} is out of range: give a share above 0, up to 1")
    return value


def overrides(items: Iterable[str]) -> dict[str, dict[str, str]]:
    """``--set`` texts: component -> parameter -> value.

    Raises:
        UserError: a text of another form.
    """
    found: dict[str, dict[str, str]] = {}
    for item in items:
        path, equals, value = item.partition("=")
        component, dot, parameter = path.rpartition(".")  # names of components may hold dots
        if not (equals and dot and component and parameter):
            raise UserError(f"--set {item!r} does not have the form COMPONENT.PARAMETER=VALUE, such as vdf.gain=2")
        found.setdefault(component, {})[parameter] = value
    return found


def cores() -> int:
    """Cores that this process may use."""
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def resources(executor: str, address: str, jobs: int, step_timeout: float | None, max_hours: float | None) -> Resources:
    """With what steps are carried out; ``max_hours`` counts from now.

    Raises:
        UserError: an unknown executor, an option that belongs to another, or a time that is none.
    """
    import time

    from vdf_bench.execute.executor import EXECUTORS, Resources

    if type(jobs) is not int or jobs < 0:
        raise UserError(f"--jobs {jobs!r} is out of range: give a whole number, or 0 for one per core")
    if step_timeout is not None and not step_timeout >= 1:
        raise UserError(f"--step-timeout {step_timeout!r} is out of range: give at least 1 second")
    if address and executor != "ray":
        raise UserError("--ray-address needs --executor ray: give both or neither")
    if max_hours is not None and not 0 < max_hours <= 1e5:
        raise UserError(f"--max-hours {max_hours:g} is out of range: give hours above 0, up to 1e5")
    until = None if max_hours is None else time.monotonic() + 3600 * max_hours
    chosen = choice(executor, "--executor", EXECUTORS)
    return Resources(jobs or cores(), chosen, address, step_timeout, until, keep_going=True)


def default_out(request: Request, home: str = "runs") -> Path:
    """A folder in ``home`` named after what is asked.

    Raises:
        UserError: there is no such clip.
    """
    from vdf_bench.plan.clips import ClipSource, expand

    clips = expand(request)
    clip = ClipSource.parse(clips[0]).name if len(clips) == 1 else f"{len(clips)}clips"
    who = [*([request.defenses] if home in ("runs", "sweeps") else []), request.victims or ("capture",)]
    track = ["images"] if request.track == "images" else []
    return Path(home) / "-".join([request.preset.name, *track, clip, *("+".join(names) for names in who)])


def known_clip(name: str) -> None:
    """See that ``name`` is a clip or a file.

    Raises:
        UserError: it is neither.
    """
    from vdf_bench.core.registry import provider_of
    from vdf_bench.plan.clips import not_found

    if provider_of(name) is None and not Path(name).exists():
        raise UserError(not_found(name))
