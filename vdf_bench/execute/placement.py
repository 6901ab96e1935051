"""Decides what a step asks of a cluster, by its cost class: a share of a GPU, a node with room, or any core.

Nothing here knows of Ray or starts anything: what a step asks for follows from its cards and its expected cost, and
where it goes from what nodes have left.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Literal, get_args

from vdf_bench.core import registry
from vdf_bench.core.cards import CostClass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vdf_bench.core.cards import Card
    from vdf_bench.plan import Step

#: How a step is placed: where there is a GPU; on a node chosen here, so that long work is spread; or anywhere.
Kind = Literal["gpu", "long", "short"]
#: Cost classes, ascending, and the CPU seconds at which the second and the third begin.
COSTS: Final[tuple[CostClass, ...]] = get_args(CostClass)
_BEGINS: Final = (60.0, 3600.0)
#: Parameters of steps that name a component, and its kind.
_NAMES: Final[dict[str, registry.Kind]] = {"victim": "victims", "defense": "defenses"}


#: MiB that a step takes of which nothing is known: torch, numba and a clip of the standard preset.
ROUGH_MIB: Final = 900.0
#: A step that takes so many times what is expected hangs, and so does one that takes more than this many seconds.
PATIENT_FACTOR: Final = 20.0
PATIENT_SECONDS: Final = 1800.0


@dataclass(frozen=True)
class Need:
    """What a step takes.

    Attributes:
        mib: memory.
        gpus: share of a GPU.
        limit: wall seconds after which it counts as hanging.
        cost: its expected cost class.
    """

    mib: float = ROUGH_MIB
    gpus: float = 0.0
    limit: float = PATIENT_SECONDS
    cost: CostClass = "seconds"


@dataclass
class Node:
    """A machine of the cluster.

    Attributes:
        id, name: what the cluster and what people call it.
        cpus, gpus, mib: what it has.
        taken, taken_mib: cores and memory that steps of this driver hold there, or will.
    """

    id: str
    name: str
    cpus: float
    gpus: float
    mib: float
    taken: float = 0.0
    taken_mib: float = 0.0

    def hold(self, need: Need, times: int = 1) -> None:
        """Count a step that is placed here, or with ``times=-1`` one that is over."""
        self.taken += times * (not need.gpus)  # a step that trains on a GPU asks for no core
        self.taken_mib += times * need.mib

    def takes(self, need: Need) -> bool:
        """Whether a step on a core would begin here at once, as far as this driver knows."""
        return self.cpus - self.taken >= 1 and self.mib - self.taken_mib >= need.mib


def cost_class(step: Step, seconds: float, recorded: bool) -> CostClass:
    """How dear a step is: by what earlier runs recorded, else by the guess or its components' cards, the dearer one.

    Args:
        step: the step.
        seconds: CPU seconds that it is expected to take.
        recorded: whether an earlier run says so; cards speak where none does.
    """
    rank = sum(seconds >= begin for begin in _BEGINS)
    if not recorded:
        rank = max([rank, *(COSTS.index(card.cost) for card in cards(step))])
    return COSTS[rank]


def gpu_share(step: Step) -> float:
    """Share of a GPU that a step asks for: none on the CPU, all of one at published size, else half."""
    if step.params.get("device", "cpu") == "cpu":
        return 0.0
    published = step.params.get("scale") == "paper" or any(card.cost == "hours" for card in cards(step))
    return 1.0 if published else 0.5


def kind_of(need: Need) -> Kind:
    """How a step with this need is placed."""
    if need.gpus:
        return "gpu"
    return "short" if need.cost == "seconds" else "long"


def choose(need: Need, nodes: Iterable[Node]) -> Node | None:
    """The node that a step should go to; None leaves it to the cluster.

    Long work on cores goes to the emptiest node without a GPU, and beside GPUs only where no other has room. All else
    the cluster places well by itself: on GPUs what asks for them, the rest packed and, by default, away from GPUs.
    """
    if kind_of(need) != "long":
        return None
    room = [node for node in nodes if node.takes(need)]
    coreful = [node for node in room if not node.gpus] or room
    return min(coreful, key=lambda node: (node.taken / node.cpus, -node.cpus, node.id), default=None)


def cards(step: Step) -> Iterator[Card]:
    """Cards of the components that a step names."""
    for parameter, kind in _NAMES.items():
        if card := _card(kind, str(step.params.get(parameter, ""))):
            yield card
    for link in str(step.params.get("chain", "")).split("+"):
        if card := _card("purifiers", link.partition(":")[0]):
            yield card


@cache
def _card(kind: registry.Kind, name: str) -> Card | None:
    """The card of a component; None where there is none of this name."""
    if name not in registry.names(kind):
        return None
    card: Card = registry.load(kind, name).card
    return card
