"""Parsers that are networks: four that ship, and the one that the official pipelines run."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from vdf_bench.core.cards import Card, Component
from vdf_bench.parsers import OFFICIAL_SIZE, SHIPPED_EDGES

if TYPE_CHECKING:
    from vdf_bench.core.interfaces import LandmarkModel
    from vdf_bench.parsers.network import Parser

_RENDERS = "rendered heads of the package's own scenes, strongly randomised"


class Network(Component):
    """A parser that is a network, with shipped weights under its own name.

    Attributes:
        architecture: key of :data:`vdf_bench.parsers.network.ARCHITECTURES`.
    """

    architecture: ClassVar[str]

    def load(self, landmarker: LandmarkModel | None = None) -> Parser:
        """See :meth:`vdf_bench.core.interfaces.Parser.load`."""
        from vdf_bench.assets.shipped import load_shipped
        from vdf_bench.parsers.network import ARCHITECTURES, frozen

        del landmarker
        parser = ARCHITECTURES[self.architecture]()
        parser.network.load_state_dict(load_shipped(self.card.name))
        return frozen(parser)


class Builtin(Network):
    """The parser that attackers run and defenses know, unless others are named."""

    card = Card(
        name="builtin",
        title="BiSeNet of quarter width, trained on renders",
        summary="The stock parser of this benchmark and the default surrogate: of the family that VDF was made for.",
        source="Yu et al., BiSeNet",
        url="https://arxiv.org/abs/1808.00897",
        year=2018,
        needs=("weights:builtin",),
        trained_on=_RENDERS,
        differentiable=True,
        teachable=True,
        edges=SHIPPED_EDGES,
    )
    architecture = "bisenet-quarter"


class Heldout(Network):
    """A parser that no defense has seen."""

    card = Card(
        name="heldout",
        title="U-Net, trained on renders of other people; never a surrogate",
        summary="Another architecture, other training people: kept from defenses, so that attackers have one.",
        source="Ronneberger et al., U-Net",
        url="https://arxiv.org/abs/1505.04597",
        year=2015,
        needs=("weights:heldout",),
        trained_on=_RENDERS + ", other people than builtin's",
        differentiable=True,
        teachable=True,
        edges=SHIPPED_EDGES,
        tags=("held-out",),
    )
    architecture = "unet"


class SurrogateB(Network):
    """A second surrogate."""

    card = Card(
        name="surrogate-b",
        title="narrow BiSeNet, trained on renders",
        summary="A surrogate for defenses in expectation over parsers; its people are neither builtin's nor heldout's.",
        source="Yu et al., BiSeNet",
        url="https://arxiv.org/abs/1808.00897",
        year=2018,
        needs=("weights:surrogate-b",),
        trained_on=_RENDERS + ", other people",
        differentiable=True,
        teachable=True,
        edges=SHIPPED_EDGES,
    )
    architecture = "bisenet-narrow"


class SurrogateC(Network):
    """A third surrogate."""

    card = Card(
        name="surrogate-c",
        title="dilated context network, trained on renders",
        summary="A surrogate of a third architecture; its people are neither builtin's nor heldout's.",
        source="Yu and Koltun, Multi-Scale Context Aggregation by Dilated Convolutions",
        url="https://arxiv.org/abs/1511.07122",
        year=2016,
        needs=("weights:surrogate-c",),
        trained_on=_RENDERS + ", other people",
        differentiable=True,
        teachable=True,
        edges=SHIPPED_EDGES,
    )
    architecture = "context"


class Bisenet(Network):
    """The official parser, from the user's own file."""

    card = Card(
        name="bisenet",
        title="face-parsing.PyTorch's BiSeNet, which the official pipelines run",
        summary="Looks at 512 px, as AD-NeRF and all pipelines after it do; weights are the user's.",
        source="zllrunning/face-parsing.PyTorch",
        url="https://github.com/zllrunning/face-parsing.PyTorch",
        year=2019,
        needs=("user:79999_iter.pth",),
        trained_on="CelebAMask-HQ: photographs",
        differentiable=True,
        edges=(OFFICIAL_SIZE, OFFICIAL_SIZE),
    )
    architecture = "bisenet-official"

    def load(self, landmarker: LandmarkModel | None = None) -> Parser:
        """See :meth:`vdf_bench.core.interfaces.Parser.load`."""
        from vdf_bench.assets.checkpoints import load_user_checkpoint
        from vdf_bench.parsers.network import ARCHITECTURES, frozen

        del landmarker
        parser = ARCHITECTURES[self.architecture]()
        load_user_checkpoint(parser.network, self.card.name)
        return frozen(parser)
