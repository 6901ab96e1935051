"""From a request to cells, and from the cells to steps; one method an arrow of the story."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vdf_bench import registry
from vdf_bench.budget import Budget
from vdf_bench.capture.spec import CaptureSpec
from vdf_bench.errors import UserError
from vdf_bench.plan.clips import ClipSource
from vdf_bench.plan.graph import Arm, Cell, Plan, Step
from vdf_bench.plan.request import SURROGATE, Attacker
from vdf_bench.sources import code_digest, user_weights_digest, weights_digest
from vdf_bench.steps import clip_provider
from vdf_bench.store import digest, file_digest

if TYPE_CHECKING:
    from vdf_bench.interfaces import Target
    from vdf_bench.plan.request import Request

#: Clips on which an attacker studies a defense: so many of these, of so many frames, and never the one under attack.
STUDIED = ("synth-g", "synth-h", "synth-f")
STUDIED_CLIPS = 2
STUDIED_FRAMES = 40
#: Networks that judges run, beside the shipped ones.
JUDGES = ("vdf_bench.models.arcface", "vdf_bench.models.face_mesh", "vdf_bench.models.syncnet")


def _select(kind: registry.Kind, asked: tuple[str, ...], plan: Plan) -> list[str]:
    """Names of ``kind``; ``all`` leaves out, with the reason, what cannot run here."""
    if asked != ("all",):
        for name in asked:
            lack = registry.unmet(registry.load(kind, name).card)
            if lack:
                raise UserError(f"{kind[:-1]} {name} {lack}")
        return list(dict.fromkeys(asked))
    chosen = []
    for name in registry.names(kind):
        card = registry.load(kind, name).card
        lack = registry.unmet(card)
        if lack is None:
            chosen.append(name)
        else:
            plan.left_out.append({"kind": kind[:-1], "name": name, "why": lack})
    return chosen


def build_plan(request: Request) -> Plan:
    """Plan every cell of ``request``.

    Raises:
        UserError: an unknown name, parameter or value.
    """
    plan = Plan()
    known = {name for kind in registry.KINDS for name in registry.names(kind)}
    for name in request.overrides:
        if name not in known:
            raise UserError(f"--set {name}: no such component: {registry.suggest(name, sorted(known))}")
    defenses = _select("defenses", request.defenses, plan)
    arms = list(dict.fromkeys(["none", *request.controls, *defenses]))
    victims = _select("victims", request.victims, plan)
    attackers = dict.fromkeys(Attacker.parse(attacker.chain, attacker.capture) for attacker in request.attackers)
    builder = _Builder(request, plan)
    called: dict[str, str] = {}
    for clip, seed in product(request.clips or request.preset.clips, request.seeds or request.preset.seeds):
        found = ClipSource.parse(clip)
        name = found.name
        if called.setdefault(name, clip) != clip:
            raise UserError(f"clips {called[name]!r} and {clip!r} are both called {name!r}: rename one of them")
        if found.provider is None:
            plan.inputs[name] = file_digest(Path(found.source))
        clip_key = builder.clip(found, plan.inputs.get(name, ""))
        for attacker in attackers:
            clean: dict[str, str] = {}
            for arm, budget in builder.arms(arms):
                published = builder.published(clip_key, name, arm, budget, seed, request.protected_share)
                clean = builder.cells(clip_key, name, arm, budget, published, attacker, victims, seed, clean)
            for poison in request.poisons:
                still = Budget(0.0)
                builder.cells(clip_key, name, "none", still, clip_key, attacker, victims, seed, clean, poison)
    judged = {name for name, _ in builder.judges}
    for name in registry.names("judges"):
        judge = registry.create("judges", name, request.overrides.get(name))
        lack = registry.unmet(judge.card) if name not in judged else getattr(judge, "missing", lambda: None)()
        if lack:
            plan.left_out.append({"kind": "judge", "name": name, "why": lack})
    return plan


class _Builder:
    """Adds steps to a plan; one method an arrow."""

    def __init__(self, request: Request, plan: Plan) -> None:
        self.request = request
        self.plan = plan
        self.judges = [
            (name, self._values("judges", name))
            for name in registry.names("judges")
            if registry.unmet(registry.load("judges", name).card) is None
        ]

    def _values(self, kind: registry.Kind, name: str) -> dict[str, Any]:
        values: dict[str, Any] = registry.create(kind, name, self.request.overrides.get(name)).parameters.model_dump(
            mode="json"
        )
        return values

    def _code(self, kind: registry.Kind, name: str, *more: str) -> str:
        code = code_digest(room(kind, name), *more)
        fingerprint = registry.load(kind, name).fingerprint()
        return digest([code, fingerprint]) if fingerprint else code

    def arms(self, names: list[str]) -> list[tuple[str, Budget]]:
        """Defenses with their budgets; those that have none are run once."""
        cards = {name: registry.load("defenses", name).card for name in names}
        free = [name for name in names if name == "none" or "ignores-budget" in cards[name].tags]
        bound = [name for name in names if name not in free]
        ordered = [(name, Budget(0.0)) for name in free] + list(product(bound, self.request.budgets))
        return sorted(ordered, key=lambda pair: pair[0] != "none")

    def clip(self, clip: ClipSource, sha256: str = "") -> str:
        params: dict[str, Any] = {"size": self.request.preset.size, "frames": clip.frames or self.request.preset.frames}
        if clip.exact:
            params["exact"] = clip.name
        label = f"clip {clip.name if clip.exact else Path(clip.source).name}"
        if clip.provider:
            code = code_digest("vdf_bench.scenes", "vdf_bench.clip")
            return self.plan.add(Step("clip", label, {**params, "clip": clip.source}, {}, code))
        sources = code_digest("vdf_bench.video", "vdf_bench.capture.face", "vdf_bench.models.landmarker")
        code = digest([sha256, sources, weights_digest("landmarker")])
        return self.plan.add(Step("clip", label, params, {}, code, where={"clip": str(Path(clip.source).resolve())}))

    def published(self, clip_key: str, clip: str, defense: str, budget: Budget, seed: int, share: float = 1.0) -> str:
        if defense == "none":
            return clip_key
        card = registry.load("defenses", defense).card
        params = {
            "defense": defense,
            "version": card.version,
            "parameters": self._values("defenses", defense),
            "linf": budget.linf,
            "seed": seed,
            "surrogate": SURROGATE,
        }
        if share < 1:
            params["share"] = share
        through = ("vdf_bench.models.parser", "vdf_bench.budget", "vdf_bench.enforce")
        code = digest([self._code("defenses", defense, *through), weights_digest(SURROGATE)])
        bound = Budget(budget.linf)
        label = f"protect {clip} with {defense}" + (f" within {bound}" if budget.linf else "")
        bounded = self.plan.add(Step("protect", label, params, {"clip": clip_key}, code))
        if not budget.psnr:
            return bounded
        # Floors are the harness's work, so that one perturbation serves all of them.
        inputs = {"clip": clip_key, "bounded": bounded}
        met = code_digest("vdf_bench.budget", "vdf_bench.enforce")
        label = f"hold {defense} on {clip} to {budget}"
        return self.plan.add(Step("floor", label, {"linf": budget.linf, "floor": budget.psnr}, inputs, met))

    def cells(
        self,
        clip_key: str,
        clip: str,
        defense: str,
        budget: Budget,
        published: str,
        attacker: Attacker,
        victims: list[str],
        seed: int,
        clean: dict[str, str],
        poison: str = "",
    ) -> dict[str, str]:
        """Add one arm's cells for all victims; the clean arm comes first and its step keys are returned."""
        card = registry.load("defenses", defense).card
        arm: Arm = "control" if poison or "control" in card.tags else "defended"
        if defense == "none" and not poison:
            arm = "clean"
        base = {"clip": clip_key, "protected": published}
        if published != clip_key and self.plan.steps[published].name == "floor":
            base["bounded"] = self.plan.steps[published].inputs["bounded"]
        base["frames"] = self._purified(clip_key, published, attacker.chain, clip, defense, seed)
        spec = CaptureSpec.parse(attacker.capture)
        defense = poison or defense
        if spec.finetuned:
            base["taught"] = self._hardened(spec, clip, seed)
        if spec.view:
            base["view"] = self._purified(clip_key, base["frames"], spec.view, clip, defense, seed)
        base["capture"] = self._captured(base, spec, f"{clip}, {defense}, {spec.name}", poison, seed)
        named = f"{clip}, {defense}, {spec.name}"
        found = dict(clean) if clean else {"capture": base["capture"]}
        twin = found["capture"]
        if arm != "clean" and not poison:
            costs = {"protect": "bounded" if "bounded" in base else "protected"}
            base["judge.protect"] = self._judge("protect", base, costs, f"{clip}, {defense}")
        seen = {**base, "clean_capture": twin}
        base["judge.capture"] = self._judge("capture", seen, self._costs(seen, clip_key), named)
        for target, victim in product(self.request.targets, victims):
            label = f"{victim} on {named}"
            steps = dict(base)
            steps["head"] = self._fit(base["capture"], victim, target, seed, label)
            steps["rendering"] = self._drive(steps["head"], base["capture"], twin, victim, label)
            found.setdefault(f"rendering {target} {victim}", steps["rendering"])
            every = {**steps, "clean_capture": twin, "clean_rendering": found[f"rendering {target} {victim}"]}
            steps["judge.clone"] = self._judge("clone", every, self._costs(every, clip_key), label)
            place = (attacker.chain, attacker.capture, target, victim, seed, arm, steps)
            self.plan.cells.append(Cell(clip, defense, budget.levels, *place, floor=budget.psnr))
        if not victims:
            ending = (attacker.chain, attacker.capture, "", "", seed, arm, base)
            self.plan.cells.append(Cell(clip, defense, budget.levels, *ending, floor=budget.psnr))
        return found

    def _costs(self, steps: dict[str, str], clip_key: str) -> dict[str, str]:
        made = "bounded" if "bounded" in steps else "protected"
        roles = {"protect": made, "purify": "frames", "teach": "taught", "view": "view"}
        roles |= {"capture": "capture", "fit": "head", "drive": "rendering"}
        paid: dict[str, str] = {}
        free = {clip_key, steps["protected"]} if made == "bounded" else {clip_key}
        for name, role in roles.items():
            # A step that did nothing stands for the one before it, which must not be counted twice.
            if role in steps and steps[role] not in free | {steps[r] for r in paid.values()}:
                paid[name] = role
        return paid

    def _purified(self, clip_key: str, published: str, chain: str, clip: str, defense: str, seed: int) -> str:
        if chain == "identity":
            return published
        parts = [part.partition(":")[0] for part in chain.split("+")]
        params = {
            "chain": chain,
            "overrides": {name: self._values("purifiers", name) for name in parts if name in self.request.overrides},
            "versions": [registry.load("purifiers", name).card.version for name in parts],
            "seed": seed,
        }
        components = {name: registry.load("purifiers", name) for name in parts}
        for name, component in components.items():
            if lack := registry.unmet(component.card):
                raise UserError(f"purifier {name} {lack}")
        code = code_digest("vdf_bench.chain", "vdf_bench.video", *(room("purifiers", name) for name in parts))
        if fingerprints := [mark for component in components.values() if (mark := component.fingerprint())]:
            code = digest([code, *fingerprints])
        inputs = {"clip": clip_key, "frames": published}
        return self.plan.add(Step("purify", f"{chain} on {clip}, {defense}", params, inputs, code))

    def _captured(self, steps: dict[str, str], spec: CaptureSpec, label: str, poison: str, seed: int) -> str:
        params = spec.params()
        if poison:
            params["poison"] = [poison, seed]
        modules = [f"vdf_bench.models.{name}" for name in ("parser", "landmarker", "face_shape", "audio_mouth")]
        modules += ["vdf_bench.video.flow"] if spec.vote else []
        weights = weights_digest(*spec.networks, "landmarker", "face-shape", "audio-mouth")
        code = digest([code_digest("vdf_bench.capture", "vdf_bench.correlation", *modules), weights])
        inputs = {"clip": steps["clip"], "frames": steps["frames"]}
        inputs |= {role: steps[name] for role, name in (("parser", "taught"), ("view", "view")) if name in steps}
        return self.plan.add(Step("capture", f"capture {label}", params, inputs, code))

    def _hardened(self, spec: CaptureSpec, clip: str, seed: int) -> str:
        """Weights of a parser that was taught on other people under the defense that the spec names."""
        free = "ignores-budget" in registry.load("defenses", spec.finetuned).card.tags
        bound = Budget(0.0 if free else spec.levels / 255)
        inputs = {}
        attacked = clip.partition("@")[0]
        for k, name in enumerate([name for name in STUDIED if name != attacked][:STUDIED_CLIPS]):
            inputs[f"clip.{k}"] = self.clip(ClipSource(name, name, clip_provider(name), STUDIED_FRAMES))
            inputs[f"protected.{k}"] = self.published(inputs[f"clip.{k}"], name, spec.finetuned, bound, seed)
        modules = ("vdf_bench.models.finetune", "vdf_bench.models.learn", "vdf_bench.models.parser")
        code = digest([code_digest(*modules), weights_digest(spec.parser)])
        label = f"teach {spec.parser} on {spec.finetuned}"
        return self.plan.add(Step("harden", label, {"parser": spec.parser, "seed": seed}, inputs, code))

    def _victim(self, victim: str) -> dict[str, Any]:
        card = registry.load("victims", victim).card
        return {"victim": victim, "version": card.version, "parameters": self._values("victims", victim)}

    def _fit(self, capture: str, victim: str, target: Target, seed: int, label: str) -> str:
        params = {
            **self._victim(victim),
            "target": target,
            "seed": seed,
            "iterations": self.request.iterations,
            "timeout": self.request.timeout,
            "scale": self.request.preset.scale,
            "device": self.request.device,
        }
        code = self._code("victims", victim)
        return self.plan.add(Step("fit", f"train {label}", params, {"capture": capture}, code))

    def _drive(self, head: str, capture: str, twin: str, victim: str, label: str) -> str:
        params = {**self._victim(victim), "drive": self.request.drive, "device": self.request.device}
        inputs = {"head": head, "capture": capture, "clean_capture": twin}
        return self.plan.add(Step("drive", f"drive {label}", params, inputs, self._code("victims", victim)))

    def _judge(self, stage: str, steps: dict[str, str], costs: dict[str, str], label: str) -> str:
        roles = {
            "protect": ("clip", "protected"),
            "capture": ("clip", "protected", "frames", "capture", "clean_capture"),
            "clone": (
                "clip",
                "protected",
                "frames",
                "capture",
                "clean_capture",
                "head",
                "rendering",
                "clean_rendering",
            ),
        }[stage]
        chosen = [(name, values) for name, values in self.judges if registry.load("judges", name).stage == stage]
        params = {"stage": stage, "judges": chosen, "seconds": costs, "peak_mib": costs}
        files = [value for _, values in chosen for value in values.values() if isinstance(value, str) and value]
        code = digest(
            [
                code_digest("vdf_bench.judges", "vdf_bench.capture", "vdf_bench.correlation", *JUDGES),
                weights_digest("landmarker", "id-synth"),
                user_weights_digest(*files),
            ]
        )
        asked = dict.fromkeys((*roles, *costs.values(), *({"bounded"} & steps.keys())))
        inputs = {role: steps[role] for role in asked}
        return self.plan.add(Step("judge", f"judge {stage}: {label}", params, inputs, code))


def room(kind: registry.Kind, name: str) -> str:
    """The package around a component's module: what it imports from its neighbours changes its results too."""
    module: str = registry.load(kind, name).__module__
    if kind == "defenses" and module.startswith("vdf_bench.defenses."):
        return "vdf_bench.defenses"  # however deep the module lies: all of them share defenses.common
    return module.rpartition(".")[0] or module
