"""Rules of what the pixels say: is it the right clip, within its budget, and anybody's own work?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from vdf_bench.leaderboard.findings import Offence, Rule
from vdf_bench.leaderboard.frames import likeness, sketch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from vdf_bench.leaderboard.case import Case
    from vdf_bench.leaderboard.manifest import ProtectedClip
    from vdf_bench.leaderboard.media import Media

#: Cosine of two perturbations from which a reviewer should look: independent ones stay below .4 on a sketch.
ALIKE: Final = 0.9
#: Rounding of budgets such as 12.75 levels.
_SLACK: Final = 1e-6


def _clips(case: Case) -> Iterator[tuple[ProtectedClip, Media, NDArray[np.int16]]]:
    """Every decoded clip with its perturbation, (T, S, S, 3) signed levels."""
    for each in case.manifest.clips:
        media = case.media[each.file]
        yield each, media, media.frames.astype(np.int16) - case.sources[each.clip]


def _distances(case: Case, frames: NDArray[np.uint8]) -> dict[str, float]:
    """Median absolute difference to every clip of the suite: half of all values may be painted over."""
    shown = frames[::4].astype(np.int16)
    return {name: float(np.median(np.abs(shown - clean[::4]))) for name, clean in case.sources.items()}


def is_other(case: Case, clip: ProtectedClip, media: Media) -> str:
    """What else a video shows than the clip that it should; empty where it shows that."""
    found = _distances(case, media.frames)
    nearest = min(found, key=lambda name: found[name])
    if nearest != clip.clip and found[nearest] < found[clip.clip]:
        return f"it shows {nearest}"
    # No budget of any suite is half as large as this.
    return "it shows something else" if found[clip.clip] > 64 else ""


def _identity(case: Case) -> Iterator[Offence]:
    for each, media, _ in _clips(case):
        if what := is_other(case, each, media):
            yield Offence(each.file, f"the manifest names it as {each.clip}, but {what}")


def _budget(case: Case) -> Iterator[Offence]:
    for each, media, change in _clips(case):
        largest = int(np.abs(change).max())
        if largest <= each.linf + _SLACK or is_other(case, each, media):
            continue
        frame, row, column, channel = np.unravel_index(int(np.abs(change).argmax()), change.shape)
        where = f"frame {frame}, column {column}, row {row}, channel {channel}"
        text = f"it changes {each.clip} by {largest} levels of 255, over {each.linf:g} ({where})"
        yield Offence(each.file, text, "warning" if case.control else None)


def _clean(case: Case) -> Iterator[Offence]:
    for each, _, change in _clips(case):
        if not change.any():
            text = f"it is the clean {each.clip}, unchanged"
            yield Offence(each.file, text, "warning" if case.control else None)


def _copied(case: Case) -> Iterator[Offence]:
    """The very frames, or nearly the perturbation, of another entry."""
    own = case.manifest.entry.name
    others = [
        record for record in case.records if record.suite.sha256 == case.suite.sha256 and record.entry.name != own
    ]
    for each, media, change in _clips(case):
        if not change.any():
            continue
        mine = sketch(change)
        for record in others:
            for known in record.frames:
                if known.clip != each.clip:
                    continue
                if known.sha256 == media.sha256:
                    yield Offence(each.file, f"its frames are identical to those of {record.id}")
                elif (alike := likeness(mine, known.sketch)) >= ALIKE:
                    text = f"its perturbation is very similar to that of {record.id} (cosine {alike:.2f})"
                    yield Offence(each.file, text, "warning")


def _constant(case: Case) -> Iterator[Offence]:
    """One perturbation for all clips cannot follow any of them: shown to a reviewer."""
    seen: dict[bytes, str] = {}
    for each, _, change in _clips(case):
        if not change.any():
            continue
        key = change.tobytes()
        if seen.setdefault(key, each.clip) != each.clip:
            yield Offence(each.file, f"its perturbation is identical to that of {seen[key]}")


RULES: Final = (
    Rule("clip-identity", "meaning", "protect the clip that the manifest names", _identity),
    Rule("over-budget", "meaning", "keep every channel of every pixel within the budget", _budget),
    Rule("clean-copy", "meaning", "protect the clip, or set role to control", _clean),
    Rule("copied-frames", "meaning", "submit your own frames, under your entry's own name", _copied),
    Rule("same-perturbation", "meaning", "protect every clip", _constant, "warning"),
)
