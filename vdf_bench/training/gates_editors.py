"""What a shipped attribute editor must reach, measured on people that it never saw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from vdf_bench.scenes.attributes import ATTRIBUTES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.models.editors import SynthEditor
    from vdf_bench.models.embedder import Embedder
    from vdf_bench.training.editor_data import Sittings

#: Lowest accepted values. ``edit_gain``: how much nearer [dB] an edit is to the truth than the unedited picture is,
#: of the worst attribute; ``same_person``: share of edits that pass for the person of the truth, of the worst
#: attribute; ``reconstruction_psnr`` [dB]: of what comes back when nothing is asked.
EDITOR_GATES: Final = {"edit_gain": 3.0, "same_person": 0.9, "reconstruction_psnr": 32.0}
#: 8-bit values that differ by more belong to the edit.
CHANGED: Final = 3


def psnr(first: NDArray[np.uint8], second: NDArray[np.uint8], mask: NDArray[np.bool_] | None = None) -> float:
    """PSNR [dB] of two pictures (S, S, 3), or of the part inside ``mask`` (S, S)."""
    error = (first.astype(np.float64) - second) ** 2
    if mask is not None:
        error = error[mask]
    return float(10 * np.log10(255**2 / max(float(error.mean()), 1e-4)))


@torch.no_grad()
def edited(
    editor: SynthEditor, frames: NDArray[np.uint8], wanted: dict[str, int], batch: int = 16
) -> NDArray[np.uint8]:
    """Edits of (N, S, S, 3) frames, rounded to 8 bit."""
    x = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255
    y = torch.cat([editor.change(part, wanted) for part in torch.split(x, batch)])
    result: NDArray[np.uint8] = (y * 255).round().byte().permute(0, 2, 3, 1).numpy()
    return result


def editor_gates(editor: SynthEditor, unseen: Sittings, embedder: Embedder) -> dict[str, Any]:
    """Every attribute set on plain people, against the truth rendered again.

    Args:
        editor: under test.
        unseen: sittings whose base state has no attribute, of the editor's size.
        embedder: ``id-synth``.

    Returns:
        the gates, and under ``attributes`` for each: gain and PSNR [dB], gain inside the changed region, share of
        pictures with a gain of 3 dB, share that passes for the person, and the mean cosine with the truth.
    """
    source = unseen.rgb[:, 0]
    rows: dict[str, dict[str, float]] = {}
    for k, name in enumerate(ATTRIBUTES):
        truth = unseen.rgb[:, 1 + k]
        found = edited(editor, source, {name: 1})
        region = np.abs(truth.astype(int) - source).max(3) > CHANGED
        reached = [psnr(a, b) for a, b in zip(found, truth, strict=True)]
        gains = np.subtract(reached, [psnr(a, b) for a, b in zip(source, truth, strict=True)])
        inside = [
            psnr(a, b, m) - psnr(c, b, m) for a, b, c, m in zip(found, truth, source, region, strict=True) if m.any()
        ]
        cosine = (embedder.embed(found, unseen.landmarks) * embedder.embed(truth, unseen.landmarks)).sum(1)
        rows[name] = {
            "gain": float(np.mean(gains)),
            "psnr": float(np.mean(reached)),
            "gain_inside": float(np.mean(inside)),
            "gained_3db": float(np.mean(gains >= EDITOR_GATES["edit_gain"])),
            "same_person": float(np.mean(cosine >= embedder.tau)),
            "cosine": float(np.mean(cosine)),
        }
    back = edited(editor, source, {})
    return {
        "edit_gain": min(row["gain"] for row in rows.values()),
        "same_person": min(row["same_person"] for row in rows.values()),
        "reconstruction_psnr": float(np.mean([psnr(a, b) for a, b in zip(back, source, strict=True)])),
        "attributes": rows,
    }
