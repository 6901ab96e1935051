"""An attacker: what he does to the published frames before a victim trains on them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from vdf_bench.attackers.chain import canonical_chain
from vdf_bench.attackers.spec import CaptureSpec

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The parser that defenses differentiate unless another is named. Attackers that run it are white-box cells, others are
#: transfer.
SURROGATE = "builtin"


@dataclass(frozen=True)
class Attacker:
    """What an attacker does to the published frames before a victim trains on them.

    Attributes:
        chain: canonical text of the purifiers that the frames go through; see :mod:`vdf_bench.attackers.chain`.
        capture: canonical text of how they are captured; see :mod:`vdf_bench.attackers.spec`.
    """

    chain: str = "identity"
    capture: str = f"{SURROGATE}/repair"

    @classmethod
    def parse(cls, chain: str, capture: str, policy: str = "repair") -> Attacker:
        """The attacker that two texts describe, in whatever form; ``policy`` where ``capture`` names none.

        Raises:
            UserError: either text is of no known form, or holds a value out of bounds.
        """
        return cls(canonical_chain(chain), str(CaptureSpec.parse(capture, policy, "--parser")))


def every_attacker(chains: Iterable[str], captures: Iterable[str], policy: str = "repair") -> tuple[Attacker, ...]:
    """Every chain with every capture, each once.

    Raises:
        UserError: see :meth:`Attacker.parse`.
    """
    pairs = product(chains, captures)
    return tuple(dict.fromkeys(Attacker.parse(chain, capture, policy) for chain, capture in pairs))
