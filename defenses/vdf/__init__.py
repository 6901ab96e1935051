"""VDF, the video defense that inherits its perturbation from frame to frame (arXiv 2512.21019).

What a frame goes through (``perturbation`` has the formulas, ``stream`` the loop, ``motion`` the displacement):

1. variables: a noise map (amplitude and phase shifts of the spectrum, one map for red, green and blue; pixel shifts)
   and a spatial mask; inherited from the previous frame, moved with the picture, the noise times decay x SSIM of the
   two clean frames;
2. picture: clean + bound x tanh(gain x (spectrum-shifted - clean) + pixel noise) x sigmoid(mask), rounded to 8 bits;
3. judgement: a face parser looks at it at five scales; success is more than 0.8 of the face read as background at
   each of them, checked before each update, so that an inherited perturbation that still works costs no update;
4. update: Adam, started afresh in every frame, on the parsing loss summed over the scales.

``variants`` has the official constants (``vdf-official``), one ablation for each idea, and the unoptimised control.
docs/vdf.md has what the constants do, measured, and the time of a later frame.

As in the official code (``fft_ifftmask.py``, ``utils.py``; the paper's own formulas were not at hand): the surrogate
is one face parser and nothing else, classes and targets, the spectrum step with its 1 rad offset on the
ImageNet-normalised picture, tanh and mask, straight-through rounding, scales and their weights, bilinear resizing,
masks recomputed at each scale from the clean frame, the success rule, early exit, sharing by SSIM, mask shared whole.

In ``vdf``, not in ``vdf-official``, because the official constants do not reach success on this project's parser
within 0.05 (docs/vdf.md):

- ``domain=joint`` adds a map of pixel shifts under the same tanh. The spectrum alone can only rescale and turn what
  the frame already contains; the abstract's joint optimisation of both domains is met by the official code with the
  mask alone. ``frequency`` is the official one.
- ``loss=cross-entropy``: ``log`` loses its gradient on a confident parser.
- ``learning_rate``, ``betas``, ``gain``, ``noise_start``, ``mask_start``: a start near the clean frame with an open
  mask, long steps, and an Adam that forgets the first, steep iterations.
- ``motion`` and a ``decay`` near 1: pixel noise and mask go where the picture goes, so that less need be forgotten.
- ``max_iterations``: the official 3000 is no bound at all on a video; in ``vdf-official`` the cap is lower too.
- no VGG term: its weights do not ship, and nothing stands in for it.

Not as there in any of them, for correctness: the bound is rounded down to whole levels (12/255 for 0.05; the official
rounding can reach 13/255); a scale at which the clean frame shows no face is left out (officially it forbids success
for ever); no gradient passes where a pixel would leave black or white; the last update is judged too; random numbers
come from the run's seed.

Free, without effect on results but for rounding: frozen parser with folded batch norms, logits shared by loss and
success check, one transform and one set of VGG features of the clean frame. The official temporal loss is never
reached in its code (one frame at a time), so there is none here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from vdf_bench.core.cards import Card, Component, Parameters
from vdf_bench.defenses.common.record import Record
from vdf_bench.defenses.vdf.parameters import VdfParameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from vdf_bench.core.interfaces import Setting


class Vdf(Component):
    """VDF (arXiv 2512.21019); the module's text says what follows the official code and what does not."""

    card = Card(
        name="vdf",
        title="VDF: parsing attack whose perturbation is inherited from frame to frame",
        summary="Optimises spectral and pixel noise and a spatial mask against a face parser at five scales; each "
        "frame starts from its predecessor's, moved with the picture. The official code with pixel shifts and motion "
        "added, the VGG term left out and other constants; vdf-official has the official ones.",
        source="Sun et al., VDF; official code Richen7418/VDF",
        url="https://arxiv.org/abs/2512.21019",
        year=2025,
        cost="seconds",
        version=2,
    )
    surrogates = frozenset({"parser"})
    parameters_model: ClassVar[type[Parameters]] = VdfParameters

    def __init__(self, parameters: VdfParameters | None = None) -> None:
        super().__init__(parameters)
        self._record = Record()

    def protect(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        from vdf_bench.defenses.vdf.stream import protect

        self._record = Record()
        return protect(frames, setting, self.parameters, self._record, name=self.card.name)

    def log(self) -> dict[str, list[float]]:
        return self._record.as_log()
