"""From a request to cells, and from the cells to steps."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from vdf_bench.assets.needs import unmet
from vdf_bench.attackers.attacker import Attacker
from vdf_bench.attackers.suite import registered_name
from vdf_bench.core import registry
from vdf_bench.core.budget import Budget
from vdf_bench.core.errors import UserError
from vdf_bench.core.files import file_sha256
from vdf_bench.judges.declared import declared_metrics
from vdf_bench.plan import images, video
from vdf_bench.plan.arrows import Arrows
from vdf_bench.plan.clips import ClipSource, expand
from vdf_bench.plan.graph import Plan
from vdf_bench.plan.protector import Protector, is_editor, protectors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vdf_bench.core.interfaces import Track
    from vdf_bench.plan.request import Request


def build_plan(request: Request) -> Plan:
    """Plan every cell of ``request``.

    Raises:
        UserError: an unknown name, parameter or value.
    """
    plan = Plan()
    known = {name for kind in registry.KINDS for name in registry.names(kind)}
    for name in request.overrides:
        if name not in known:
            raise UserError(f"--set {name}: unknown component {name!r}: {registry.suggest(name, sorted(known))}")
    judges = _judges(request, plan)
    victims = _victims(request, plan) if request.track == "images" or "clone" in judges.values() else []
    chosen = _protectors(request, victims, plan)
    attackers = dict.fromkeys(Attacker.parse(attacker.chain, attacker.capture) for attacker in request.attackers)
    arrows = Arrows(request, plan, list(judges))
    called: dict[str, str] = {}
    for clip, seed in product(expand(request), request.seeds or request.preset.seeds):
        found = ClipSource.parse(clip)
        name = found.name
        if called.setdefault(name, clip) != clip:
            raise UserError(f"clips {called[name]!r} and {clip!r} have the same name {name!r}: rename one of the files")
        if found.provider is None:
            plan.inputs[name] = file_sha256(Path(found.source))
        clip_key = arrows.clip(found, plan.inputs.get(name, ""))
        for attacker in attackers:
            clean: dict[str, str] = {}
            for by, budget in arrows.arms(chosen):
                published = arrows.published(clip_key, name, by, budget, seed, request.protected_share)
                if request.track == "images":
                    rest = (published, attacker.chain, victims, seed, clean)
                    clean = images.add_cells(arrows, clip_key, name, by, budget, *rest)
                else:
                    clean = video.add_cells(
                        arrows, clip_key, name, by, budget, published, attacker, victims, seed, clean
                    )
            for poison in request.poisons:
                still = (Protector("none"), Budget(0.0), clip_key, attacker)
                video.add_cells(arrows, clip_key, name, *still, victims, seed, clean, poison)
    plan.components = sorted(arrows.keys.components)
    if request.suite:
        plan.components.append(("suites", registered_name(request.suite)))
    _note_missing_columns(request, plan, judges)
    return plan


def _judges(request: Request, plan: Plan) -> dict[str, str]:
    """Judges of the run with their stages; ``all`` is every one that can run here.

    Raises:
        UserError: an unknown one, one of the other track, two that contradict each other, or one that must be there is
            not.
    """
    chosen = _select("judges", request.judges, plan, registry.names("judges"))
    stages = {name: str(registry.load("judges", name).stage) for name in chosen}
    declared_metrics(chosen)
    if request.judges == ("all",):
        return stages
    other = {"images": ("capture", "clone"), "video": ("edit",)}[request.track]
    for name, stage in stages.items():
        if stage in other:
            track = "video" if request.track == "images" else "images"
            raise UserError(f"--judge {name} looks at the stage {stage}: say --track {track}, or leave it out")
    if request.suite and not request.suite.exhaustive and "dsr" not in chosen:
        raise UserError(
            "--purifier auto stops where the judge dsr calls a defense broken: add dsr to --judge, or say --exhaustive"
        )
    return stages


def _victims(request: Request, plan: Plan) -> list[str]:
    """Victims of the track; ``all``, or in the images track ``editors``, is every one that can run here.

    Raises:
        UserError: an unknown one, one of the other track, or none at all where there must be one.
    """
    images_track = request.track == "images"
    mine = [name for name in registry.names("victims") if is_editor(name) is images_track]
    every = request.victims in (("all",), ("editors",) if images_track else ("heads",))
    chosen = _select("victims", ("all",) if every else request.victims, plan, mine)
    for name in chosen:
        if is_editor(name) is not images_track:
            track = "images" if not images_track else "video"
            what = "an attribute editor" if track == "images" else "a talking head"
            raise UserError(f"--victim {name} is {what}: use --track {track}, or choose one of {', '.join(mine)}")
    if images_track and not chosen:
        raise UserError("--track images needs an attribute editor as victim: add --victim editors")
    return chosen


def _protectors(request: Request, victims: list[str], plan: Plan) -> list[Protector]:
    """Every arm of the run with its surrogate: clean, controls, defenses."""
    every = [name for name in registry.names("defenses") if _is_at_home(name, request.track)]
    names = _select("defenses", request.defenses, plan, every)
    texts = list(dict.fromkeys(["none", *request.controls, *names]))
    return list(
        dict.fromkeys(one for text in texts for one in protectors(text, request.track, victims, request.surrogates))
    )


def _is_at_home(defense: str, track: Track) -> bool:
    """Whether ``all`` means a defense in this track; elsewhere it is run where it is named."""
    cls = registry.load("defenses", defense)
    if track == "images":
        return bool("editor" in cls.surrogates or "control" in cls.card.tags)
    return bool(cls.surrogates != {"editor"})


def _select(kind: registry.Kind, asked: tuple[str, ...], plan: Plan, every: list[str]) -> list[str]:
    """Names of ``kind``; ``all`` leaves out, with the reason, what cannot run here."""
    if asked != ("all",):
        for name in asked:
            missing = unmet(registry.load(kind, name.partition("@")[0]).card)
            if missing:
                raise UserError(f"{kind[:-1]} {name} {missing}")
        return list(dict.fromkeys(asked))
    chosen = []
    for name in every:
        missing = unmet(registry.load(kind, name).card)
        if missing is None:
            chosen.append(name)
        else:
            plan.left_out.append({"kind": kind[:-1], "name": name, "why": missing})
    return chosen


def _note_missing_columns(request: Request, plan: Plan, judges: Iterable[str]) -> None:
    for name in judges:
        judge = registry.create("judges", name, request.overrides.get(name))
        missing = getattr(judge, "missing", lambda: None)()
        if missing:
            plan.left_out.append({"kind": "judge", "name": name, "why": missing})
