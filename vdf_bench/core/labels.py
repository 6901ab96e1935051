"""The 19 classes of CelebAMask-HQ face parsing and the groups that capture pipelines make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

#: Class names by index (zllrunning/face-parsing.PyTorch, as used by AD-NeRF's ``79999_iter.pth``).
CLASSES: Final = (
    "background", "skin", "left_brow", "right_brow", "left_eye", "right_eye", "glasses", "left_ear",
    "right_ear", "earring", "nose", "mouth", "upper_lip", "lower_lip", "neck", "necklace", "cloth", "hair", "hat",
)  # fmt: skip

BACKGROUND: Final = (0,)
#: Labels 1..13: what VDF's ``full_face`` attacks and what the pipelines colour as head.
FACE: Final = tuple(range(1, 14))
HAIR: Final = (17, 18)
HEAD: Final = FACE + HAIR
NECK: Final = (14, 15)
TORSO: Final = (16,)
LIPS: Final = (11, 12, 13)
EARS: Final = (7, 8, 9)
EYES: Final = (4, 5)

#: The groups on which parsers are gated.
GROUPS: Final[dict[str, tuple[int, ...]]] = {
    "background": BACKGROUND,
    "head": tuple(sorted(set(FACE) - set(LIPS))),
    "hair": HAIR,
    "neck": NECK,
    "torso": TORSO,
    "lips": LIPS,
}


def mask_of(labels: NDArray[np.uint8], group: Iterable[int]) -> NDArray[np.bool_]:
    """Boolean mask of the pixels whose class is in ``group``; same shape as ``labels``."""
    table = np.zeros(256, bool)
    table[list(group)] = True
    return table[labels]


#: Small classes weigh more: eyes and lips are a hundredth of the picture.
CLASS_WEIGHT = (0.8, 1.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.5, 1.5, 1.5, 1.2, 2.5, 2.5, 2.5, 1.5, 1.5, 1.0, 1.0, 1.0)
