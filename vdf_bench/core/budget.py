"""How much a defense may change a picture."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import product

from vdf_bench.core.errors import UserError

#: Highest fidelity floor, dB: where PSNR is capped.
MAX_FLOOR = 100.0
FORMS = "give something like linf=8/255, linf=4,8,12.75 (levels of 255), linf=8,psnr>=38, or 0.05 (short for linf=0.05)"


@dataclass(frozen=True, order=True)
class Budget:
    """An L-infinity bound on the perturbation, and a floor to the fidelity of what is published.

    Published budgets come in three scales; this one is always the [0, 1] pixel scale. A bound given on [-1, 1]
    images (Disrupting Deepfakes, CMUA, Anti-DreamBooth) is twice as large as the same bound here.

    Defenses keep the bound. The harness meets the floor, see :mod:`vdf_bench.stages.enforce`: then all defenses can be
    compared at one fidelity.

    Attributes:
        linf: largest change of any channel of any pixel, in [0, 1] pixel units.
        psnr: smallest PSNR of any protected frame to its clean frame, dB; 0, which every frame has, is no floor.
    """

    linf: float
    psnr: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.linf <= 1:
            raise UserError(
                f"--budget linf={self.linf:g} is out of range: give 0 to 1, or a level from 2 to 255 (of 255)"
            )
        if not 0 <= self.psnr <= MAX_FLOOR:
            raise UserError(f"--budget psnr>={self.psnr:g} is out of range: give 0 (no floor) to {MAX_FLOOR:g} dB")

    @property
    def levels(self) -> float:
        """The bound in 8-bit levels: the k of k/255."""
        return self.linf * 255

    @property
    def whole_levels(self) -> int:
        """The largest whole number of 8-bit levels within the bound: 12 for 0.05, which is 12.75/255."""
        return math.floor(self.levels + 1e-6)

    def __str__(self) -> str:
        return f"{self.levels:.4g}/255" + (f", PSNR ≥ {self.psnr:g} dB" if self.psnr else "")

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read one budget, such as ``0.05``, ``8/255``, ``linf=8`` or ``linf=8/255,psnr>=38``.

        Raises:
            UserError: as :meth:`parse_all`, or there are several.
        """
        found = cls.parse_all(text)
        if len(found) > 1:
            raise UserError(f"--budget {text!r} contains {len(found)} budgets: this command takes one")
        return found[0]

    @classmethod
    def parse_all(cls, text: str) -> tuple[Budget, ...]:
        """Read a list such as ``linf=4,8,12.75,25.5`` or ``linf=8,16,psnr>=0,38``: every bound with every floor.

        A bare number belongs to the key before it, at the beginning to ``linf``. Bounds above 1 are 8-bit levels k
        of k/255.

        Raises:
            UserError: the text is of another form, or a number is out of bounds.
        """
        values: dict[str, list[float]] = {"linf": [], "psnr": []}
        key = "linf"
        for part in text.split(","):
            named = re.fullmatch(r"\s*(?:(linf)\s*=|(psnr)\s*>=)?\s*([^\s=<>]+)\s*", part)
            if named is None:
                raise UserError(f"--budget {text!r}: {part.strip()!r} is not a budget: {FORMS}")
            key = named[1] or named[2] or key
            values[key].append(_bound(named[3], text) if key == "linf" else _number(named[3], text))
        if not values["linf"]:
            raise UserError(
                f"--budget {text!r} has no bound on pixels: begin with linf=, such as linf=8/255,{text.strip()}"
            )
        return tuple(dict.fromkeys(cls(*pair) for pair in product(values["linf"], values["psnr"] or [0.0])))


def _number(text: str, whole: str) -> float:
    """``8/255`` or ``0.05``."""
    number, slash, base = text.partition("/")
    try:
        return float(number) / float(base) if slash else float(number)
    except (ValueError, ZeroDivisionError):
        raise UserError(f"--budget {whole!r}: {text!r} is not a number: {FORMS}") from None


def _bound(text: str, whole: str) -> float:
    value = _number(text, whole)
    if value == 1 and "/" not in text:  # whoever writes 1,2,4 means levels; whoever writes 0.5,1 does not
        raise UserError(f"--budget {whole!r}: {text} is ambiguous: use 1/255 or 255/255")
    return value / 255 if value > 1 else value
