"""What every registered editor says of itself."""

from vdf_bench.core import registry

EDITORS = [name for name in registry.names("victims") if "editor" in registry.load("victims", name).card.tags]
SHIPPED = ("stargan-synth", "attgan-synth")


def test_six_editors_are_registered():
    assert set(EDITORS) == {*SHIPPED, "stargan", "attgan", "hisd", "attentiongan"}
    for name in EDITORS:
        card = registry.load("victims", name).card
        assert card.name == name and card.source and card.url.startswith("https://") and card.needs
        assert ("official" in card.tags) == (name not in SHIPPED)
