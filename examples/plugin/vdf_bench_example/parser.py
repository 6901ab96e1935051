"""A face parser of a few thousand weights behind onnxruntime, which defenses may differentiate too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from vdf_bench.core.cards import Card, Component
from vdf_bench.core.files import file_sha256

if TYPE_CHECKING:
    from vdf_bench.core.interfaces import LandmarkModel
    from vdf_bench_example.loaded import LoadedParser

FILE: Final = Path(__file__).with_name("parser.onnx")


class TinyParser(Component):
    """Colour and place decide; what lies around helps."""

    card: ClassVar[Card] = Card(
        name="tiny-onnx",
        title="a network of 4,000 weights behind onnxruntime, trained on renders",
        summary="Looks at 48 px and knows where heads usually are; meant as a pattern for parsers of your own.",
        needs=("extra:onnxruntime",),
        trained_on="rendered heads of vdf-bench's own scenes, other people than its clips'",
        differentiable=True,
        year=2025,
    )

    def load(self, landmarker: LandmarkModel | None = None) -> LoadedParser:
        """See :meth:`vdf_bench.core.interfaces.Parser.load`."""
        from vdf_bench_example.loaded import load

        del landmarker
        return load(FILE)

    @classmethod
    def fingerprint(cls) -> str:
        """The weights: results are computed anew where the file changes."""
        return file_sha256(FILE) if FILE.is_file() else ""
