"""Contact sheets of editors: portraits, the truth of every edit, and what editors make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.models.editors import SIZE
from vdf_bench.scenes.attributes import ATTRIBUTES
from vdf_bench.scenes.portraits import edited_truths
from vdf_bench.training.gates_editors import edited

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from vdf_bench.models.editors import SynthEditor

#: White between portraits, pixels.
GAP = 6


def editor_sheet(editors: Sequence[SynthEditor], portraits: Sequence[str]) -> NDArray[np.uint8]:
    """A block of rows for every portrait: the portrait and the five truths, then the five edits of each editor.

    Args:
        editors: shipped ones.
        portraits: names of the ``portrait-*`` clips.

    Returns:
        (H, 6 * 128, 3) uint8 RGB.
    """
    blank = np.full((SIZE, SIZE, 3), 255, np.uint8)
    blocks = []
    for name in portraits:
        rendered = edited_truths(name, [(), *((attribute,) for attribute in ATTRIBUTES)], SIZE)
        edits = [[edited(editor, rendered[:1], {attribute: 1})[0] for attribute in ATTRIBUTES] for editor in editors]
        rows = [list(rendered), *([blank, *row] for row in edits)]
        blocks += [np.concatenate(row, 1) for row in rows]
        blocks.append(np.full((GAP, 6 * SIZE, 3), 255, np.uint8))
    return np.concatenate(blocks[:-1])
