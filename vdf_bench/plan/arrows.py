"""The arrows of the story as steps of a plan: one method an arrow, each with the key of what it depends on."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vdf_bench.assets.needs import unmet
from vdf_bench.core import registry
from vdf_bench.core.budget import Budget
from vdf_bench.core.errors import UserError
from vdf_bench.core.registry import provider_of
from vdf_bench.plan.clips import ClipSource
from vdf_bench.plan.graph import Step
from vdf_bench.plan.keys import Keys
from vdf_bench.plan.protector import Protector
from vdf_bench.recognisers.choice import candidates

if TYPE_CHECKING:
    from vdf_bench.attackers.spec import CaptureSpec
    from vdf_bench.core.interfaces import Target
    from vdf_bench.plan.graph import Plan
    from vdf_bench.plan.request import Request

#: Clips on which an attacker studies a defense: so many of these, of so many frames, and never the one under attack.
STUDIED = ("synth-g", "synth-h", "synth-f")
STUDIED_CLIPS = 2
STUDIED_FRAMES = 40


class Arrows:
    """Adds steps to a plan; one method an arrow.

    Args:
        request: what is asked.
        plan: takes the steps.
        judges: names of those that judge.
    """

    def __init__(self, request: Request, plan: Plan, judges: list[str]) -> None:
        self.request = request
        self.plan = plan
        self.keys = Keys(request.versions)
        self._components: dict[tuple[registry.Kind, str], Any] = {}
        self.judges = [(name, self.values("judges", name)) for name in judges]

    def component(self, kind: registry.Kind, name: str) -> Any:
        """The component with the parameters that the request sets."""
        if (kind, name) not in self._components:
            self._components[kind, name] = registry.create(kind, name, self.request.overrides.get(name))
        return self._components[kind, name]

    def values(self, kind: registry.Kind, name: str) -> dict[str, Any]:
        values: dict[str, Any] = self.component(kind, name).parameters.model_dump(mode="json")
        return values

    def uses(self, kind: registry.Kind, name: str) -> list[tuple[registry.Kind, str]]:
        """A component, and the others that its parameters make it run."""
        return [(kind, name), *self.component(kind, name).uses()]

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
            params |= {"clip": clip.source, "provider": clip.provider}
            return self.plan.add(Step("clip", label, params, {}, self.keys.of("clip", ("clips", clip.provider))))
        params |= {"sha256": sha256, "landmarker": self.request.landmarker}
        code = self.keys.of("decode", *self.uses("landmarkers", self.request.landmarker))
        return self.plan.add(Step("decode", label, params, {}, code, where={"clip": str(Path(clip.source).resolve())}))

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
        uses = self.uses("defenses", by.defense)
        if by.editor:
            params["editor"] = self.victim(by.surrogate)
            uses += self.uses("victims", by.surrogate)
        elif by.surrogate:
            uses += self.uses("parsers", by.surrogate)
        bound = Budget(budget.linf)
        label = f"protect {clip} with {by.label}" + (f" within {bound}" if budget.linf else "")
        sources = {"clip": clip_key}
        if hasattr(registry.load("defenses", by.defense), "prepare"):
            beforehand = {name: value for name, value in params.items() if name != "share"}
            beforehand["size"] = self.request.preset.size
            title = f"prepare {by.label} within {bound}"
            sources["prepared"] = self.plan.add(Step("prepare", title, beforehand, {}, self.keys.of("prepare", *uses)))
        bounded = self.plan.add(Step("protect", label, params, sources, self.keys.of("protect", *uses)))
        if not budget.psnr:
            return bounded
        # Floors are the harness's work, so that one perturbation serves all of them.
        inputs = {"clip": clip_key, "bounded": bounded}
        label = f"hold {by.label} on {clip} to {budget}"
        return self.plan.add(
            Step("floor", label, {"linf": budget.linf, "floor": budget.psnr}, inputs, self.keys.of("floor"))
        )

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
            if missing := unmet(component.card):
                raise UserError(f"purifier {name} {missing}")
        code = self.keys.of("purify", *(use for name in parts for use in self.uses("purifiers", name)))
        inputs = {"clip": clip_key, "frames": published}
        return self.plan.add(Step("purify", f"{chain} on {clip}, {defense}", params, inputs, code))

    def captured(self, steps: dict[str, str], spec: CaptureSpec, label: str, poison: str, seed: int) -> str:
        params = {**spec.params(), "landmarker": self.request.landmarker}
        if poison:
            params["poison"] = [poison, seed]
        code = self.keys.of(
            "capture", *self.uses("parsers", spec.parser), *self.uses("landmarkers", self.request.landmarker)
        )
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
            inputs[f"clip.{k}"] = self.clip(ClipSource(name, name, provider_of(name), STUDIED_FRAMES))
            inputs[f"protected.{k}"] = self.published(
                inputs[f"clip.{k}"], name, self.studied(spec.finetuned), bound, seed
            )
        code = self.keys.of("harden", *self.uses("parsers", spec.parser))
        label = f"teach {spec.parser} on {spec.finetuned}"
        return self.plan.add(Step("harden", label, {"parser": spec.parser, "seed": seed}, inputs, code))

    def studied(self, defense: str) -> Protector:
        """The defense as an attacker studies it: with the first surrogate of the run."""
        differentiates = "parser" in registry.load("defenses", defense).surrogates
        return Protector(defense, self.request.surrogates[0] if differentiates else "", label=defense)

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
        code = self.keys.of("fit", *self.uses("victims", victim))
        return self.plan.add(Step("fit", f"train {label}", params, {"capture": capture}, code))

    def drive(self, head: str, capture: str, twin: str, victim: str, label: str) -> str:
        params = {**self.victim(victim), "drive": self.request.drive, "device": self.request.device}
        inputs = {"head": head, "capture": capture, "clean_capture": twin}
        return self.plan.add(
            Step("drive", f"drive {label}", params, inputs, self.keys.of("drive", *self.uses("victims", victim)))
        )

    def edit(self, frames: str, victim: str, label: str) -> str:
        """What an attribute editor makes of the first frame."""
        params = {**self.victim(victim), "device": self.request.device}
        code = self.keys.of("edit", *self.uses("victims", victim))
        return self.plan.add(Step("edit", f"edit {label}", params, {"frames": frames}, code))

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
        uses = [use for name, _ in chosen for use in self.uses("judges", name)]
        values = [value for _, own in chosen for value in own.values()]
        if stage != "protect":  # where faces are looked at
            looking: list[tuple[registry.Kind, str]] = [("landmarkers", self.request.landmarker)]
            looking += candidates(self.request.recogniser)
            own = {name: self.values(kind, name) for kind, name in looking}
            params["tools"] = {
                "landmarker": self.request.landmarker,
                "recogniser": self.request.recogniser,
                "parameters": own,
            }
            uses += [use for each in looking for use in self.uses(*each)]
            values += [value for each in own.values() for value in each.values()]
        files = [value for value in values if isinstance(value, str) and Path(value).is_file()]
        code = self.keys.of("judge", *uses, files=files)
        asked = dict.fromkeys((*roles, *costs.values(), *({"bounded"} & steps.keys())))
        inputs = {role: steps[role] for role in asked}
        return self.plan.add(Step("judge", f"judge {stage}: {label}", params, inputs, code))
