"""Prints the digests behind steps of many kinds as JSON, for the package that is imported; not a test by itself."""

import json
import sys
from pathlib import Path

import vdf_bench
from vdf_bench.core import registry
from vdf_bench.plan.keys import Keys
from vdf_bench.recognisers.choice import candidates

assert Path(vdf_bench.__file__).parent == Path(sys.argv[1]), vdf_bench.__file__
keys = Keys()
found = {f"clip {name}": keys.of("clip", ("clips", name)) for name in registry.names("clips")}
for name in registry.names("defenses"):
    found[f"protect {name}"] = keys.of("protect", ("defenses", name), ("parsers", "builtin"))
for name in registry.names("purifiers"):
    found[f"purify {name}"] = keys.of("purify", ("purifiers", name))
for name in registry.names("parsers"):
    found[f"capture {name}"] = keys.of("capture", ("parsers", name), ("landmarkers", "builtin"))
for name in registry.names("victims"):
    editor = "editor" in registry.load("victims", name).card.tags
    for stage in ("edit",) if editor else ("fit", "drive"):
        found[f"{stage} {name}"] = keys.of(stage, ("victims", name))
for name in registry.names("judges"):
    stage = registry.load("judges", name).stage
    looking = [("landmarkers", "builtin"), *candidates("auto")] if stage != "protect" else []
    found[f"judge {stage} {name}"] = keys.of("judge", ("judges", name), *looking)
sys.stdout.write(json.dumps(found))
