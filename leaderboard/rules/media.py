"""Rules of media, by what a child process found while it decoded them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdf_bench.leaderboard.findings import Offence, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vdf_bench.leaderboard.case import Case


def _refused(kind: str, suffix: str) -> Callable[[Case], Iterator[Offence]]:
    def check(case: Case) -> Iterator[Offence]:
        for path, media in case.media.items():
            if path.endswith(suffix) and media.refused == kind:
                yield Offence(path, media.problem)

    return check


def _digest(case: Case) -> Iterator[Offence]:
    for each in case.manifest.clips:
        media = case.media.get(each.file)
        if media and not media.refused and media.sha256 != each.frames_sha256:
            yield Offence(
                each.file, f"its frames are {media.sha256[:12]}…, the manifest says {each.frames_sha256[:12]}…"
            )


_ENCODE = "encode it as vdf-bench submit does: FFV1 in Matroska, 8-bit RGB, 25 frames a second, no sound"
RULES: Final = (
    Rule("video-container", "media", _ENCODE, _refused("container", ".mkv")),
    Rule("video-codec", "media", _ENCODE, _refused("codec", ".mkv")),
    Rule("video-dimensions", "media", "protect the suite's clips at their size", _refused("dimensions", ".mkv")),
    Rule("video-rate", "media", _ENCODE, _refused("rate", ".mkv")),
    Rule("video-length", "media", "protect every frame of the suite's clip", _refused("length", ".mkv")),
    Rule("video-damaged", "media", "the stream is truncated or damaged: encode it again", _refused("stream", ".mkv")),
    Rule(
        "media-limits", "media", "decoding must stay within the limits of docs/leaderboard.md", _refused("limits", "")
    ),
    Rule("picture-dimensions", "media", "use pictures of at most 4096 px", _refused("dimensions", ".png")),
    Rule("picture-damaged", "media", "use a plain PNG", _refused("stream", ".png")),
    Rule(
        "frames-hash",
        "media",
        "frames were changed after the manifest was written: create the submission again",
        _digest,
    ),
)
