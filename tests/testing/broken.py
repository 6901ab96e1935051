"""Components that break their contract, each in one way; in a module of its own, as plug-ins are."""

from __future__ import annotations

from pydantic import Field

from vdf_bench.core.cards import Card, Component, Parameters
from vdf_bench.core.interfaces import Harmless
from vdf_bench.core.metrics import Measurement, Metric
from vdf_bench.judges.base import BaseJudge
from vdf_bench.recognisers.base import BaseRecogniser


def card(name="broken", **more):
    return Card(name=name, title="t", summary="s", **more)


class Shifted(Component):
    """A sound defense; others derive from it."""

    card = card()

    def protect(self, frames, setting):
        self._log = []
        for frame in frames:
            self._log.append(1.0)
            yield self.change(frame, setting.budget.whole_levels)

    def change(self, frame, levels):
        return (frame - levels / 255).clamp(0, 1)

    def log(self):
        return {"seen": self._log} if hasattr(self, "_log") else {}


class TooFar(Shifted):
    def change(self, frame, levels):
        return (frame - (levels + 1) / 255).clamp(0, 1)


class BetweenLevels(Shifted):
    def change(self, frame, levels):
        return (frame - 0.3 / 255).clamp(0, 1)


class Writes(Shifted):
    def change(self, frame, levels):
        return frame.mul_(0.0)


class Collects(Shifted):
    def protect(self, frames, setting):
        yield from super().protect(iter(list(frames)), setting)


class Forgetful(Shifted):
    def log(self):
        return {"seen": [1.0]} if hasattr(self, "_log") else {}


class Remembers(Shifted):
    runs = 0

    def protect(self, frames, setting):
        self.runs += 1
        return super().protect(frames, setting)

    def change(self, frame, levels):
        return frame if self.runs > 1 else super().change(frame, levels)


class Random(Shifted):
    def change(self, frame, levels):
        import torch

        return (frame + torch.randint(-levels, levels + 1, frame.shape) / 255).clamp(0, 1)


class Drops(Shifted):
    def protect(self, frames, setting):
        for index, frame in enumerate(super().protect(frames, setting)):
            if index < 4:
                yield frame


class SilentParameters(Parameters):
    strength: float = Field(1.0, ge=0, le=1)


class FreeParameters(Parameters):
    strength: float = Field(1.0, description="any")


class Silent(Shifted):
    parameters_model = SilentParameters


class Free(Shifted):
    parameters_model = FreeParameters


class Untitled(Shifted):
    card = Card(name="broken", title="", summary="s")


class Misnamed(Shifted):
    card = card("two words")


class Needy(Shifted):
    card = card(needs=("a friend",))


class Blur(Component):
    """A sound purifier; others derive from it."""

    card = card()
    harmless = None

    def purify(self, frames, setting):
        for frame in frames:
            yield self.change(frame)

    def change(self, frame):
        return (frame + frame.roll(1, 2)) / 2


class Harmful(Blur):
    harmless = Harmless({}, levels=1)


class Bright(Blur):
    def change(self, frame):
        return frame + 0.5


class Hoards(Blur):
    def purify(self, frames, setting):
        yield from super().purify(iter(list(frames)), setting)


class Crops(Blur):
    def change(self, frame):
        return frame[:, : frame.shape[1] // 2 * 2, : frame.shape[2] // 2 * 2].contiguous()


class Judge(BaseJudge):
    """A sound judge; others derive from it."""

    card = card()
    stage = "protect"
    metrics = (Metric("wonder", "protect", "", "up", 0, 1, "", "how wonderful it is"),)
    value = 1.0

    def measure(self, evidence):
        yield Measurement("protect", "wonder", "", "up", self.value, len(evidence.clip))


class NotANumber(Judge):
    value = float("nan")


class Placeless(Judge):
    stage = "somewhere"


class Undeclared(Judge):
    metrics = ()


class Secretive(Judge):
    metrics = (Metric("other", "protect", "", "up", 0, 1, "", "another one"),)


class Seer:
    """A sound parser, loaded."""

    def __init__(self, change=lambda labels: labels):
        from vdf_bench.testing.networks import BrightnessParser

        self.network, self.change = BrightnessParser(), change

    def parse(self, frames):
        return self.change(self.network.parse(frames))

    def to(self, device):
        return self

    def __call__(self, pictures):
        return self.network(pictures)


class Mean:
    """The mean colour, as if it told people apart."""

    metric, name, threshold = "identity_broken", "mean", 0.9

    def embed(self, frames, points):
        return frames.mean((1, 2)).astype("float32")


class Recogniser(BaseRecogniser):
    """A sound recogniser; others derive from it."""

    card = card()

    def load(self):
        return Mean()

    def threshold(self):
        return 0.9, "a guess"


class OtherColumn(Recogniser):
    metric = "identity_other"


class OfTheBatch(Recogniser):
    def load(self):
        model, colours = Mean(), Mean().embed
        model.embed = lambda frames, points: 100 * (colours(frames, points) - colours(frames, points).mean(0)) + 1
        return model


class Parser(Component):
    """A sound parser; others derive from it."""

    card = card(differentiable=True)

    def load(self, landmarker=None):
        return Seer()


class Wide(Parser):
    def load(self, landmarker=None):
        return Seer(lambda labels: labels.astype(int))


class Foreign(Parser):
    def load(self, landmarker=None):
        return Seer(lambda labels: labels + 19)


class OtherHead(Parser):
    def load(self, landmarker=None):
        return Seer(lambda labels: 1 - labels)


class Opaque(Parser):
    def load(self, landmarker=None):
        seer = Seer()
        network = seer.network
        seer.network = type("Detached", (), {"parse": network.parse, "__call__": lambda self, x: network(x.detach())})()
        return seer
