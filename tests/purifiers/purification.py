"""How well purifiers bring back what a parser sees, against a blur that costs clean frames as much.

Run as a script it writes the tables of ``docs/purification.md``:
``python tests/purifiers/purification.py docs/purification.md``.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from vdf_bench.attackers.chain import build_chain
from vdf_bench.core import registry
from vdf_bench.core.budget import Budget
from vdf_bench.core.interfaces import Setting
from vdf_bench.core.labels import FACE, GROUPS, mask_of
from vdf_bench.parsers.network import load_parser

#: People that the denoiser never saw (identity seeds from 100 000 on; its own are 0 to 159).
CLIPS = ("synth-a", "synth-d", "synth-f")
DEFENSES = (("pgd", 8), ("pgd", 12.75), ("mifgsm", 8), ("vdf", 8))
PURIFIERS = ("diffpure-synth", "diffpure-synth:50", "grid-pure-synth", "noisy-upscale-synth", "impress-synth")


@dataclass(frozen=True)
class Attacked:
    """Frames and their protected twins, (T, H, W, 3) uint8 RGB."""

    clean: np.ndarray
    protected: np.ndarray


@dataclass(frozen=True)
class Score:
    """What the parser finds, against its own labels of the clean frames.

    Attributes:
        recall: of face pixels, pooled.
        iou: mean over the groups that are present, pooled.
    """

    recall: float
    iou: float

    def __str__(self):
        return f"{self.recall:.2f} / {self.iou:.2f}"


def _tensors(frames):
    return torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255


def _pictures(frames):
    return (torch.stack(list(frames)) * 255).round().byte().permute(0, 2, 3, 1).numpy()


def attack(defense, levels, clip, size, count):
    """``count`` frames of a clip, far apart, under a defense that differentiates the builtin parser."""
    clean = registry.load("clips", "synth")().load(clip, size, 10 * count).frames[::10]
    setting = Setting(budget=Budget(levels / 255), size=size, surrogate=load_parser("builtin"))
    made = registry.create("defenses", defense).protect(iter(_tensors(clean)), setting)
    return Attacked(clean, _pictures(made))


def purify(chain, frames):
    """Frames (T, H, W, 3) uint8 through a chain."""
    setting = Setting(budget=Budget(0.0), size=frames.shape[1])
    return _pictures(build_chain(chain).purify(iter(_tensors(frames)), setting))


def psnr(frames, reference):
    """Mean PSNR [dB] of uint8 frames."""
    error = (frames.astype(float) - reference).__pow__(2).mean((1, 2, 3)) / 255**2
    return float((-10 * np.log10(np.maximum(error, 1e-12))).mean())


def blur_of_equal_loss(clean, level):
    """The Gaussian blur that brings clean frames to this PSNR, as a chain."""
    low, high = 0.0, 8.0
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if psnr(purify(_blur(middle), clean), clean) > level else (low, middle)
    return _blur(low)


def _blur(sigma):
    return f"gaussian-blur:{sigma:.4f},size=31"


def score(parser, frames, clean):
    """What the parser finds in ``frames``."""
    found, wanted = parser.parse(frames), parser.parse(clean)

    def shares(group):
        a, b = mask_of(found, group), mask_of(wanted, group)
        return (a & b).sum(), b.sum(), (a | b).sum()

    ious = [both / either for both, there, either in map(shares, GROUPS.values()) if there]
    both, there, _ = shares(FACE)
    return Score(float(both / there), float(np.mean(ious)))


def tables(size=128, count=2):
    """Lines of the tables: what each purifier does to clean and to protected frames, beside its blur."""
    parser = load_parser("builtin")
    for clip in CLIPS:
        attacked = {each: attack(*each, clip, size, count) for each in DEFENSES}
        clean = attacked[DEFENSES[0]].clean
        names = [f"{defense} {levels}/255" for defense, levels in DEFENSES]
        yield f"### {clip}\n"
        yield f"| purifier | CPU s / 100 frames | PSNR, clean | clean | {' | '.join(names)} |"
        yield "|---|---:|---:|" + "---:|" * (len(names) + 1)
        bare = [score(parser, attacked[each].protected, clean) for each in DEFENSES]
        yield f"| identity | | | {score(parser, clean, clean)} | {' | '.join(map(str, bare))} |"
        for purifier in PURIFIERS:
            started = time.process_time()
            washed = purify(purifier, clean)
            seconds = f"{(time.process_time() - started) * 100 / count:.0f}"
            level = psnr(washed, clean)
            blur = blur_of_equal_loss(clean, level)
            for chain, cost in ((purifier, seconds), (blur, "")):
                cells = [score(parser, purify(chain, attacked[each].protected), clean) for each in DEFENSES]
                on_clean = purify(chain, clean)
                label = f"`{chain}`" if cost else f"blur of sigma {float(chain.split(':')[1].split(',')[0]):.2f}"
                line = f"| {label} | {cost} | {psnr(on_clean, clean):.1f} | {score(parser, on_clean, clean)} |"
                yield f"{line} {' | '.join(map(str, cells))} |"
        yield ""


if __name__ == "__main__":
    torch.set_num_threads(1)
    page = Path(sys.argv[1])
    kept = page.read_text().partition("<!-- figures -->")[0]
    lines = []
    for line in tables():
        lines.append(line)
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    page.write_text(kept + "<!-- figures -->\n\n" + "\n".join(lines).rstrip() + "\n")
