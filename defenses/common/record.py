"""What an attack notes of every frame."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Record:
    """Per-frame record, as ``Defense.log`` returns it.

    Attributes:
        iterations: optimisation steps taken.
        success: 1 where the published frame meets the success rule, else 0.
        share: smallest share, over the scales, of source pixels that the parser now reads as a target.
    """

    iterations: list[float] = field(default_factory=list)
    success: list[float] = field(default_factory=list)
    share: list[float] = field(default_factory=list)

    def add(self, iterations: int, success: bool, share: float) -> None:
        """Note one frame."""
        self.iterations.append(float(iterations))
        self.success.append(float(success))
        self.share.append(share)

    def as_log(self) -> dict[str, list[float]]:
        """Lists by name; empty where no frame was seen."""
        if not self.iterations:
            return {}
        return {"iterations": self.iterations, "success": self.success, "share": self.share}
