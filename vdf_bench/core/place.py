"""Where a cell of the result table stands: its coordinates, written once for plans, tables and reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

#: What was done to the clip.
TREATMENT: Final = ("defense", "linf", "floor")
#: What an attacker then did with it.
ATTACK: Final = ("purifier", "capture", "target", "victim")
#: All coordinates, in the order of the table.
PLACE: Final = ("clip", *TREATMENT, *ATTACK, "seed")
#: What a cell shares with its clean twin.
TWIN: Final = ("clip", *ATTACK, "seed")
#: What is attacked, whoever attacks.
SUBJECT: Final = ("clip", *TREATMENT, "target", "victim", "seed")


@dataclass(frozen=True)
class Place:
    """Coordinates of a cell.

    Attributes:
        clip, defense: what tables call them.
        linf: bound of the budget, 8-bit levels.
        floor: its fidelity floor, dB of PSNR; 0 for none.
        purifier, capture: canonical texts of what the attacker does to the frames, and how they are captured.
        target: what the victim trains on; empty without one.
        victim: empty where none trains.
        seed: of the cell.
    """

    clip: str
    defense: str
    linf: float
    purifier: str
    capture: str
    target: str
    victim: str
    seed: int
    floor: float = field(default=0.0, kw_only=True)

    def only(self, *names: str) -> dict[str, Any]:
        """Some coordinates by name; all of them, in the order of the table, where none is named."""
        return {name: getattr(self, name) for name in names or PLACE}

    @property
    def attacker(self) -> tuple[Any, ...]:
        """What this cell shares with its clean twin."""
        return tuple(self.only(*TWIN).values())

    @property
    def subject(self) -> tuple[Any, ...]:
        """A defense on a clip against a victim, whoever attacks."""
        return tuple(self.only(*SUBJECT).values())
