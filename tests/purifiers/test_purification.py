"""That purification purifies: face recall comes back on attacked frames, further than by a blur that costs as much."""

import pytest

from vdf_bench.parsers.network import load_parser

from .purification import attack, blur_of_equal_loss, psnr, purify, score


@pytest.mark.parametrize(("purifier", "clip"), [("diffpure-synth", "synth-a"), ("grid-pure-synth", "synth-b")])
def test_purifiers_beat_a_blur_of_equal_loss(purifier, clip):
    """Not on everybody: docs/purification.md tells of those on whom a blur does as well."""
    parser = load_parser("builtin")
    frames = attack("pgd", 12.75, clip, 96, 1)
    bare = score(parser, frames.protected, frames.clean)
    assert bare.recall < 0.2, "there must be something to purify"
    washed = score(parser, purify(purifier, frames.protected), frames.clean)
    blur = blur_of_equal_loss(frames.clean, psnr(purify(purifier, frames.clean), frames.clean))
    blurred = score(parser, purify(blur, frames.protected), frames.clean)
    assert washed.recall > max(0.5, bare.recall, blurred.recall)
    assert washed.iou > max(bare.iou, blurred.iou)
