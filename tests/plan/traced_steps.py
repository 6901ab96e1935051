"""Runs a step of every kind in a process of its own, and writes which modules of the package it executed.

Not a test by itself. Usage: traced_steps.py FOLDER. Nothing heavy is imported before a step's process is forked, so
that all a step needs is imported there and seen.
"""

import json
import os
import sys
import traceback
from dataclasses import replace
from pathlib import Path

from vdf_bench.core.budget import Budget
from vdf_bench.plan import Request, build_plan
from vdf_bench.plan.graph import Step
from vdf_bench.plan.keys import Keys
from vdf_bench.plan.presets import preset
from vdf_bench.stages import perform
from vdf_bench.store import Store

FOLDER = Path(sys.argv[1])
OUT = FOLDER / "traced.json"
assert "torch" not in sys.modules, "steps must import what they need themselves"

#: Digest -> stage and components: every digest that planning asks for.
ASKED = {}
_of = Keys.of


def of(self, stage, *components, files=()):
    found = _of(self, stage, *components, files=files)
    ASKED[found] = (stage, components)
    return found


Keys.of = of


def execute(step, store):
    """In a forked process: the step's artifact into the store; the modules that were executed or imported."""
    code, before, inputs = set(), set(sys.modules), {role: store.get(key) for role, key in step.inputs.items()}

    def profile(frame, event, _):
        if event == "call":
            code.add(frame.f_globals.get("__name__", ""))

    sys.setprofile(profile)
    made = perform(step.name, {**step.params, **step.where}, inputs)
    sys.setprofile(None)
    cost = {"cpu": 1.0, "wall": 1.0, "peak_mib": 1.0}
    store.put(step.key, replace(made, meta={**made.meta, "cost": cost}))
    return sorted(name for name in code | (set(sys.modules) - before) if name.startswith("vdf_bench"))


def forked(step, store):
    """What :func:`execute` returns, from a process of its own."""
    readable, writable = os.pipe()
    if not (child := os.fork()):
        try:
            found = execute(step, store)
            with os.fdopen(writable, "w") as pipe:
                json.dump(found, pipe)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    os.close(writable)
    with os.fdopen(readable) as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    if status:
        sys.exit(f"step {step.label} failed")
    return json.loads(text)


def main():
    from vdf_bench.attackers.attacker import Attacker

    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    small = preset("quick").resized(32, 16)
    few = {"vdf": {"max_iterations_first": "2", "max_iterations": "1"}, "cmua": {"people": "2", "editor_steps": "1"}}
    request = Request(
        small, ("vdf",), ("gaussian", "hashgrid", "triplane"), iterations=2, overrides=few, controls=(),
        budgets=Budget.parse_all("linf=12.75,psnr>=30"),
    )  # fmt: skip
    busy = (
        Attacker.parse("jpeg:75+gaussian-noise:0.05", "builtin/finetuned=vdf/vote/repair"),
        Attacker.parse("identity", "ensemble/on=h264:23/scale=0.6/repair"),
    )
    images = replace(
        request, preset=preset("quick").still(64), defenses=("cmua",), victims=("stargan-synth",), track="images",
        clips=("portraits:1",),
    )  # fmt: skip
    plans = [build_plan(request), build_plan(replace(request, victims=(), attackers=busy)), build_plan(images)]
    store = Store(FOLDER / "store")
    plans.append(filmed(request))
    keys, found, seen = Keys(), [], set()
    for step in (step for plan in plans for step in plan.steps.values()):
        stage, components = ASKED[step.code]
        modules = forked(step, store)
        if (stage, components) in seen:
            continue
        seen.add((stage, components))
        closure = sorted(keys.closure(stage, *components).modules)
        found.append({"stage": stage, "label": step.label, "executed": modules, "closure": closure})
    OUT.write_text(json.dumps(found))


def filmed(request):
    """A plan of a clip that lies in a file, and of frames that somebody else protected."""
    child = os.fork()
    if not child:
        import numpy as np

        from vdf_bench.stages.load import load_clip
        from vdf_bench.video.encode import write_video

        clip = load_clip("synth-b", 64, 20)
        write_video(FOLDER / "film.mp4", clip.frames, audio=clip.audio)
        np.save(FOLDER / "frames.npy", load_clip("synth-a", 32, 16).frames)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit("no film")
    plan = build_plan(replace(request, defenses=("none",), victims=(), clips=(str(FOLDER / "film.mp4"),)))
    plan.steps = {key: step for key, step in plan.steps.items() if step.name == "decode"}
    clip = next(step for step in build_plan(replace(request, victims=())).steps.values() if step.name == "clip")
    import hashlib

    import numpy as np

    frames = np.load(FOLDER / "frames.npy")
    total = hashlib.sha256(f"uint8 {'x'.join(map(str, frames.shape))}\n".encode())
    total.update(frames.tobytes())
    where = {"file": str(FOLDER / "frames.npy")}
    code = Keys().of("submitted")
    plan.add(Step("submitted", "submitted", {"sha256": total.hexdigest()}, {"clip": clip.key}, code, where=where))
    return plan


main()
