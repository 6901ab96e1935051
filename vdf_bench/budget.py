"""How much a defense may change a picture."""

from __future__ import annotations

from dataclasses import dataclass

from vdf_bench.errors import UserError


@dataclass(frozen=True, order=True)
class Budget:
    """An L-infinity bound on the perturbation.

    Published budgets come in three scales; this one is always the [0, 1] pixel scale. A bound given on [-1, 1]
    images (Disrupting Deepfakes, CMUA, Anti-DreamBooth) is twice as large as the same bound here.

    Attributes:
        linf: largest change of any channel of any pixel, in [0, 1] pixel units.
    """

    linf: float

    def __post_init__(self) -> None:
        if not 0 <= self.linf <= 1:
            raise UserError(f"--epsilon {self.linf:g} is out of bounds: give 0 to 1, or k/255")

    @property
    def levels(self) -> float:
        """The bound in 8-bit levels: the k of k/255."""
        return self.linf * 255

    def __str__(self) -> str:
        return f"{self.levels:.4g}/255"

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read ``0.05``, ``8/255`` or ``12.75/255``.

        Raises:
            UserError: the text is no number, or out of [0, 1].
        """
        number, slash, base = text.partition("/")
        try:
            value = float(number) / float(base) if slash else float(number)
        except (ValueError, ZeroDivisionError):
            raise UserError(f"--epsilon {text!r} is no number: give something like 0.05 or 8/255") from None
        return cls(value)
