"""The arrows of the story as steps of a plan: one method an arrow, each with the key of what it depends on."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vdf_bench import registry
from vdf_bench.budget import Budget
from vdf_bench.errors import UserError
from vdf_bench.plan.clips import ClipSource
from vdf_bench.plan.graph import Step
from vdf_bench.plan.protector import Protector
from vdf_bench.sources import code_digest, user_weights_digest, weights_digest
from vdf_bench.steps import clip_provider
from vdf_bench.store import digest

if TYPE_CHECKING:
    from vdf_bench.capture.spec import CaptureSpec
    from vdf_bench.interfaces import Target
    from vdf_bench.plan.graph import Plan
    from vdf_bench.plan.request import Request

#: Clips on which an attacker studies a defense: so many of these, of so many frames, and never the one under attack.
STUDIED = ("synth-g", "synth-h", "synth-f")
STUDIED_CLIPS = 2
STUDIED_FRAMES = 40
#: Networks that judges run, beside the shipped ones.
JUDGES = ("vdf_bench.models.arcface", "vdf_bench.models.face_mesh", "vdf_bench.models.syncnet")


class Arrows:
    """Adds steps to a plan; one method an arrow."""

    def __init__(self, request: Request, plan: Plan) -> None:
        self.request = request
        self.plan = plan
        self.judges = [
            (name, self.values("judges", name))
            for name in registry.names("judges")
            if registry.unmet(registry.load("judges", name).card) is None
        ]

    def values(self, kind: registry.Kind, name: str) -> dict[str, Any]:
        values: dict[str, Any] = registry.create(kind, name, self.request.overrides.get(name)).parameters.model_dump(
            mode="json"
        )
        return values

    def code(self, kind: registry.Kind, name: str, *more: str) -> str:
        code = code_digest(room(kind, name), *more)
        fingerprint = registry.load(kind, name).fingerprint()
        return digest([code, fingerprint]) if fingerprint else code

    def arms(self, chosen: list[Protector]) -> list[tuple[Protector, Budget]]:
        """Defenses with their budgets, the clean arm first; those that have no budget are run once."""
        cards = {one: registry.load("defenses", one.defense).card for one in chosen}
        free = [one for one in chosen if one.defense == "none" or "ignores-budget" in cards[one].tags]
        bound = [one for one in chosen if one not in free]
        ordered = [(one, Budget(0.0)) for one in free] + list(product(bound, self.request.budgets))
        return sorted(ordered, key=lambda pair: pair[0].defense != "none")

    def clip(self, clip: ClipSource, sha256: str = "") -> str:
        params: dict[str, Any] = {"size": self.request.preset.size, "frames": clip.frames or self.request.preset.frames}
        if self.request.track == "images":
            params["frames"] = 1
        elif clip.exact:
            params["exact"] = clip.name
        label = f"clip {clip.name if clip.exact else Path(clip.source).name}"
        if clip.provider:
            code = code_digest("vdf_bench.scenes", "vdf_bench.clip")
            return self.plan.add(Step("clip", label, {**params, "clip": clip.source}, {}, code))
        sources = code_digest("vdf_bench.video", "vdf_bench.capture.face", "vdf_bench.models.landmarker")
        code = digest([sha256, sources, weights_digest("landmarker")])
        return self.plan.add(Step("clip", label, params, {}, code, where={"clip": str(Path(clip.source).resolve())}))

    def published(self, clip_key: str, clip: str, by: Protector, budget: Budget, seed: int, share: float = 1.0) -> str:
        if by.defense == "none":
            return clip_key
        params = {
            "defense": by.defense,
            "version": registry.load("defenses", by.defense).card.version,
            "parameters": self.values("defenses", by.defense),
            "linf": budget.linf,
            "seed": seed,
            "surrogate": by.surrogate,
        }
        if share < 1:
            params["share"] = share
        through = ["vdf_bench.budget", "vdf_bench.enforce"]
        if by.editor:
            params["editor"] = self.victim(by.surrogate)
            lent = self.editor_code(by.surrogate)
        else:
            through.append("vdf_bench.models.parser")
            lent = weights_digest(by.surrogate)
        code = digest([self.code("defenses", by.defense, *through), lent])
        bound = Budget(budget.linf)
        label = f"protect {clip} with {by.label}" + (f" within {bound}" if budget.linf else "")
        sources = {"clip": clip_key}
        if hasattr(registry.load("defenses", by.defense), "prepare"):
            beforehand = {name: value for name, value in params.items() if name != "share"}
            beforehand["size"] = self.request.preset.size
            told = f"prepare {by.label} within {bound}"
            sources["prepared"] = self.plan.add(Step("prepare", told, beforehand, {}, code))
        bounded = self.plan.add(Step("protect", label, params, sources, code))
        if not budget.psnr:
            return bounded
        # Floors are the harness's work, so that one perturbation serves all of them.
        inputs = {"clip": clip_key, "bounded": bounded}
        met = code_digest("vdf_bench.budget", "vdf_bench.enforce")
        label = f"hold {by.label} on {clip} to {budget}"
        return self.plan.add(Step("floor", label, {"linf": budget.linf, "floor": budget.psnr}, inputs, met))

    def costs(self, steps: dict[str, str], clip_key: str) -> dict[str, str]:
        made = "bounded" if "bounded" in steps else "protected"
        roles = {"protect": made, "purify": "frames", "teach": "taught", "view": "view"}
        roles |= {"capture": "capture", "fit": "head", "drive": "rendering", "edit": "edits"}
        paid: dict[str, str] = {}
        free = {clip_key, steps["protected"]} if made == "bounded" else {clip_key}
        for name, role in roles.items():
            # A step that did nothing stands for the one before it, which must not be counted twice.
            if role in steps and steps[role] not in free | {steps[r] for r in paid.values()}:
                paid[name] = role
        return paid

    def purified(self, clip_key: str, published: str, chain: str, clip: str, defense: str, seed: int) -> str:
        if chain == "identity":
            return published
        parts = [part.partition(":")[0] for part in chain.split("+")]
        params = {
            "chain": chain,
            "overrides": {name: self.values("purifiers", name) for name in parts if name in self.request.overrides},
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

    def captured(self, steps: dict[str, str], spec: CaptureSpec, label: str, poison: str, seed: int) -> str:
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

    def hardened(self, spec: CaptureSpec, clip: str, seed: int) -> str:
        """Weights of a parser that was taught on other people under the defense that the spec names."""
        free = "ignores-budget" in registry.load("defenses", spec.finetuned).card.tags
        bound = Budget(0.0 if free else spec.levels / 255)
        inputs = {}
        attacked = clip.partition("@")[0]
        for k, name in enumerate([name for name in STUDIED if name != attacked][:STUDIED_CLIPS]):
            inputs[f"clip.{k}"] = self.clip(ClipSource(name, name, clip_provider(name), STUDIED_FRAMES))
            inputs[f"protected.{k}"] = self.published(
                inputs[f"clip.{k}"], name, Protector(spec.finetuned, label=spec.finetuned), bound, seed
            )
        modules = ("vdf_bench.models.finetune", "vdf_bench.models.learn", "vdf_bench.models.parser")
        code = digest([code_digest(*modules), weights_digest(spec.parser)])
        label = f"teach {spec.parser} on {spec.finetuned}"
        return self.plan.add(Step("harden", label, {"parser": spec.parser, "seed": seed}, inputs, code))

    def victim(self, victim: str) -> dict[str, Any]:
        card = registry.load("victims", victim).card
        return {"victim": victim, "version": card.version, "parameters": self.values("victims", victim)}

    def fit(self, capture: str, victim: str, target: Target, seed: int, label: str) -> str:
        params = {
            **self.victim(victim),
            "target": target,
            "seed": seed,
            "iterations": self.request.iterations,
            "timeout": self.request.timeout,
            "scale": self.request.preset.scale,
            "device": self.request.device,
        }
        code = self.code("victims", victim)
        return self.plan.add(Step("fit", f"train {label}", params, {"capture": capture}, code))

    def drive(self, head: str, capture: str, twin: str, victim: str, label: str) -> str:
        params = {**self.victim(victim), "drive": self.request.drive, "device": self.request.device}
        inputs = {"head": head, "capture": capture, "clean_capture": twin}
        return self.plan.add(Step("drive", f"drive {label}", params, inputs, self.code("victims", victim)))

    def edit(self, frames: str, victim: str, label: str) -> str:
        """What an attribute editor makes of the first frame."""
        params = {**self.victim(victim), "device": self.request.device}
        return self.plan.add(Step("edit", f"edit {label}", params, {"frames": frames}, self.editor_code(victim)))

    def editor_code(self, victim: str) -> str:
        needs = registry.load("victims", victim).card.needs
        shipped = [need.removeprefix("weights:") for need in needs if need.startswith("weights:")]
        return digest([self.code("victims", victim, "vdf_bench.models.editors"), weights_digest(*shipped)])

    def judge(self, stage: str, steps: dict[str, str], costs: dict[str, str], label: str) -> str:
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
            "edit": ("clip", "protected", "frames", "edits", "clean_edits"),
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
