"""Tells what an official system still needs on this machine, each with the command that fixes it."""

from __future__ import annotations

import io
import json
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vdf_bench.assets.checkouts import Finding, find_checkout
from vdf_bench.assets.folders import checkouts_file
from vdf_bench.victims.external.runner import Limits, Watch, run_watched
from vdf_bench.victims.external.workspace import environment

if TYPE_CHECKING:
    from vdf_bench.assets.checkouts import Checkout
    from vdf_bench.victims.external.system import Entry, System

#: Seconds that the system's interpreter may take to import everything.
PATIENCE: Final = 240.0
_ANSWER: Final = "@vdf-bench "
#: Run by the system's interpreter, whose Python may be as old as 3.7: imports each module, and asks torch of the GPU.
_PROBE: Final = """
import importlib, json, sys
said = {"missing": {}}
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except BaseException as error:
        said["missing"][name] = "%s: %s" % (type(error).__name__, str(error).strip().split(chr(10))[0])
try:
    import torch
    said["torch"] = str(torch.__version__)
    said["cuda"] = torch.cuda.is_available()
    if said["cuda"]:
        said["gpu"] = torch.cuda.get_device_name(0)
        said["capability"] = list(torch.cuda.get_device_capability(0))
        said["architectures"] = list(torch.cuda.get_arch_list())
except BaseException as error:
    said["error"] = str(error)
print("@vdf-bench " + json.dumps(said))
"""


def examine(system: System, entry: Entry) -> list[Finding]:
    """Everything that ``system`` needs for ``entry``, what is there and what is not.

    Raises:
        UserError: the user's file is broken.
    """
    path = checkouts_file()
    named = f"[{system.name}] in {path}"
    checkout = find_checkout(system.name)
    if checkout is None:
        lines = shlex.quote(rf'[{system.name}]\nrepo = "/path/to/checkout"\npython = "/path/to/its/python"\n')
        where = shlex.quote(str(path))
        fix = f"mkdir -p {shlex.quote(str(path.parent))} && printf {lines} >> {where}, then edit it"
        return [Finding(named, "section not found", fix)]
    files = examine_files(system, checkout, entry)
    runs = not (files[0].missing or files[1].missing)
    return [Finding(named), *files, *(examine_environment(system, checkout, entry) if runs else [])]


def examine_files(system: System, checkout: Checkout, entry: Entry) -> list[Finding]:
    """What looking at files tells: first of the checkout, then of its interpreter, then of weights."""
    fill = {"repo": shlex.quote(str(checkout.repo)), "python": shlex.quote(str(checkout.python))}
    fill["bfm"] = shlex.quote(str(checkout.bfm or "/path/to/bfm"))
    clone = "git clone --recursive {url} {repo} && git -C {repo} checkout {commit}"
    clone = clone.format(url=system.url, commit=system.commit, **fill)
    what = f"checkout {checkout.repo}"
    missing = [marker for marker in system.markers if not (checkout.repo / marker).exists()]
    if not checkout.repo.is_dir():
        findings = [Finding(what, "folder not found", clone)]
    elif missing:
        findings = [Finding(what, f"does not look like {system.name}: it has no {missing[0]}", clone)]
    else:
        findings = [Finding(what)]
    here = checkout.python.is_file()
    make = f"create the environment described at {system.url}, and set python to its interpreter in {checkouts_file()}"
    findings.append(Finding(f"python {checkout.python}", *(() if here else ("file not found", make))))
    for weight in system.weights:
        if entry not in weight.entries:
            continue
        file = checkout.repo / weight.path
        if file.is_dir() or (file.is_file() and file.stat().st_size):
            findings.append(Finding(weight.path))
            continue
        kept = checkout.weights / file.name if checkout.weights is not None else None
        copy = f"cp -r {shlex.quote(str(kept))} {shlex.quote(str(file))}"
        command = copy if kept is not None and kept.exists() else weight.command.format(**fill)
        findings.append(Finding(weight.path, "missing" if not file.exists() else "empty", command))
    if system.sapiens:
        found = checkout.sapiens_python is not None and checkout.sapiens_python.is_file()
        make = f"create the sapiens_lite environment of {system.url}; in {checkouts_file()} set sapiens_python"
        findings.append(Finding("sapiens_python", *(() if found else ("interpreter not found", make))))
    return findings


def examine_environment(system: System, checkout: Checkout, entry: Entry) -> list[Finding]:
    """What its interpreter can do: import its modules, use the GPU; and the programs on its path."""
    fill = {"repo": shlex.quote(str(checkout.repo)), "python": shlex.quote(str(checkout.python))}
    seen = environment(checkout, system.name, {})
    findings = []
    for program, entries in system.programs.items():
        if entry in entries:
            found = shutil.which(program, path=seen["PATH"])
            findings.append(Finding(program, *(() if found else ("not found", "sudo apt-get install ffmpeg"))))
    said = _probe(system, checkout, seen)
    if said is None:
        run = f"{fill['python']} -c 'import {', '.join(system.modules)}'"
        return [*findings, Finding("imports", f"no answer within {PATIENCE:.0f} s, or a crash", run)]
    for module, command in system.modules.items():
        missing = said["missing"].get(module)
        findings.append(Finding(f"import {module}", *(() if missing is None else (missing, command.format(**fill)))))
    if "torch" in said:
        findings.append(_gpu(said, fill["python"]))
    return findings


def _probe(system: System, checkout: Checkout, seen: dict[str, str]) -> dict[str, Any] | None:
    """What the interpreter says of itself; None where it does not answer."""
    with tempfile.TemporaryDirectory() as folder:
        probe = Path(folder) / "probe.py"
        probe.write_text(_PROBE, encoding="utf-8")
        command = [str(checkout.python), str(probe), *system.modules]
        limits = Limits(wall=PATIENCE, stall=PATIENCE, grace=2)
        environment_ = {**seen, "PYTHONPATH": str(checkout.repo)}
        ended = run_watched(command, Path(folder), environment_, limits, Watch(), io.BytesIO())
    answers = [line.removeprefix(_ANSWER) for line in ended.tail if line.startswith(_ANSWER)]
    said: dict[str, Any] | None = json.loads(answers[-1]) if answers else None
    return said


def _gpu(said: dict[str, Any], python: str) -> Finding:
    if "error" in said or not said["cuda"]:
        check = f"nvidia-smi; {python} -m torch.utils.collect_env"
        return Finding(f"torch {said['torch']}", f"finds no GPU {said.get('error', '')}".strip(), check)
    what = f"torch {said['torch']} on {said['gpu']}"
    if runs_on(tuple(said["capability"]), said["architectures"]):
        return Finding(what)
    have = "sm_{}{}".format(*said["capability"])
    missing = f"has no kernels for {have}, only for {', '.join(said['architectures'])}"
    build = "TORCH_CUDA_ARCH_LIST={}.{}".format(*said["capability"])
    return Finding(what, missing, f"install a torch build for {have}, then rebuild the extensions with {build}")


def runs_on(capability: tuple[int, int], architectures: list[str]) -> bool:
    """Whether a torch built for ``architectures`` (``sm_86``, ``compute_90``) runs on a GPU of ``capability``.

    Binaries run on later minor versions of their own architecture; PTX (``compute_``) on all later ones.
    """
    for name in architectures:
        kind, _, digits = name.rstrip("af").partition("_")
        built = (int(digits[:-1]), int(digits[-1]))
        if built <= capability and (kind == "compute" or built[0] == capability[0]):
            return True
    return False
