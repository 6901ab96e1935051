"""Pictures of an entry: the first clip as published, and what the first and the best attacker cloned from it."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.core.files import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from vdf_bench.leaderboard.records import Record
    from vdf_bench.plan import Cell
    from vdf_bench.plan.run import Run

#: Held-out moments, side by side.
MOMENTS = 4
#: Pixels are shown this much larger, none invented.
ZOOM = 2


def save_pictures(record: Record, run: Run, folder: Path) -> dict[str, str]:
    """Write strips as PNG beside the record.

    Args:
        record: of a run that is complete.
        run: that run.
        folder: of the records.

    Returns:
        What a strip shows -> its file, relative to ``folder``.
    """
    from vdf_bench.core.clip import split_frames
    from vdf_bench.report.pictures import difference
    from vdf_bench.report.track import GAIN
    from vdf_bench.results.gather import fetch
    from vdf_bench.stages.packing import unpack_clip, unpack_rendering

    shown = _cells(record, run)
    if not shown:
        return {}
    first = next(iter(shown.values()))
    clip = unpack_clip(fetch(run, first.steps["clip"]))
    held = split_frames(len(clip)).heldout
    moments = np.unique(((np.arange(MOMENTS) + 0.5) * len(held) / MOMENTS).astype(np.int64))
    protected = fetch(run, first.steps["protected"]).arrays["frames"]
    strips: dict[str, NDArray[np.uint8]] = {
        f"{first.clip}, original": clip.frames[held],
        f"{first.clip}, protected": protected[held],
        f"difference, {GAIN} times": difference(clip.frames, protected)[held],
    }
    twins = {cell.attacker: cell for cell in run.plan.cells if cell.arm == "clean"}
    for name, cell in shown.items():
        for title, which in (("of the original", twins[cell.attacker]), ("of the protected", cell)):
            clone = unpack_rendering(fetch(run, which.steps["rendering"]))
            if clone is not None:
                strips[f"clone {title}, {name}"] = clone.rgb
    home = folder / record.suite.name
    named = {}
    for k, (title, frames) in enumerate(strips.items()):
        path = home / f"{record.id}.{k}.png"
        write_atomically(path, _png(np.concatenate(list(frames[moments]), axis=1)))
        named[title] = path.relative_to(folder).as_posix()
    return named


def _cells(record: Record, run: Run) -> dict[str, Cell]:
    """Attack -> its cell on the first clip at the largest budget: the plain one, and the one that leaves least."""
    from vdf_bench.leaderboard.suites import suite

    board = suite(record.suite.name)
    own = [cell for cell in run.plan.cells if cell.arm != "clean"]
    if not own:
        return {}
    first = [cell for cell in own if cell.clip == own[0].clip and cell.linf == max(each.linf for each in own)]
    by = {board.attack_of(cell.purifier, cell.capture): cell for cell in first}
    net = {cell.attack: cell.net for cell in record.cells if cell.clip == first[0].clip and cell.status == "scored"}
    plain = board.attacks[0].name
    # The first clip's best attacker: the one that leaves least.
    best = min(net, key=lambda name: net[name], default=plain)
    return {name: by[name] for name in dict.fromkeys((plain, best)) if name in by}


def _png(picture: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    buffer = BytesIO()
    large = picture.repeat(ZOOM, 0).repeat(ZOOM, 1)
    Image.fromarray(large).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
